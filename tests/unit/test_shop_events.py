"""Every event of the simulated shop is as the contract says, whatever the seed and the shares."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from itertools import takewhile

import pytest

from stream.tools.shop import ShopConfig, shop_events
from stream.tools.shop_bulk import bulk_events
from stream.tools.shop_delivery import Delivery, break_line
from stream.tools.shop_scenario import DAY_MS, HOUR_MS, SCENARIOS
from stream.tools.shop_shares import DeliveryShares, NewcomerShares, OrderShares

START_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
DECIMALS = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0}
FIELDS = {
    "purchase": {"type", "order_id", "occurred_at", "amount", "currency", "units", "store"},
    "signup": {"type", "customer_id", "occurred_at", "store"},
    "return": {
        *("type", "customer_id", "return_id", "order_id", "occurred_at"),
        *("amount", "currency", "units", "store"),
    },
    "cancellation": {"type", "customer_id", "order_id", "occurred_at", "store"},
}

Event = dict[str, str | int | dict[str, str]]


def shop(days: int, config: ShopConfig) -> list[Delivery]:
    until_ms = config.start_ms + days * DAY_MS
    return list(takewhile(lambda one: one.arrival_ms < until_ms, shop_events(config)))


def occurred_ms(event: Event) -> int:
    at = datetime.fromisoformat(str(event["occurred_at"]))
    assert at.tzinfo is not None
    return round(at.timestamp() * 1000)


def minor_units(event: Event) -> int:
    decimals = DECIMALS[str(event["currency"])]
    pattern = r"\d+" if decimals == 0 else rf"\d+\.\d{{{decimals}}}"
    assert re.fullmatch(pattern, str(event["amount"]))
    return int(str(event["amount"]).replace(".", ""))


def usable(line: bytes) -> Event:
    """The event of a line; an AssertionError or ValueError when it is not as the contract says."""
    event = json.loads(line)
    extra = {"attributes"} | ({"customer_id"} if event["type"] == "purchase" else set())
    assert FIELDS[event["type"]] <= set(event) <= FIELDS[event["type"]] | extra
    for name in {"customer_id", "order_id", "return_id", "store"} & set(event):
        assert isinstance(event[name], str)
        assert 1 <= len(event[name]) <= 128
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["occurred_at"])
    if "amount" in event:
        assert minor_units(event) >= 0
        assert isinstance(event["units"], int)
        assert event["units"] >= 1
    attributes = event.get("attributes", {"channel": "", "country": ""})
    assert set(attributes) == {"channel", "country"}
    assert all(isinstance(value, str) for value in attributes.values())
    return dict(event)


ROUGH = ShopConfig(
    start_ms=START_MS,
    seed=5,
    store='the "corner" shop',
    newcomers=NewcomerShares(guest=0.3),
    orders=OrderShares(returned=0.3, cancelled=0.3, cancelled_first=0.5),
    delivery=DeliveryShares(late=0.3, duplicate=0.3),
)


@pytest.fixture(params=[*SCENARIOS, "rough", "bulk"], scope="module")
def deliveries(request: pytest.FixtureRequest) -> list[Delivery]:
    name: str = request.param
    if name == "rough":
        return shop(20, ROUGH)
    if name == "bulk":
        return list(bulk_events(customers=2_000, events=10_000, days=60))
    config = ShopConfig(
        start_ms=START_MS, customers_per_day=80, scenario=name, scenario_from_day=10
    )
    return shop(40, config)


def test_every_event_is_usable_and_keyed_by_its_customer(deliveries: list[Delivery]) -> None:
    for one in deliveries:
        event = usable(one.line)
        assert event["type"] == one.type
        assert event.get("customer_id") == one.key


def test_events_come_in_order_of_arrival_and_never_before_they_happened(
    deliveries: list[Delivery],
) -> None:
    arrivals = [one.arrival_ms for one in deliveries]
    assert arrivals == sorted(arrivals)
    assert all(occurred_ms(json.loads(one.line)) <= one.arrival_ms for one in deliveries)


def test_order_and_return_ids_name_one_event_each(deliveries: list[Delivery]) -> None:
    lines = {one.line: one.type for one in deliveries}
    ids = Counter(
        (kind, json.loads(line)["return_id" if kind == "return" else "order_id"])
        for line, kind in lines.items()
        if kind != "signup"
    )
    assert set(ids.values()) == {1}


def test_returns_and_cancellations_follow_an_order_of_the_same_customer(
    deliveries: list[Delivery],
) -> None:
    events = [json.loads(one.line) for one in deliveries]
    orders = {event["order_id"]: event for event in events if event["type"] == "purchase"}
    ends: dict[str, set[str]] = {}
    checked = 0
    for event in events:
        if event["type"] not in ("return", "cancellation"):
            continue
        ends.setdefault(event["order_id"], set()).add(event["type"])
        order = orders.get(event["order_id"])
        if order is None:  # it is late, and not here yet
            continue
        checked += 1
        assert order["customer_id"] == event["customer_id"]
        assert occurred_ms(order) < occurred_ms(event)
        if event["type"] == "return":
            assert event["units"] <= order["units"]
            assert event["currency"] == order["currency"]
            assert minor_units(event) <= minor_units(order)
    assert checked > 50
    assert all(len(kinds) == 1 for kinds in ends.values())


def test_signups_come_before_the_first_order_and_some_never_buy() -> None:
    events = [json.loads(one.line) for one in shop(60, ShopConfig(start_ms=START_MS))]
    first_order_ms: dict[str, int] = {}
    for event in events:
        if event["type"] == "purchase" and "customer_id" in event:
            known = first_order_ms.get(event["customer_id"], 1 << 62)
            first_order_ms[event["customer_id"]] = min(known, occurred_ms(event))
    signups = {e["customer_id"]: occurred_ms(e) for e in events if e["type"] == "signup"}
    both = signups.keys() & first_order_ms.keys()
    assert all(signups[customer] <= first_order_ms[customer] for customer in both)
    old = {customer for customer, at_ms in signups.items() if at_ms < START_MS + 20 * DAY_MS}
    assert len(old - both) / len(old) == pytest.approx(NewcomerShares().never_buys, abs=0.03)
    assert len(both) < len(first_order_ms)  # others buy without an account


@pytest.mark.parametrize("way", range(5))
def test_a_broken_copy_is_never_usable(way: int) -> None:
    lines = {one.type: one.line for one in shop(20, ShopConfig(start_ms=START_MS))}
    assert set(lines) == set(FIELDS)
    for line in lines.values():
        usable(line)
        with pytest.raises((AssertionError, ValueError, KeyError)):
            usable(break_line(line, way))


def test_hours_are_whole_in_the_configuration() -> None:
    assert START_MS % HOUR_MS == 0
    with pytest.raises(ValueError, match="must open on a whole hour"):
        ShopConfig(start_ms=START_MS + 1)
