"""What all segments add up to as of one instant: numerators and denominators, not yet ratios.

Totals of disjoint sets of customers add up to the totals of their union, so workers exchange
these and only then is anything divided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeVar

from stream.domain.config import Experiment
from stream.domain.nets import NetBuckets
from stream.domain.segment_names import ALL, OTHER, UNKNOWN
from stream.domain.segments import Segment

K = TypeVar("K")

#: Segments of a dimension that keep their name; the rest add up in ``other``.
MAX_SEGMENTS = 50
PREVIOUS_PREFIX = "prev_"


@dataclass(slots=True)
class Counts:
    """Counts of one segment in one window."""

    active: int = 0
    new: int = 0
    start: int = 0
    retained: int = 0
    repeat: int = 0
    orders: int = 0
    units_sold: int = 0
    units_returned: int = 0
    signups: int = 0
    activated: int = 0
    #: Orders with an earlier one of the same customer, and the times between.
    reorders: int = 0
    gap_ms: int = 0

    def add(self, other: Counts) -> None:
        """Add another's counts to these."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Money:
    """Money of one segment in one window and currency."""

    gross_minor_units: int = 0
    refunded_minor_units: int = 0
    orders: int = 0

    def add(self, other: Money) -> None:
        """Add another's money to this."""
        self.gross_minor_units += other.gross_minor_units
        self.refunded_minor_units += other.refunded_minor_units
        self.orders += other.orders


@dataclass(slots=True)
class Lifetime:
    """One segment's customers since the beginning."""

    #: Who ever ordered, and who did so at least twice.
    customers: int = 0
    repeaters: int = 0
    #: The repeaters' mean intervals, added up.
    mean_interval_ms: int = 0

    def add(self, other: Lifetime) -> None:
        """Add another's counts to these."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class LifetimeMoney:
    """One segment's customers' money since the beginning, in one currency."""

    #: Guests' excluded.
    gross_minor_units: int = 0
    refunded_minor_units: int = 0
    #: Customers with an order in the currency.
    payers: int = 0
    #: As of now, whatever the instant: see :mod:`stream.domain.nets`.
    nets: NetBuckets = field(default_factory=NetBuckets.none)

    def add(self, other: LifetimeMoney) -> None:
        """Add another's money to this."""
        self.gross_minor_units += other.gross_minor_units
        self.refunded_minor_units += other.refunded_minor_units
        self.payers += other.payers
        self.nets = self.nets.plus(other.nets)


@dataclass(slots=True)
class Gaps:
    """A store's times between orders: how many fall in each bucket of the histogram."""

    counts: list[int]
    sum_ms: int = 0

    def add(self, other: Gaps) -> None:
        """Add another's gaps to these."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.sum_ms += other.sum_ms


class CohortKind(StrEnum):
    """What makes a customer's cohort: the month of which event."""

    FIRST_ORDER = "first_order"
    SIGNUP = "signup"


class Cohort(NamedTuple):
    """The customers of a store who began in one month, counted from January 1970."""

    store: str
    kind: CohortKind
    month: int


@dataclass(slots=True)
class Totals:
    """Everything the metrics are computed from, as of one instant."""

    as_of_ms: int
    #: By segment and window name; ``prev_`` windows for whole stores only.
    counts: dict[tuple[Segment, str], Counts] = field(default_factory=dict)
    #: By segment, window name and currency.
    money: dict[tuple[Segment, str, str], Money] = field(default_factory=dict)
    #: By segment.
    lifetimes: dict[Segment, Lifetime] = field(default_factory=dict)
    #: By segment and currency.
    lifetime_money: dict[tuple[Segment, str], LifetimeMoney] = field(default_factory=dict)
    #: By cohort: its size, then its customers with an order at each age from 0, in months.
    cohorts: dict[Cohort, list[int]] = field(default_factory=dict)
    #: By store.
    gaps: dict[str, Gaps] = field(default_factory=dict)
    #: By store, its customers in each stage, in the order of ``STAGE_NAMES`` without the first.
    stages: dict[str, list[int]] = field(default_factory=dict)
    #: By store, the slot of the earliest order.
    first_order_slots: dict[str, int] = field(default_factory=dict)
    #: By window name, the last slot in which a store's first order makes the window mature.
    mature_from_slots: dict[str, int] = field(default_factory=dict)
    #: What to compare the segments of one dimension with.
    experiment: Experiment | None = None

    def add(self, other: Totals) -> None:
        """Add the totals of other customers, as of the same instant."""
        if other.as_of_ms != self.as_of_ms:
            raise ValueError("totals of different instants do not add up")
        for key, counts in other.counts.items():
            self.counts.setdefault(key, Counts()).add(counts)
        for money_key, money in other.money.items():
            self.money.setdefault(money_key, Money()).add(money)
        for segment, lifetime in other.lifetimes.items():
            self.lifetimes.setdefault(segment, Lifetime()).add(lifetime)
        for place, spent in other.lifetime_money.items():
            self.lifetime_money.setdefault(place, LifetimeMoney()).add(spent)
        _add_lists(self.cohorts, other.cohorts)
        _add_lists(self.stages, other.stages)
        for store, gaps in other.gaps.items():
            if store in self.gaps:
                self.gaps[store].add(gaps)
            else:
                self.gaps[store] = Gaps(list(gaps.counts), gaps.sum_ms)
        for store, slot in other.first_order_slots.items():
            self.first_order_slots[store] = min(slot, self.first_order_slots.get(store, slot))

    def with_small_segments_folded(self) -> Totals:
        """The same, with all but each dimension's largest segments added up in ``other``.

        Size is the number of customers who ever ordered, ties by name; ``unknown`` stays.
        """
        folded = _small_segments(
            {segment: lifetime.customers for segment, lifetime in self.lifetimes.items()}
        )
        if not folded:
            return self
        result = Totals(
            self.as_of_ms,
            cohorts=self.cohorts,
            gaps=self.gaps,
            stages=self.stages,
            first_order_slots=self.first_order_slots,
            mature_from_slots=self.mature_from_slots,
            experiment=self.experiment,
        )

        def home(segment: Segment) -> Segment:
            return segment._replace(name=OTHER) if segment in folded else segment

        for (segment, window), counts in self.counts.items():
            result.counts.setdefault((home(segment), window), Counts()).add(counts)
        for (segment, window, currency), money in self.money.items():
            result.money.setdefault((home(segment), window, currency), Money()).add(money)
        for segment, lifetime in self.lifetimes.items():
            result.lifetimes.setdefault(home(segment), Lifetime()).add(lifetime)
        for (segment, currency), spent in self.lifetime_money.items():
            result.lifetime_money.setdefault((home(segment), currency), LifetimeMoney()).add(spent)
        return result


def _add_lists(sums: dict[K, list[int]], more: Mapping[K, list[int]]) -> None:
    for key, numbers in more.items():
        known = sums.get(key, [0] * len(numbers))
        sums[key] = [one + another for one, another in zip(known, numbers, strict=True)]


def _small_segments(customers: dict[Segment, int]) -> set[Segment]:
    by_dimension: dict[tuple[str, str], list[Segment]] = {}
    for segment in customers:
        if segment.dimension != ALL and segment.name not in (UNKNOWN, OTHER):
            by_dimension.setdefault((segment.store, segment.dimension), []).append(segment)
    small: set[Segment] = set()
    for segments in by_dimension.values():
        if len(segments) > MAX_SEGMENTS:
            segments.sort(key=lambda segment: (-customers[segment], segment.name))
            small.update(segments[MAX_SEGMENTS:])
    return small
