"""Formulas: counts in, gauges out."""

from __future__ import annotations

import pytest

from stream.domain.catalogue import CATALOGUE
from stream.domain.metrics import samples
from stream.domain.segments import Segment
from stream.domain.totals import Counts, Money, Totals

SHOP = Segment("default", "all", "all")


def _totals(counts: Counts) -> Totals:
    return Totals(0, counts={(SHOP, "30d"): counts})


def _value(totals: Totals, name: str, **labels: str) -> float | None:
    for sample in samples(totals):
        if sample.name == f"retention_{name}" and labels.items() <= dict(sample.labels).items():
            return sample.value
    return None


def test_retention_is_retained_of_start() -> None:
    # (E - N) / S with S = 310, E = 400, N = 200, and with S = 750, E = 950, N = 625.
    first = _totals(Counts(active=400, new=200, start=310, retained=200))
    assert _value(first, "customer_retention_ratio") == pytest.approx(0.645, abs=5e-4)
    second = _totals(Counts(active=950, new=625, start=750, retained=325))
    assert _value(second, "customer_retention_ratio") == pytest.approx(0.433, abs=5e-4)
    assert _value(second, "customer_churn_ratio") == pytest.approx(1 - 0.433, abs=5e-4)


def test_repeat_purchase_is_repeat_of_active() -> None:
    totals = _totals(Counts(active=114, new=114, repeat=54))
    assert _value(totals, "repeat_purchase_ratio") == pytest.approx(0.474, abs=5e-4)


def test_who_was_won_back_counts_as_returning_and_not_as_retained() -> None:
    totals = _totals(Counts(active=10, new=3, start=8, retained=5))
    assert _value(totals, "customers", status="reactivated") == 2
    assert _value(totals, "customers", status="lost") == 3
    assert _value(totals, "returning_customer_ratio") == 0.7
    assert _value(totals, "customer_retention_ratio") == 5 / 8


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("customer_retention_ratio", Counts(active=5, new=5)),
        ("customer_churn_ratio", Counts(active=5, new=5)),
        ("repeat_purchase_ratio", Counts(start=3)),
        ("returning_customer_ratio", Counts(start=3)),
        ("purchase_frequency", Counts(orders=3)),
        ("product_return_ratio", Counts(units_returned=3)),
    ],
)
def test_a_ratio_of_nothing_is_absent(name: str, counts: Counts) -> None:
    assert _value(_totals(counts), name) is None


def test_counts_of_nothing_are_zero_and_present() -> None:
    totals = _totals(Counts())
    assert _value(totals, "customers", status="active") == 0
    assert _value(totals, "orders") == 0
    assert _value(totals, "units", kind="returned") == 0
    assert _value(totals, "signups", status="total") == 0


def test_a_product_return_ratio_may_pass_one() -> None:
    # More may come back in a window than was sold in it.
    totals = _totals(Counts(units_sold=2, units_returned=3))
    assert _value(totals, "product_return_ratio") == 1.5


def test_money_is_in_major_units_of_its_currency() -> None:
    totals = Totals(0)
    totals.money[SHOP, "30d", "EUR"] = Money(1999, 50, 2)
    totals.money[SHOP, "30d", "JPY"] = Money(1999, 50, 2)
    totals.money[SHOP, "30d", "KWD"] = Money(1999, 50, 0)
    assert _value(totals, "revenue", currency="EUR", kind="gross") == 19.99
    assert _value(totals, "revenue", currency="EUR", kind="refunded") == 0.5
    assert _value(totals, "revenue", currency="JPY", kind="gross") == 1999
    assert _value(totals, "revenue", currency="KWD", kind="gross") == 1.999
    assert _value(totals, "average_order_value", currency="EUR") == 9.995
    assert _value(totals, "average_order_value", currency="JPY") == 999.5
    assert _value(totals, "average_order_value", currency="KWD") is None


def test_a_window_is_mature_from_the_first_order_on() -> None:
    totals = Totals(0, first_order_slots={"a": 5, "b": 6}, mature_from_slots={"7d": 5})
    assert _value(totals, "window_mature", store="a", window="7d") == 1
    assert _value(totals, "window_mature", store="b", window="7d") == 0


def test_the_catalogue_is_that_of_the_contract() -> None:
    four = ("store", "dimension", "segment", "window")
    cohort = ("store", "cohort", "age")
    assert {name: metric.labels for name, metric in CATALOGUE.items()} == {
        "retention_customers": (*four, "status"),
        "retention_customer_retention_ratio": four,
        "retention_customer_churn_ratio": four,
        "retention_repeat_purchase_ratio": four,
        "retention_returning_customer_ratio": four,
        "retention_product_return_ratio": four,
        "retention_orders": four,
        "retention_units": (*four, "kind"),
        "retention_revenue": (*four, "currency", "kind"),
        "retention_signups": (*four, "status"),
        "retention_purchase_frequency": four,
        "retention_average_order_value": (*four, "currency"),
        "retention_purchase_interval_seconds": four,
        "retention_activation_ratio": four,
        "retention_experiment_difference_ratio": (*four, "ratio", "bound"),
        "retention_customer_purchase_interval_seconds": four[:3],
        "retention_customer_lifetime_value": (*four[:3], "currency"),
        "retention_top_customers_revenue_ratio": (*four[:3], "currency"),
        "retention_cohort_customers": cohort,
        "retention_signup_cohort_customers": cohort,
        "retention_signup_cohort_size": cohort[:2],
        "retention_order_gap_seconds": ("store",),
        "retention_customers_in_stage": ("store", "stage"),
        "retention_window_mature": ("store", "window"),
    }
    assert all(metric.help for metric in CATALOGUE.values())
