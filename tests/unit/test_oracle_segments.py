"""Segments: whose, from which event, and how many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.event_lines import (
    Event,
    cancellation,
    gauges_of,
    parameters,
    product_return,
    purchase,
    signup,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.event_lines import Gauges

GIVEN = parameters("30d", dimensions=("channel", "country"), as_of_day=60)


def channel(value: object) -> dict[str, object]:
    return {"channel": value}


def active(gauges: Gauges, segment: str, dimension: str = "channel") -> float | None:
    return gauges.value("customers", "30d", status="active", dimension=dimension, segment=segment)


def test_the_earliest_event_that_carries_a_value_decides_for_all_of_them(tmp_path: Path) -> None:
    events = [
        purchase("a", 55, attributes=channel("app")),
        purchase("a", 45),
        product_return("a", 50, units=7),
        purchase("a", 40, attributes=channel("web")),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    web = {"dimension": "channel", "segment": "web"}
    assert gauges.segments("channel") == {"web"}
    assert gauges.value("orders", "30d", **web) == 3
    assert gauges.value("units", "30d", kind="returned", **web) == 7
    assert gauges.value("revenue", "30d", kind="gross", currency="EUR", **web) == 30
    assert active(gauges, "unknown", "country") == 1


def test_each_dimension_has_its_own_earliest_event(tmp_path: Path) -> None:
    events = [
        purchase("a", 40, attributes={"channel": "web", "country": None}),
        purchase("a", 41, attributes={"channel": "app", "country": ""}),
        signup("a", 42, attributes={"channel": "shop", "country": "DE"}),
        purchase("a", 43, attributes={"country": "FR"}),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    assert gauges.segments("channel") == {"web"}
    assert gauges.segments("country") == {"DE"}


def test_at_the_same_moment_purchases_go_first_and_then_the_first_arrival(tmp_path: Path) -> None:
    events = [
        signup("a", 40, attributes=channel("from signup")),
        purchase("a", 40, attributes=channel("first to arrive")),
        purchase("a", 40, attributes=channel("second to arrive")),
        purchase("b", 40.5),
        signup("b", 40, attributes=channel("from signup")),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    assert active(gauges, "first to arrive") == 1
    assert active(gauges, "from signup") == 1
    assert gauges.segments("channel") == {"first to arrive", "from signup"}


def test_cancelled_and_duplicate_orders_carry_nothing(tmp_path: Path) -> None:
    events = [
        purchase("a", 40, order_id="1", attributes=channel("cancelled")),
        purchase("a", 50, order_id="2", attributes=channel("web")),
        purchase("a", 30, order_id="2", attributes=channel("duplicate")),
        cancellation("a", "1", 41),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    assert gauges.segments("channel") == {"web"}
    assert active(gauges, "web") == 1


def test_a_value_on_a_return_or_a_cancellation_is_not_looked_at(tmp_path: Path) -> None:
    events = [
        purchase("a", 50),
        product_return("a", 40, attributes=channel("return")),
        cancellation("a", "none", 40, attributes=channel("cancellation")),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    assert gauges.segments("channel") == {"unknown"}
    assert active(gauges, "unknown") == 1


def test_guest_orders_are_in_the_segments_of_their_own_attributes(tmp_path: Path) -> None:
    events = [
        purchase(None, 50, order_id="1", attributes=channel("web")),
        purchase(None, 50, order_id="2"),
        purchase("a", 50, attributes=channel("web")),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    web = {"dimension": "channel", "segment": "web"}
    assert gauges.value("orders", "30d", **web) == 2
    assert active(gauges, "web") == 1
    assert gauges.value("orders", "30d", dimension="channel", segment="unknown") == 1
    assert active(gauges, "unknown") == 0


def test_the_same_customer_id_in_two_stores_is_two_customers(tmp_path: Path) -> None:
    events = [
        purchase("a", 50, store="one", attributes=channel("web")),
        purchase("a", 40, store="two", attributes=channel("app")),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    for store, segment in (("one", "web"), ("two", "app")):
        labels = {"store": store, "dimension": "channel", "segment": segment}
        assert gauges.value("customers", "30d", status="active", **labels) == 1


def bought_in(segment: str, customers: int, day: float = 50) -> list[Event]:
    return [
        purchase(f"{segment}/{number}", day, attributes=channel(segment))
        for number in range(customers)
    ]


def test_fifty_segments_keep_their_name_and_the_rest_are_other(tmp_path: Path) -> None:
    events = [
        *(event for number in range(49) for event in bought_in(f"s{number:02}", 2)),
        # One place is left; by number of customers a tie, so the first by name takes it.
        *bought_in("t-later", 1),
        *bought_in("t-first", 1),
        *bought_in("u", 1),
        # Neither guests nor signups are customers who ever ordered.
        *(purchase(None, 50, attributes=channel("guests")) for _ in range(5)),
        *(signup(f"signed up {number}", 50, attributes=channel("signups")) for number in range(5)),
        # Without a value: a segment beside the fifty.
        *(purchase(f"unknown {number}", 50) for number in range(9)),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    named = {f"s{number:02}" for number in range(49)} | {"t-first"}
    assert gauges.segments("channel") == named | {"other", "unknown"}
    assert active(gauges, "other") == 2
    assert active(gauges, "unknown") == 9
    other = {"dimension": "channel", "segment": "other"}
    assert gauges.value("orders", "30d", **other) == 7
    assert gauges.value("signups", "30d", status="total", **other) == 5


def test_the_fifty_are_those_with_most_customers_ever_not_in_a_window(tmp_path: Path) -> None:
    events = [
        *(event for number in range(50) for event in bought_in(f"once-big-{number}", 2, day=-200)),
        *bought_in("now", 1),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    assert "now" not in gauges.segments("channel")
    assert active(gauges, "other") == 1


def test_customers_after_as_of_do_not_make_a_segment_larger(tmp_path: Path) -> None:
    events = [
        *(event for number in range(50) for event in bought_in(f"later-{number:02}", 1, day=70)),
        *bought_in("now", 1),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    assert active(gauges, "now") == 1
    assert "later-49" not in gauges.segments("channel")


def test_a_value_named_like_a_built_in_segment_joins_it_and_takes_no_place(tmp_path: Path) -> None:
    events = [
        *bought_in("unknown", 2),
        *bought_in("other", 2),
        purchase("no value", 50),
        *(event for number in range(51) for event in bought_in(f"s{number:02}", 1)),
    ]
    gauges = gauges_of(tmp_path, events, GIVEN)
    assert active(gauges, "unknown") == 3
    assert active(gauges, "other") == 3
    assert len(gauges.segments("channel")) == 52


def test_labels_are_kept_as_they_are(tmp_path: Path) -> None:
    value = 'a "quoted" \\ back\nslash, é 😀 \t tab'
    gauges = gauges_of(tmp_path, bought_in(value, 1), GIVEN)
    assert active(gauges, value) == 1
