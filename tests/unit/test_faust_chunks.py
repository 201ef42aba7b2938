"""Fetched records become chunks: with aiokafka's own fetcher, and no broker."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchError, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import RecordTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.types import TP

from stream import kernel
from stream.faust_app import record_batches
from stream.faust_app.chunk import Chunk
from stream.faust_app.consumer_thread import ChunkConsumerThread
from stream.faust_app.record_batches import (
    BatchwiseFetcher,
    BatchwiseRecords,
    RecordBatches,
)

PARTITION = TopicPartition("purchases", 3)
OTHER = TopicPartition("purchases", 4)
ACTIVE = {TP(*PARTITION), TP(*OTHER)}


@pytest.fixture(params=["record by record", "batch by batch"])
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "batch by batch" and kernel.compiled is None:
        # Without Rust there are the references alone; where Rust is, the gate ends without this.
        pytest.skip("the compiled kernel is not installed")
    monkeypatch.setattr(record_batches, "PART_MAX_RECORDS", 10)
    return str(request.param)


class Fetched:
    """A fetcher of two partitions that has got some records of one."""

    def __init__(self, start: int, offsets: list[int], reading: str, codec: int = 0) -> None:
        self._batchwise = reading == "batch by batch"
        self.subscriptions = SubscriptionState()
        self.subscriptions.assign_from_user({PARTITION, OTHER})
        self.assignment: Any = self.subscriptions.subscription.assignment
        self.state: Any = self.assignment.state_value(PARTITION)
        self.fetcher: Any = Fetcher.__new__(BatchwiseFetcher if self._batchwise else Fetcher)
        self.fetcher._subscriptions = self.subscriptions
        self.fetcher._wait_consume_future = asyncio.get_running_loop().create_future()
        self.fetcher._records = {}
        self.arrive(PARTITION, start, _batch(offsets, codec))

    def arrive(self, partition: TopicPartition, start: int, data: bytes) -> None:
        """Have records of a partition, which is read from a position on."""
        self.assignment.state_value(partition).reset_to(start)
        records: Any = (
            BatchwiseRecords(partition, RecordBatches(data), [], start, None, None, True, 0)
            if self._batchwise
            else PartitionRecords(partition, MemoryRecords(data), [], start, None, None, True, 0)
        )
        self.fetcher._records[partition] = FetchResult(
            partition, assignment=self.assignment, partition_records=records, backoff=0
        )

    async def drain(self, max_records: int = 1000) -> list[Chunk]:
        drained = await ChunkConsumerThread._drain(
            ChunkConsumerThread.__new__(ChunkConsumerThread), self.fetcher, ACTIVE, max_records
        )
        return [chunk for chunks in drained.values() for chunk in chunks]


def _batch(offsets: list[int], codec: int) -> bytes:
    builder = BatchBuilder(1_000_000, codec)
    for offset in offsets:
        builder._builder.append(
            offset, 0, b"k%d" % offset, b"v%d" % offset, [("h", b"%d" % offset)]
        )
    return bytes(builder._build())


async def test_a_chunk_holds_the_records_as_columns(reading: str) -> None:
    (chunk,) = await Fetched(0, [0, 1, 2], reading).drain()
    assert chunk.source == PARTITION
    assert (chunk.start, chunk.end) == (0, 3)
    assert list(chunk.offsets) == [0, 1, 2]
    assert chunk.keys == [b"k0", b"k1", b"k2"]
    assert chunk.values == [b"v0", b"v1", b"v2"]
    assert chunk.headers(1) == [("h", b"1")]


async def test_a_chunk_starts_where_the_consumer_stood_not_at_its_first_record(
    reading: str,
) -> None:
    (chunk,) = await Fetched(2, [0, 1, 2, 5, 9], reading).drain()
    assert (chunk.start, chunk.end) == (2, 10)
    assert chunk.offsets == [2, 5, 9]


async def test_chunks_of_a_large_fetch_join_without_a_gap(reading: str) -> None:
    fetched = Fetched(0, list(range(25)), reading)
    chunks = [chunk for _ in range(3) for chunk in await fetched.drain(max_records=10)]
    assert [(chunk.start, chunk.end) for chunk in chunks] == [(0, 10), (10, 20), (20, 25)]
    assert [offset for chunk in chunks for offset in chunk.offsets] == list(range(25))
    assert await fetched.drain() == []


async def test_chunks_come_one_by_one_in_the_order_in_which_partitions_arrived(
    reading: str,
) -> None:
    fetched = Fetched(0, list(range(15)), reading)
    fetched.arrive(OTHER, 7, _batch([7, 8], codec=0))
    drained = [await fetched.drain(max_records=10) for _ in range(4)]
    assert [[(chunk.source, chunk.start, chunk.end) for chunk in each] for each in drained] == [
        [(PARTITION, 0, 10)],
        [(PARTITION, 10, 15)],
        [(OTHER, 7, 9)],
        [],
    ]


async def test_a_partition_without_records_that_count_leaves_its_turn_to_the_next(
    reading: str,
) -> None:
    fetched = Fetched(0, [0, 1, 2], reading)
    fetched.state.seek(1)
    fetched.arrive(OTHER, 7, _batch([7, 8], codec=0))
    (chunk,) = await fetched.drain()
    assert chunk.source == OTHER


async def test_records_fetched_before_a_seek_are_dropped(reading: str) -> None:
    fetched = Fetched(0, [0, 1, 2], reading)
    fetched.state.seek(1)
    assert await fetched.drain() == []
    assert fetched.state.position == 1


@pytest.mark.parametrize("flow_active", [True, False])
async def test_nothing_is_taken_once_the_flow_was_stopped_while_waiting(
    reading: str, *, flow_active: bool
) -> None:
    fetched = Fetched(0, [0, 1, 2], reading)
    fetcher, records = fetched.fetcher, fetched.fetcher._records
    fetcher._records, fetcher._closed = {}, False
    arrived = asyncio.get_running_loop().create_future()
    fetcher._create_fetch_waiter = lambda: arrived
    thread: Any = ChunkConsumerThread.__new__(ChunkConsumerThread)
    thread.consumer = SimpleNamespace(flow_active=True)
    consumer: Any = SimpleNamespace(_closed=False, _fetcher=fetcher)
    fetching = asyncio.create_task(thread._fetch_records(consumer, ACTIVE, 10.0, 1000))
    await asyncio.sleep(0)
    thread.consumer.flow_active = flow_active
    fetcher._records = records
    arrived.set_result(None)
    assert bool(await fetching) == flow_active
    # What was not taken is still to be read.
    assert fetched.state.position == (3 if flow_active else 0)


async def test_records_of_a_partition_that_is_leaving_are_not_taken(reading: str) -> None:
    fetched = Fetched(0, [0, 1, 2], reading)
    fetched.subscriptions.subscription.assignment._tp_state.clear()
    fetched.subscriptions.subscription.assignment._topic_partitions = frozenset()
    assert await fetched.drain() == []


@pytest.mark.parametrize("codec", [1, 2, 3, 4], ids=["gzip", "snappy", "lz4", "zstd"])
async def test_a_compressed_batch_gives_the_same_chunk(codec: int) -> None:
    (chunk,) = await Fetched(1, [0, 1, 2], "batch by batch", codec).drain()
    assert list(chunk.offsets) == [1, 2]
    assert chunk.values == [b"v1", b"v2"]
    assert chunk.headers(1) == [("h", b"2")]


async def test_an_error_of_the_broker_is_raised(reading: str) -> None:
    fetched = Fetched(0, [0], reading)
    fetched.fetcher._records[PARTITION] = FetchError(error=RecordTooLargeError(), backoff=0)
    with pytest.raises(RecordTooLargeError):
        await fetched.drain()
