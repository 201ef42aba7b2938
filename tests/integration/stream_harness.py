"""Topics of a test's own on a broker: what it sends into them and reads from them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from stream.settings import Settings, load_settings
from stream.tools.topics import ensure_topics
from stream.wire.partitioning import partitions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PARTITIONS = 3


class Record(NamedTuple):
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Stream:
    """Topics of its own on a broker, with what a test sends and reads."""

    def __init__(self, broker: str, **settings: str) -> None:
        run = uuid.uuid4().hex[:8]
        self.environ = {
            "RETENTION_BROKER": broker,
            "RETENTION_PARTITIONS": str(PARTITIONS),
            "RETENTION_CLOCK": "event",
            "RETENTION_WINDOWS": "30d,month",
            "RETENTION_DIMENSIONS": "channel",
            "RETENTION_COMMIT_INTERVAL_SECONDS": "0.5",
            "RETENTION_APP_ID": f"app-{run}",
            "RETENTION_TOPIC_PURCHASES": f"purchases-{run}",
            "RETENTION_TOPIC_SIGNUPS": f"signups-{run}",
            "RETENTION_TOPIC_RETURNS": f"returns-{run}",
            "RETENTION_TOPIC_REROUTED": f"rerouted-{run}",
            "RETENTION_TOPIC_DEAD_LETTERS": f"dead-letters-{run}",
            "RETENTION_TOPIC_LIFECYCLE": f"lifecycle-{run}",
            **settings,
        }
        self.settings: Settings = load_settings(self.environ)
        ensure_topics(self.settings)

    def send(self, topic: str, events: Iterable[Mapping[str, Any]]) -> None:
        """Send events, keyed and placed by their customer as producers do."""
        self.send_raw(topic, [record_of(event) for event in events])

    def send_raw(self, topic: str, records: Iterable[Record]) -> None:
        producer = KafkaProducer(bootstrap_servers=self.settings.broker, acks="all")
        try:
            for record in records:
                send_record(producer, topic, record)
            producer.flush()
        finally:
            producer.close()

    def read(self, topic: str, count: int) -> list[Record]:
        """The first ``count`` records of a topic; fails when there are fewer."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.settings.broker,
            auto_offset_reset="earliest",
            consumer_timeout_ms=10_000,
        )
        try:
            consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
            found = [next(consumer) for _ in range(count)]
        finally:
            consumer.close()
        return [Record(r.partition, r.key, r.value, r.headers) for r in found]

    def read_all(self, topic: str) -> list[Record]:
        """Every record of a topic that comes within some seconds."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.settings.broker,
            auto_offset_reset="earliest",
            consumer_timeout_ms=3_000,
        )
        try:
            consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
            return [Record(r.partition, r.key, r.value, r.headers) for r in consumer]
        finally:
            consumer.close()


def send_record(producer: KafkaProducer, topic: str, record: Record) -> None:
    producer.send(
        topic,
        key=record.key,
        value=record.value,
        headers=record.headers,
        partition=record.partition,
    )


def record_of(event: Mapping[str, Any]) -> Record:
    """The event as a record, keyed and placed by its customer."""
    customer_id = str(event["customer_id"])
    return Record(partition_of(customer_id), customer_id.encode(), json.dumps(event).encode(), [])


def partition_of(customer_id: str) -> int:
    """Where a customer's events belong."""
    return int(partitions_of([customer_id.encode()], PARTITIONS)[0])


def purchases(count: int, customers: int = 40, first: int = 0) -> list[dict[str, Any]]:
    """Orders a day apart for each customer in turn; ``first`` numbers the first order."""
    return [
        {
            "type": "purchase",
            "customer_id": f"customer-{number % customers}",
            "occurred_at": 1_700_000_000 + number * 3_600,
            "order_id": f"order-{number}",
            "amount": f"{number % 90}.25",
            "currency": "EUR",
            "attributes": {"channel": "web" if number % 3 else "app"},
        }
        for number in range(first, first + count)
    ]
