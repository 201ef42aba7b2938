"""The thread that talks to Kafka: fetches chunks, seeks, and proves its membership."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import (
    ConsumerStoppedError,
    KafkaError,
    NoError,
    RebalanceInProgressError,
    for_code,
)
from aiokafka.protocol.group import HeartbeatRequest, LeaveGroupRequest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from stream.faust_app.chunk import Chunk, SourcePartition
from stream.faust_app.record_batches import (
    BatchwiseFetcher,
    FetchedRecord,
    RecordColumns,
    read_batchwise,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import AIOKafkaConsumer
    from aiokafka.consumer.fetcher import Fetcher
    from faust.transport.drivers.aiokafka import Transport

#: Faust waits 1.5 s; a partition that just got its position would wait as long for its turn.
FETCH_MAX_WAIT_MS = 100
#: Bounds the memory of a worker that catches up.
FETCH_MAX_BYTES = 16 * 1024 * 1024


class ChunkConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, giving one chunk for each partition and fetch."""

    #: How often it has sought to what is committed: see ``Chunk``.
    seeks = 0

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS  # noqa: SLF001 - hard-coded in Faust
        consumer._fetch_max_bytes = FETCH_MAX_BYTES  # noqa: SLF001 - Faust has no setting for it
        # Faust asks for it only with its own transactions; events of aborted ones never happened.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        return consumer

    async def on_start(self) -> None:
        """Start the consumer, which reads batch by batch."""
        await super().on_start()
        read_batchwise(self._ensure_consumer())

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Keep the group's consumer off the changelog: recovery reads it by itself."""
        changelogs = (tp for tp in assigned if self._is_changelog(tp))
        self._ensure_consumer().pause(*(TopicPartition(*tp) for tp in changelogs))
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_thread_stop(self) -> None:
        """Leave the group, also in its generation 0.

        The embedded broker counts from 0, where aiokafka does not leave: the next start would
        wait until this member's session ends.
        """
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001
        if coordinator.generation == 0:
            leave = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
            with suppress(KafkaError):  # as aiokafka does: leaving only saves time
                await coordinator._send_req(leave)  # noqa: SLF001
        await super().on_thread_stop()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek source partitions to their committed offsets; where each now stands.

        aiokafka leaves a partition without a committed offset where it is, past what was
        fetched and dropped; here it goes back to its beginning.
        """
        positions: Mapping[TP, int] = await self.call_thread(self._seek_to_committed)
        return positions

    async def heartbeat(self) -> float | None:
        """Ask the coordinator whether this worker is still a member of its generation.

        Returns:
            Until when (``time.monotonic``) no other worker can own its partitions, or None
            when it is not a member any more or the coordinator does not answer.
        """
        valid_until: float | None = await self.call_thread(self._heartbeat)
        return valid_until

    async def member_until(self) -> float | None:
        """Ask the coordinator about this member, changing nothing; see ``ChunkConsumer``."""
        until: float | None = await self.call_thread(self._member_until)
        return until

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,
    ) -> dict[TP, list[Chunk]]:
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher  # noqa: SLF001
        if consumer._closed or fetcher._closed:  # noqa: SLF001
            raise ConsumerStoppedError
        with fetcher._subscriptions.fetch_context():  # noqa: SLF001
            if active_partitions.isdisjoint(fetcher._records):  # noqa: SLF001
                waiter = fetcher._create_fetch_waiter()  # noqa: SLF001
                done, _ = await asyncio.wait([waiter], timeout=timeout)
                if not done:
                    waiter.cancel()
                    return {}
                waiter.result()  # raises what the broker forbids
                # A rebalance may have come and sought meanwhile. What is taken while the flow is
                # stopped is dropped, and nobody seeks again: those records would be missing.
                if not self.consumer.flow_active:
                    return {}
            return await self._drain(fetcher, active_partitions, max_records)

    async def _drain(
        self, fetcher: Fetcher, active_partitions: set[TP], max_records: int | None
    ) -> dict[TP, list[Chunk]]:
        """The next chunk.

        Not all that was fetched at once: taking a chunk apart makes thousands of objects, and
        keeps the thread that applies waiting for the interpreter.
        """
        subscriptions = fetcher._subscriptions  # noqa: SLF001
        # In the order of their arrival, so that no partition waits for ever.
        fetched = [tp for tp in fetcher._records if tp in active_partitions]  # noqa: SLF001
        for tp in fetched:
            if subscriptions.reassignment_in_progress or not subscriptions.is_assigned(tp):
                continue
            # With these two conditions met and no timeout, nothing is awaited in between.
            state = subscriptions.subscription.assignment.state_value(tp)
            start = state.position if state.has_valid_position else None
            drain = _drain_batches if isinstance(fetcher, BatchwiseFetcher) else _drain_records
            drained = await drain(fetcher, tp, max_records)
            if start is None or not state.has_valid_position or state.position == start:
                continue
            source = SourcePartition(tp.topic, tp.partition)
            chunk = Chunk.of(source, start, state.position, drained, self.seeks)
            return {TP(*source): [chunk]}
        return {}

    async def _seek_to_committed(self) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        sources = [tp for tp in consumer.assignment() if not self._is_changelog(tp)]
        offsets = await asyncio.gather(*(consumer.committed(tp) for tp in sources))
        committed = dict(zip(sources, offsets, strict=True))
        fresh = [tp for tp, offset in committed.items() if offset is None]
        if fresh:
            await consumer.seek_to_beginning(*fresh)
        for tp, offset in committed.items():
            if offset is not None:
                consumer.seek(tp, offset)
        positions = {TP(*tp): await consumer.position(tp) for tp in sources}
        # Nothing is fetched meanwhile, as the flow is stopped.
        self.seeks += 1
        return positions

    def _is_changelog(self, tp: TP | TopicPartition) -> bool:
        return tp.topic in self.app.tables.changelog_topics

    async def _heartbeat(self) -> float | None:
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001
        generation = coordinator.generation
        if generation != self.app.consumer_generation_id:
            return None
        sent_at = time.monotonic()
        alive = await coordinator._do_heartbeat()  # noqa: SLF001
        if not alive or coordinator.generation != generation:
            return None
        session_seconds: float = self.app.conf.broker_session_timeout
        return sent_at + session_seconds

    async def _member_until(self) -> float | None:
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001
        generation = self.app.consumer_generation_id
        if coordinator.generation != generation:
            return 0.0
        # aiokafka's own heartbeat would ask for a rejoin, even in the middle of one.
        request = HeartbeatRequest(coordinator.group_id, generation, coordinator.member_id)
        session_seconds: float = self.app.conf.broker_session_timeout
        asked_at = time.monotonic()
        try:
            async with asyncio.timeout(session_seconds):
                answer = await coordinator._send_req(request)  # noqa: SLF001
        except (KafkaError, TimeoutError):
            return None
        # A group that is rebalancing waits for this member.
        alive = for_code(answer.error_code) in (NoError, RebalanceInProgressError)
        return asked_at + session_seconds if alive else 0.0


async def _drain_batches(fetcher: Fetcher, tp: TP, max_records: int | None) -> list[RecordColumns]:
    drained: list[RecordColumns] = []
    count = 0
    while max_records is None or count < max_records:
        parts = (await fetcher.fetched_records([tp], timeout=0, max_records=1)).get(tp, [])
        if not parts:
            break
        drained += parts
        count += len(parts[0].offsets)
    return drained


async def _drain_records(fetcher: Fetcher, tp: TP, max_records: int | None) -> list[RecordColumns]:
    result = fetcher._records[tp]  # noqa: SLF001
    if type(result) is FetchResult and result._partition_records is not None:  # noqa: SLF001
        # Not a ConsumerRecord of 12 fields for every record.
        result._partition_records._consumer_record = _as_decoded  # noqa: SLF001
    drained = await fetcher.fetched_records([tp], timeout=0, max_records=max_records)
    return [RecordColumns.of(drained[tp])] if tp in drained else []


def _as_decoded(_tp: TP, record: FetchedRecord) -> FetchedRecord:
    return record
