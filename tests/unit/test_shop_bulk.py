from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from stream.tools.shop_bulk import BULK_START_MS, bulk_events
from stream.tools.shop_scenario import DAY_MS
from stream.tools.shop_shares import DeliveryShares

if TYPE_CHECKING:
    from stream.tools.shop_delivery import Delivery


@pytest.fixture(scope="module")
def bulk() -> list[Delivery]:
    return list(bulk_events(customers=10_000, events=50_000, seed=4))


def test_exactly_as_many_events_come_as_asked_for(bulk: list[Delivery]) -> None:
    assert len(bulk) == 50_000
    for events in (1, 2, 17, 400):
        assert len(list(bulk_events(customers=1, events=events, days=3))) == events
    punctual = DeliveryShares(late=0.0, duplicate=0.0)
    assert len(list(bulk_events(customers=100, events=9_000, delivery=punctual))) == 9_000


def test_most_are_purchases_of_nearly_all_customers(bulk: list[Delivery]) -> None:
    kinds = Counter(one.type for one in bulk)
    assert kinds["purchase"] / 50_000 == pytest.approx(0.94, abs=0.01)
    assert kinds["signup"] / 50_000 == pytest.approx(0.03, abs=0.003)
    assert (kinds["return"] + kinds["cancellation"]) / 50_000 == pytest.approx(0.03, abs=0.004)
    buyers = Counter(one.key for one in bulk if one.type == "purchase")
    assert 0.97 * 10_000 < len(buyers) <= 10_000
    # A tenth of the customers places far more than a tenth of the orders.
    busiest = sum(orders for _, orders in buyers.most_common(1_000))
    assert busiest > 0.25 * buyers.total()


def test_bulk_lines_are_of_the_size_of_real_events(bulk: list[Delivery]) -> None:
    assert sum(len(one.line) for one in bulk) / len(bulk) == pytest.approx(200, abs=25)


def test_bulk_spans_the_days_asked_for() -> None:
    times = [
        json.loads(one.line)["occurred_at"]
        for one in bulk_events(customers=50, events=2_000, days=10)
    ]
    assert min(times).startswith("2025-01-01")
    assert max(time for time in times if time < "2025-01-11").startswith("2025-01-10")


def test_the_same_arguments_give_the_same_bulk() -> None:
    one, again, other = (
        list(bulk_events(customers=100, events=1_000, seed=seed)) for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


def test_bulk_can_start_anywhere() -> None:
    start_ms = BULK_START_MS - 5_000 * DAY_MS + 17
    first = next(bulk_events(customers=10, events=1_000, start_ms=start_ms))
    assert start_ms <= first.arrival_ms < start_ms + 2 * DAY_MS


@pytest.mark.parametrize("customers", [0, 2_000])
def test_more_customers_than_purchases_are_refused(customers: int) -> None:
    with pytest.raises(ValueError, match="1,000 events have room for 1 to 1,005 customers"):
        bulk_events(customers=customers, events=1_000)


def test_bulk_without_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        bulk_events(customers=1, events=1, days=0)
