"""Windows, and what is counted in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.support.naive.facts import DECIMALS, Fact, NaiveConfig
from tests.support.naive.gauges import Gauges, put

LENGTHS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
PERIODS = ("day", "week", "month", "quarter", "year")


class Clock:
    """One window at one instant, ``steps_back`` windows earlier."""

    def __init__(self, config: NaiveConfig, window: str, as_of_ms: int, steps_back: int) -> None:
        self._window = window
        self._steps_back = steps_back
        self._zone = ZoneInfo(config.timezone)
        self._bucket_ms = config.bucket_ms
        self._now_bucket = as_of_ms // config.bucket_ms
        if window in PERIODS:
            self._starts = [self._period(self._date(as_of_ms))]
            for _ in range(3):
                self._starts.append(self._period(self._starts[-1] - timedelta(days=1)))
        else:
            self._length = int(window[:-1]) * LENGTHS_MS[window[-1]] // config.bucket_ms

    def holds(self, moment_ms: int, windows_back: int) -> bool:
        """Whether a time is in the window, or in the window so many before it."""
        bucket = moment_ms // self._bucket_ms
        back = self._steps_back + windows_back
        if self._window in PERIODS:
            period = self._period(self._date(moment_ms))
            return period == self._starts[back] and bucket <= self._now_bucket
        last = self._now_bucket - back * self._length
        return last - self._length < bucket <= last

    def has_come(self, moment_ms: int) -> bool:
        """Whether a time is in the window or anywhere before it."""
        bucket = moment_ms // self._bucket_ms
        if self._window in PERIODS:
            period = self._period(self._date(moment_ms))
            return period <= self._starts[self._steps_back] and bucket <= self._now_bucket
        return bucket <= self._now_bucket - self._steps_back * self._length

    def is_mature(self, first_order_ms: int) -> bool:
        """Whether orders that began then reach back to the start of the preceding window."""
        if self._window in PERIODS:
            return self._date(first_order_ms) <= self._starts[1]
        return first_order_ms // self._bucket_ms <= self._now_bucket - 2 * self._length + 1

    def _date(self, moment_ms: int) -> date:
        return datetime.fromtimestamp(moment_ms // 1000, self._zone).date()

    def _period(self, day: date) -> date:
        if self._window == "week":
            return day - timedelta(days=day.weekday())
        if self._window == "month":
            return day.replace(day=1)
        if self._window == "quarter":
            return date(day.year, day.month - (day.month - 1) % 3, 1)
        return day.replace(month=1, day=1) if self._window == "year" else day


def window_gauges(
    gauges: Gauges, facts: list[Fact], labels: Mapping[str, str], clock: Clock
) -> None:
    """Every gauge of one segment in one window."""
    purchases = [fact for fact in facts if fact.type == "purchase"]
    orders: dict[tuple[str, str], list[int]] = defaultdict(list)
    signups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for fact in facts:
        if fact.is_order:
            orders[fact.who].append(fact.time_ms)
        if fact.type == "signup":
            signups[fact.who].append(fact.time_ms)
    active = {who for who, times in orders.items() if any(clock.holds(t, 0) for t in times)}
    start = {who for who, times in orders.items() if any(clock.holds(t, 1) for t in times)}
    new = {who for who, times in orders.items() if clock.holds(min(times), 0)}
    repeat = {who for who, times in orders.items() if sum(clock.holds(t, 0) for t in times) >= 2}
    reactivated = active - new - start
    for status, people in (
        ("active", active),
        ("new", new),
        ("start", start),
        ("retained", start & active),
        ("reactivated", reactivated),
        ("lost", start - active),
        ("repeat", repeat),
    ):
        put(gauges, "customers", {**labels, "status": status}, len(people))
    placed = [fact for fact in purchases if clock.holds(fact.time_ms, 0)]
    sent_back = [f for f in facts if f.type == "return" and clock.holds(f.time_ms, 0)]
    sold, returned = sum(f.units for f in placed), sum(f.units for f in sent_back)
    signed_up = sum(clock.holds(min(times), 0) for times in signups.values())
    put(gauges, "orders", labels, len(placed))
    put(gauges, "units", {**labels, "kind": "sold"}, sold)
    put(gauges, "units", {**labels, "kind": "returned"}, returned)
    put(gauges, "signups", {**labels, "status": "total"}, signed_up)
    activated = sum(
        clock.holds(min(times), 0) and any(clock.has_come(t) for t in orders.get(who, []))
        for who, times in signups.items()
    )
    put(gauges, "signups", {**labels, "status": "activated"}, activated)
    gaps_ms = [
        later - earlier
        for times in orders.values()
        for earlier, later in pairwise(sorted(times))
        if clock.holds(later, 0)
    ]
    for name, numerator, denominator in (
        ("customer_retention_ratio", len(start & active), len(start)),
        ("customer_churn_ratio", len(start - active), len(start)),
        ("repeat_purchase_ratio", len(repeat), len(active)),
        ("returning_customer_ratio", len(start & active) + len(reactivated), len(active)),
        ("product_return_ratio", returned, sold),
        ("purchase_frequency", len(placed), len(active)),
        ("activation_ratio", activated, signed_up),
        ("purchase_interval_seconds", sum(gaps_ms), 1000 * len(gaps_ms)),
    ):
        if denominator:
            put(gauges, name, labels, numerator / denominator)
    for key, currency, value in _money(placed, sent_back):
        name, _, kind = key.partition(" ")
        extra = {"currency": currency} | ({"kind": kind} if kind else {})
        put(gauges, name, {**labels, **extra}, value)


def _money(placed: list[Fact], sent_back: list[Fact]) -> Iterator[tuple[str, str, float]]:
    for currency in {fact.currency for fact in placed + sent_back}:
        scale = 10 ** DECIMALS[currency]
        paid = [fact.amount_minor_units for fact in placed if fact.currency == currency]
        refunds = [fact.amount_minor_units for fact in sent_back if fact.currency == currency]
        yield "revenue gross", currency, float(Fraction(sum(paid), scale))
        yield "revenue refunded", currency, float(Fraction(sum(refunds), scale))
        if paid:
            yield "average_order_value", currency, float(Fraction(sum(paid), scale * len(paid)))
