"""What grows with what: ``-m tests.benchmarks.scale``.

Customers, partitions and stores are varied in one engine each, in a process of its own, without
Kafka; the number of workers on Apache Kafka and Redis. Then, on paper, a billion customers.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
from kafka import KafkaConsumer
from rich.progress import Progress

from stream.settings import load_settings
from stream.tools.ports import usable_port
from stream.tools.produce import produce_lines
from tests.benchmarks.capacity import Costs, plan
from tests.benchmarks.figures import table
from tests.benchmarks.ours import await_ready, running_worker
from tests.benchmarks.pages import write
from tests.benchmarks.report import rates
from tests.benchmarks.results import OURS, load, machine
from tests.benchmarks.scale_engine import FLUSHED_CUSTOMERS, EngineCosts
from tests.benchmarks.setting import committed_events, running_broker, worker_settings
from tests.benchmarks.throughput import Sized
from tests.support.redis_server import RedisServer

COMMAND = "python -m tests.benchmarks.scale"
PARTITIONS = (8, 64, 256)
STORES = (1, 10, 100)
WORKERS = (1, 2)
PAPER_CUSTOMERS, PAPER_EVENTS_PER_SECOND = 1e9, 1e6
#: Both workers of a group are to be there before either reads.
JOIN_MS = "5000"
HEADINGS = (
    "customers",
    "partitions",
    "stores",
    "bytes a customer",
    "events/s, no Kafka",
    f"flush of {FLUSHED_CUSTOMERS:,}, ms",
    "restore, s",
    "customers/s",
    "peak in restore, GiB",
    "scrape, ms",
    "series",
    "what grows",
)


def grown(of: EngineCosts, base: EngineCosts) -> str:
    """What has grown since the base, by more than a tenth, and how much."""
    named = {
        "bytes a customer": (of.bytes_per_customer, base.bytes_per_customer),
        "flush": (of.flush_seconds, base.flush_seconds),
        "restore a customer": (
            of.restore_seconds / of.customers,
            base.restore_seconds / base.customers,
        ),
        "scrape": (of.scrape_seconds, base.scrape_seconds),
        "series": (of.series, base.series),
    }
    found = [(name, now / then) for name, (now, then) in named.items()]
    return ", ".join(f"{name} x {by:.1f}" for name, by in found if by > 1.1) or "nothing"


def engine_row(of: EngineCosts, base: EngineCosts) -> list[str]:
    """A row of the table; the base's own says that it is."""
    return [
        f"{of.customers:,}",
        f"{of.partitions}",
        f"{of.stores}",
        f"{of.bytes_per_customer:,.0f}",
        f"{of.events_per_second:,.0f}",
        f"{of.flush_seconds * 1000:,.0f}",
        f"{of.restore_seconds:,.1f}",
        f"{of.customers / of.restore_seconds:,.0f}",
        f"{of.restore_peak_bytes / 2**30:.1f}",
        f"{of.scrape_seconds * 1000:,.1f}",
        f"{of.series:,}",
        "-" if of is base else grown(of, base),
    ]


def paper(costs: Costs) -> str:
    """The exercise on paper, with its arithmetic."""
    planned = plan(costs, PAPER_CUSTOMERS, PAPER_EVENTS_PER_SECOND)
    rows = [(need.name, need.value, need.arithmetic) for need in planned.needs]
    return (
        f"On paper, {PAPER_CUSTOMERS:,.0f} customers and {PAPER_EVENTS_PER_SECOND:,.0f} events/s, "
        f"from the costs above:\n\n{table(('', 'needed', 'from'), rows)}\n"
        f"What gives way first: {planned.first_to_give_way}.\n"
    )


def main() -> None:
    """Measure, print and write the tables."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument(
        "--customers", type=int, nargs="+", default=[1_000_000, 5_000_000, 10_000_000]
    )
    parser.add_argument("--events", type=int, default=1_000_000, help="for 1 and 2 workers")
    parser.add_argument("--print-only", action="store_true", help="leave docs/ as it is")
    args = parser.parse_args()
    least = min(args.customers)
    sizes = [
        *((customers, PARTITIONS[0], STORES[0]) for customers in sorted(args.customers)),
        *((least, partitions, STORES[0]) for partitions in PARTITIONS[1:]),
        *((least, PARTITIONS[0], stores) for stores in STORES[1:]),
    ]
    with Progress() as progress:
        task = progress.add_task("", total=len(sizes) + len(WORKERS))
        # First, as it needs Kafka and Redis: where one is missing, that is known at once.
        by_workers = {}
        for workers in WORKERS:
            progress.update(task, description=f"{workers} workers")
            by_workers[workers] = _workers(workers, args.events)
            progress.advance(task)
        measured = []
        for size in sizes:
            what = "{:,} customers, {} partitions, {} stores".format(*size)
            progress.update(task, description=what)
            measured.append(_engine(*size))
            progress.advance(task)
    text = _report(measured, by_workers, args.events)
    print(text)
    if not args.print_only:
        write(COMMAND, text)


def _report(measured: list[EngineCosts], by_workers: dict[int, float], events: int) -> str:
    base = measured[0]
    largest = max(measured, key=lambda one: one.customers)
    ours = rates(load(1_000_000, 200_000), OURS, "kafka")
    costs = Costs(
        events_per_second=by_workers[1] if ours is None else ours.median,
        bytes_per_customer=largest.bytes_per_customer,
        changelog_bytes_per_customer=largest.changelog_bytes_per_customer,
        restored_per_second=largest.customers / largest.restore_seconds,
    )
    rows = [(f"{workers}", f"{rate:,.0f}") for workers, rate in by_workers.items()]
    return "\n".join(
        [
            f"Customers with three orders, default windows and dimensions, on {machine()}:",
            "",
            table(HEADINGS, [engine_row(one, base) for one in measured]),
            f"{events:,} events on Apache Kafka and Redis, all on the same machine:",
            "",
            table(("workers", "events/s"), rows),
            paper(costs),
        ]
    )


def _engine(customers: int, partitions: int, stores: int) -> EngineCosts:
    command = [sys.executable, "-m", "tests.benchmarks.scale_engine"]
    command += [str(customers), str(partitions), str(stores)]
    done = subprocess.run(command, check=True, capture_output=True)
    return msgspec.json.decode(done.stdout, type=EngineCosts)


def _workers(count: int, events: int) -> float:
    """Events per second of so many workers, from when all are ready until all is committed."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_broker("kafka", {"group.initial.rebalance.delay.ms": JOIN_MS}) as broker,
        RedisServer(Path(folder)) as redis,
        ExitStack() as stack,
    ):
        settings, environ = worker_settings(broker, RETENTION_REDIS_URL=redis.url)
        lines = Sized(events, max(1, events // 5)).lines()
        produce_lines(settings.kafka, lines, settings.source_topics)
        workers = []
        for number in range(count):
            own = {**environ, "RETENTION_WEB_PORT": str(usable_port(0))}
            own["RETENTION_DATA_DIR"] = f"{folder}/{number}"
            own_settings = load_settings(own)
            workers.append((own_settings, stack.enter_context(running_worker(own_settings, own))))
        for own_settings, worker in workers:
            await_ready(own_settings, worker)
        consumer = KafkaConsumer(
            bootstrap_servers=broker, group_id=settings.app_id, enable_auto_commit=False
        )
        stack.callback(consumer.close)
        started, before = time.perf_counter(), committed_events(consumer, settings)
        while (committed := committed_events(consumer, settings)) < events:
            if any(worker.exit_code is not None for _, worker in workers):
                raise RuntimeError("a worker has ended")
            time.sleep(0.05)
        return (committed - before) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
