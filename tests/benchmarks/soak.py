"""Load held for long, with late events, duplicates and cancellations: ``-m tests.benchmarks.soak``.

One worker on Apache Kafka. First the most that worker, broker and producer together can do on this
machine is measured, unless ``--maximum`` tells it; then the load is held at a share of it. All
events are new until ``--most-events`` of them were sent; from then on they are sent again, as
duplicates, so that state must no longer grow. At the end every gauge is compared with a recount.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.progress import Progress

from stream.settings import Settings
from tests.benchmarks.figures import quantile, slope, table
from tests.benchmarks.load import CANCELLED, LATE, TWICE, Feeder, write_events
from tests.benchmarks.ours import OurError, await_ready, running_worker, verify
from tests.benchmarks.pages import write
from tests.benchmarks.results import machine
from tests.benchmarks.scraping import Scraper
from tests.benchmarks.setting import running_broker, worker_settings

COMMAND = "python -m tests.benchmarks.soak"
SAMPLE_SECONDS = 1.0
#: So many samples without a further event, and something hangs.
STUCK_SAMPLES = 90
#: For finding the maximum.
BURST_SECONDS = 20.0
#: Of each stretch, what is left out before its growth is looked at.
WARM_UP_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Sample:
    """The worker at one moment."""

    at_seconds: float
    applied: float
    lag_events: float
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class Growth:
    """Memory over one stretch of time, after its warm-up."""

    first_bytes: int
    last_bytes: int
    bytes_per_event: float
    bytes_per_minute: float

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Growth | None:
        """None when there are too few samples to tell."""
        warm = samples[int(len(samples) * WARM_UP_SHARE) :]
        if len(warm) < 3:
            return None
        resident = [float(one.resident_bytes) for one in warm]
        return cls(
            warm[0].resident_bytes,
            warm[-1].resident_bytes,
            slope([one.applied for one in warm], resident),
            60 * slope([one.at_seconds for one in warm], resident),
        )


def stretches(samples: Sequence[Sample], new_events: int) -> list[tuple[str, list[Sample]]]:
    """The time of new events in halves, and the time of those sent again."""
    new = [one for one in samples if one.applied < new_events]
    again = [one for one in samples if one.applied >= new_events]
    half = len(new) // 2
    named = [
        ("new events, first half", new[:half]),
        ("new events, second half", new[half:]),
        ("all of them again", again),
    ]
    return [(name, some) for name, some in named if some]


def report(samples: Sequence[Sample], new_events: int) -> str:
    """Memory by stretch, and lag."""
    rows = []
    for name, some in stretches(samples, new_events):
        growth = Growth.of(some)
        if growth is not None:
            rows.append(
                [
                    name,
                    f"{some[-1].at_seconds - some[0].at_seconds:,.0f}",
                    f"{growth.first_bytes / 2**20:,.0f} to {growth.last_bytes / 2**20:,.0f}",
                    f"{growth.bytes_per_event:,.1f}",
                    f"{growth.bytes_per_minute / 2**20:,.2f}",
                    f"{quantile([one.lag_events for one in some], 0.5):,.0f}",
                    f"{max(one.lag_events for one in some):,.0f}",
                ]
            )
    headings = ("", "s", "MiB", "bytes an event", "MiB a minute", "lag p50", "lag most")
    return table(headings, rows)


def main() -> None:
    """Measure, print, and exit with 1 when a gauge is wrong."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--share", type=float, default=0.8, help="of the maximum")
    parser.add_argument("--maximum", type=float, help="events/s (default: measured first)")
    parser.add_argument("--most-events", type=int, default=10_000_000, help="that are new")
    parser.add_argument("--customers", type=int, default=500_000)
    parser.add_argument("--print-only", action="store_true", help="leave docs/ as it is")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-soak-") as folder, Progress() as progress:
        task = progress.add_task("", total=None)
        try:
            _run(args, Path(folder), lambda what: progress.update(task, description=what))
        except OurError as error:
            progress.console.print(str(error), markup=False)
            sys.exit(1)


def _run(args: argparse.Namespace, folder: Path, say: Callable[[str], None]) -> None:
    maximum = args.maximum
    if maximum is None:
        say("the maximum: writing events")
        maximum = _burst(folder / "burst.jsonl", args.customers, say)
    rate = args.share * maximum
    total = int(rate * args.minutes * 60)
    new = min(total, args.most_events)
    say(f"writing {new:,} events")
    write_events(folder / "events.jsonl", new, min(args.customers, new // 2))
    samples = _hold(folder / "events.jsonl", rate, total, say)
    text = (
        f"{args.minutes:g} minutes at {rate:,.0f} events/s ({args.share:.0%} of {maximum:,.0f}), "
        f"{new:,} of {total:,} events new, {LATE:.0%} late, {TWICE:.0%} twice, "
        f"{CANCELLED:.0%} of orders cancelled, on {machine()}:\n\n{report(samples, new)}\n"
        "At the end every gauge was equal to a recount of the events.\n"
    )
    print(text)
    if not args.print_only:
        write(COMMAND, text)


def _hold(path: Path, rate: float, total: int, say: Callable[[str], None]) -> list[Sample]:
    with running_broker("kafka") as broker:
        settings, environ = worker_settings(broker, RETENTION_CLOCK="event")
        with running_worker(settings, environ) as worker:
            await_ready(settings, worker)
            feeder = Feeder(broker, path, rate, total)
            try:
                samples = _samples(settings, worker.pid, feeder, total, say)
                sent, took = feeder.finish()
            finally:
                feeder.stop()
            say(f"sent {sent:,} at {sent / took:,.0f} events/s; verifying")
            verify(environ, path)
    return samples


def _samples(
    settings: Settings, pid: int, feeder: Feeder, total: int, say: Callable[[str], None]
) -> list[Sample]:
    """One a second, until the feeder has ended and everything was applied.

    Raises:
        OurError: when the worker ends before, or gets no further.
    """
    scraper, process = Scraper(settings), psutil.Process(pid)
    started, samples = time.perf_counter(), list[Sample]()
    while feeder.running or samples[-1].applied < total:
        try:
            scrape = scraper.scrape()
            samples.append(
                Sample(
                    scrape.at_seconds - started,
                    scrape.total("retention_events_total"),
                    scrape.total("retention_lag_events"),
                    process.memory_info().rss,
                )
            )
        except (OSError, psutil.NoSuchProcess) as error:
            raise OurError(f"the worker is gone: {error}") from error
        last = samples[-1]
        stuck = [one for one in samples[-STUCK_SAMPLES:] if one.applied == last.applied]
        if len(stuck) == STUCK_SAMPLES:
            raise OurError(f"stuck at {last.applied:,.0f} of {total:,} events")
        say(
            f"{last.at_seconds:,.0f} s, {last.applied:,.0f} events, lag {last.lag_events:,.0f}, "
            f"{last.resident_bytes / 2**20:,.0f} MiB"
        )
        time.sleep(SAMPLE_SECONDS)
    scraper.close()
    return samples


def _burst(path: Path, customers: int, say: Callable[[str], None]) -> float:
    """Events per second while a producer sends more than can be applied, all on this machine."""
    events = 2_000_000
    write_events(path, events, min(customers, events // 2))
    with running_broker("kafka") as broker:
        settings, environ = worker_settings(broker, RETENTION_CLOCK="event")
        with running_worker(settings, environ) as worker:
            await_ready(settings, worker)
            feeder = Feeder(broker, path, 1e6, int(1e6 * BURST_SECONDS))
            scraper = Scraper(settings)
            try:
                seen = list[tuple[float, float]]()
                while feeder.running and len(seen) < BURST_SECONDS:
                    scrape = scraper.scrape()
                    seen.append((scrape.at_seconds, scrape.total("retention_events_total")))
                    say(f"the maximum: {seen[-1][1]:,.0f} events applied")
                    time.sleep(SAMPLE_SECONDS)
            finally:
                feeder.stop()
    (first_at, first), (last_at, last) = seen[int(len(seen) * WARM_UP_SHARE)], seen[-1]
    return (last - first) / (last_at - first_at)


if __name__ == "__main__":
    main()
