"""Gauges of a simulated shop, hour by hour, as a worker would have shown them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from stream.domain.config import EngineConfig
from stream.domain.metrics import samples
from stream.domain.reading import EVERYTHING, Scope
from stream.domain.totals import PREVIOUS_PREFIX, Totals
from stream.domain.windows import parse_window
from stream.engine import Engine
from stream.tools.shop import ShopConfig, shop_events
from stream.tools.shop_scenario import DAY_MS, HOUR_MS
from tests.support.alert_rules import RULES
from tests.support.engines import PURCHASES, REROUTED, RETURNS, SIGNUPS, TOPIC_OF, Log, ready_engine

#: Prometheus evaluates an hourly rule at some moment of the hour, and is told to find nothing that
#: is older than about this: so each hour's gauges are written twice.
WRITTEN_EVERY_SECONDS = 1800
#: An event that came late may count so many hours before it came.
_CHUNK_HOURS = 6

Labels: TypeAlias = Mapping[str, str]
Matchers: TypeAlias = frozenset[tuple[str, str]]


def write_gauges(
    path: Path,
    shop: ShopConfig,
    *,
    from_day: int,
    to_day: int,
    dimensions: tuple[str, ...] = (),
    labels: Labels,
) -> None:
    """Write the gauges that the rules ask for as lines of OpenMetrics, without the end mark.

    Args:
        path: the file; it is there only when it is whole.
        shop: whose gauges.
        from_day: the first day written, counted from the shop's start.
        to_day: the day after the last.
        dimensions: of the segments.
        labels: the target's: job and instance.
    """
    wanted = _selectors()
    target = ",".join(f'{name}="{value}"' for name, value in labels.items())
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        for totals in hourly_totals(shop, from_day=from_day, to_day=to_day, dimensions=dimensions):
            for sample in samples(_without_rest(totals)):
                if not any(one.issubset(sample.labels) for one in wanted.get(sample.name, ())):
                    continue
                own = ",".join(f'{name}="{value}"' for name, value in sample.labels)
                line = f"{sample.name}{{{target},{own}}} {sample.value!r}"
                seconds = (totals.as_of_ms + 1) // 1000
                file.write(f"{line} {seconds}\n{line} {seconds + WRITTEN_EVERY_SECONDS}\n")
    partial.rename(path)


def hourly_totals(
    shop: ShopConfig,
    *,
    from_day: int,
    to_day: int,
    dimensions: tuple[str, ...] = (),
    scope: Scope = EVERYTHING,
) -> Iterator[Totals]:
    """What the shop adds up to at the end of each hour, with the events that had arrived by then.

    Events are applied in chunks of some hours; until totals are asked for, of a day.
    """
    log = Log(_engine(dimensions))
    first_ms, end_ms = shop.start_ms + from_day * DAY_MS, shop.start_ms + to_day * DAY_MS
    waiting: dict[str, list[bytes]] = {}
    chunk_end_ms = shop.start_ms + DAY_MS
    for delivery in shop_events(shop):
        while delivery.arrival_ms >= chunk_end_ms:
            for topic, lines in waiting.items():
                log.send_raw(topic, lines)
            waiting.clear()
            if chunk_end_ms > first_ms:
                for hours_before in reversed(range(_CHUNK_HOURS)):
                    hour_end_ms = chunk_end_ms - hours_before * HOUR_MS
                    yield log.engine.totals(hour_end_ms - 1, scope)
            if chunk_end_ms >= end_ms:
                return
            chunk_end_ms += DAY_MS if chunk_end_ms < first_ms else _CHUNK_HOURS * HOUR_MS
        waiting.setdefault(TOPIC_OF[delivery.type], []).append(delivery.line)


def _engine(dimensions: tuple[str, ...]) -> Engine:
    return ready_engine(
        EngineConfig(
            windows=tuple(parse_window(name, HOUR_MS) for name in ("7d", "30d")),
            dimensions=dimensions,
            timezone="UTC",
            bucket_ms=HOUR_MS,
            horizon_ms=800 * DAY_MS,
            partitions=1,
            topics=(PURCHASES, SIGNUPS, RETURNS, REROUTED),
            rerouted_topic=REROUTED,
            clock="wall",
        )
    )


def _without_rest(totals: Totals) -> Totals:
    """Less what no rule reads, which takes longest to write: earlier periods and money."""
    totals.counts = {
        (segment, window): counts
        for (segment, window), counts in totals.counts.items()
        if not window.startswith(PREVIOUS_PREFIX)
    }
    totals.money.clear()
    return totals


def _selectors() -> dict[str, list[Matchers]]:
    """Which series the rules read: names, and the labels that they must have."""
    found: dict[str, list[Matchers]] = {}
    for rule in RULES:
        for name, inside in re.findall(r"\b(retention_\w+)\{([^}]*)\}", rule["expr"]):
            matchers = re.findall(r'(window|status)="(\w+)"', inside)
            found.setdefault(name, []).append(frozenset(matchers))
    return found
