"""Writing records to Kafka in whole batches: everything is acknowledged, or an error is raised."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from stream.wire.stage_events import HEADERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from aiokafka.producer.message_accumulator import BatchBuilder

    from stream.faust_app.intake import Forward
    from stream.faust_app.record_batches import Header
    from stream.wire.customer_state import Changes

    OutgoingRecord = tuple[bytes | None, bytes | None, list[Header]]

#: Below the 1 MB a broker takes at most unless told otherwise.
BATCH_MAX_BYTES = 900_000


class BatchProducer(Protocol):
    """What takes whole batches: aiokafka's producer, or one of ours around it."""

    def create_batch(self) -> BatchBuilder:
        """An empty batch."""

    async def send_batch(
        self, batch: BatchBuilder, topic: str, *, partition: int
    ) -> Awaitable[object]:
        """Queue a batch; what comes back ends when it is acknowledged, or raises."""


async def send_changes(
    producer: BatchProducer, topic: str, partition: int, changes: Changes
) -> None:
    """Write the changed customers of a partition to its changelog.

    Raises:
        KafkaError: when the broker did not acknowledge all of it.
    """
    if changes.keys:
        records = zip(changes.keys, changes.values, strict=True)
        await _send(producer, topic, partition, ((key, value, []) for key, value in records))


async def send_stage_events(
    producer: BatchProducer, topic: str, partition: int, events: Changes
) -> None:
    """Write changes of the stages of a partition's customers.

    Raises:
        KafkaError: when the broker did not acknowledge all of it.
    """
    if events.keys:
        headers: list[Header] = list(HEADERS)
        records = zip(events.keys, events.values, strict=True)
        await _send(producer, topic, partition, ((key, value, headers) for key, value in records))


async def send_forwards(producer: BatchProducer, forwards: Iterable[Forward]) -> None:
    """Write dead letters and strays, in order, each to the partition it names.

    Raises:
        KafkaError: when the broker did not acknowledge all of it.
    """
    grouped: defaultdict[tuple[str, int], list[OutgoingRecord]] = defaultdict(list)
    for record in forwards:
        grouped[record.topic, record.partition].append((record.key, record.value, record.headers))
    await asyncio.gather(
        *(
            _send(producer, topic, partition, records)
            for (topic, partition), records in grouped.items()
        )
    )


async def _send(
    producer: BatchProducer, topic: str, partition: int, records: Iterable[OutgoingRecord]
) -> None:
    acknowledgements: list[Awaitable[object]] = []
    timestamp_ms = time.time_ns() // 1_000_000
    batch = producer.create_batch()
    for key, value, headers in records:
        if batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers) is None:
            acknowledgements.append(await producer.send_batch(batch, topic, partition=partition))
            # A new batch takes its first record whatever the size.
            batch = producer.create_batch()
            batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers)
    acknowledgements.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*acknowledgements)
