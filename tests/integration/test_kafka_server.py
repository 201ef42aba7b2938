"""The real Kafka that other tests lean on does what they take for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import ProducerFencedError

from tests.support.kafka_server import KafkaServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.kafka


def create_topic(address: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=address)
    try:
        admin.create_topics({topic: {"num_partitions": 1}}, wait_for_metadata=True)
    finally:
        admin.close()


def produce(address: str, topic: str, values: list[bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=address, acks="all")
    try:
        acknowledged = [producer.send(topic, key=b"customer", value=value) for value in values]
        for future in acknowledged:
            future.get(timeout=30)
    finally:
        producer.close()


def consume(address: str, topic: str, *, group: str | None = None) -> list[bytes]:
    """Every value of the topic's only partition."""
    consumer = KafkaConsumer(
        bootstrap_servers=address,
        group_id=group,
        auto_offset_reset="earliest",
        consumer_timeout_ms=30_000,
    )
    try:
        partition = TopicPartition(topic, 0)
        if group is None:
            consumer.assign([partition])
        else:
            consumer.subscribe([topic])
        end = consumer.end_offsets([partition])[partition]
        values: list[bytes] = []
        for record in consumer:
            values.append(record.value)
            if record.offset + 1 >= end:
                break
        return values
    finally:
        consumer.close()


def test_a_group_member_reads_what_was_produced(kafka_server: KafkaServer) -> None:
    create_topic(kafka_server.address, "round-trip")
    sent = [b"%d" % number for number in range(1000)]

    produce(kafka_server.address, "round-trip", sent)

    assert consume(kafka_server.address, "round-trip", group="readers") == sent


def test_acknowledged_records_survive_a_crash_and_a_restart(tmp_path: Path) -> None:
    with KafkaServer(tmp_path) as server:
        create_topic(server.address, "durable")
        produce(server.address, "durable", [b"before the crash"])
        server.kill()
        server.start()
        produce(server.address, "durable", [b"after the crash"])
        server.restart()

        assert consume(server.address, "durable") == [b"before the crash", b"after the crash"]


def test_a_second_producer_with_the_same_transactional_id_fences_the_first(
    kafka_server: KafkaServer,
) -> None:
    create_topic(kafka_server.address, "fenced")
    producers = [
        KafkaProducer(bootstrap_servers=kafka_server.address, transactional_id="partition-0")
        for _ in range(2)
    ]
    paused, successor = producers
    try:
        paused.init_transactions()
        paused.begin_transaction()
        paused.send("fenced", value=b"never committed")
        paused.flush()
        successor.init_transactions()

        with pytest.raises(ProducerFencedError):
            paused.commit_transaction()
    finally:
        for producer in producers:
            producer.close()


def test_topics_are_not_created_by_merely_naming_them(kafka_server: KafkaServer) -> None:
    consumer = KafkaConsumer(bootstrap_servers=kafka_server.address)
    try:
        assert not consumer.partitions_for_topic("never-created")
    finally:
        consumer.close()


def test_a_server_that_cannot_start_says_why_at_once(tmp_path: Path) -> None:
    server = KafkaServer(tmp_path, settings={"num.io.threads": "many"})

    with pytest.raises(RuntimeError, match=r"many for configuration num\.io\.threads"):
        server.start()
