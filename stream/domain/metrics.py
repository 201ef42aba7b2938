"""The catalogue: every business metric's name, help, labels and formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from stream.domain.money import exponent
from stream.domain.segments import Segment
from stream.domain.totals import PREVIOUS_PREFIX, Counts, Totals

_SEGMENT_LABELS = ("store", "dimension", "segment", "window")


class Metric(NamedTuple):
    """One gauge of the catalogue."""

    name: str
    help: str
    labels: tuple[str, ...]


class Sample(NamedTuple):
    """One value of one gauge."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


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
    for store, first_slot in folded.first_order_slots.items():
        for window, from_slot in folded.mature_from_slots.items():
            mature = float(first_slot <= from_slot)
            yield Sample(MATURE.name, (("store", store), ("window", window)), mature)


def _labels(segment: Segment, window: str) -> tuple[tuple[str, str], ...]:
    return (
        ("store", segment.store),
        ("dimension", segment.dimension),
        ("segment", segment.name),
        ("window", window),
    )


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
    ):
        if denominator:
            yield Sample(metric.name, labels, numerator / denominator)
    yield Sample(ORDERS_PLACED.name, labels, counts.orders)
    yield Sample(UNITS.name, (*labels, ("kind", "sold")), counts.units_sold)
    yield Sample(UNITS.name, (*labels, ("kind", "returned")), counts.units_returned)
    yield Sample(SIGNED_UP.name, (*labels, ("status", "total")), counts.signups)


__all__ = ["CATALOGUE", "PREVIOUS_PREFIX", "Metric", "Sample", "samples"]
