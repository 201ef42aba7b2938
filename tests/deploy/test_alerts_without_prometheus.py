"""The rules as ``stream.domain.alerts`` reads them, against the rules as Prometheus does.

A young shop, then one whose customers stay away: the same gauges hour by hour, value by value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from stream.domain.alerts import (
    HOURS_BACK,
    LONG,
    SEGMENT_Z,
    SHORT,
    SIGNALS,
    Figures,
    Floats,
    Reading,
    columns,
    read,
)
from stream.domain.segment_names import ALL
from stream.domain.segments import Segment
from stream.domain.totals import Counts
from stream.tools.shop import ShopConfig
from tests.support.alert_history import STEP_SECONDS, History
from tests.support.shop_gauges import hourly_totals, write_gauges

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(900)]

SHOP = ShopConfig(
    start_ms=1_735_516_800_000,
    customers_per_day=700,
    scenario="retention-drop",
    scenario_from_day=72,
)
FROM_DAY, TO_DAY = 40, 84


class Series(NamedTuple):
    """One signal of one segment."""

    dimension: str
    segment: str
    signal: str


def by_hour(rows: list[dict[str, Any]], first: int, hours: int) -> dict[Series, Floats]:
    """The values of Prometheus' series, NaN where there is none."""
    result = {}
    for row in rows:
        labels = row["metric"]
        values = np.full(hours, np.nan)
        for at, value in row["values"]:
            values[int(at) // STEP_SECONDS - first] = float(value)
        result[Series(labels["dimension"], labels["segment"], labels["signal"])] = values
    return result


def figures_of_all_hours() -> dict[Segment, Figures]:
    hours = list(hourly_totals(SHOP, from_day=FROM_DAY, to_day=TO_DAY, dimensions=("channel",)))
    trusted = np.array(
        [
            [t.first_order_slots["shop"] <= t.mature_from_slots[w] for t in hours]
            for w in (SHORT, LONG)
        ]
    )
    assert set(trusted[1].tolist()) == {False, True}, "a store that grows old meanwhile"

    def counts(segment: Segment, window: str) -> dict[str, Floats]:
        return columns([totals.counts.get((segment, window), Counts()) for totals in hours])

    return {
        segment: Figures.of(counts(segment, SHORT), counts(segment, LONG), trusted)
        for segment, window in hours[-1].counts
        if window == SHORT
    }


def readings(figures: dict[Segment, Figures]) -> dict[Series, Reading]:
    """Every signal in all hours; before the first one nothing is known."""
    padding = np.full(max(HOURS_BACK), np.nan)

    def padded(of: Figures) -> Figures:
        return Figures(
            np.concatenate((padding, of.returning_orders)),
            {name: np.concatenate((padding, values)) for name, values in of.ratios.items()},
            {name: np.concatenate((padding, values)) for name, values in of.volumes.items()},
        )

    result = {}
    for segment, of in figures.items():
        whole, count = padded(of), len(of.returning_orders)
        back = {
            hours: whole.at(slice(len(padding) - hours, len(padding) - hours + count))
            for hours in HOURS_BACK
        }
        for signal in SIGNALS:
            z = signal.store_z if segment.dimension == ALL else SEGMENT_Z
            one = Series(segment.dimension, segment.name, signal.name)
            result[one] = read(signal, back, z)
    return result


def test_prometheus_says_the_same_hour_by_hour(tmp_path: Path) -> None:
    gauges = tmp_path / "gauges.om"
    write_gauges(
        gauges,
        SHOP,
        from_day=FROM_DAY,
        to_day=TO_DAY,
        dimensions=("channel",),
        labels={"job": "retention-stream", "instance": "a:6066"},
    )
    with gauges.open("a") as file:
        file.write("# EOF\n")
    start, end = (SHOP.start_ms // 1000 + day * 86_400 for day in (FROM_DAY, TO_DAY))
    history = History(tmp_path / "prometheus", start, end)
    history.load(gauges)
    history.record()

    ours = readings(figures_of_all_hours())
    hours = (TO_DAY - FROM_DAY) * 24
    first = start // STEP_SECONDS + 1
    for record, taken in (("value", "value"), ("baseline", "usual")):
        theirs = by_hour(history.rows(f"retention:signal:{record}"), first, hours)
        assert set(theirs) <= set(ours)
        compared = 0
        for series, reading in ours.items():
            own = getattr(reading, taken)
            its = theirs.get(series, np.full(hours, np.nan))
            # In its first hours Prometheus has no rules yet, in the last no gauges.
            np.testing.assert_allclose(
                own[5:-2], its[5:-2], rtol=1e-9, err_msg=f"{record} {series}"
            )
            compared += int(np.sum(~np.isnan(own)))
        assert compared > 10_000

    held = by_hour(history.rows("retention:signal:off"), first, hours)
    assert {series.signal for series in held} >= {"returning_orders", "retention", "repeat"}
    for series, reading in ours.items():
        its = ~np.isnan(held.get(series, np.full(hours, np.nan)))
        assert reading.off[5:-2].tolist() == its[5:-2].tolist(), series
