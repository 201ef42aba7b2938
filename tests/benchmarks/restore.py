"""How long a new worker takes from Kafka to ready, on a real Apache Kafka.

Run as ``python -m tests.benchmarks.restore``; the figures of decision 12 come from it.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil
from aiokafka import AIOKafkaProducer

from stream.faust_app.give_way import LongSteps
from stream.faust_app.outbox import send_changes
from tests.benchmarks.memory import NOW_MS, ORDERS, Crowd
from tests.integration.stream_harness import Stream
from tests.integration.worker_harness import Worker
from tests.support.kafka_server import KafkaServer

PARTITIONS = 8
ENVIRON = {
    "RETENTION_PARTITIONS": str(PARTITIONS),
    "RETENTION_WINDOWS": "7d,30d,90d,365d,week,month,quarter",
    "RETENTION_DIMENSIONS": "channel,country",
    "RETENTION_HORIZON": "800d",
}
READY_TIMEOUT_SECONDS = 300.0


class _Producer(AIOKafkaProducer):  # type: ignore[misc] # aiokafka is untyped
    """One that is asked whether it writes in transactions."""

    is_transactional = False


class Restored(NamedTuple):
    """One start of a worker, in seconds."""

    #: From the first look at the changelog until ``/readyz`` says 200.
    reading_to_ready: float
    #: From the start of the process.
    start_to_ready: float
    #: The worker's CPU from reading to ready: what a machine that does nothing else would take.
    cpu: float


async def _fill(stream: Stream, customers: int, records: int) -> None:
    """Write what a worker leaves: every customer so many times, the last time whole."""
    settings = stream.settings
    crowd = Crowd(customers, PARTITIONS)
    producer = _Producer(**settings.kafka.client_options(), acks="all")
    await producer.start()
    try:
        for order in range(ORDERS):
            crowd.order(order)
            if order >= ORDERS - records:
                for partition in range(PARTITIONS):
                    changes = crowd.engine.take_changes(partition, NOW_MS)
                    await send_changes(
                        producer, settings.changelog_topic, partition, changes, LongSteps()
                    )
    finally:
        await producer.stop()


def _restore(stream: Stream, folder: Path) -> Restored:
    started = time.perf_counter()
    reading = None
    with Worker(stream.environ, folder) as worker:
        process = psutil.Process(worker.pid)
        while True:
            status, answer = worker.get("/readyz")
            now, cpu = time.perf_counter(), sum(process.cpu_times()[:2])
            if reading is None and '"records_total"' in answer:
                reading, cpu_before = now, cpu
            if status == 200:
                break
            if worker.exit_code is not None or now - started > READY_TIMEOUT_SECONDS:
                raise RuntimeError(f"the worker did not get ready:\n{worker.log}")
            time.sleep(0.005)
    if reading is None:
        raise RuntimeError("the worker was ready before it was seen to read: take more customers")
    return Restored(now - reading, now - started, cpu - cpu_before)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.restore", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5, help="starts of a worker for each row")
    parser.add_argument(
        "--records", type=int, nargs="+", default=[1, 3], choices=range(1, ORDERS + 1),
        help="of a customer: 1 is a compacted changelog",
    )  # fmt: skip
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with KafkaServer(folder / "kafka", heap_mb=1024) as server:
            for records in args.records:
                stream = Stream(server.address, **ENVIRON)
                asyncio.run(_fill(stream, args.customers, records))
                runs = [_restore(stream, folder) for _ in range(args.runs)]
                rows.append(_row(args.customers, records, runs))
    print("| customers | records of each | reading to ready | customers/s | CPU | from start |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))


def _row(customers: int, records: int, runs: list[Restored]) -> str:
    seconds = sorted(run.reading_to_ready for run in runs)
    median = statistics.median(seconds)
    whole = statistics.median(run.start_to_ready for run in runs)
    cpu = statistics.median(run.cpu for run in runs)
    return (
        f"| {customers:,} | {records} | {median:.2f} s ({seconds[0]:.2f} to {seconds[-1]:.2f}) "
        f"| {customers / median:,.0f} | {cpu:.2f} s | {whole:.2f} s |"
    )


if __name__ == "__main__":
    main()
