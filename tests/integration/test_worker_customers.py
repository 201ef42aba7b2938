"""Single customers at a running worker: their outlook, and how they are erased."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.integration.stream_harness import PARTITIONS, Stream, purchases
from tests.integration.worker_harness import Worker
from tests.unit.test_outlook import crowd


def looked_up(worker: Worker, customer_id: str) -> dict[str, Any] | None:
    """What the worker says of a customer; None: it knows nothing."""
    status, body = worker.get(f"/api/v1/customers/default/{customer_id}")
    assert status in (200, 404), body
    answer: dict[str, Any] = json.loads(body)
    return answer if status == 200 else None


def test_a_worker_fits_models_to_its_customers_and_tells_their_outlook(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address)
    events = crowd(300)
    stream.send(stream.settings.topic_purchases, events)
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(len(events))
        deadline = time.monotonic() + 30
        while (answer := looked_up(worker, "7")) is None or answer["outlook"] is None:
            assert time.monotonic() < deadline, worker.log
            time.sleep(0.2)
        assert 0 < answer["outlook"]["probability_alive"] < 1
        assert 0 < answer["outlook"]["expected_orders_90d"] < 90
        assert worker.terminate() == 0


@pytest.mark.parametrize("id_key", ["", "0123456789abcdef0123456789abcdef"])
def test_an_erased_customer_is_nowhere_and_its_orders_count_on(
    broker_address: str, tmp_path: Path, id_key: str
) -> None:
    stream = Stream(broker_address, RETENTION_ID_KEY=id_key)
    topics = stream.settings
    events = purchases(80)
    stream.send(topics.topic_purchases, events)
    erasure = {"type": "erasure", "customer_id": "customer-7", "occurred_at": 1_700_000_000}
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(len(events)).wait_until_committed()
        before = worker.business()
        assert looked_up(worker, "customer-7") is not None
        assert (b"\0customer-7" in latest(stream)) is not bool(id_key)
        stream.send(topics.topic_returns, [erasure])
        worker.wait_for_events(len(events) + 1)
        assert looked_up(worker, "customer-7") is None
        assert looked_up(worker, "customer-8") is not None
        records = wait_until_settled(stream)
        assert len([key for key in records if key.startswith(b"\0\0\0")]) == 1
        assert worker.business() == before
        assert worker.terminate() == 0
    held = b"".join([*records, *records.values()])
    assert b"customer-7" not in held
    assert (b"customer-" in held) is not bool(id_key)
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_owning(PARTITIONS)
        assert worker.business() == before
        assert looked_up(worker, "customer-7") is None
        assert looked_up(worker, "customer-8") is not None


def latest(stream: Stream) -> dict[bytes, bytes]:
    """What a restart would read of the changelog: the latest value of each key."""
    consumer = KafkaConsumer(
        bootstrap_servers=stream.settings.broker,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=1500,
    )
    records: dict[bytes, bytes | None] = {}
    try:
        topic = stream.settings.changelog_topic
        consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
        for record in consumer:
            records[record.key] = record.value
    finally:
        consumer.close()
    return {key: value for key, value in records.items() if value is not None}


def wait_until_settled(stream: Stream) -> dict[bytes, bytes]:
    """The changelog once an anonymous row stands in it by itself."""
    deadline = time.monotonic() + 30
    while True:
        records = latest(stream)
        if any(key.startswith(b"\0\0\0") for key in records):
            return records
        assert time.monotonic() < deadline, records.keys()
