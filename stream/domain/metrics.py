"""The catalogue: every business metric's name, help, labels and formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Literal, NamedTuple

from stream.domain.experiments import comparisons
from stream.domain.gaps import GAP_LIMITS_DAYS
from stream.domain.lifecycle import STAGE_NAMES
from stream.domain.money import exponent
from stream.domain.segments import Segment
from stream.domain.totals import (
    PREVIOUS_PREFIX,
    Cohort,
    CohortKind,
    Counts,
    Gaps,
    LifetimeMoney,
    Totals,
)

#: One customer in so many is a top customer.
TOP_SHARE = 100
SECONDS_PER_DAY = 86_400.0

_SEGMENT_LABELS = ("store", "dimension", "segment", "window")


class Metric(NamedTuple):
    """One gauge or histogram of the catalogue."""

    name: str
    help: str
    labels: tuple[str, ...]
    type: Literal["gauge", "histogram"] = "gauge"


class Sample(NamedTuple):
    """One value of one metric."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float
    #: What a histogram's series append to its name.
    suffix: str = ""


def _metric(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"retention_{name}", text, (*_SEGMENT_LABELS, *labels))


CUSTOMERS = _metric("customers", "Customers in the window, by status.", "status")
RETENTION = _metric("customer_retention_ratio", "Retained / start.")
CHURN = _metric("customer_churn_ratio", "Lost / start.")
REPEAT_PURCHASE = _metric("repeat_purchase_ratio", "Customers with two or more orders / active.")
RETURNING = _metric("returning_customer_ratio", "(Retained + reactivated) / active.")
PRODUCT_RETURN = _metric("product_return_ratio", "Units returned / units sold in the window.")
ORDERS_PLACED = _metric("orders", "Orders in the window, guests' included.")
UNITS = _metric("units", "Units in the window, sold or returned.", "kind")
REVENUE = _metric("revenue", "Money in the window, in major units.", "currency", "kind")
SIGNED_UP = _metric("signups", "Customers whose signup is in the window.", "status")
FREQUENCY = _metric("purchase_frequency", "Orders / active customers.")
ORDER_VALUE = _metric("average_order_value", "Gross revenue / orders, by currency.", "currency")
PURCHASE_INTERVAL = _metric(
    "purchase_interval_seconds",
    "Mean time from an order in the window back to its customer's order before.",
)
ACTIVATION = _metric(
    "activation_ratio", "Customers with an order by now / customers whose signup is in the window."
)
EXPERIMENT = _metric(
    "experiment_difference_ratio",
    "A ratio of a variant's customers less that of the control's, with its 95 % interval.",
    "ratio",
    "bound",
)
CUSTOMER_INTERVAL = Metric(
    "retention_customer_purchase_interval_seconds",
    "Mean over repeat customers of (last - first order) / (orders - 1).",
    _SEGMENT_LABELS[:3],
)
LIFETIME_VALUE = Metric(
    "retention_customer_lifetime_value",
    "Net revenue to date / customers who have ordered, by currency, guests excluded.",
    (*_SEGMENT_LABELS[:3], "currency"),
)
TOP_CUSTOMERS = Metric(
    "retention_top_customers_revenue_ratio",
    "Share of lifetime net revenue that the top 1 % of customers brought, within 1 %.",
    (*_SEGMENT_LABELS[:3], "currency"),
)
COHORT = Metric(
    "retention_cohort_customers",
    "Customers whose first order is in the month, with an order so many months later.",
    ("store", "cohort", "age"),
)
SIGNUP_COHORT = Metric(
    "retention_signup_cohort_customers",
    "Customers whose signup is in the month, with an order so many months later.",
    ("store", "cohort", "age"),
)
SIGNUP_COHORT_SIZE = Metric(
    "retention_signup_cohort_size", "Customers whose signup is in the month.", ("store", "cohort")
)
ORDER_GAP = Metric(
    "retention_order_gap_seconds",
    "Time between consecutive orders of a customer, since the beginning.",
    ("store",),
    "histogram",
)
IN_STAGE = Metric(
    "retention_customers_in_stage",
    "Customers by the stage of their lifecycle.",
    ("store", "stage"),
)
MATURE = Metric(
    "retention_window_mature",
    "1 when the store's orders span the window and its preceding one.",
    ("store", "window"),
)

CATALOGUE: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        CUSTOMERS,
        RETENTION,
        CHURN,
        REPEAT_PURCHASE,
        RETURNING,
        PRODUCT_RETURN,
        ORDERS_PLACED,
        UNITS,
        REVENUE,
        SIGNED_UP,
        FREQUENCY,
        ORDER_VALUE,
        PURCHASE_INTERVAL,
        ACTIVATION,
        EXPERIMENT,
        CUSTOMER_INTERVAL,
        LIFETIME_VALUE,
        TOP_CUSTOMERS,
        COHORT,
        SIGNUP_COHORT,
        SIGNUP_COHORT_SIZE,
        ORDER_GAP,
        IN_STAGE,
        MATURE,
    )
}


def samples(totals: Totals) -> Iterator[Sample]:
    """Every business gauge, with the segments past the largest folded into ``other``."""
    folded = totals.with_small_segments_folded()
    for (segment, window), counts in folded.counts.items():
        yield from _count_samples(_labels(segment, window), counts)
    for (segment, window, currency), money in folded.money.items():
        labels = (*_labels(segment, window), ("currency", currency))
        scale = 10 ** (exponent(currency) or 0)
        for kind, minor_units in (
            ("gross", money.gross_minor_units),
            ("refunded", money.refunded_minor_units),
        ):
            yield Sample(REVENUE.name, (*labels, ("kind", kind)), minor_units / scale)
        if money.orders:
            average = money.gross_minor_units / (money.orders * scale)
            yield Sample(ORDER_VALUE.name, labels, average)
    if folded.experiment is not None:
        for variant, window, ratio, difference in comparisons(folded.experiment, folded.counts):
            labels = (*_labels(variant, window), ("ratio", ratio))
            for bound, value in zip(difference._fields, difference, strict=True):
                yield Sample(EXPERIMENT.name, (*labels, ("bound", bound)), value)
    yield from _lifetime_samples(folded)
    for store, first_slot in folded.first_order_slots.items():
        for window, from_slot in folded.mature_from_slots.items():
            mature = float(first_slot <= from_slot)
            yield Sample(MATURE.name, (("store", store), ("window", window)), mature)


def _lifetime_samples(folded: Totals) -> Iterator[Sample]:
    for segment, lifetime in folded.lifetimes.items():
        if lifetime.repeaters:
            mean_ms = lifetime.mean_interval_ms / lifetime.repeaters
            yield Sample(CUSTOMER_INTERVAL.name, _labels(segment), mean_ms / 1000)
    for (segment, currency), spent in folded.lifetime_money.items():
        yield from _lifetime_money_samples(segment, currency, spent)
    for cohort, (size, *ages) in folded.cohorts.items():
        yield from _cohort_samples(cohort, size, ages)
    for store, gaps in folded.gaps.items():
        yield from _gap_samples(store, gaps)
    for store, in_stages in folded.stages.items():
        for stage, customers in zip(STAGE_NAMES[1:], in_stages, strict=True):
            yield Sample(IN_STAGE.name, (("store", store), ("stage", stage)), customers)


def _labels(segment: Segment, window: str | None = None) -> tuple[tuple[str, str], ...]:
    labels = (
        ("store", segment.store),
        ("dimension", segment.dimension),
        ("segment", segment.name),
    )
    return labels if window is None else (*labels, ("window", window))


def _lifetime_money_samples(
    segment: Segment, currency: str, spent: LifetimeMoney
) -> Iterator[Sample]:
    labels = (*_labels(segment), ("currency", currency))
    net = spent.gross_minor_units - spent.refunded_minor_units
    if spent.payers:
        scale = 10 ** (exponent(currency) or 0)
        yield Sample(LIFETIME_VALUE.name, labels, net / (spent.payers * scale))
    # As of now, as the buckets are.
    customers, brought = sum(spent.nets.customers), sum(spent.nets.minor_units)
    if brought > 0:
        top = spent.nets.top_minor_units(-(-customers // TOP_SHARE))
        yield Sample(TOP_CUSTOMERS.name, labels, top / brought)


def _cohort_samples(cohort: Cohort, size: int, ages: list[int]) -> Iterator[Sample]:
    year, month = divmod(cohort.month, 12)
    labels = (("store", cohort.store), ("cohort", f"{1970 + year}-{1 + month:02}"))
    metric = COHORT
    if cohort.kind is CohortKind.SIGNUP:
        metric = SIGNUP_COHORT
        yield Sample(SIGNUP_COHORT_SIZE.name, labels, size)
    for age, customers in enumerate(ages):
        yield Sample(metric.name, (*labels, ("age", str(age))), customers)


def _gap_samples(store: str, gaps: Gaps) -> Iterator[Sample]:
    labels = (("store", store),)
    limits = [str(days * SECONDS_PER_DAY) for days in GAP_LIMITS_DAYS]
    for limit, count in zip([*limits, "+Inf"], accumulate(gaps.counts), strict=True):
        yield Sample(ORDER_GAP.name, (*labels, ("le", limit)), count, "_bucket")
    yield Sample(ORDER_GAP.name, labels, gaps.sum_ms / 1000, "_sum")
    yield Sample(ORDER_GAP.name, labels, sum(gaps.counts), "_count")


def _count_samples(labels: tuple[tuple[str, str], ...], counts: Counts) -> Iterator[Sample]:
    reactivated = counts.active - counts.new - counts.retained
    lost = counts.start - counts.retained
    for status, value in (
        ("active", counts.active),
        ("new", counts.new),
        ("start", counts.start),
        ("retained", counts.retained),
        ("reactivated", reactivated),
        ("lost", lost),
        ("repeat", counts.repeat),
    ):
        yield Sample(CUSTOMERS.name, (*labels, ("status", status)), value)
    for metric, numerator, denominator in (
        (RETENTION, counts.retained, counts.start),
        (CHURN, lost, counts.start),
        (REPEAT_PURCHASE, counts.repeat, counts.active),
        (RETURNING, counts.retained + reactivated, counts.active),
        (PRODUCT_RETURN, counts.units_returned, counts.units_sold),
        (FREQUENCY, counts.orders, counts.active),
        (PURCHASE_INTERVAL, counts.gap_ms / 1000, counts.reorders),
        (ACTIVATION, counts.activated, counts.signups),
    ):
        if denominator:
            yield Sample(metric.name, labels, numerator / denominator)
    yield Sample(ORDERS_PLACED.name, labels, counts.orders)
    yield Sample(UNITS.name, (*labels, ("kind", "sold")), counts.units_sold)
    yield Sample(UNITS.name, (*labels, ("kind", "returned")), counts.units_returned)
    yield Sample(SIGNED_UP.name, (*labels, ("status", "total")), counts.signups)
    yield Sample(SIGNED_UP.name, (*labels, ("status", "activated")), counts.activated)


__all__ = ["CATALOGUE", "PREVIOUS_PREFIX", "Metric", "Sample", "samples"]
