"""The table of what was found, how soon, and what was told for nothing."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.alerting.findings import Episode, Found, false_alarms, find_drop
from tests.benchmarks.alerting.shops import MEASURED_DAYS, Run

SOON_HOURS = 48
MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """All runs of one size of shop, with what they were told."""

    customers_per_day: float
    told: Sequence[tuple[Run, list[Episode]]]


def report(measured: Sequence[Measured]) -> str:
    """The tables, as Markdown."""
    seeds = len({run.seed for one in measured for run, _ in one.told})
    lines = [
        f"{seeds} shops of each size; without a drop for {MEASURED_DAYS // 7} simulated weeks.",
        "",
        "| newcomers a day | drop | in 48 h | in two weeks | hours: median (longest) |",
        "|---|---|---|---|---|",
    ]
    for one in measured:
        for drop in sorted({run.drop for run, _ in one.told if run.drop}, reverse=True):
            found = [find_drop(run, told) for run, told in one.told if run.drop == drop]
            lines.append(_drop_row(one.customers_per_day, drop, found))
    lines += [
        "",
        "| newcomers a day | store-years | false alarms a store-month | a store-year | of which |",
        "|---|---|---|---|---|",
    ]
    lines += [_false_row(one) for one in measured if any(not run.drop for run, _ in one.told)]
    return "\n".join([*lines, ""])


def _drop_row(size: float, drop: float, found: Sequence[Found]) -> str:
    hours = sorted(one.after_hours for one in found if one.after_hours is not None)
    soon = sum(one <= SOON_HOURS for one in hours)
    delays = f"{statistics.median(hours):.0f} ({hours[-1]:.0f})" if hours else "-"
    return (
        f"| {size:,.0f} | {drop:.0%} | {soon} of {len(found)} | {len(hours)} of {len(found)} "
        f"| {delays} |"
    )


def _false_row(one: Measured) -> str:
    alarms = false_alarms([(run, told) for run, told in one.told if not run.drop])
    of_stores, of_segments = sum(alarms.of_stores.values()), sum(alarms.of_segments.values())
    a_year = of_stores / alarms.store_years
    parts = [f"{name} {count}" for name, count in sorted(alarms.of_stores.items())]
    return (
        f"| {one.customers_per_day:,.0f} | {alarms.store_years:.1f} | {a_year / MONTHS_A_YEAR:.3f} "
        f"| {a_year:.2f}; of channels {of_segments / alarms.store_years:.2f} "
        f"| {', '.join(parts) or 'none'} |"
    )
