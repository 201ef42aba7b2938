"""How long a flush takes by number of partitions, on a real Apache Kafka.

Run as ``python -m tests.benchmarks.flush``; the figures of decision 7 come from it.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kafka import KafkaConsumer, TopicPartition

from tests.integration.stream_harness import Stream
from tests.support.flushes import Kind, Workers
from tests.support.kafka_server import KafkaServer

if TYPE_CHECKING:
    from stream.faust_app.intake import PartitionSnapshot

PARTITIONS = (8, 64, 256)
KINDS: tuple[Kind, ...] = ("lease", "transactions")
FLUSHES = 15
WARM_UP = 3
#: About what a commit interval of 3 s changes at 10,000 events/s.
CUSTOMERS = 20_000
STATE = b"." * 150


class Flushed(NamedTuple):
    seconds: list[float]
    cpu_seconds: float
    take_over_seconds: float


async def _measure(kind: Kind, broker: str, partitions: int) -> Flushed:
    stream = Stream(broker, RETENTION_PARTITIONS=str(partitions))
    await asyncio.to_thread(_wait_for_leaders, stream)
    async with Workers(kind, stream) as workers:
        flush = await workers.start()
        started = time.perf_counter()
        await flush.take_over(range(partitions))
        take_over_seconds = time.perf_counter() - started
        seconds: list[float] = []
        for number in range(1, FLUSHES + 1):
            if number == WARM_UP + 1:
                cpu = time.process_time()
                seconds.clear()
            parts = [
                _part(workers, partition, number, partitions) for partition in range(partitions)
            ]
            started = time.perf_counter()
            assert await flush.may_write()
            assert await flush.write(parts)
            seconds.append(time.perf_counter() - started)
    return Flushed(seconds, (time.process_time() - cpu) / len(seconds), take_over_seconds)


def _wait_for_leaders(stream: Stream) -> None:
    """A broker names leaders before it has made all their logs."""
    settings = stream.settings
    consumer = KafkaConsumer(bootstrap_servers=settings.broker, request_timeout_ms=300_000)
    try:
        consumer.end_offsets(
            [
                TopicPartition(settings.changelog_topic, partition)
                for partition in range(settings.partitions)
            ]
        )
    finally:
        consumer.close()


def _part(workers: Workers, partition: int, position: int, partitions: int) -> PartitionSnapshot:
    part = workers.part(partition, position)
    keys = [b"store\0customer-%d" % number for number in range(CUSTOMERS // partitions)]
    part.changes.keys.extend(keys)
    part.changes.values.extend([STATE] * len(keys))
    return part


def main() -> None:
    """Measure and print a table."""
    print("| partitions | flush by | median | most | CPU of the worker | take over |")
    print("|---|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        KafkaServer(Path(folder) / "kafka", heap_mb=1024) as server,
    ):
        for partitions in PARTITIONS:
            for kind in KINDS:
                done = asyncio.run(_measure(kind, server.address, partitions))
                print(
                    f"| {partitions} | {kind} | {statistics.median(done.seconds) * 1000:.0f} ms | "
                    f"{max(done.seconds) * 1000:.0f} ms | {done.cpu_seconds * 1000:.0f} ms | "
                    f"{done.take_over_seconds * 1000:.0f} ms |"
                )


if __name__ == "__main__":
    main()
