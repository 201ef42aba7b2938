"""From a producer's send to the changed gauge in /metrics: ``-m tests.benchmarks.freshness``.

One worker on Apache Kafka under a steady load, all on this machine. Marker orders of a store of
their own are sent one by one, each acknowledged by itself; a tight loop of scrapes sees when the
store's count of orders has grown. A figure is exact to the time between two scrapes.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kafka import KafkaProducer
from rich.progress import Progress

from tests.benchmarks.figures import quantile, table
from tests.benchmarks.load import Feeder, write_events
from tests.benchmarks.ours import await_ready, running_worker
from tests.benchmarks.pages import write
from tests.benchmarks.results import machine
from tests.benchmarks.scraping import Scraper
from tests.benchmarks.setting import running_broker, worker_settings

COMMAND = "python -m tests.benchmarks.freshness"
MARKERS_PER_SECOND = 20
#: After the last marker, for it to be seen.
SETTLE_SECONDS = 30.0
WARM_UP_SECONDS = 5.0
STORE = "markers"
#: A single one, so that its partition keeps the order of the markers.
CUSTOMER = "marker"
_SEEN = re.compile(
    rb'^retention_orders\{store="markers",dimension="all",segment="all",window="7d"\} ',
    re.MULTILINE,
)
HEADINGS = (
    "events/s: asked, sent",
    "series",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "most ms",
    "markers",
    "ms between scrapes: p50, p99",
    "ms of a scrape: p50, p99",
)


@dataclass
class Watched:
    """What one load gave, all in ``time.perf_counter`` seconds."""

    #: when each marker was sent
    sent: list[float] = field(default_factory=list)
    #: when a scrape was complete, and how many markers it had counted
    seen: list[tuple[float, int]] = field(default_factory=list)
    #: how long each scrape took
    scrapes: list[float] = field(default_factory=list)
    series: int = 0


def latencies(sent: Sequence[float], seen: Sequence[tuple[float, int]]) -> list[float]:
    """Of each marker, the seconds until the first scrape that had counted it.

    Raises:
        ValueError: when a marker was never counted.
    """
    found: list[float] = []
    for at, count in seen:
        while len(found) < min(count, len(sent)):
            found.append(at - sent[len(found)])
    if len(found) < len(sent):
        raise ValueError(f"{len(sent) - len(found)} of {len(sent)} markers were never counted")
    return found


def row(rate: float, sent_rate: float, watched: Watched) -> list[str]:
    """A row of the table."""
    waited = [1000 * each for each in latencies(watched.sent, watched.seen)]
    gaps = [
        1000 * (after[0] - before[0])
        for before, after in zip(watched.seen, watched.seen[1:], strict=False)
    ]
    took = [1000 * each for each in watched.scrapes]
    return [
        f"{rate:,.0f}, {sent_rate:,.0f}",
        f"{watched.series:,}",
        *(f"{quantile(waited, share):,.0f}" for share in (0.5, 0.99, 0.999, 1.0)),
        f"{len(waited):,}",
        f"{quantile(gaps, 0.5):.0f}, {quantile(gaps, 0.99):.0f}",
        f"{quantile(took, 0.5):.0f}, {quantile(took, 0.99):.0f}",
    ]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--rates", type=float, nargs="+", default=[100.0, 5_000.0, 20_000.0])
    parser.add_argument("--seconds", type=float, default=120.0, help="of each rate")
    parser.add_argument("--stores", type=int, default=1, help="of the load; more have more series")
    parser.add_argument(
        "--pause-ms", type=float, default=100.0, help="between two scrapes, which load too"
    )
    parser.add_argument("--print-only", action="store_true", help="leave docs/ as it is")
    args = parser.parse_args()
    rows = []
    with Progress() as progress:
        task = progress.add_task("", total=len(args.rates) * args.seconds)
        for rate in args.rates:
            progress.update(task, description=f"{rate:,.0f} events/s")
            rows.append(_measure(rate, args))
            progress.update(task, completed=args.seconds * len(rows))
    text = f"{args.seconds:.0f} s of each load, on {machine()}:\n\n{table(HEADINGS, rows)}"
    print(text)
    if not args.print_only:
        write(COMMAND, text)


def _measure(rate: float, args: argparse.Namespace) -> list[str]:
    seconds = args.seconds + WARM_UP_SECONDS
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_broker("kafka") as broker,
    ):
        events = Path(folder) / "load.jsonl"
        wanted = max(1_000, int(rate * seconds))
        write_events(events, wanted, max(100, wanted // 5), args.stores)
        settings, environ = worker_settings(broker, RETENTION_CLOCK="wall")
        with running_worker(settings, environ) as worker:
            await_ready(settings, worker)
            feeder = Feeder(broker, events, rate, int(rate * seconds))
            try:
                time.sleep(WARM_UP_SECONDS)
                watched = Watched()
                _watch(watched, Scraper(settings), broker, args)
                sent, took = feeder.finish()
            finally:
                feeder.stop()
    return row(rate, sent / took, watched)


def _watch(watched: Watched, scraper: Scraper, broker: str, args: argparse.Namespace) -> None:
    markers = int(args.seconds * MARKERS_PER_SECOND)
    sender = threading.Thread(target=_send_markers, args=(broker, watched.sent, markers))
    sender.start()
    deadline = time.monotonic() + args.seconds + SETTLE_SECONDS
    count = 0
    while count < markers and time.monotonic() < deadline:
        scrape = scraper.scrape()
        count = int(scrape.value(_SEEN) or 0)
        watched.seen.append((scrape.at_seconds, count))
        watched.scrapes.append(scrape.took_seconds)
        time.sleep(args.pause_ms / 1000)
    watched.series = scrape.series
    sender.join()
    scraper.close()


def _send_markers(broker: str, sent: list[float], markers: int) -> None:
    producer = KafkaProducer(bootstrap_servers=broker, acks="all", linger_ms=0)
    producer.partitions_for("purchases")
    for number in range(markers):
        now_seconds = time.time()
        event = {
            "type": "purchase",
            "customer_id": CUSTOMER,
            "order_id": f"marker-{number}",
            "occurred_at": now_seconds,
            "amount": "1.00",
            "currency": "EUR",
            "store": STORE,
        }
        sent.append(time.perf_counter())
        producer.send("purchases", json.dumps(event).encode(), CUSTOMER.encode())
        time.sleep(max(0.0, 1 / MARKERS_PER_SECOND - (time.time() - now_seconds)))
    producer.flush()
    producer.close()


if __name__ == "__main__":
    main()
