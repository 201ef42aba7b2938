"""``GET /metrics``: the business gauges and the worker's own metrics, as one snapshot."""

from __future__ import annotations

import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from stream import kernel
from stream.domain.catalogue import CATALOGUE
from stream.domain.events import Outcome
from stream.domain.metrics import rows, samples
from stream.publish.gauge_text import GaugeText

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric

    from stream.domain.metrics import Row, Sample
    from stream.meeting.overview import Overview
    from stream.publish.state import WorkerState


OPENMETRICS = "application/openmetrics-text"
OPENMETRICS_VERSION = "version=1.0.0"


class Exposition:
    """What a worker shows to Prometheus."""

    def __init__(self, state: WorkerState) -> None:
        self._state = state
        self._gauges = GaugeText(CATALOGUE)
        self._process = ProcessCollector(registry=None)

    def scrape(self, accept: str = "") -> tuple[bytes, str]:
        """Every metric as of now.

        Args:
            accept: the request's ``Accept`` header; OpenMetrics is written for who asks for it.

        Returns:
            The body, and its content type.
        """
        started = time.perf_counter()
        overview = self._state.overview()
        gauges = self._gauges.write(_business_rows(overview))
        registry = CollectorRegistry()
        took_seconds = time.perf_counter() - started
        registry.register(OperationCollector(self._state, overview, took_seconds))
        registry.register(self._process)
        # What the request asks for is judged here: the client library fails on odd versions.
        wanted = f"{OPENMETRICS};{OPENMETRICS_VERSION}" if accepts_openmetrics(accept) else ""
        encode, content_type = choose_encoder(wanted)
        return gauges + encode(registry), content_type


class OperationCollector(Collector):
    """How the worker itself is doing, at one moment."""

    def __init__(
        self, state: WorkerState, overview: Overview | None, scrape_seconds: float
    ) -> None:
        self._state = state
        self._overview = overview
        self._scrape_seconds = scrape_seconds

    def collect(self) -> Iterable[Metric]:
        """The metrics of SPEC's section on operation."""
        state = self._state
        yield self._events()
        dead_letters = CounterMetricFamily(
            "retention_dead_letters_total",
            "Events sent to the dead-letter topic, by reason.",
            labels=["reason"],
        )
        for reason, count in sorted(state.dead_letters.items()):
            dead_letters.add_metric([reason], count)
        yield dead_letters
        lag = GaugeMetricFamily(
            "retention_lag_events",
            "Events in a partition that this worker has not read yet.",
            labels=["topic", "partition"],
        )
        for (topic, partition), count in sorted(state.lag_events.items()):
            lag.add_metric([topic, str(partition)], count)
        yield lag
        if self._overview is not None:
            yield from self._of_all_partitions(self._overview)
        yield _timestamp(
            "retention_last_event_timestamp_seconds",
            "Event time of the latest event.",
            state.last_event_ms,
        )
        yield GaugeMetricFamily(
            "retention_scrape_duration_seconds",
            "Time taken to add up and write the business gauges of this scrape.",
            self._scrape_seconds,
        )
        yield InfoMetricFamily(
            "retention_build",
            "What runs here.",
            {"version": installed_version(), "kernel": kernel.NAME},
        )

    def _of_all_partitions(self, overview: Overview) -> Iterable[Metric]:
        yield _timestamp(
            "retention_as_of_timestamp_seconds",
            "The instant that the business gauges are as of.",
            overview.as_of_ms,
        )
        positions = GaugeMetricFamily(
            "retention_position_events",
            "Offset up to which a partition's events are in the business gauges of this scrape.",
            labels=["topic", "partition"],
        )
        if overview.totals is not None:
            for (topic, partition), offset in sorted(overview.positions.items()):
                positions.add_metric([topic, str(partition)], offset)
        yield positions
        yield GaugeMetricFamily(
            "retention_partitions_ready",
            "Partitions whose state is restored and counted, over all workers.",
            overview.partitions_ready,
        )
        yield GaugeMetricFamily(
            "retention_partitions_expected",
            "Partitions that must be ready before the business gauges are shown.",
            self._state.partitions_expected,
        )

    def _events(self) -> Metric:
        events = CounterMetricFamily(
            "retention_events_total",
            "Records read, by what became of them.",
            labels=["topic", "outcome"],
        )
        # Series that exist from the start are what lets Prometheus see the first increase.
        for topic in self._state.engine.config.topics:
            for outcome in Outcome:
                count = self._state.outcomes.get((topic, outcome.value), 0)
                events.add_metric([topic, outcome.value], count)
        return events


def business_samples(overview: Overview | None) -> Iterable[Sample]:
    """The business gauges; none while any partition is missing, as they would be wrong."""
    return () if overview is None or overview.totals is None else samples(overview.totals)


def _business_rows(overview: Overview | None) -> Iterable[Row]:
    return () if overview is None or overview.totals is None else rows(overview.totals)


def accepts_openmetrics(accept: str) -> bool:
    """Whether an ``Accept`` header names OpenMetrics in its version 1.0.0, or in any."""
    for media_range in accept.lower().split(","):
        media_type, *parameters = (part.strip() for part in media_range.split(";"))
        versions = [part for part in parameters if part.startswith("version=")]
        if media_type == OPENMETRICS and versions in ([], [OPENMETRICS_VERSION]):
            return True
    return False


@cache
def installed_version() -> str:
    """The version of the installed package; looked for once, as its files are read for it."""
    try:
        return version("retention-stream")
    except PackageNotFoundError:
        return "unknown"  # run from a source tree that was never installed


def _timestamp(name: str, documentation: str, at_ms: int | None) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=[])
    if at_ms is not None:
        family.add_metric([], at_ms / 1000)
    return family
