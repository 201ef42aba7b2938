"""Whole data sets through the broker into a worker: every gauge equals the independent oracle's."""

from __future__ import annotations

import gzip
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from stream.settings import Settings, load_settings
from stream.tools.child_process import ChildProcess
from stream.tools.console import CommandError
from stream.tools.embedded_broker import EmbeddedBroker
from stream.tools.event_files import disordered
from stream.tools.oracle import OracleParameters, broken_identities, compare, recompute
from stream.tools.ports import usable_port
from stream.tools.produce import produce_lines
from stream.tools.samples import open_sample
from stream.tools.shop_bulk import bulk_events
from stream.tools.topics import ensure_topics
from stream.tools.verify import lifecycle_parameters
from stream.tools.verify_scrape import Scrape, scrape
from tests.support.online_retail import DECEMBER_2010, cohort_ages, online_retail_lines

SETTLE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Order:
    """How the events of a data set are sent."""

    shuffle: bool
    repeat_share: float

    def of(self, lines: list[bytes]) -> list[bytes]:
        return list(disordered(lines, shuffle=self.shuffle, repeat_share=self.repeat_share, seed=7))


IN_FILE_ORDER = pytest.param(Order(shuffle=False, repeat_share=0.0), id="in file order")
SHUFFLED = pytest.param(
    Order(shuffle=True, repeat_share=0.05), id="shuffled, 5 % of the events twice"
)


@pytest.mark.acceptance
@pytest.mark.parametrize("order", [IN_FILE_ORDER, SHUFFLED])
def test_cdnow_gauges_equal_the_oracle(order: Order, tmp_path: Path) -> None:
    _check(order.of(list(open_sample("cdnow"))), tmp_path)


@pytest.mark.acceptance
@pytest.mark.parametrize("order", [IN_FILE_ORDER, SHUFFLED])
def test_online_retail_gauges_equal_the_oracle(order: Order, tmp_path: Path) -> None:
    shown = _check(order.of(online_retail_lines()), tmp_path)
    assert cohort_ages(shown.samples, "2010-12") == DECEMBER_2010


@pytest.mark.acceptance
def test_simulated_shop_with_late_and_repeated_events_equals_the_oracle(tmp_path: Path) -> None:
    deliveries = bulk_events(customers=6_000, events=30_000, seed=3)
    _check([delivery.line for delivery in deliveries], tmp_path, timezone="America/St_Johns")


@pytest.mark.acceptance
def test_885_customers_bought_for_the_first_time_in_december_2010(tmp_path: Path) -> None:
    december = [line for line in online_retail_lines() if b'"occurred_at":"2010-12' in line]
    shown = _check(december, tmp_path)
    new = [
        sample.value
        for sample in shown.samples
        if sample.name == "retention_customers"
        and sample.labels
        == {
            "store": "uci",
            "dimension": "all",
            "segment": "all",
            "window": "month",
            "status": "new",
        }
    ]
    assert new == [885]


def _check(lines: list[bytes], folder: Path, timezone: str = "UTC") -> Scrape:
    """Send the lines, run a worker over them, and compare every gauge with the oracle's."""
    sent = folder / "sent.jsonl.gz"
    with gzip.open(sent, "wb", compresslevel=1) as file:
        file.writelines(line + b"\n" for line in lines)
    with EmbeddedBroker() as broker:
        settings = _settings(broker.address, timezone)
        ensure_topics(settings)
        produce_lines(settings.kafka, lines, settings.source_topics)
        with _worker(folder) as worker:
            shown = _settled(settings, worker, len(lines))
    expected = recompute(
        [sent],
        OracleParameters(
            windows=tuple(window.name for window in settings.windows),
            dimensions=settings.dimensions,
            timezone=settings.timezone,
            bucket_ms=settings.bucket_ms,
            horizon_ms=settings.horizon_ms,
            clock="event",
            now_ms=time.time_ns() // 1_000_000,
            as_of_ms=shown.as_of_ms,
            lifecycle=lifecycle_parameters(settings),
        ),
    )
    assert len(expected.samples) > 100
    assert shown.as_of_ms == expected.as_of_ms
    assert compare(expected.samples, shown.samples) == []
    assert shown.events_read == len(lines)
    for outcome, count in expected.outcomes.items():
        assert (outcome, shown.outcomes[outcome]) == (outcome, count)
    return shown


def _settings(address: str, timezone: str) -> Settings:
    os.environ.update(
        {
            "RETENTION_BROKER": address,
            "RETENTION_APP_ID": "acceptance",
            "RETENTION_CLOCK": "event",
            "RETENTION_TIMEZONE": timezone,
            "RETENTION_WINDOWS": "7d,30d,90d,365d,day,week,month,quarter,year",
            "RETENTION_WEB_PORT": str(usable_port(0)),
            "RETENTION_SESSION_TIMEOUT_SECONDS": "6",
        }
    )
    return load_settings()


@contextmanager
def _worker(folder: Path) -> Iterator[ChildProcess]:
    process = ChildProcess(
        "worker", [sys.executable, "-m", "stream", "worker"], folder / "worker.log"
    )
    try:
        yield process
        process.stop()
        assert process.exit_code == 0, process.last_lines()
    finally:
        process.stop()


def _settled(settings: Settings, worker: ChildProcess, events: int) -> Scrape:
    """The gauges once everything is read; the identities hold at every scrape on the way."""
    url = f"http://{settings.web_host}:{settings.web_port}/metrics"
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        assert worker.exit_code is None, worker.last_lines()
        try:
            shown = scrape(url)
        except CommandError:
            time.sleep(0.1)  # it is still starting
            continue
        assert broken_identities(shown.samples) == []
        # Rerouted events are on their way while there is no lag: each must have arrived.
        if shown.has_read_everything and shown.events_read >= events:
            return shown
        time.sleep(0.1)
    raise AssertionError(f"not everything was read in {SETTLE_SECONDS} s")


@pytest.fixture(autouse=True)
def _environment_restored() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
