"""The flush in transactions: all of a partition becomes visible at once, and is fenced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from stream.faust_app.flush import FlushStep, LostPartitionsError
from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.outbox import send_changes, send_forwards, send_stage_events
from stream.faust_app.partition_producer import PartitionProducer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from aiokafka.client import AIOKafkaClient

    from stream.faust_app.flush import FlushObserver, Heartbeat
    from stream.faust_app.give_way import LongSteps
    from stream.faust_app.intake import PartitionSnapshot

#: Aborting what a dead worker left open takes its coordinator a moment; a restart of it longer.
TAKE_OVER_TIMEOUT_SECONDS = 30.0
#: Within it brokers may restart. Below the timeout of a transaction, which would look fenced.
FLUSH_TIMEOUT_SECONDS = 30.0


class TransactionFlush:
    """Implements ``Flush``: exactly once, one transaction for each partition and flush.

    Each partition has a transactional id, which its owner takes over before it reads anything.
    From then on the brokers refuse every write of an earlier owner.

    Args:
        client: connected; shared by the producers of all partitions.
        app_id: the group, and what transactional ids begin with.
        changelog_topic: where changed customers go.
        lifecycle_topic: where changes of their stages go.
        heartbeat: asks the group's coordinator.
        long_steps: where encoding takes its turns.
        observe: told of each step.
    """

    def __init__(
        self,
        client: AIOKafkaClient,
        app_id: str,
        changelog_topic: str,
        lifecycle_topic: str,
        heartbeat: Heartbeat,
        long_steps: LongSteps,
        *,
        observe: FlushObserver,
    ) -> None:
        self._client = client
        self._app_id = app_id
        self._changelog_topic = changelog_topic
        self._lifecycle_topic = lifecycle_topic
        self._heartbeat = heartbeat
        self._long_steps = long_steps
        self._observe = observe
        self._producers: dict[int, PartitionProducer] = {}

    async def take_over(self, partitions: Collection[int]) -> None:
        """Fence the partitions' earlier owners, this worker's own earlier self included.

        When it returns, what they committed can be read, and nothing can be added to it.
        Partitions that are kept are taken over anew: their committed offsets, which a
        transaction makes visible a moment after it ended, are there then, too.
        """
        await self.close()
        self._producers = {
            partition: PartitionProducer(self._client, f"{self._app_id}-{partition}")
            for partition in partitions
        }
        try:
            async with asyncio.timeout(TAKE_OVER_TIMEOUT_SECONDS):
                await asyncio.gather(*(each.start() for each in self._producers.values()))
        except TimeoutError:
            raise no_coordinator(TAKE_OVER_TIMEOUT_SECONDS) from None

    async def may_write(self) -> bool:
        """Whether this worker is still a member; the fence does not depend on the answer."""
        return await self._heartbeat() is not None

    async def write(self, parts: Sequence[PartitionSnapshot]) -> bool:
        """Commit a transaction for each part, all at the same time."""
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT_SECONDS):
                # All come to their end, so that a failure of one leaves less to read again.
                ends = await asyncio.gather(*map(self._commit, parts), return_exceptions=True)
        except TimeoutError:
            raise BrokenWorldError(
                f"the brokers did not carry out a flush within {FLUSH_TIMEOUT_SECONDS:.0f} s, and "
                "what became of it is unknown; check them, then start the worker again"
            ) from None
        failures = {
            part.partition: end
            for part, end in zip(parts, ends, strict=True)
            if isinstance(end, BaseException)
        }
        if failures:
            await self._fail(failures)
        return True

    async def close(self) -> None:
        """Let the producers of all partitions go."""
        producers, self._producers = self._producers, {}
        await asyncio.gather(*(each.close() for each in producers.values()))

    async def _commit(self, part: PartitionSnapshot) -> None:
        producer = self._producers[part.partition]
        self._observe(FlushStep.NOTHING_SENT, part)
        producer.begin()
        self._observe(FlushStep.BEGUN, part)
        await send_changes(
            producer, self._changelog_topic, part.partition, part.changes, self._long_steps
        )
        self._observe(FlushStep.CHANGELOG_SENT, part)
        await send_forwards(producer, part.forwards)
        await send_stage_events(producer, self._lifecycle_topic, part.partition, part.stage_events)
        self._observe(FlushStep.FORWARDS_SENT, part)
        if part.positions:
            await producer.send_offsets(part.positions, self._app_id)
        self._observe(FlushStep.OFFSETS_SENT, part)
        await producer.commit()
        self._observe(FlushStep.COMMITTED, part)

    async def _fail(self, failures: dict[int, BaseException]) -> None:
        for failure in failures.values():
            if not isinstance(failure, ProducerFenced | InvalidProducerEpoch):
                raise failure
        if not await self.may_write():
            raise LostPartitionsError
        fenced = ", ".join(map(str, sorted(failures)))
        raise BrokenWorldError(
            f"another worker writes for the partitions this one owns ({fenced}), so what this one "
            "wrote was refused; start it again"
        )


def no_coordinator(waited_seconds: float) -> BrokenWorldError:
    """What to say when the coordinator of transactions keeps silent."""
    return BrokenWorldError(
        f"the coordinator of transactions did not answer for {waited_seconds:.0f} s; check the "
        "brokers (a single one needs transaction.state.log.replication.factor=1 and "
        "transaction.state.log.min.isr=1), then start the worker again"
    )
