"""From hours in which an expression held to what people would have been told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.benchmarks.alerting.shops import Run
from tests.support.alert_history import STEP_SECONDS, Evaluated
from tests.support.alert_rules import Alert


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert that fires from one moment to another, both in seconds since the epoch."""

    alert: str
    dimension: str
    start: int
    end: int


def episodes(evaluated: Evaluated, alert: Alert) -> list[Episode]:
    """Apply `for` and `keep_firing_for` as Prometheus does, with an evaluation each hour."""
    result: list[Episode] = []
    held = set(evaluated.held_at)
    since: int | None = None
    fires_from: int | None = None
    last = 0
    for now in range(
        min(held), max(held) + (alert.keep_firing_hours + 2) * STEP_SECONDS, STEP_SECONDS
    ):
        if now in held:
            last = now
            since = now if since is None else since
            if fires_from is None and now - since >= alert.for_hours * STEP_SECONDS:
                fires_from = now
        elif fires_from is None:
            since = None
        elif now - last > alert.keep_firing_hours * STEP_SECONDS:
            result.append(Episode(alert.name, evaluated.labels["dimension"], fires_from, now))
            since = fires_from = None
    return result


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one drop; hours from its first hour to the alert, None when there was none."""

    run: Run
    after_hours: float | None


def find_drop(run: Run, told: Iterable[Episode]) -> Found:
    """When the first alert of the whole store began after the drop."""
    start = run.measured_from_seconds
    begun = [one.start for one in told if one.dimension == "all" and one.start >= start]
    return Found(run, (min(begun) - start) / 3600 if begun else None)


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Alarms of shops in which nothing happened, by alert: of whole stores, of segments."""

    store_years: float
    of_stores: dict[str, int]
    of_segments: dict[str, int]


def false_alarms(runs: Sequence[tuple[Run, list[Episode]]]) -> FalseAlarms:
    """Count what began in the measured time; alerts that overlap and differ in name count twice."""
    of_stores: dict[str, int] = {}
    of_segments: dict[str, int] = {}
    seconds = 0
    for run, told in runs:
        first, end = run.measured_from_seconds, run.measured_until_seconds
        seconds += end - first
        for one in told:
            if first <= one.start < end:
                counts = of_stores if one.dimension == "all" else of_segments
                counts[one.alert] = counts.get(one.alert, 0) + 1
    return FalseAlarms(seconds / (365 * 86_400), of_stores, of_segments)
