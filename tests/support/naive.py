"""Every gauge the plain way: per window go through every event and compare its time.

The reference for the engine. It is slow and obvious, knows nothing of intervals, prefix sums or
state, and shares nothing with the program but the events themselves. It takes usable events
only; what makes an event unusable is tested apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

Event: TypeAlias = Mapping[str, object]
#: Gauge name and its labels → value.
Gauges: TypeAlias = dict[tuple[str, frozenset[tuple[str, str]]], float]

LENGTHS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
PERIODS = ("day", "week", "month", "quarter", "year")
DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3}
MAX_SEGMENTS = 50
#: Absent means "none in the denominator" for these, and must agree; elsewhere absent is 0.
STRICT = frozenset(
    f"retention_{name}"
    for name in (
        "customer_retention_ratio",
        "customer_churn_ratio",
        "repeat_purchase_ratio",
        "returning_customer_ratio",
        "product_return_ratio",
        "purchase_frequency",
        "average_order_value",
    )
)


@dataclass(frozen=True, slots=True)
class NaiveConfig:
    """What the numbers depend on."""

    windows: tuple[str, ...]
    dimensions: tuple[str, ...]
    timezone: str
    bucket_ms: int


class Fact(NamedTuple):
    """A purchase, signup or return that counts."""

    type: str
    store: str
    #: The customer, or for a guest's order something only it has.
    who: tuple[str, str]
    time_ms: int
    units: int
    amount_minor_units: int
    currency: str
    values: tuple[str, ...]


def naive_gauges(events: Sequence[Event], config: NaiveConfig, as_of_ms: int) -> Gauges:
    """Every gauge of the catalogue, from the events in order of arrival."""
    facts = _facts(events, config.dimensions)
    segment_of = _segments(facts, config, as_of_ms)
    gauges: Gauges = {}
    groups: dict[tuple[str, str, str], list[Fact]] = defaultdict(list)
    for event in events:
        groups[_store(event), "all", "all"] = []
    for fact in facts:
        groups[fact.store, "all", "all"].append(fact)
        for dimension in config.dimensions:
            name = segment_of[fact.store, fact.who, dimension]
            groups[fact.store, dimension, name].append(fact)
    for (store, dimension, name), some in groups.items():
        for window in config.windows:
            labels = {"store": store, "dimension": dimension, "segment": name, "window": window}
            _window_gauges(gauges, some, labels, _Clock(config, window, as_of_ms, 0))
            if dimension == "all":
                labels |= {"window": f"prev_{window}"}
                _window_gauges(gauges, some, labels, _Clock(config, window, as_of_ms, 1))
        orders = [fact.time_ms for fact in some if fact.type == "purchase"]
        if dimension == "all" and orders:
            for window in config.windows:
                mature = _Clock(config, window, as_of_ms, 0).is_mature(min(orders))
                _put(gauges, "window_mature", {"store": store, "window": window}, mature)
    return gauges


def differences(expected: Gauges, found: Gauges) -> list[str]:
    """Gauges that are not the same, one line each."""
    lines = []
    for key in expected.keys() | found.keys():
        absent = None if key[0] in STRICT else 0
        if expected.get(key, absent) != found.get(key, absent):
            labels = ",".join(f"{name}={value}" for name, value in sorted(key[1]))
            lines.append(f"{key[0]}{{{labels}}}: {expected.get(key)} != {found.get(key)}")
    return sorted(lines)


def time_ms(value: object) -> int:
    """Milliseconds of an event's ``occurred_at``."""
    if isinstance(value, str):
        since = datetime.fromisoformat(value.upper()) - datetime(1970, 1, 1, tzinfo=UTC)
        return since // timedelta(milliseconds=1)
    if not isinstance(value, int | float):
        raise TypeError(value)
    return round(value) if abs(value) > 1e11 else round(value * 1000)


def _minor_units(value: object, currency: str) -> int:
    amount = Decimal(value if isinstance(value, str) else repr(value))
    scaled = amount * 10 ** DECIMALS[currency]
    return int(scaled.quantize(Decimal(1), ROUND_HALF_EVEN))


def _store(event: Event) -> str:
    return str(event.get("store") or "default")


def _facts(events: Sequence[Event], dimensions: tuple[str, ...]) -> list[Fact]:
    cancelled = {
        (_store(event), event["customer_id"], str(event["order_id"]))
        for event in events
        if event["type"] == "cancellation"
    }
    facts = []
    seen = set()
    for event in events:
        kind, store, customer = event["type"], _store(event), event.get("customer_id")
        if kind == "cancellation":
            continue
        number = str(event.get("return_id" if kind == "return" else "order_id"))
        if kind != "signup":
            if (kind, store, customer, number) in seen:
                continue
            seen.add((kind, store, customer, number))
        if kind == "purchase" and (store, customer, number) in cancelled:
            continue
        facts.append(_fact(event, dimensions, number))
    return facts


def _fact(event: Event, dimensions: tuple[str, ...], number: str) -> Fact:
    customer = event.get("customer_id")
    attributes = event.get("attributes") or {}
    if not isinstance(attributes, Mapping):
        raise TypeError(attributes)
    currency = str(event.get("currency", ""))
    return Fact(
        type=str(event["type"]),
        store=_store(event),
        who=("guest", number) if customer is None else ("customer", str(customer)),
        time_ms=time_ms(event["occurred_at"]),
        units=int(float(str(event.get("units", 1)))),
        amount_minor_units=_minor_units(event["amount"], currency) if currency else 0,
        currency=currency,
        values=tuple(str(attributes.get(name) or "") for name in dimensions),
    )


def _segments(
    facts: list[Fact], config: NaiveConfig, as_of_ms: int
) -> dict[tuple[str, tuple[str, str], str], str]:
    """Everybody's segment in every dimension, small segments as ``other``."""
    # Sorting is stable: what is equal stays in order of arrival.
    by_time = sorted(facts, key=lambda fact: (fact.time_ms, fact.type != "purchase"))
    segment_of: dict[tuple[str, tuple[str, str], str], str] = {}
    for fact in by_time:
        for dimension, value in zip(config.dimensions, fact.values, strict=True):
            if value and fact.type != "return":
                segment_of.setdefault((fact.store, fact.who, dimension), value)
    ordered: dict[tuple[str, str], dict[str, set[tuple[str, str]]]] = {}
    for fact in by_time:
        for dimension in config.dimensions:
            name = segment_of.setdefault((fact.store, fact.who, dimension), "unknown")
            people = ordered.setdefault((fact.store, dimension), {}).setdefault(name, set())
            by_now = fact.time_ms // config.bucket_ms <= as_of_ms // config.bucket_ms
            if fact.type == "purchase" and fact.who[0] == "customer" and by_now:
                people.add(fact.who)
    for (store, who, dimension), name in segment_of.items():
        sizes = {n: len(p) for n, p in ordered[store, dimension].items() if n != "unknown"}
        largest = sorted(sizes, key=lambda n: (-sizes[n], n))[:MAX_SEGMENTS]
        if name != "unknown" and name not in largest:
            segment_of[store, who, dimension] = "other"
    return segment_of


class _Clock:
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


def _put(gauges: Gauges, name: str, labels: Mapping[str, str], value: float) -> None:
    gauges[f"retention_{name}", frozenset(labels.items())] = float(value)


def _window_gauges(
    gauges: Gauges, facts: list[Fact], labels: Mapping[str, str], clock: _Clock
) -> None:
    purchases = [fact for fact in facts if fact.type == "purchase"]
    orders: dict[tuple[str, str], list[int]] = defaultdict(list)
    signups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for fact in facts:
        if fact.type == "purchase" and fact.who[0] == "customer":
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
        _put(gauges, "customers", {**labels, "status": status}, len(people))
    placed = [fact for fact in purchases if clock.holds(fact.time_ms, 0)]
    sent_back = [f for f in facts if f.type == "return" and clock.holds(f.time_ms, 0)]
    sold, returned = sum(f.units for f in placed), sum(f.units for f in sent_back)
    signed_up = sum(clock.holds(min(times), 0) for times in signups.values())
    _put(gauges, "orders", labels, len(placed))
    _put(gauges, "units", {**labels, "kind": "sold"}, sold)
    _put(gauges, "units", {**labels, "kind": "returned"}, returned)
    _put(gauges, "signups", {**labels, "status": "total"}, signed_up)
    for name, numerator, denominator in (
        ("customer_retention_ratio", len(start & active), len(start)),
        ("customer_churn_ratio", len(start - active), len(start)),
        ("repeat_purchase_ratio", len(repeat), len(active)),
        ("returning_customer_ratio", len(start & active) + len(reactivated), len(active)),
        ("product_return_ratio", returned, sold),
        ("purchase_frequency", len(placed), len(active)),
    ):
        if denominator:
            _put(gauges, name, labels, numerator / denominator)
    for key, currency, value in _money(placed, sent_back):
        name, _, kind = key.partition(" ")
        extra = {"currency": currency} | ({"kind": kind} if kind else {})
        _put(gauges, name, {**labels, **extra}, value)


def _money(placed: list[Fact], sent_back: list[Fact]) -> Iterator[tuple[str, str, float]]:
    for currency in {fact.currency for fact in placed + sent_back}:
        scale = 10 ** DECIMALS[currency]
        paid = [fact.amount_minor_units for fact in placed if fact.currency == currency]
        refunds = [fact.amount_minor_units for fact in sent_back if fact.currency == currency]
        yield "revenue gross", currency, float(Fraction(sum(paid), scale))
        yield "revenue refunded", currency, float(Fraction(sum(refunds), scale))
        if paid:
            yield "average_order_value", currency, float(Fraction(sum(paid), scale * len(paid)))
