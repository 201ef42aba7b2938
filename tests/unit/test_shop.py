from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from itertools import islice, takewhile
from typing import TYPE_CHECKING

import pytest

from stream.tools.shop import ShopConfig, shop_events
from stream.tools.shop_scenario import DAY_MS, HOUR_MS
from stream.tools.shop_shares import DeliveryShares, NewcomerShares, OrderShares

if TYPE_CHECKING:
    from stream.tools.shop_delivery import Delivery

START_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
PUNCTUAL = DeliveryShares(late=0.0, duplicate=0.0)


def shop(days: int, config: ShopConfig) -> list[Delivery]:
    until_ms = config.start_ms + days * DAY_MS
    return list(takewhile(lambda one: one.arrival_ms < until_ms, shop_events(config)))


def lateness_ms(one: Delivery) -> float:
    at = datetime.fromisoformat(json.loads(one.line)["occurred_at"])
    return one.arrival_ms - at.timestamp() * 1000


def test_the_same_configuration_gives_the_same_events() -> None:
    config = ShopConfig(start_ms=START_MS, seed=3)
    assert shop(10, config) == shop(10, config)


def test_another_seed_gives_another_shop() -> None:
    one, other = (shop(5, ShopConfig(start_ms=START_MS, seed=seed)) for seed in (1, 2))
    assert not {event.line for event in one} & {event.line for event in other}


def test_runs_with_another_start_share_no_customers_or_orders() -> None:
    one, other = (shop(5, ShopConfig(start_ms=START_MS + hour * HOUR_MS)) for hour in (0, 1))
    assert not {event.key for event in one} & {event.key for event in other} - {None}


def test_delivery_changes_when_events_arrive_but_not_what_happened() -> None:
    def happened_in_ten_days(delivery: DeliveryShares) -> set[bytes]:
        config = ShopConfig(start_ms=START_MS, delivery=delivery)
        until_ms = START_MS + 10 * DAY_MS
        return {
            one.line for one in shop(20, config) if one.arrival_ms - lateness_ms(one) < until_ms
        }

    rough = DeliveryShares(late=0.5, duplicate=0.5)
    assert happened_in_ten_days(rough) == happened_in_ten_days(PUNCTUAL)


@pytest.mark.parametrize("late", [0.0, 0.02, 0.4])
def test_as_many_events_are_late_as_configured(late: float) -> None:
    config = ShopConfig(
        start_ms=START_MS,
        delivery=DeliveryShares(late=late, duplicate=0.0),
        orders=OrderShares(cancelled_first=0.0),
    )
    lateness = [lateness_ms(one) for one in shop(60, config)]
    share = sum(ms >= HOUR_MS for ms in lateness) / len(lateness)
    assert share == pytest.approx(late, rel=0.1)
    assert max(lateness) < 5 * DAY_MS + HOUR_MS


@pytest.mark.parametrize("duplicate", [0.0, 0.01, 0.3])
def test_as_many_events_come_twice_as_configured(duplicate: float) -> None:
    config = ShopConfig(start_ms=START_MS, delivery=DeliveryShares(duplicate=duplicate))
    times = Counter(one.line for one in shop(60, config))
    assert max(times.values()) <= 2
    assert sum(n == 2 for n in times.values()) / len(times) == pytest.approx(duplicate, rel=0.15)


def test_as_many_events_are_followed_by_a_bad_copy_as_configured() -> None:
    clean, bad = (
        shop(40, ShopConfig(start_ms=START_MS, delivery=DeliveryShares(duplicate=0.0, bad=share)))
        for share in (0.0, 0.1)
    )
    good = {one.line for one in clean}
    added = [one for one in bad if one.line not in good]
    assert len(added) / len(clean) == pytest.approx(0.1, rel=0.1)
    assert {one.type for one in added} == {"purchase", "signup", "return", "cancellation"}


def test_orders_meet_their_fates_in_the_shares_configured() -> None:
    orders = OrderShares(returned=0.2, cancelled=0.1, cancelled_first=0.3)
    config = ShopConfig(
        start_ms=START_MS, orders=orders, delivery=PUNCTUAL, newcomers=NewcomerShares(guest=0.25)
    )
    deliveries = shop(120, config)
    arrived = {
        (one.type, json.loads(one.line)["order_id"]): one.arrival_ms
        for one in deliveries
        if one.type != "signup"
    }
    known = {
        json.loads(one.line)["order_id"]
        for one in deliveries
        if one.type == "purchase" and one.key is not None
    }
    of_type = Counter(kind for kind, _ in arrived)
    first = sum(
        arrived["cancellation", order] < arrived.get(("purchase", order), 1 << 62)
        for kind, order in arrived
        if kind == "cancellation"
    )
    # The returns of the last days are still to come.
    assert of_type["return"] / len(known) == pytest.approx(0.2 * (1 - 9 / 120), rel=0.1)
    assert of_type["cancellation"] / len(known) == pytest.approx(0.1, rel=0.05)
    assert first / of_type["cancellation"] == pytest.approx(0.3, rel=0.1)
    assert all(one.key is not None for one in deliveries if one.type != "purchase")


def test_newcomers_come_at_the_rate_and_in_the_shares_configured() -> None:
    config = ShopConfig(
        start_ms=START_MS,
        customers_per_day=500,
        newcomers=NewcomerShares(guest=0.1, signup=0.5, never_buys=0.2),
        delivery=PUNCTUAL,
    )
    deliveries = shop(28, config)
    signups = sum(one.type == "signup" for one in deliveries)
    guests = sum(one.key is None for one in deliveries)
    customers = len({one.key for one in deliveries} - {None})
    assert guests + customers == pytest.approx(28 * 500, rel=0.02)
    assert guests == pytest.approx(0.1 * 28 * 500, rel=0.06)
    assert signups == pytest.approx(0.9 * 0.5 * 28 * 500, rel=0.03)


def test_attributes_vary_and_some_events_carry_none() -> None:
    events = [json.loads(one.line) for one in shop(60, ShopConfig(start_ms=START_MS))]
    carrying = [e for e in events if e["type"] in ("purchase", "signup")]
    none = sum("attributes" not in event for event in carrying)
    assert none / len(carrying) == pytest.approx(OrderShares().no_attributes, rel=0.15)
    channels = Counter(e["attributes"]["channel"] for e in carrying if "attributes" in e)
    assert [name for name, _ in channels.most_common(3)] == ["web", "app", "store"]
    assert len(channels) == 6
    assert len({e["attributes"]["country"] for e in carrying if "attributes" in e}) == 14
    assert {e["currency"] for e in events if "currency" in e} == {"USD", "EUR", "GBP", "JPY"}


def test_the_stream_does_not_end() -> None:
    config = ShopConfig(start_ms=START_MS, customers_per_day=1)
    assert len(list(islice(shop_events(config), 2_000))) == 2_000


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"scenario_strength": 1.5}, "the scenario's strength must be 0 to 1"),
        ({"scenario": "boom"}, "'boom' is no scenario: choose steady, retention-drop,"),
        ({"customers_per_day": 0.0}, "customers per day must be 1 to 10,000,000"),
        ({"customers_per_day": float("nan")}, "customers per day must be"),
        ({"store": ""}, "name must have 1 to 128 characters"),
    ],
)
def test_a_shop_that_cannot_be_is_refused(change: dict[str, float | str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ShopConfig(start_ms=START_MS, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="the late share must be 0 to 1, not"):
        DeliveryShares(late=share)
    with pytest.raises(ValueError, match="the cancelled first share must be 0 to 1, not"):
        OrderShares(cancelled_first=share)
    with pytest.raises(ValueError, match="the never buys share must be 0 to 1, not"):
        NewcomerShares(never_buys=share)
