"""Writing records to Kafka in whole batches: everything is acknowledged, or an error is raised."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from stream.faust_app.outgoing_batch import Compression, OutgoingBatch
from stream.wire.record_bodies import NO_HEADERS, header_block, record_bodies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from stream.faust_app.give_way import LongSteps
    from stream.faust_app.intake import Forward
    from stream.wire.customer_state import Changes
    from stream.wire.record_bodies import Body


class BatchProducer(Protocol):
    """What takes whole batches: aiokafka's producer, or one of ours around its parts."""

    @property
    def is_transactional(self) -> bool:
        """Whether its batches are part of a transaction."""

    async def send_batch(
        self, batch: OutgoingBatch, topic: str, *, partition: int
    ) -> Awaitable[object]:
        """Queue a batch; what comes back ends when it is acknowledged, or raises."""


async def send_changes(
    producer: BatchProducer,
    topic: str,
    partition: int,
    changes: Changes,
    long_steps: LongSteps,
) -> None:
    """Write the changed customers of a partition to its changelog.

    Encoding them takes some tens of milliseconds when they are many: a turn of ``long_steps``.

    Raises:
        KafkaError: when the broker did not acknowledge all of it.
    """
    async with long_steps.turn():
        headers = [NO_HEADERS] * len(changes.keys)
        bodies = record_bodies([*changes.keys], changes.values, headers)
    await _send(producer, topic, partition, bodies)


async def send_stage_events(
    producer: BatchProducer, topic: str, partition: int, events: Iterable[Body]
) -> None:
    """Write changes of the stages of a partition's customers.

    They are most of what a replay writes, and much the same text again and again.

    Raises:
        KafkaError: when the broker did not acknowledge all of it.
    """
    await _send(producer, topic, partition, events, Compression.GZIP)


async def send_forwards(producer: BatchProducer, forwards: Iterable[Forward]) -> None:
    """Write dead letters and strays, in order, each to the partition it names.

    Raises:
        KafkaError: when the broker did not acknowledge all of it.
    """
    grouped: defaultdict[tuple[str, int], list[Forward]] = defaultdict(list)
    for record in forwards:
        grouped[record.topic, record.partition].append(record)
    await asyncio.gather(
        *(
            _send(producer, topic, partition, _bodies(records))
            for (topic, partition), records in grouped.items()
        )
    )


def _bodies(forwards: Sequence[Forward]) -> list[Body]:
    return record_bodies(
        [record.key for record in forwards],
        [record.value for record in forwards],
        [header_block(record.headers) for record in forwards],
    )


async def _send(
    producer: BatchProducer,
    topic: str,
    partition: int,
    bodies: Iterable[Body],
    compression: Compression = Compression.NONE,
) -> None:
    timestamp_ms = time.time_ns() // 1_000_000
    acknowledgements: list[Awaitable[object]] = []
    for body in bodies:
        batch = OutgoingBatch(
            body,
            timestamp_ms,
            is_transactional=producer.is_transactional,
            compression=compression,
        )
        acknowledgements.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*acknowledgements)
