"""How long a scrape takes while events come: ``-m tests.benchmarks.scrapes``.

One worker on Apache Kafka, asked for ``/metrics`` over one connection, compressed, as Prometheus
asks. The loads are steady rates, and ``replay``: all events are there before, and the worker
reads them as fast as it can.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from kafka import KafkaConsumer
from rich.progress import Progress

from stream.settings import Settings
from stream.tools.child_process import ChildProcess
from stream.tools.produce import produce_lines
from tests.benchmarks.figures import quantile, table
from tests.benchmarks.load import Feeder, write_events
from tests.benchmarks.ours import await_ready, running_worker
from tests.benchmarks.pages import write
from tests.benchmarks.results import machine
from tests.benchmarks.scraping import Scraper
from tests.benchmarks.setting import committed_events, running_broker, worker_settings

COMMAND = "python -m tests.benchmarks.scrapes"
#: What a scrape of about 5,000 series may take, 99 of 100 times.
PROMISED_MS, PROMISED_SHARE = 100.0, 0.99
REPLAY = "replay"
WARM_UP_SECONDS = 5.0
#: So that state is young in all loads alike; a fifth of the events are customers.
EVENTS_PER_CUSTOMER = 5
HEADINGS = (
    "events/s",
    "series",
    "ms of a scrape: p50",
    "p90",
    "p99",
    "most",
    "scrapes",
    "of it adding up and writing: p50, p99",
    "CPU-seconds per million events",
)
_ADDING_UP = b"retention_scrape_duration_seconds "


@dataclass
class Scraped:
    """What one load gave; times in seconds."""

    took: list[float] = field(default_factory=list)
    #: what the worker says it took to add up and write the gauges
    adding_up: list[float] = field(default_factory=list)
    series: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """What was applied meanwhile."""

    events: int
    wall_seconds: float
    cpu_seconds: float


def row(load: str, scraped: Scraped, work: Work) -> list[str]:
    """A row of the table."""
    took, adding_up = ([1000 * each for each in of] for of in (scraped.took, scraped.adding_up))
    reached = f"{work.events / work.wall_seconds:,.0f}"
    return [
        f"{load}: {reached}" if load == REPLAY else reached,
        f"{scraped.series:,}",
        *(f"{quantile(took, share):,.0f}" for share in (0.5, 0.9, 0.99, 1.0)),
        f"{len(took):,}",
        ", ".join(f"{quantile(adding_up, share):,.0f}" for share in (0.5, 0.99)),
        f"{work.cpu_seconds * 1e6 / work.events:,.1f}",
    ]


def verdict(loads: Mapping[str, Scraped]) -> str:
    """Under which loads the promise was held, and under which not."""
    held = {
        load: 1000 * quantile(scraped.took, PROMISED_SHARE) <= PROMISED_MS
        for load, scraped in loads.items()
    }
    lists = [", ".join(load for load in held if held[load] is kept) for kept in (True, False)]
    return (
        f"{PROMISED_SHARE:.0%} of scrapes within {PROMISED_MS:.0f} ms, events/s: "
        f"held at {lists[0] or 'none'}; not at {lists[1] or 'none'}."
    )


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--rates", type=float, nargs="*", default=[5_000.0, 20_000.0])
    parser.add_argument("--seconds", type=float, default=120.0, help="of each rate")
    parser.add_argument("--events", type=int, default=6_000_000, help="of the replay; 0: none")
    parser.add_argument("--stores", type=int, default=2, help="two have about 5,000 series")
    parser.add_argument("--pause-ms", type=float, default=100.0, help="between two scrapes")
    parser.add_argument("--print-only", action="store_true", help="leave docs/ as it is")
    args = parser.parse_args()
    loads = [(f"{rate:,.0f}", _steady(rate, args)) for rate in args.rates]
    if args.events:
        loads.append((REPLAY, _replay(args)))
    rows, found = [], {}
    with Progress() as progress:
        task = progress.add_task("", total=len(loads))
        for name, measure in loads:
            progress.update(task, description=f"{name} events/s")
            scraped, work = measure()
            rows.append(row(name, scraped, work))
            found[name] = scraped
            progress.advance(task)
    text = (
        f"{args.seconds:.0f} s of each rate, and {args.events:,} events at once, a scrape every "
        f"{args.pause_ms:.0f} ms after the last, on {machine()}:\n\n"
        f"{table(HEADINGS, rows)}\n{verdict(found)}"
    )
    print(text)
    if not args.print_only:
        write(COMMAND, text)


def _steady(rate: float, args: argparse.Namespace) -> Callable[[], tuple[Scraped, Work]]:
    def measure() -> tuple[Scraped, Work]:
        seconds = args.seconds + WARM_UP_SECONDS
        with _worker(int(rate * seconds), args, sent=False) as (settings, worker, events):
            feeder = Feeder(settings.broker, events, rate, int(rate * seconds))
            try:
                time.sleep(WARM_UP_SECONDS)
                scraped, cpu_seconds = _scrape_while(lambda: feeder.running, settings, worker, args)
                sent, took = feeder.finish()
            finally:
                feeder.stop()
        share = args.seconds / seconds
        return scraped, Work(round(sent * share), took * share, cpu_seconds)

    return measure


def _replay(args: argparse.Namespace) -> Callable[[], tuple[Scraped, Work]]:
    def measure() -> tuple[Scraped, Work]:
        with _worker(args.events, args, sent=True) as (settings, worker, _):
            consumer = KafkaConsumer(
                bootstrap_servers=settings.broker,
                group_id=settings.app_id,
                enable_auto_commit=False,
            )
            started, before = time.perf_counter(), committed_events(consumer, settings)
            scraped, cpu_seconds = _scrape_while(
                lambda: committed_events(consumer, settings) < args.events, settings, worker, args
            )
            work = Work(args.events - before, time.perf_counter() - started, cpu_seconds)
            consumer.close()
        return scraped, work

    return measure


@contextmanager
def _worker(
    wanted: int, args: argparse.Namespace, *, sent: bool
) -> Iterator[tuple[Settings, ChildProcess, Path]]:
    """A worker that is ready, and so many events in a file; ``sent``: and in its topics."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_broker("kafka") as broker,
    ):
        events = Path(folder) / "load.jsonl"
        write_events(events, wanted, wanted // EVENTS_PER_CUSTOMER, args.stores)
        settings, environ = worker_settings(broker, RETENTION_CLOCK="wall")
        if sent:
            with events.open("rb") as lines:
                produce_lines(settings.kafka, map(bytes.rstrip, lines), settings.source_topics)
        with running_worker(settings, environ) as worker:
            await_ready(settings, worker)
            yield settings, worker, events


def _scrape_while(
    goes_on: Callable[[], bool], settings: Settings, worker: ChildProcess, args: argparse.Namespace
) -> tuple[Scraped, float]:
    """Scrapes for as long as something goes on, and the worker's CPU-seconds meanwhile."""
    scraped, scraper, process = Scraped(), Scraper(settings), psutil.Process(worker.pid)
    before = process.cpu_times()
    while goes_on():
        scrape = scraper.scrape()
        scraped.took.append(scrape.took_seconds)
        _, _, rest = scrape.text.rpartition(b"\n" + _ADDING_UP)
        scraped.adding_up.append(float(rest.split(maxsplit=1)[0]))
        time.sleep(args.pause_ms / 1000)
    scraped.series = scrape.series
    after = process.cpu_times()
    scraper.close()
    return scraped, after.user + after.system - before.user - before.system


if __name__ == "__main__":
    main()
