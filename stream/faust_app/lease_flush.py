"""The flush for brokers without transactions: acknowledged first, committed after."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING

from stream.faust_app.lease import Lease
from stream.faust_app.outbox import send_changes, send_forwards, send_stage_events

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from aiokafka import AIOKafkaProducer

    from stream.faust_app.chunk import SourcePartition
    from stream.faust_app.flush import Heartbeat
    from stream.faust_app.give_way import LongSteps
    from stream.faust_app.intake import PartitionSnapshot
    from stream.faust_app.outgoing_batch import OutgoingBatch


class LeaseFlush:
    """Implements ``Flush``: at least once, and ownership as far as a heartbeat proves it.

    Between the look at the lease and the arrival of a write there is time, so a worker that is
    paused right there is not refused by the broker.

    Args:
        producer: waits for all replicas.
        changelog_topic: where changed customers go.
        lifecycle_topic: where changes of their stages go.
        heartbeat: asks the group's coordinator.
        long_steps: where encoding takes its turns.
        commit_offsets: commits positions as a member of the group; whether it did.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        changelog_topic: str,
        lifecycle_topic: str,
        heartbeat: Heartbeat,
        long_steps: LongSteps,
        commit_offsets: Callable[[Mapping[SourcePartition, int]], Awaitable[bool]],
    ) -> None:
        self._lease = Lease(heartbeat)
        self._producer = _LeasedProducer(producer, self._lease)
        self._changelog_topic = changelog_topic
        self._lifecycle_topic = lifecycle_topic
        self._long_steps = long_steps
        self._commit_offsets = commit_offsets

    async def take_over(self, partitions: Collection[int]) -> None:
        """Nothing to do: a lease is asked for at every flush."""

    async def may_write(self) -> bool:
        """Renew the lease; whether this worker is still a member."""
        return await self._lease.renew()

    async def write(self, parts: Sequence[PartitionSnapshot]) -> bool:
        """Send everything, wait until it is acknowledged, commit the positions."""
        # Before the states that say they were told: a crash in between tells them again.
        topic = self._lifecycle_topic
        await asyncio.gather(
            *(
                send_stage_events(self._producer, topic, part.partition, part.stage_events)
                for part in parts
            )
        )
        topic = self._changelog_topic
        await asyncio.gather(
            *(
                send_changes(self._producer, topic, part.partition, part.changes, self._long_steps)
                for part in parts
            ),
            send_forwards(self._producer, chain.from_iterable(part.forwards for part in parts)),
        )
        positions = {
            source: position for part in parts for source, position in part.positions.items()
        }
        return not positions or await self._commit_offsets(positions)

    async def close(self) -> None:
        """Nothing to do: the producer is Faust's."""


class _LeasedProducer:
    """Hands batches on as long as the lease lasts."""

    is_transactional = False

    def __init__(self, producer: AIOKafkaProducer, lease: Lease) -> None:
        self._producer = producer
        self._lease = lease

    async def send_batch(
        self, batch: OutgoingBatch, topic: str, *, partition: int
    ) -> Awaitable[object]:
        await self._lease.confirm()
        acknowledged: Awaitable[object] = await self._producer.send_batch(
            batch, topic, partition=partition
        )
        return acknowledged
