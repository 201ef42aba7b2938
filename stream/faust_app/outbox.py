"""Writing a snapshot to Kafka: everything is acknowledged, or an error is raised."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from aiokafka import AIOKafkaProducer
    from aiokafka.producer.message_accumulator import BatchBuilder

    from stream.faust_app.chunk import Header
    from stream.faust_app.intake import Snapshot
    from stream.faust_app.lease import Lease

    OutgoingRecord = tuple[bytes | None, bytes | None, list[Header]]

#: Below the 1 MB a broker takes at most unless told otherwise.
BATCH_MAX_BYTES = 900_000


async def send(
    producer: AIOKafkaProducer, snapshot: Snapshot, changelog_topic: str, lease: Lease
) -> None:
    """Write the changed customers, the dead letters and the strays.

    Args:
        producer: an idempotent one that waits for all replicas.
        snapshot: what to write.
        changelog_topic: where the changed customers go.
        lease: proof that no other worker owns these partitions yet.

    Raises:
        BrokenWorldError: when the lease was lost before all was handed to the producer.
        KafkaError: when the broker did not acknowledge all of it.
    """
    outgoing: dict[tuple[str, int], Iterable[OutgoingRecord]] = {
        (changelog_topic, partition): (
            (key, value, []) for key, value in zip(changes.keys, changes.values, strict=True)
        )
        for partition, changes in snapshot.changes.items()
        if changes.keys
    }
    outgoing.update(_forwards(snapshot))
    await asyncio.gather(
        *(
            _send_partition(producer, topic, partition, records, lease)
            for (topic, partition), records in outgoing.items()
        )
    )


def _forwards(snapshot: Snapshot) -> dict[tuple[str, int], list[OutgoingRecord]]:
    grouped: defaultdict[tuple[str, int], list[OutgoingRecord]] = defaultdict(list)
    for record in snapshot.forwards:
        grouped[record.topic, record.partition].append((record.key, record.value, record.headers))
    return grouped


async def _send_partition(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    records: Iterable[OutgoingRecord],
    lease: Lease,
) -> None:
    acknowledgements: list[Awaitable[object]] = []

    async def hand_over(batch: BatchBuilder) -> None:
        await lease.confirm()
        acknowledgements.append(await producer.send_batch(batch, topic, partition=partition))

    timestamp_ms = time.time_ns() // 1_000_000
    batch = producer.create_batch()
    for key, value, headers in records:
        if batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers) is None:
            await hand_over(batch)
            # A new batch takes its first record whatever the size.
            batch = producer.create_batch()
            batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers)
    await hand_over(batch)
    await asyncio.gather(*acknowledgements)
