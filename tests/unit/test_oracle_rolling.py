"""Rolling windows: hand-made histories with the answers worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.event_lines import (
    HOUR_MS,
    Event,
    cancellation,
    day_ms,
    gauges_of,
    parameters,
    product_return,
    purchase,
    signup,
)

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 1 / 24


def customers_who_bought(prefix: str, number: int, *days: float) -> list[Event]:
    """So many customers, each with an order on each of the days."""
    return [purchase(f"{prefix}{i}", day) for i in range(number) for day in days]


def test_every_status_of_a_window_and_its_preceding_window(tmp_path: Path) -> None:
    # As of day 60, window (30, 60], preceding (0, 30].
    events = [
        purchase("new", 40),
        purchase("new and repeat", 40),
        purchase("new and repeat", 41),
        purchase("retained", 20),
        purchase("retained", 50),
        purchase("lost", 20),
        purchase("reactivated", -10),
        purchase("reactivated", 45),
        purchase("long gone", -10),
        purchase("retained though older", -20),
        purchase("retained though older", 10),
        purchase("retained though older", 60),
        signup("only signed up", 50),
    ]
    gauges = gauges_of(tmp_path, events, parameters("30d", as_of_day=60))
    assert gauges.customers("30d") == {
        "active": 5,
        "new": 2,
        "start": 3,
        "retained": 2,
        "reactivated": 1,
        "lost": 1,
        "repeat": 1,
    }
    assert gauges.value("customer_retention_ratio", "30d") == 2 / 3
    assert gauges.value("customer_churn_ratio", "30d") == 1 / 3
    assert gauges.value("repeat_purchase_ratio", "30d") == 1 / 5
    assert gauges.value("returning_customer_ratio", "30d") == 3 / 5
    assert gauges.value("orders", "30d") == 6
    assert gauges.value("purchase_frequency", "30d") == 6 / 5
    assert gauges.value("signups", "30d", status="total") == 1


@pytest.mark.parametrize(
    ("start", "end", "new", "ratio"), [(310, 400, 200, 0.645), (750, 950, 625, 0.433)]
)
def test_the_worked_examples_of_the_retention_ratio(
    tmp_path: Path, start: int, end: int, new: int, ratio: float
) -> None:
    retained = end - new
    events = [
        *customers_who_bought("retained", retained, 10, 40),
        *customers_who_bought("lost", start - retained, 10),
        *customers_who_bought("new", new, 50),
        *customers_who_bought("won back", 7, -40, 50),  # apart, so that it never passes 1
    ]
    gauges = gauges_of(tmp_path, events, parameters("30d", as_of_day=60))
    customers = gauges.customers("30d")
    assert (customers["start"], customers["new"]) == (start, new)
    assert customers["retained"] + customers["new"] == end
    exact = gauges.value("customer_retention_ratio", "30d")
    assert exact == (end - new) / start
    assert round(exact, 3) == ratio


def test_the_worked_example_of_the_repeat_ratio(tmp_path: Path) -> None:
    events = [
        *customers_who_bought("twice", 30, 35, 40),
        *customers_who_bought("more often", 24, 35, 40, 50, 55),
        *customers_who_bought("once", 55, 40),
        *customers_who_bought("once now, once before", 5, 10, 40),
    ]
    gauges = gauges_of(tmp_path, events, parameters("30d", as_of_day=60))
    assert gauges.customers("30d")["repeat"] == 54
    assert gauges.customers("30d")["active"] == 114
    exact = gauges.value("repeat_purchase_ratio", "30d")
    assert exact is not None
    assert round(exact, 3) == 0.474


@pytest.mark.parametrize(
    ("occurred_at_day", "active", "start"),
    [
        (60 + 59 / 60 * HOUR, 1, 0),  # after as of, but in its bucket
        (61, 0, 0),
        (30 + HOUR, 1, 0),  # the first bucket of the window
        (30 + 0.99 * HOUR, 0, 1),  # the last of the preceding one
        (HOUR, 0, 1),  # its first
        (0.99 * HOUR, 0, 0),
    ],
)
def test_windows_begin_and_end_on_whole_buckets(
    tmp_path: Path, occurred_at_day: float, active: int, start: int
) -> None:
    events = [purchase("c", occurred_at_day)]
    customers = gauges_of(tmp_path, events, parameters("30d", as_of_day=60)).customers("30d")
    assert (customers["active"], customers["start"]) == (active, start)


def test_as_of_is_the_greatest_event_time_of_any_event(tmp_path: Path) -> None:
    events = [purchase("c", 10), signup("d", 40.5), purchase("c", 12)]
    gauges = gauges_of(tmp_path, events, parameters("30d"))
    assert gauges.recomputed.as_of_ms == day_ms(40.5)
    assert gauges.value("orders", "30d") == 1


def test_ratios_without_denominator_are_absent_and_counts_of_nothing_are_zero(
    tmp_path: Path,
) -> None:
    gauges = gauges_of(tmp_path, [purchase("c", 0)], parameters("7d", as_of_day=100))
    assert set(gauges.customers("7d").values()) == {0}
    assert gauges.value("orders", "7d") == 0
    assert gauges.value("revenue", "7d", kind="gross", currency="EUR") == 0
    assert gauges.value("units", "7d", kind="sold") == 0
    for ratio in (
        "customer_retention_ratio",
        "customer_churn_ratio",
        "repeat_purchase_ratio",
        "returning_customer_ratio",
        "product_return_ratio",
        "purchase_frequency",
    ):
        assert gauges.value(ratio, "7d") is None
    assert gauges.value("average_order_value", "7d", currency="EUR") is None


def test_the_previous_window_is_the_same_window_one_length_earlier(tmp_path: Path) -> None:
    events = [
        purchase("a", -50),
        purchase("a", -10),
        purchase("a", 20),
        purchase("b", 10),
        purchase("b", 12),
        purchase("b", 50),
        purchase("c", -20),
        product_return("a", 21, units=3, amount="4"),
        signup("d", 5),
    ]
    now = gauges_of(tmp_path, events, parameters("30d", as_of_day=60))
    then = gauges_of(tmp_path, events, parameters("30d", as_of_day=30))
    assert now.customers("prev_30d") == then.customers("30d")
    assert now.customers("prev_30d") == {
        "active": 2,
        "new": 1,
        "start": 2,
        "retained": 1,
        "reactivated": 0,
        "lost": 1,
        "repeat": 1,
    }
    for name, labels in _other_gauges():
        value = now.value(name, "prev_30d", **labels)
        assert value is not None
        assert value == then.value(name, "30d", **labels)
    assert now.value("window_mature", "prev_30d") is None


def _other_gauges() -> list[tuple[str, dict[str, str]]]:
    return [
        ("customer_retention_ratio", {}),
        ("customer_churn_ratio", {}),
        ("repeat_purchase_ratio", {}),
        ("returning_customer_ratio", {}),
        ("product_return_ratio", {}),
        ("orders", {}),
        ("units", {"kind": "sold"}),
        ("units", {"kind": "returned"}),
        ("revenue", {"kind": "gross", "currency": "EUR"}),
        ("revenue", {"kind": "refunded", "currency": "EUR"}),
        ("signups", {"status": "total"}),
        ("purchase_frequency", {}),
        ("average_order_value", {"currency": "EUR"}),
    ]


def test_previous_windows_are_for_the_whole_store_only(tmp_path: Path) -> None:
    events = [purchase("a", 1, attributes={"channel": "web"})]
    given = parameters("7d", "month", dimensions=("channel",))
    samples = gauges_of(tmp_path, events, given).recomputed.samples
    windows_of_segments = {
        sample.labels["window"]
        for sample in samples
        if sample.labels.get("dimension") == "channel" and "window" in sample.labels
    }
    assert windows_of_segments == {"7d", "month"}


def test_a_late_order_counts_in_the_window_it_happened_in(tmp_path: Path) -> None:
    on_time = [purchase("a", 5), purchase("a", 35), purchase("b", 50)]
    late = [on_time[1], on_time[2], on_time[0]]
    given = parameters("30d", as_of_day=60)
    first, second = gauges_of(tmp_path, on_time, given), gauges_of(tmp_path, late, given)
    assert second.recomputed.samples == first.recomputed.samples
    assert second.customers("30d")["retained"] == 1


@pytest.mark.parametrize(("day", "mature"), [(HOUR, 1), (2 * HOUR, 0)])
def test_a_window_is_mature_from_the_first_bucket_of_its_preceding_window(
    tmp_path: Path, day: float, mature: int
) -> None:
    gauges = gauges_of(tmp_path, [purchase(None, day)], parameters("30d", as_of_day=60))
    assert gauges.value("window_mature", "30d") == mature


def test_a_cancelled_first_order_does_not_make_a_window_mature(tmp_path: Path) -> None:
    events = [
        purchase("c", 0, order_id="1"),
        cancellation("c", "1", 0),
        purchase("c", 40),
        signup("d", -100),
    ]
    gauges = gauges_of(tmp_path, events, parameters("30d", as_of_day=60))
    assert gauges.value("window_mature", "30d") == 0


def test_of_several_signups_the_earliest_counts(tmp_path: Path) -> None:
    events = [signup("a", 50), signup("a", 10), signup("b", 40), signup("b", 45)]
    gauges = gauges_of(tmp_path, events, parameters("30d", as_of_day=60))
    assert gauges.value("signups", "30d", status="total") == 1
    assert gauges.value("signups", "prev_30d", status="total") == 1


def test_buckets_of_another_size(tmp_path: Path) -> None:
    day_buckets = replace(parameters("2d", as_of_day=10), bucket_ms=24 * HOUR_MS)
    events = [purchase("a", 10.99), purchase("b", 9), purchase("c", 8.99)]
    customers = gauges_of(tmp_path, events, day_buckets).customers("2d")
    assert (customers["active"], customers["start"]) == (2, 1)
