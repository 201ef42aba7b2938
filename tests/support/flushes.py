"""Flushes of workers that exist only in a test, and what they leave on the broker."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Literal, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from stream.faust_app.changelog_reader import ChangelogReader
from stream.faust_app.chunk import SourcePartition
from stream.faust_app.flush import look_away
from stream.faust_app.give_way import LongSteps
from stream.faust_app.intake import Forward, PartitionSnapshot
from stream.faust_app.lease_flush import LeaseFlush
from stream.faust_app.transaction_flush import TransactionFlush
from stream.wire.customer_state import Changes
from stream.wire.record_bodies import NO_HEADERS, record_bodies
from tests.support.all_records import AllRecords

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.faust_app.flush import Flush, FlushObserver
    from tests.integration.stream_harness import Stream

Kind = Literal["lease", "transactions"]


class Membership:
    """What a coordinator says to a worker's heartbeats."""

    def __init__(self) -> None:
        self.lasts = True

    async def heartbeat(self) -> float | None:
        return float("inf") if self.lasts else None


class Workers:
    """Makes flushes, each with connections of its own; leaving the block closes them."""

    def __init__(self, kind: Kind, stream: Stream) -> None:
        self.stream = stream
        self._kind = kind
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def start(
        self, membership: Membership | None = None, observe: FlushObserver = look_away
    ) -> Flush:
        """The flush of one more worker."""
        heartbeat = (membership or Membership()).heartbeat
        settings = self.stream.settings
        topics = (settings.changelog_topic, settings.topic_lifecycle)
        producer = AIOKafkaProducer(**settings.kafka.client_options(), acks="all")
        await producer.start()
        self._open.push_async_callback(producer.stop)
        if self._kind == "lease":
            offsets = AIOKafkaConsumer(
                **settings.kafka.client_options(),
                group_id=settings.app_id,
                enable_auto_commit=False,
            )
            await offsets.start()
            self._open.push_async_callback(offsets.stop)

            async def commit(positions: Mapping[SourcePartition, int]) -> bool:
                there = {TopicPartition(*source): offset for source, offset in positions.items()}
                offsets.assign(list(there))
                await offsets.commit(there)
                return True

            return LeaseFlush(producer, *topics, heartbeat, LongSteps(), commit)
        flush = TransactionFlush(
            producer.client, settings.app_id, *topics, heartbeat, LongSteps(), observe=observe
        )
        self._open.push_async_callback(flush.close)
        return flush

    def part(
        self,
        partition: int,
        position: int | None,
        value: bytes = b"",
        letters: int = 0,
        stages: int = 0,
    ) -> PartitionSnapshot:
        """A partition that came to a position, with a customer if there is a value.

        None: only time has passed.
        """
        settings = self.stream.settings
        letter = Forward(settings.topic_dead_letters, partition, b"k", b"%d" % (position or 0), [])
        source = SourcePartition(settings.topic_purchases, partition)
        return PartitionSnapshot(
            partition=partition,
            positions={} if position is None else {source: position},
            changes=Changes([b"customer"], [value]) if value else Changes([], []),
            forwards=[letter] * letters,
            stage_events=record_bodies(
                [b"customer"] * stages, [b"%d" % n for n in range(stages)], [NO_HEADERS] * stages
            ),
        )

    async def changelog(self, partition: int) -> list[bytes | None]:
        """Every state of the only customer that can be read, the last one last."""
        return await self._read(self.stream.settings.changelog_topic, partition)

    async def stage_events(self, partition: int) -> list[bytes | None]:
        return await self._read(self.stream.settings.topic_lifecycle, partition)

    async def dead_letters(self, partition: int) -> list[bytes | None]:
        return await self._read(self.stream.settings.topic_dead_letters, partition)

    async def position(self, partition: int) -> int | None:
        """The committed offset."""
        settings = self.stream.settings
        consumer = AIOKafkaConsumer(**settings.kafka.client_options(), group_id=settings.app_id)
        await consumer.start()
        try:
            tp = TopicPartition(settings.topic_purchases, partition)
            offset: int | None = await consumer.committed(tp)
        finally:
            await consumer.stop()
        return offset

    async def _read(self, topic: str, partition: int) -> list[bytes | None]:
        records = AllRecords()
        reader = ChangelogReader(self.stream.settings.kafka, topic, {partition: records})
        assert [each async for each in reader.partitions()] == [partition]
        return records.all_values
