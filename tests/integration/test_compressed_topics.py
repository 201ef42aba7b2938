"""Topics compressed in every way that producers know, read to the last header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from kafka import KafkaProducer

from tests.integration.stream_harness import Record, Stream, purchases, record_of, send_record
from tests.integration.worker_harness import Worker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CODECS = ("gzip", "snappy", "lz4", "zstd")
#: Refused, so that the worker hands on its headers.
BAD = Record(1, b"some-key", b"not json " * 50, [("trace", b"abc"), ("empty", b"")])


async def _send(stream: Stream, records: Sequence[Record], codec: str) -> None:
    """Send records in a few compressed batches."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stream.settings.broker, compression_type=codec, linger_ms=100
    )
    await producer.start()
    try:
        for record in records:
            await producer.send(
                stream.settings.topic_purchases,
                record.value,
                record.key,
                record.partition,
                headers=record.headers,
            )
        await producer.flush()
    finally:
        await producer.stop()


def _send_gzip(stream: Stream, records: Sequence[Record]) -> None:
    """The same through another client."""
    producer = KafkaProducer(
        bootstrap_servers=stream.settings.broker, compression_type="gzip", linger_ms=100
    )
    try:
        for record in records:
            send_record(producer, stream.settings.topic_purchases, record)
        producer.flush()
    finally:
        producer.close()


async def test_events_of_compressed_topics_count_and_keep_their_headers(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address)
    topics = stream.settings
    for number, codec in enumerate(CODECS):
        orders = [record_of(order) for order in purchases(100, first=100 * number)]
        await _send(stream, [*orders, BAD], codec)
    _send_gzip(stream, [record_of(order) for order in purchases(100, first=400)])
    stream.send(topics.topic_purchases, purchases(100, first=500))

    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(604)
        assert worker.outcomes() == {
            (topics.topic_purchases, "applied"): 600,
            (topics.topic_purchases, "rejected"): 4,
        }
        letters = stream.read(topics.topic_dead_letters, 4)
        uncompressed = Stream(broker_address)
        uncompressed.send(uncompressed.settings.topic_purchases, purchases(600))
        with Worker(uncompressed.environ, tmp_path) as other:
            other.wait_until_ready().wait_for_events(600)
            assert worker.business() == other.business()
        assert worker.terminate() == 0

    for letter in letters:
        assert (letter.key, letter.value) == (BAD.key, BAD.value)
        assert letter.headers[:2] == BAD.headers
