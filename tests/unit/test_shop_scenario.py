"""Each scenario moves what it says, and leaves the rest alone; measured against a steady shop."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import takewhile
from statistics import median

import pytest

from stream.tools.shop import ShopConfig, shop_events
from stream.tools.shop_scenario import DAY_MS, SCENARIOS, STEADY, conditions_on
from stream.tools.shop_shares import DeliveryShares, OrderShares

START_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
SWITCH_DAY = 100
DAYS = 200


@dataclass(frozen=True, slots=True)
class Order:
    day: int
    #: 1 is the customer's first
    nth: int
    customer_since_day: int
    usd_price: float | None
    is_returned: bool


@lru_cache(maxsize=len(SCENARIOS))
def lines(scenario: str) -> list[bytes]:
    config = ShopConfig(
        start_ms=START_MS,
        customers_per_day=200,
        scenario=scenario,
        scenario_from_day=SWITCH_DAY,
        orders=OrderShares(cancelled=0.0),
        delivery=DeliveryShares(late=0.0, duplicate=0.0),
    )
    until_ms = START_MS + DAYS * DAY_MS
    return [
        one.line for one in takewhile(lambda one: one.arrival_ms < until_ms, shop_events(config))
    ]


@lru_cache(maxsize=len(SCENARIOS))
def orders(scenario: str) -> list[Order]:
    events = [json.loads(line) for line in lines(scenario)]
    returned = {event["order_id"] for event in events if event["type"] == "return"}
    history: dict[str, list[int]] = {}
    result = []
    for event in events:
        if event["type"] != "purchase" or "customer_id" not in event:
            continue
        at_ms = datetime.fromisoformat(event["occurred_at"]).timestamp() * 1000
        day = int(at_ms - START_MS) // DAY_MS
        days = history.setdefault(event["customer_id"], [])
        days.append(day)
        price = float(event["amount"]) / event["units"] if event["currency"] == "USD" else None
        result.append(Order(day, len(days), days[0], price, event["order_id"] in returned))
    return result


def count(scenario: str, first_day: int, last_day: int, *, repeat: bool) -> int:
    """Orders from one day to the other, counted from the switch: repeat ones or first ones."""
    return sum(
        first_day <= order.day - SWITCH_DAY < last_day and (order.nth > 1) == repeat
        for order in orders(scenario)
    )


def against_steady(scenario: str, first_day: int, last_day: int, *, repeat: bool) -> float:
    return count(scenario, first_day, last_day, repeat=repeat) / count(
        "steady", first_day, last_day, repeat=repeat
    )


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_before_the_switch_every_scenario_is_the_steady_shop(scenario: str) -> None:
    def before(name: str) -> list[bytes]:
        switch = datetime.fromtimestamp(START_MS / 1000 + SWITCH_DAY * 86_400, UTC)
        return [
            line
            for line in lines(name)
            if datetime.fromisoformat(json.loads(line)["occurred_at"]) < switch
        ]

    assert before(scenario) == before("steady")


def test_a_retention_drop_costs_repeat_orders_but_not_new_customers() -> None:
    assert against_steady("retention-drop", 0, 100, repeat=True) < 0.5
    assert against_steady("retention-drop", 0, 100, repeat=False) == pytest.approx(1, abs=0.04)


def test_a_repeat_drop_costs_second_orders_of_new_buyers_only() -> None:
    def second_orders(scenario: str, *, acquired_after: bool) -> int:
        return sum(
            order.nth == 2
            and order.day >= SWITCH_DAY
            and (order.customer_since_day >= SWITCH_DAY) == acquired_after
            for order in orders(scenario)
        )

    new = second_orders("repeat-drop", acquired_after=True) / second_orders(
        "steady", acquired_after=True
    )
    assert new == pytest.approx(1 - 0.8, abs=0.06)
    old = second_orders("repeat-drop", acquired_after=False) / second_orders(
        "steady", acquired_after=False
    )
    assert old == pytest.approx(1, abs=0.1)
    assert against_steady("repeat-drop", 0, 100, repeat=False) == pytest.approx(1, abs=0.04)


def test_a_promotion_brings_buyers_at_lower_prices_then_quiet_then_as_before() -> None:
    assert against_steady("promotion", 0, 14, repeat=False) == pytest.approx(2.5, rel=0.1)
    assert against_steady("promotion", 0, 14, repeat=True) > 1.7
    assert against_steady("promotion", 15, 28, repeat=False) == pytest.approx(0.85, abs=0.08)
    assert against_steady("promotion", 30, 100, repeat=False) == pytest.approx(1, abs=0.04)

    def price(first_day: int, last_day: int) -> float:
        return median(
            order.usd_price
            for order in orders("promotion")
            if order.usd_price is not None and first_day <= order.day - SWITCH_DAY < last_day
        )

    assert price(0, 14) / price(-100, 0) == pytest.approx(0.8, rel=0.06)
    assert price(14, 100) / price(-100, 0) == pytest.approx(1, rel=0.04)


def test_a_return_wave_sends_back_five_times_as_many_orders() -> None:
    def returned_share(scenario: str) -> float:
        fates = [
            order.is_returned
            for order in orders(scenario)
            # Later ones may be sent back after the end of the run.
            if SWITCH_DAY <= order.day < DAYS - 40
        ]
        return sum(fates) / len(fates)

    assert returned_share("return-wave") / returned_share("steady") == pytest.approx(5, rel=0.12)
    assert against_steady("return-wave", 0, 100, repeat=True) == 1
    assert against_steady("return-wave", 0, 100, repeat=False) == 1


def test_recovery_is_a_retention_drop_that_ends() -> None:
    assert count("recovery", 0, 45, repeat=True) == count("retention-drop", 0, 45, repeat=True)
    during = against_steady("recovery", 0, 45, repeat=True)
    after = against_steady("recovery", 45, 75, repeat=True)
    assert during < 0.6
    assert after > 2 * during
    assert against_steady("recovery", 0, 100, repeat=False) == pytest.approx(1, abs=0.04)


def test_phases_follow_each_other_by_the_day() -> None:
    assert conditions_on("promotion", -1) == STEADY
    assert conditions_on("promotion", 0).price_factor == 0.8
    assert conditions_on("promotion", 13) == conditions_on("promotion", 0)
    assert conditions_on("promotion", 14).price_factor == 1
    assert conditions_on("promotion", 28) == STEADY


def test_a_third_of_a_scenario_is_a_third_of_every_difference() -> None:
    whole = conditions_on("retention-drop", 0)
    third = conditions_on("retention-drop", 0, 1 / 3)
    assert third.purchase_rate_factor == pytest.approx(0.8)
    assert third.drop_out_factor == pytest.approx(1 + (whole.drop_out_factor - 1) / 3)
    assert third.new_customers_factor == 1
    assert conditions_on("retention-drop", 0, 0.0) == STEADY
