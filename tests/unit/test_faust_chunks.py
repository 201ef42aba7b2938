"""Fetched records become chunks: with aiokafka's own fetcher, and no broker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchError, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import RecordTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import ConsumerRecord
from faust.types import TP

from stream.faust_app.chunk import Chunk
from stream.faust_app.consumer_thread import ChunkConsumerThread

PARTITION = TopicPartition("purchases", 3)
ACTIVE = {TP(*PARTITION)}


class Fetched:
    """A fetcher that has got some records of one partition."""

    def __init__(self, start: int, offsets: list[int]) -> None:
        self.subscriptions = SubscriptionState()
        self.subscriptions.assign_from_user({PARTITION})
        self.assignment: Any = self.subscriptions.subscription.assignment
        self.state: Any = self.assignment.state_value(PARTITION)
        self.state.reset_to(start)
        self.fetcher: Any = Fetcher.__new__(Fetcher)
        self.fetcher._subscriptions = self.subscriptions
        self.fetcher._wait_consume_future = asyncio.get_running_loop().create_future()
        self.fetcher._records = {
            PARTITION: FetchResult(
                PARTITION,
                assignment=self.assignment,
                partition_records=PartitionRecords(
                    PARTITION, _batch(offsets), [], start, None, None, True, 0
                ),
                backoff=0,
            )
        }

    async def drain(self, max_records: int = 1000) -> list[Chunk]:
        drained = await ChunkConsumerThread._drain(
            ChunkConsumerThread.__new__(ChunkConsumerThread), self.fetcher, ACTIVE, max_records
        )
        chunks: list[Chunk] = drained.get(TP(*PARTITION), [])
        return chunks


def _batch(offsets: list[int]) -> MemoryRecords:
    builder = BatchBuilder(1_000_000, 0)
    for offset in offsets:
        builder._builder.append(
            offset, 0, b"k%d" % offset, b"v%d" % offset, [("h", b"%d" % offset)]
        )
    return MemoryRecords(bytes(builder._build()))


async def test_a_chunk_holds_the_records_as_columns() -> None:
    (chunk,) = await Fetched(0, [0, 1, 2]).drain()
    assert chunk.source == PARTITION
    assert (chunk.start, chunk.end) == (0, 3)
    assert list(chunk.offsets) == [0, 1, 2]
    assert chunk.keys == [b"k0", b"k1", b"k2"]
    assert chunk.values == [b"v0", b"v1", b"v2"]
    assert chunk.headers(1) == [("h", b"1")]


async def test_a_chunk_starts_where_the_consumer_stood_not_at_its_first_record() -> None:
    (chunk,) = await Fetched(2, [0, 1, 2, 5, 9]).drain()
    assert (chunk.start, chunk.end) == (2, 10)
    assert chunk.offsets == [2, 5, 9]


async def test_chunks_of_a_large_fetch_join_without_a_gap() -> None:
    fetched = Fetched(0, list(range(25)))
    chunks = [chunk for _ in range(3) for chunk in await fetched.drain(max_records=10)]
    assert [(chunk.start, chunk.end) for chunk in chunks] == [(0, 10), (10, 20), (20, 25)]
    assert [offset for chunk in chunks for offset in chunk.offsets] == list(range(25))
    assert await fetched.drain() == []


async def test_records_fetched_before_a_seek_are_dropped() -> None:
    fetched = Fetched(0, [0, 1, 2])
    fetched.state.seek(1)
    assert await fetched.drain() == []
    assert fetched.state.position == 1


async def test_records_of_a_partition_that_is_leaving_are_not_taken() -> None:
    fetched = Fetched(0, [0, 1, 2])
    fetched.subscriptions.subscription.assignment._tp_state.clear()
    fetched.subscriptions.subscription.assignment._topic_partitions = frozenset()
    assert await fetched.drain() == []


async def test_records_are_not_wrapped_one_by_one() -> None:
    (chunk,) = await Fetched(0, [0]).drain()
    assert not isinstance(chunk.records[0], ConsumerRecord)


async def test_an_error_of_the_broker_is_raised() -> None:
    fetched = Fetched(0, [0])
    fetched.fetcher._records[PARTITION] = FetchError(error=RecordTooLargeError(), backoff=0)
    with pytest.raises(RecordTooLargeError):
        await fetched.drain()
