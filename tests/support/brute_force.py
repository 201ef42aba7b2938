"""The gauges once more, in plain Python loops: what the oracle itself is checked against.

For well-formed events only (as ``event_lines`` makes them: times in epoch milliseconds, amounts as
decimal strings of currencies with two digits), all of them inside the horizon and in at most fifty
segments.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, cast
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from stream.tools.oracle import OracleParameters
    from tests.support.event_lines import Event

DURATION_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}

Key = tuple[str, frozenset[tuple[str, str]]]


class Moment(NamedTuple):
    bucket: int
    day: date


@dataclass(frozen=True)
class Span:
    """A window: what is in it, and what is in the one before."""

    name: str
    holds: Callable[[Moment], bool]
    preceding_holds: Callable[[Moment], bool]
    mature_from: Callable[[Moment], bool]


class Shop:
    """One store's clean history."""

    def __init__(self) -> None:
        self.orders: dict[tuple[str | None, str], Event] = {}
        self.cancelled: set[tuple[str | None, str]] = set()
        self.returns: dict[tuple[str, str], Event] = {}
        self.signups: dict[str, list[Event]] = defaultdict(list)


def brute_force(events: Sequence[Event], given: OracleParameters) -> dict[Key, float]:
    """Every gauge by (name, labels), as ``expected`` of the oracle has them."""
    zone = ZoneInfo(given.timezone)

    def moment(time_ms: int) -> Moment:
        local = datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(zone)
        return Moment(time_ms // given.bucket_ms, local.date())

    as_of_ms = given.as_of_ms
    if as_of_ms is None:
        as_of_ms = max(_time(event) for event in events)
    shops: dict[str, Shop] = defaultdict(Shop)
    for number, event in enumerate(events):
        _take(shops[str(event.get("store") or "default")], event | {"arrival": number})
    gauges: dict[Key, float] = {}
    for store, shop in shops.items():
        spans = [s for name in given.windows for s in _spans(name, moment(as_of_ms), given)]
        _count_shop(gauges, store, shop, spans=spans, dimensions=given.dimensions, moment=moment)
    return gauges


def _time(event: Event) -> int:
    return cast("int", event["occurred_at"])


def _take(shop: Shop, event: Event) -> None:
    customer = cast("str | None", event.get("customer_id"))
    order = (customer, str(event.get("order_id")))
    if event["type"] == "purchase":
        shop.orders.setdefault(order, event)
    elif event["type"] == "cancellation":
        shop.cancelled.add(order)
    elif event["type"] == "return":
        shop.returns.setdefault((str(customer), str(event["return_id"])), event)
    else:
        shop.signups[str(customer)].append(event)


def _spans(name: str, as_of: Moment, given: OracleParameters) -> list[Span]:
    if name in {"day", "week", "month", "quarter", "year"}:
        first = _period_start(name, as_of.day)
        before = _period_start(name, first - timedelta(1))
        second = _period_start(name, before - timedelta(1))
        return [
            Span(
                name,
                lambda m: m.day >= first and m.bucket <= as_of.bucket,
                lambda m: before <= m.day < first,
                lambda m: m.day <= before,
            ),
            Span(
                f"prev_{name}",
                lambda m: before <= m.day < first,
                lambda m: second <= m.day < before,
                lambda m: m.day <= second,
            ),
        ]
    length = int(name[:-1]) * DURATION_MS[name[-1]] // given.bucket_ms

    def rolling(full_name: str, last: int) -> Span:
        return Span(
            full_name,
            lambda m: last - length < m.bucket <= last,
            lambda m: last - 2 * length < m.bucket <= last - length,
            lambda m: m.bucket <= last - 2 * length + 1,
        )

    return [rolling(name, as_of.bucket), rolling(f"prev_{name}", as_of.bucket - length)]


def _period_start(unit: str, day: date) -> date:
    if unit == "day":
        return day
    if unit == "week":
        return day - timedelta(day.weekday())
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[unit]
    return date(day.year, month, 1)


def _count_shop(
    gauges: dict[Key, float],
    store: str,
    shop: Shop,
    *,
    spans: Iterable[Span],
    dimensions: Sequence[str],
    moment: Callable[[int], Moment],
) -> None:
    orders = [event for key, event in shop.orders.items() if key not in shop.cancelled]
    everyone = {
        str(event["customer_id"])
        for event in [*shop.orders.values(), *shop.returns.values()]
        if event.get("customer_id") is not None
    }
    everyone |= set(shop.signups) | {str(customer) for customer, _ in shop.cancelled}
    first_order = min(map(_time, orders), default=None)
    for span in spans:
        if not span.name.startswith("prev_"):
            mature = first_order is not None and span.mature_from(moment(first_order))
            of_store = frozenset({("store", store), ("window", span.name)})
            gauges["retention_window_mature", of_store] = float(mature)
    for dimension in ("all", *dimensions):
        names = _segments(shop, orders, everyone, dimension)
        for segment in set(names.values()):
            members = {member for member, name in names.items() if name == segment}
            for span in spans:
                if dimension == "all" or not span.name.startswith("prev_"):
                    labels = {"store": store, "dimension": dimension, "segment": segment}
                    _count_segment(
                        gauges, labels, shop, orders, members=members, span=span, moment=moment
                    )


def _segments(
    shop: Shop, orders: list[Event], everyone: set[str], dimension: str
) -> dict[str, str]:
    """Who (a customer, or a guest order as ``guest NUL id``) is in which segment."""
    events: dict[str, list[Event]] = {customer: [] for customer in everyone}
    for event in orders:
        events.setdefault(_who(event), []).append(event)
    for customer, signups in shop.signups.items():
        events[customer] += signups
    if dimension == "all":
        return dict.fromkeys(events, "all")
    names = {}
    for who, carriers in events.items():
        carriers.sort(key=lambda e: (_time(e), e["type"] != "purchase", cast("int", e["arrival"])))
        values = (
            cast("dict[str, str]", e.get("attributes") or {}).get(dimension) for e in carriers
        )
        names[who] = next((value for value in values if value), "unknown")
    return names


def _who(event: Event) -> str:
    customer = event.get("customer_id")
    return f"guest\0{event['order_id']}" if customer is None else str(customer)


def _minor_units(event: Event) -> int:
    return round(float(str(event["amount"])) * 100)


def _count_segment(
    gauges: dict[Key, float],
    labels: dict[str, str],
    shop: Shop,
    orders: list[Event],
    *,
    members: set[str],
    span: Span,
    moment: Callable[[int], Moment],
) -> None:
    def put(name: str, value: float, **more: str) -> None:
        full = labels | {"window": span.name} | more
        gauges[f"retention_{name}", frozenset(full.items())] = value

    def put_ratio(name: str, part: int, whole: int, **more: str) -> None:
        if whole:
            put(name, part / whole, **more)

    def within(event: Event) -> bool:
        return span.holds(moment(_time(event)))

    own = [event for event in orders if _who(event) in members]
    sold = [event for event in own if within(event)]
    own_returns = [event for event in shop.returns.values() if _who(event) in members]
    returned = [event for event in own_returns if within(event)]
    times: dict[str, list[int]] = defaultdict(list)
    for event in own:
        if event.get("customer_id") is not None:
            times[_who(event)].append(_time(event))
    counts = dict.fromkeys(
        ("active", "new", "start", "retained", "reactivated", "lost", "repeat"), 0
    )
    for when in times.values():
        number = sum(span.holds(moment(time)) for time in when)
        is_new = span.holds(moment(min(when)))
        is_start = any(span.preceding_holds(moment(time)) for time in when)
        counts["active"] += number >= 1
        counts["new"] += is_new
        counts["start"] += is_start
        counts["retained"] += is_start and number >= 1
        counts["reactivated"] += number >= 1 and not is_new and not is_start
        counts["lost"] += is_start and number == 0
        counts["repeat"] += number >= 2
    for status, count in counts.items():
        put("customers", count, status=status)
    put_ratio("customer_retention_ratio", counts["retained"], counts["start"])
    put_ratio("customer_churn_ratio", counts["lost"], counts["start"])
    put_ratio("repeat_purchase_ratio", counts["repeat"], counts["active"])
    put_ratio("returning_customer_ratio", counts["active"] - counts["new"], counts["active"])
    put_ratio("purchase_frequency", len(sold), counts["active"])
    put("orders", len(sold))
    units_sold = sum(cast("int", event.get("units", 1)) for event in sold)
    units_returned = sum(cast("int", event.get("units", 1)) for event in returned)
    put("units", units_sold, kind="sold")
    put("units", units_returned, kind="returned")
    put_ratio("product_return_ratio", units_returned, units_sold)
    earliest = [min(map(_time, signups)) for who, signups in shop.signups.items() if who in members]
    put("signups", sum(span.holds(moment(time)) for time in earliest), status="total")
    for currency in {str(event["currency"]) for event in own + own_returns}:
        gross = [_minor_units(event) for event in sold if event["currency"] == currency]
        refunded = [_minor_units(event) for event in returned if event["currency"] == currency]
        put("revenue", sum(gross) / 100, kind="gross", currency=currency)
        put("revenue", sum(refunded) / 100, kind="refunded", currency=currency)
        put_ratio("average_order_value", sum(gross), 100 * len(gross), currency=currency)
