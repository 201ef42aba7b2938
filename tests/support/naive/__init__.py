"""Every gauge the plain way: per window go through every event and compare its time.

The reference for the engine. It is slow and obvious, knows nothing of intervals, prefix sums or
state, and shares nothing with the program but the events themselves. It takes usable events
only; what makes an event unusable is tested apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from tests.support.naive.cohorts import cohort_gauges
from tests.support.naive.experiments import experiment_gauges
from tests.support.naive.facts import (
    Event,
    Fact,
    NaiveConfig,
    facts_of,
    segments_of,
    store_of,
    time_ms,
)
from tests.support.naive.gauges import Gauges, differences, put
from tests.support.naive.lifetimes import gap_histogram, lifetime_gauges
from tests.support.naive.stages import stage_gauges
from tests.support.naive.windows import Clock, window_gauges

__all__ = ["Event", "Gauges", "NaiveConfig", "differences", "naive_gauges", "time_ms"]


def naive_gauges(events: Sequence[Event], config: NaiveConfig, as_of_ms: int) -> Gauges:
    """Every gauge of the catalogue, from the events in order of arrival."""
    facts = facts_of(events, config.dimensions)
    segment_of = segments_of(facts, config, as_of_ms)
    gauges: Gauges = {}
    groups: dict[tuple[str, str, str], list[Fact]] = defaultdict(list)
    for event in events:
        groups[store_of(event), "all", "all"] = []
    for fact in facts:
        groups[fact.store, "all", "all"].append(fact)
        for dimension in config.dimensions:
            name = segment_of[fact.store, fact.who, dimension]
            groups[fact.store, dimension, name].append(fact)
    last_ms = (as_of_ms // config.bucket_ms + 1) * config.bucket_ms - 1
    for (store, dimension, name), some in groups.items():
        labels = {"store": store, "dimension": dimension, "segment": name}
        lifetime_gauges(gauges, some, labels, last_ms)
        for window in config.windows:
            of_window = labels | {"window": window}
            window_gauges(gauges, some, of_window, Clock(config, window, as_of_ms, 0))
            if dimension == "all":
                of_window |= {"window": f"prev_{window}"}
                window_gauges(gauges, some, of_window, Clock(config, window, as_of_ms, 1))
        if dimension == "all":
            _store_gauges(gauges, some, store, config, as_of_ms, last_ms)
    if config.experiment:
        experiment_gauges(gauges, config.experiment, config.control)
    return gauges


def _store_gauges(
    gauges: Gauges,
    facts: list[Fact],
    store: str,
    config: NaiveConfig,
    as_of_ms: int,
    last_ms: int,
) -> None:
    gap_histogram(gauges, facts, store, last_ms)
    stage_gauges(gauges, facts, store, last_ms)
    cohort_gauges(gauges, facts, store, ZoneInfo(config.timezone), as_of_ms, last_ms)
    orders = [fact.time_ms for fact in facts if fact.type == "purchase"]
    if orders:
        for window in config.windows:
            mature = Clock(config, window, as_of_ms, 0).is_mature(min(orders))
            put(gauges, "window_mature", {"store": store, "window": window}, mature)
