"""Customers' lifecycles the plain way: walk from order to order, and see what time did between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from tests.support.naive.facts import Fact
from tests.support.naive.gauges import Gauges, put
from tests.support.naive.lifetimes import order_times

DAY_MS = 86_400_000
STAGES = ("new", "active", "repeat", "at_risk", "lapsed", "reactivated")


class NaiveRules(NamedTuple):
    """When time changes a customer, as documented by default."""

    new_for_ms: int = 30 * DAY_MS
    factor: Fraction = Fraction(2)
    at_least_ms: int = 7 * DAY_MS
    typical_ms: int = 45 * DAY_MS
    lapsed_after_ms: int = 365 * DAY_MS


BY_DEFAULT = NaiveRules()


class Change(NamedTuple):
    """A customer changed."""

    time_ms: int
    before: str | None
    after: str


def lifecycle(orders_ms: Sequence[int], rules: NaiveRules) -> list[Change]:
    """All changes of one customer, those to come if it orders nothing more included."""
    changes: list[Change] = []

    def enter(stage: str, time_ms: int) -> None:
        before = changes[-1].after if changes else None
        if before != stage:
            changes.append(Change(time_ms, before, stage))

    for number, now_ms in enumerate(orders_ms, start=1):
        if number == 1:
            enter("new", now_ms)
        elif changes[-1].after in ("at_risk", "lapsed"):
            enter("reactivated", now_ms)
        else:
            enter("repeat", now_ms)
        gaps = [later - earlier for earlier, later in pairwise(orders_ms[:number])]
        interval: Fraction | int = Fraction(median(gaps)) if number >= 3 else rules.typical_ms
        late_ms = max(int(interval * rules.factor), rules.at_least_ms)
        to_come = [(now_ms + rules.lapsed_after_ms, "lapsed")]
        if late_ms < rules.lapsed_after_ms:
            to_come.append((now_ms + late_ms, "at_risk"))
        if number == 1 and rules.new_for_ms < min(late_ms, rules.lapsed_after_ms):
            to_come.append((now_ms + rules.new_for_ms, "active"))
        for time_ms, stage in sorted(to_come):
            if number == len(orders_ms) or time_ms < orders_ms[number]:
                enter(stage, time_ms)
    return changes


def stage_at(orders_ms: Sequence[int], at_ms: int, rules: NaiveRules) -> str | None:
    """What a customer with these orders is as of an instant."""
    past = [change for change in lifecycle(orders_ms, rules) if change.time_ms <= at_ms]
    return past[-1].after if past else None


def stage_gauges(
    gauges: Gauges, facts: list[Fact], store: str, last_ms: int, rules: NaiveRules = BY_DEFAULT
) -> None:
    """How many customers of a store are in each stage."""
    found = Counter(stage_at(times, last_ms, rules) for times in order_times(facts).values())
    for stage in STAGES:
        put(gauges, "customers_in_stage", {"store": store, "stage": stage}, found[stage])
