"""From a shop's figures to what people would have been told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stream.domain.alerts import (
    HOURS_BACK,
    SEGMENT_Z,
    SIGNALS,
    Figures,
    firing,
    read,
)
from stream.domain.segment_names import ALL
from stream.domain.segments import Segment
from tests.benchmarks.alerting.shops import FIRST_HOUR, Run


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert that fires from one moment to another, both in seconds since the epoch."""

    alert: str
    dimension: str
    start: int
    end: int


def told(run: Run, figures: Mapping[Segment, Figures]) -> list[Episode]:
    """What the people of a shop would have been told, by the rules as they stand."""
    return list(_told(run, figures))


def _told(run: Run, figures: Mapping[Segment, Figures]) -> Iterator[Episode]:
    for segment, hourly in figures.items():
        hours = len(hourly.returning_orders)
        back = {each: hourly.at(slice(FIRST_HOUR - each, hours - each)) for each in HOURS_BACK}
        for signal in SIGNALS:
            z = signal.store_z if segment.dimension == ALL else SEGMENT_Z
            fires = np.concatenate(([False], firing(read(signal, back, z).off), [False]))
            begun, ended = (np.flatnonzero(np.diff(fires.astype(int)) == step) for step in (1, -1))
            for first, last in zip(begun.tolist(), ended.tolist(), strict=True):
                start, end = (run.seconds_at(FIRST_HOUR + hour) for hour in (first, last))
                yield Episode(signal.alert, segment.dimension, start, end)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one drop; hours from its first hour to the alert, None when there was none."""

    run: Run
    after_hours: float | None


def find_drop(run: Run, told: Iterable[Episode]) -> Found:
    """When the first alert of the whole store began after the drop."""
    start = run.measured_from_seconds
    begun = [one.start for one in told if one.dimension == ALL and one.start >= start]
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
    for run, episodes in runs:
        first, end = run.measured_from_seconds, run.measured_until_seconds
        seconds += end - first
        for one in episodes:
            if first <= one.start < end:
                counts = of_stores if one.dimension == ALL else of_segments
                counts[one.alert] = counts.get(one.alert, 0) + 1
    return FalseAlarms(seconds / (365 * 86_400), of_stores, of_segments)
