"""Faust's transport, moving chunks in place of single records and committing by position.

Faust marks a message as done even when its agent failed, and derives offsets from such marks.
Here the source topics are declared without acks, and only what the intake applied and the
outbox made safe is committed.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import faust
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP, ConsumerMessage
from mode import Service

from stream.faust_app.consumer_thread import ChunkConsumerThread
from stream.faust_app.flush import LostPartitionsError
from stream.faust_app.lease_flush import LeaseFlush
from stream.faust_app.log import logger
from stream.faust_app.producer import ChunkProducer
from stream.faust_app.transaction_flush import TransactionFlush

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.faust_app.chunk import Chunk
    from stream.faust_app.flush import Flush
    from stream.faust_app.fuse import Fuse
    from stream.faust_app.intake import Intake, PartitionSnapshot


#: Under load a flush comes every commit interval; after this share of it without a chunk, at once.
QUIET_SHARE = 0.1
#: Brokers forget a transactional id that was not used for ``transactional.id.expiration.ms`` (7
#: days), and then refuse what is written under it.
RENEW_EVERY_SECONDS = 3600.0


class ChunkSchema(faust.Schema):
    """Passes a chunk through as it is."""

    def loads_key(self, app: Any, message: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Faust's signature
        """A chunk as a whole has no key."""
        return

    def loads_value(self, app: Any, message: Any, **options: Any) -> Chunk:  # noqa: ANN401, ARG002 - Faust's signature
        """The chunk."""
        chunk: Chunk = message.value
        return chunk


class _NothingRead(dict[TP, int | None]):
    """In place of Faust's own offsets of what was read.

    Faust drops what comes before them. A chunk of before a seek would set one, and the chunks
    that come again after it would be dropped. The intake knows which is which.
    """

    def __getitem__(self, tp: TP) -> int | None:
        return None


class ChunkConsumer(Consumer):
    """Faust's consumer with chunks for messages and positions for acks."""

    _thread: ChunkConsumerThread
    _may_seek = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust's signature
        super().__init__(*args, **kwargs)
        self._read_offset = _NothingRead()

    @property
    def _intake(self) -> Intake:
        intake: Intake = self.app.intake
        return intake

    @property
    def _fuse(self) -> Fuse:
        fuse: Fuse = self.app.fuse
        return fuse

    @cached_property
    def flush(self) -> Flush:
        """How this broker lets us write; for use once the producer is started."""
        producer: ChunkProducer = self.app.producer
        topics = (self.app.customers_changelog, self.app.lifecycle_topic)
        heartbeat, long_steps = self._thread.heartbeat, self.app.long_steps
        if not producer.transactional:
            return LeaseFlush(
                producer.batches, *topics, heartbeat, long_steps, self._commit_offsets
            )
        return TransactionFlush(
            producer.batches.client,
            self.app.conf.id,
            *topics,
            heartbeat,
            long_steps,
            observe=self.app.observe_flush,
        )

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Chunk) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            record.end - 1,
            None,
            None,
            None,
            None,
            record,
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def allow_seek(self) -> None:
        """Let the next ``perform_seek`` pass: every partition is restored, and none is read."""
        self._may_seek = True

    async def perform_seek(self) -> None:
        """Seek, if recovery asked for it.

        Faust does so on its own, too, when its fetching finds that the flow was stopped
        meanwhile. Before the last commit that would take back what is about to be committed,
        and commit it later: offsets would go backwards.
        """
        if self._may_seek:
            self._may_seek = False
            await super().perform_seek()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every source partition to its committed offset, or to its beginning."""
        positions: Mapping[TP, int] = await super().seek_to_committed()
        self._intake.seek(positions, self._thread.seeks)
        return positions

    async def member_until(self) -> float | None:
        """Until when (``time.monotonic``) no other worker can own this one's partitions.

        Returns:
            0 when they may have another owner already; None when the coordinator did not say.
        """
        until: float | None = await self._thread.member_until()
        return until

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Hand over what was applied, once Faust has stopped the flow of chunks."""
        self._may_seek = False
        await super().on_partitions_revoked(revoked)
        await self.commit_everything()
        self._intake.hold()

    async def commit_and_end_transactions(self) -> None:
        """The last commit before the consumer stops."""
        await self.commit_everything()
        # Chunks may still be applied, and a rebalance may ask for another commit: too late.
        self._intake.hold()
        await self.flush.close()

    @Service.task  # type: ignore[untyped-decorator] # mode is untyped here
    async def _commit_when_quiet(self) -> None:
        """Commit as soon as nothing more comes: a quiet worker has nothing to do again."""
        seen = 0
        while not self.should_stop:
            await self.sleep(self.commit_interval * QUIET_SHARE)
            applied = self._intake.chunks_applied
            if applied == seen and self._intake.has_changes:
                await self.commit()
            seen = applied

    @Service.task  # type: ignore[untyped-decorator] # mode is untyped here
    async def _renew_partitions_without_events(self) -> None:
        """Commit every partition now and then, so that the brokers do not forget who writes."""
        while not self.should_stop:
            await self.sleep(RENEW_EVERY_SECONDS)
            self._intake.commit_anew()

    async def commit_everything(self) -> None:
        """Commit also what was applied while another commit was on its way."""
        while await self.maybe_wait_for_commit_to_finish():
            pass
        await self.commit()

    async def force_commit(self, topics: object = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - Faust's signature
        """Make safe what was applied, then commit its positions; False when nothing was done.

        A failure burns the fuse: what the engine gave out cannot be taken from it again, so
        only a new start, which restores from the changelog, can go on.
        """
        if self._fuse.burnt or self._intake.nothing_to_flush:
            return False
        try:
            return await self._flush_and_commit()
        except LostPartitionsError:
            # As long as this is not committed, nothing counts as kept over the next rebalance.
            logger.warning(
                "lost the partitions in the middle of a flush: nothing of it will be seen"
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker has to end
            self._fuse.burn(error, "flushing")
        return False

    async def _flush_and_commit(self) -> bool:
        if not await self.flush.may_write():
            logger.warning("not flushing: the coordinator does not count this worker as a member")
            return False
        parts = await self._take_snapshots()
        if self._fuse.burnt:
            return False
        did_commit = await self.flush.write(parts)
        if did_commit:
            self._intake.committed(
                {source: position for part in parts for source, position in part.positions.items()}
            )
        return did_commit

    async def _take_snapshots(self) -> list[PartitionSnapshot]:
        """All parts, with time for others in between; no more once a chunk failed half-way."""
        parts: list[PartitionSnapshot] = []
        snapshots = self._intake.snapshots()
        while True:
            async with self.app.long_steps.turn():
                part = None if self._fuse.burnt else next(snapshots, None)
            if part is None:
                return parts
            parts.append(part)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust's check compares clocks of two kinds; the watchdog is ours."""


class ChunkTransport(Transport):
    """The transport of chunks."""

    Consumer: ClassVar[type[Consumer]] = ChunkConsumer
    Producer: ClassVar[type[ChunkProducer]] = ChunkProducer
