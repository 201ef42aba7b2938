"""Reading changelog partitions from their beginning to their end, the latest of each key."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream.faust_app.changelog_batches import UnreadFetcher, put_into
from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.log import logger
from stream.faust_app.record_batches import read_batchwise

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from stream.kernel import LatestRecords
    from stream.settings import KafkaConnection

FETCH_MAX_BYTES_PER_PARTITION = 4 * 1024 * 1024
FETCH_MAX_WAIT_MS = 50
POLL_MS = 200
#: Partitions that are read at the same time, once it is known how much there is of all: those
#: that are read can be restored meanwhile.
AT_ONCE = 2
MOMENT_SECONDS = 0.001
LOG_EVERY_SECONDS = 5.0
#: Without a record or an answer for that long, the read has failed.
STALL_SECONDS = 30.0


class ChangelogReader:
    """Reads partitions once, with a consumer of its own that belongs to no group.

    Args:
        kafka: the brokers.
        topic: the changelog.
        records: by partition, where its records go.
    """

    def __init__(
        self, kafka: KafkaConnection, topic: str, records: Mapping[int, LatestRecords]
    ) -> None:
        self._kafka = kafka
        self._topic = topic
        self._records = records
        self._open = {TopicPartition(topic, partition) for partition in records}
        self._waiting: set[TopicPartition] = set()
        #: Offsets passed, and how many there are as far as is known; any thread may look.
        self.progress = (0, 0)
        self._starts: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._highwaters: dict[TopicPartition, int] = {}
        self._progressed_at = time.monotonic()
        self._logged_at = time.monotonic()

    async def partitions(self) -> AsyncGenerator[int]:
        """Each partition, once all its records are where they belong.

        The end is the high watermark that fetch responses tell: compaction and transactions
        leave gaps, so no record need have the offset before it. No transaction is open by then,
        as the partitions were taken over before.

        Raises:
            BrokenWorldError: when nothing comes for ``STALL_SECONDS``.
        """
        # Here and not before: it belongs to the event loop in which it is made.
        self._consumer = AIOKafkaConsumer(
            **self._kafka.client_options(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=FETCH_MAX_BYTES_PER_PARTITION,
            fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
        )
        try:
            async with asyncio.timeout(STALL_SECONDS):
                await self._start()
            while self._open:
                for partition in await self._poll():
                    yield partition
                self._watch()
        except TimeoutError:
            raise self._stalled() from None
        finally:
            await self._consumer.stop()

    async def _start(self) -> None:
        await self._consumer.start()
        read_batchwise(self._consumer, UnreadFetcher)
        self._consumer.assign(self._open)
        await self._consumer.seek_to_beginning(*self._open)
        for tp in self._open:
            self._starts[tp] = self._positions[tp] = await self._consumer.position(tp)

    async def _poll(self) -> list[int]:
        """The partitions of which all was read with what came now."""
        fetched = await self._consumer.getmany(*self._open, timeout_ms=POLL_MS)
        ended = []
        for tp in sorted(self._open):
            position = await self._consumer.position(tp)
            highwater = self._consumer.highwater(tp)
            is_last = highwater is not None and position >= highwater
            if position > self._positions[tp] or is_last:
                self._progressed_at = time.monotonic()
            self._positions[tp] = position
            if highwater is not None:
                self._highwaters[tp] = highwater
            if is_last:
                self._open.remove(tp)
                self._consumer.pause(tp)
                ended.append(tp.partition)
        self._take_turns()
        # In which the next fetch is sent: brokers are to work while what came is looked at.
        await asyncio.sleep(MOMENT_SECONDS)
        for tp, batches in fetched.items():
            put_into(self._records[tp.partition], batches)
        done = sum(self._positions[tp] - start for tp, start in self._starts.items())
        total = sum(self._highwaters.get(tp, start) - start for tp, start in self._starts.items())
        self.progress = done, total
        return ended

    def _take_turns(self) -> None:
        for turn, tp in enumerate(sorted(self._open)):
            if turn < AT_ONCE and tp in self._waiting:
                self._waiting.remove(tp)
                self._consumer.resume(tp)
            elif turn >= AT_ONCE and tp in self._highwaters and tp not in self._waiting:
                self._waiting.add(tp)
                self._consumer.pause(tp)

    def _watch(self) -> None:
        now = time.monotonic()
        if now - self._progressed_at > STALL_SECONDS:
            raise self._stalled()
        if now - self._logged_at > LOG_EVERY_SECONDS:
            self._logged_at = now
            done, total = self.progress
            logger.info("restoring customers: %d of %d changelog records", done, total)

    def _stalled(self) -> BrokenWorldError:
        done, total = self.progress
        return BrokenWorldError(
            f"reading {self._topic} gave nothing for {STALL_SECONDS:.0f} s, after {done} of "
            f"{total} records; check the brokers, then start the worker again"
        )
