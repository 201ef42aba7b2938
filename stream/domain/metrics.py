"""Every business metric's formula: totals as rows of values, and as single samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from stream.domain.catalogue import (
    ACTIVATION,
    CHURN,
    COHORT,
    CUSTOMER_INTERVAL,
    CUSTOMERS,
    EXPERIMENT,
    FREQUENCY,
    IN_STAGE,
    LIFETIME_VALUE,
    MATURE,
    ORDER_GAP,
    ORDER_VALUE,
    ORDERS_PLACED,
    PRODUCT_RETURN,
    PURCHASE_INTERVAL,
    REPEAT_PURCHASE,
    RETENTION,
    RETURNING,
    REVENUE,
    SIGNED_UP,
    SIGNUP_COHORT,
    SIGNUP_COHORT_SIZE,
    TOP_CUSTOMERS,
    UNITS,
    Metric,
)
from stream.domain.experiments import Difference, comparisons
from stream.domain.gaps import GAP_LIMITS_DAYS
from stream.domain.lifecycle import STAGE_NAMES
from stream.domain.money import exponent
from stream.domain.segments import Segment
from stream.domain.totals import (
    PREVIOUS_PREFIX,
    CohortKind,
    Counts,
    LifetimeMoney,
    Money,
    Totals,
)

#: One customer in so many is a top customer.
TOP_SHARE = 100
SECONDS_PER_DAY = 86_400.0

Labels: TypeAlias = tuple[tuple[str, str], ...]
#: Of each column its value; None where there is none, as for a ratio of nothing.
Values: TypeAlias = Sequence[float | None]


class Sample(NamedTuple):
    """One value of one metric."""

    name: str
    labels: Labels
    value: float
    #: What a histogram's series append to its name.
    suffix: str = ""


class Column(NamedTuple):
    """What one value of a row is of."""

    metric: Metric
    #: Those that come after the row's.
    labels: Labels = ()
    #: What a histogram's series append to its name.
    suffix: str = ""


@dataclass(frozen=True, eq=False)
class Columns:
    """Those of all rows of one kind; there is one object of each kind, known by itself."""

    each: tuple[Column, ...]


class Row(NamedTuple):
    """What all metrics of one kind say of one thing, such as a segment in a window."""

    columns: Columns
    #: Which thing it is.
    labels: Labels
    values: Values


def _labelled(metric: Metric, label: str, *values: str) -> Iterator[Column]:
    return (Column(metric, ((label, value),)) for value in values)


_OF_COUNTS = Columns(
    (
        *_labelled(
            CUSTOMERS,
            "status",
            *("active", "new", "start", "retained", "reactivated", "lost", "repeat"),
        ),
        Column(RETENTION),
        Column(CHURN),
        Column(REPEAT_PURCHASE),
        Column(RETURNING),
        Column(PRODUCT_RETURN),
        Column(FREQUENCY),
        Column(PURCHASE_INTERVAL),
        Column(ACTIVATION),
        Column(ORDERS_PLACED),
        *_labelled(UNITS, "kind", "sold", "returned"),
        *_labelled(SIGNED_UP, "status", "total", "activated"),
    )
)
_OF_MONEY = Columns((*_labelled(REVENUE, "kind", "gross", "refunded"), Column(ORDER_VALUE)))
_OF_DIFFERENCES = Columns(tuple(_labelled(EXPERIMENT, "bound", *Difference._fields)))
_OF_LIFETIMES = Columns((Column(CUSTOMER_INTERVAL),))
_OF_LIFETIME_MONEY = Columns((Column(LIFETIME_VALUE), Column(TOP_CUSTOMERS)))
_GAP_LIMITS = (*(str(days * SECONDS_PER_DAY) for days in GAP_LIMITS_DAYS), "+Inf")
_OF_GAPS = Columns(
    (
        *(Column(ORDER_GAP, (("le", limit),), "_bucket") for limit in _GAP_LIMITS),
        Column(ORDER_GAP, (), "_sum"),
        Column(ORDER_GAP, (), "_count"),
    )
)
_OF_STAGES = Columns(tuple(_labelled(IN_STAGE, "stage", *STAGE_NAMES[1:])))
_OF_MATURITY = Columns((Column(MATURE),))


@cache
def _of_cohorts(kind: CohortKind, ages: int) -> Columns:
    """Of cohorts of so many months, the first included."""
    numbers = map(str, range(ages))
    if kind is CohortKind.SIGNUP:
        return Columns((Column(SIGNUP_COHORT_SIZE), *_labelled(SIGNUP_COHORT, "age", *numbers)))
    return Columns(tuple(_labelled(COHORT, "age", *numbers)))


def samples(totals: Totals) -> Iterator[Sample]:
    """Every business gauge, with the segments past the largest folded into ``other``."""
    for columns, labels, values in rows(totals):
        for column, value in zip(columns.each, values, strict=True):
            if value is not None:
                labels_of_value = (*labels, *column.labels)
                yield Sample(column.metric.name, labels_of_value, value, column.suffix)


def rows(totals: Totals) -> Iterator[Row]:
    """The same row by row."""
    folded = totals.with_small_segments_folded()
    for (segment, window), counts in folded.counts.items():
        yield Row(_OF_COUNTS, _labels(segment, window), _count_values(counts))
    for (segment, window, currency), money in folded.money.items():
        labels = (*_labels(segment, window), ("currency", currency))
        yield Row(_OF_MONEY, labels, _money_values(money, currency))
    if folded.experiment is not None:
        for variant, window, ratio, difference in comparisons(folded.experiment, folded.counts):
            labels = (*_labels(variant, window), ("ratio", ratio))
            yield Row(_OF_DIFFERENCES, labels, difference)
    yield from _lifetime_rows(folded)
    for store, first_slot in folded.first_order_slots.items():
        for window, from_slot in folded.mature_from_slots.items():
            labels = (("store", store), ("window", window))
            yield Row(_OF_MATURITY, labels, (float(first_slot <= from_slot),))


def _lifetime_rows(folded: Totals) -> Iterator[Row]:
    for segment, lifetime in folded.lifetimes.items():
        mean_ms = _ratio(lifetime.mean_interval_ms, lifetime.repeaters)
        mean_seconds = None if mean_ms is None else mean_ms / 1000
        yield Row(_OF_LIFETIMES, _labels(segment), (mean_seconds,))
    for (segment, currency), spent in folded.lifetime_money.items():
        labels = (*_labels(segment), ("currency", currency))
        yield Row(_OF_LIFETIME_MONEY, labels, _lifetime_money_values(spent, currency))
    for cohort, numbers in folded.cohorts.items():
        year, month = divmod(cohort.month, 12)
        labels = (("store", cohort.store), ("cohort", f"{1970 + year}-{1 + month:02}"))
        # Those of a first order are as many as their first month's.
        values = numbers if cohort.kind is CohortKind.SIGNUP else numbers[1:]
        yield Row(_of_cohorts(cohort.kind, len(numbers) - 1), labels, values)
    for store, gaps in folded.gaps.items():
        of_store = (*accumulate(gaps.counts), gaps.sum_ms / 1000, sum(gaps.counts))
        yield Row(_OF_GAPS, (("store", store),), of_store)
    for store, in_stages in folded.stages.items():
        yield Row(_OF_STAGES, (("store", store),), in_stages)


def _labels(segment: Segment, window: str | None = None) -> Labels:
    labels = (
        ("store", segment.store),
        ("dimension", segment.dimension),
        ("segment", segment.name),
    )
    return labels if window is None else (*labels, ("window", window))


def _ratio(numerator: float, denominator: int) -> float | None:
    return numerator / denominator if denominator else None


def _count_values(counts: Counts) -> Values:
    reactivated = counts.active - counts.new - counts.retained
    lost = counts.start - counts.retained
    return (
        counts.active,
        counts.new,
        counts.start,
        counts.retained,
        reactivated,
        lost,
        counts.repeat,
        _ratio(counts.retained, counts.start),
        _ratio(lost, counts.start),
        _ratio(counts.repeat, counts.active),
        _ratio(counts.retained + reactivated, counts.active),
        _ratio(counts.units_returned, counts.units_sold),
        _ratio(counts.orders, counts.active),
        _ratio(counts.gap_ms / 1000, counts.reorders),
        _ratio(counts.activated, counts.signups),
        counts.orders,
        counts.units_sold,
        counts.units_returned,
        counts.signups,
        counts.activated,
    )


def _money_values(money: Money, currency: str) -> Values:
    scale = 10 ** (exponent(currency) or 0)
    return (
        money.gross_minor_units / scale,
        money.refunded_minor_units / scale,
        _ratio(money.gross_minor_units, money.orders * scale),
    )


def _lifetime_money_values(spent: LifetimeMoney, currency: str) -> Values:
    scale = 10 ** (exponent(currency) or 0)
    net = spent.gross_minor_units - spent.refunded_minor_units
    # As of now, as the buckets are.
    customers, brought = sum(spent.nets.customers), sum(spent.nets.minor_units)
    top_share = None
    if brought > 0:
        top_share = spent.nets.top_minor_units(-(-customers // TOP_SHARE)) / brought
    return _ratio(net, spent.payers * scale), top_share


__all__ = ["PREVIOUS_PREFIX", "Column", "Columns", "Row", "Sample", "rows", "samples"]
