"""What counts as a difference between two sets of gauges."""

from __future__ import annotations

import pytest

from stream.tools.oracle import (
    Difference,
    Sample,
    broken_identities,
    compare,
    count_compared,
)


def only_difference(differences: list[Difference]) -> Difference:
    assert len(differences) == 1
    return differences[0]


def customers(**counts: float) -> list[Sample]:
    labels = {"store": "s", "dimension": "all", "segment": "all", "window": "30d"}
    return [
        Sample("retention_customers", labels | {"status": status}, count)
        for status, count in counts.items()
    ]


ADDING_UP = {
    "active": 6.0,
    "new": 3.0,
    "start": 5.0,
    "retained": 2.0,
    "reactivated": 1.0,
    "lost": 3.0,
    "repeat": 1.0,
}


def test_equal_gauges_have_no_differences() -> None:
    samples = customers(**ADDING_UP)
    assert compare(samples, list(reversed(samples))) == []
    assert count_compared(samples, samples) == 7


def test_differences_are_sorted_and_name_the_gauge_and_both_values() -> None:
    differences = compare(customers(new=1, active=1), customers(new=2, active=3, lost=4))
    assert [(dict(d.labels)["status"], d.expected, d.actual) for d in differences] == [
        ("active", 1, 3),
        ("lost", None, 4),
        ("new", 1, 2),
    ]


def test_an_absent_count_is_zero_and_an_absent_ratio_is_not() -> None:
    labels = {"store": "s", "window": "7d"}
    for name in ("retention_orders", "retention_revenue", "retention_window_mature"):
        assert compare([Sample(name, labels, 0.0)], []) == []
        assert compare([], [Sample(name, labels, 0.0)]) == []
        assert compare([], [Sample(name, labels, 1.0)])
    for name in ("retention_customer_churn_ratio", "retention_cohort_customers"):
        ratio = [Sample(name, labels, 0.0)]
        assert only_difference(compare(ratio, [])).actual is None
        assert only_difference(compare([], ratio)).expected is None


@pytest.mark.parametrize(
    ("name", "off_by", "equal"),
    [
        ("retention_orders", 1e-12, False),
        ("retention_revenue", 1e-12, False),
        ("retention_customer_churn_ratio", 1e-10, True),
        ("retention_customer_churn_ratio", 1e-8, False),
        ("retention_average_order_value", 1e-10, True),
        ("retention_average_order_value", float("nan"), False),
        ("retention_order_gap_seconds_sum", 1e-12, False),
        ("retention_customer_lifetime_value", 1e-8, False),
        ("retention_top_customers_revenue_ratio", 0.0049, True),
        ("retention_top_customers_revenue_ratio", 0.0051, False),
        ("retention_top_customers_revenue_ratio", -0.0051, False),
        ("retention_top_customers_revenue_ratio", float("nan"), False),
    ],
)
def test_counts_and_money_are_compared_exactly_ratios_to_1e9_and_a_sketch_to_1_percent(
    name: str, off_by: float, *, equal: bool
) -> None:
    differences = compare([Sample(name, {}, 0.5)], [Sample(name, {}, 0.5 + off_by)])
    assert (not differences) is equal


def test_metrics_that_are_not_recomputed_are_left_out() -> None:
    samples = [Sample("retention_lag_events", {}, 1.0), Sample("up", {}, 1.0)]
    assert compare([], samples) == []
    assert count_compared([], samples) == 0


@pytest.mark.parametrize(
    ("status", "rule"),
    [
        ("active", "active = new + retained + reactivated"),
        ("new", "active = new + retained + reactivated"),
        ("reactivated", "active = new + retained + reactivated"),
        ("start", "start = retained + lost"),
        ("lost", "start = retained + lost"),
    ],
)
def test_customers_that_do_not_add_up_break_a_rule(status: str, rule: str) -> None:
    assert broken_identities(customers(**ADDING_UP)) == []
    off = customers(**ADDING_UP | {status: ADDING_UP[status] + 1})
    assert only_difference(broken_identities(off)).rule == rule
