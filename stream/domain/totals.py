"""What all segments add up to as of one instant: numerators and denominators, not yet ratios.

Totals of disjoint sets of customers add up to the totals of their union, so workers exchange
these and only then is anything divided.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stream.domain.arrays import I64
from stream.domain.intervals import ACTIVE, REPEAT, RETAINED
from stream.domain.money import currency_code
from stream.domain.segments import ALL, OTHER, UNKNOWN, Segment, Segments
from stream.domain.tallies import (
    FIRST_ORDERS,
    GROSS,
    ORDERS,
    ORDERS_PAID,
    REFUNDED,
    RETURNED,
    SIGNUPS,
    SOLD,
    Moment,
    Tallies,
    moment,
)
from stream.domain.windows import RollingWindow

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
class Totals:
    """Everything the metrics are computed from, as of one instant."""

    as_of_ms: int
    #: By segment and window name; ``prev_`` windows for whole stores only.
    counts: dict[tuple[Segment, str], Counts] = field(default_factory=dict)
    #: By segment, window name and currency.
    money: dict[tuple[Segment, str, str], Money] = field(default_factory=dict)
    #: Customers whose first order is in or before the as-of bucket, by segment.
    customers: dict[Segment, int] = field(default_factory=dict)
    #: By store, the slot of the earliest order.
    first_order_slots: dict[str, int] = field(default_factory=dict)
    #: By window name, the last slot in which a store's first order makes the window mature.
    mature_from_slots: dict[str, int] = field(default_factory=dict)

    def add(self, other: Totals) -> None:
        """Add the totals of other customers, as of the same instant."""
        if other.as_of_ms != self.as_of_ms:
            raise ValueError("totals of different instants do not add up")
        for key, counts in other.counts.items():
            self.counts.setdefault(key, Counts()).add(counts)
        for money_key, money in other.money.items():
            self.money.setdefault(money_key, Money()).add(money)
        for segment, customers in other.customers.items():
            self.customers[segment] = self.customers.get(segment, 0) + customers
        for store, slot in other.first_order_slots.items():
            self.first_order_slots[store] = min(slot, self.first_order_slots.get(store, slot))

    def with_small_segments_folded(self) -> Totals:
        """The same, with all but each dimension's largest segments added up in ``other``.

        Size is the number of customers who ever ordered, ties by name; ``unknown`` stays.
        """
        folded = _small_segments(self.customers)
        if not folded:
            return self
        result = Totals(
            self.as_of_ms,
            first_order_slots=self.first_order_slots,
            mature_from_slots=self.mature_from_slots,
        )

        def home(segment: Segment) -> Segment:
            return segment._replace(name=OTHER) if segment in folded else segment

        for (segment, window), counts in self.counts.items():
            result.counts.setdefault((home(segment), window), Counts()).add(counts)
        for (segment, window, currency), money in self.money.items():
            result.money.setdefault((home(segment), window, currency), Money()).add(money)
        for segment, customers in self.customers.items():
            result.customers[home(segment)] = result.customers.get(home(segment), 0) + customers
        return result


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


def totals(tallies: Tallies, segments: Segments, as_of_ms: int) -> Totals:
    """Read the tallies of all segments as of one instant."""
    result = Totals(as_of_ms)
    everyone = tallies.occupied()
    names = segments.names
    whole = [row for row in everyone.tolist() if names[row].dimension == ALL]
    stores = np.array(whole, np.int64)
    for number, window in enumerate(tallies.windows):
        now = moment(tallies.timeline, window, as_of_ms)
        _read(result, tallies, segments, (number, window.name), now, everyone)
        earlier = moment(tallies.timeline, window, as_of_ms, earlier=True)
        named = (number, PREVIOUS_PREFIX + window.name)
        _read(result, tallies, segments, named, earlier, stores)
        result.mature_from_slots[window.name] = now.mature_to_slot
    last_slot = tallies.timeline.last_slot_of_bucket(as_of_ms // tallies.timeline.bucket_ms)
    ever = tallies.first_orders_to(everyone, last_slot).tolist()
    result.customers = {
        names[row]: count for row, count in zip(everyone.tolist(), ever, strict=True)
    }
    for row in stores.tolist():
        slot = tallies.first_order_slot(row)
        if slot is not None:
            result.first_order_slots[names[row].store] = slot
    return result


def _read(
    result: Totals,
    tallies: Tallies,
    segments: Segments,
    window: tuple[int, str],
    at: Moment,
    rows: I64,
) -> None:
    number, name = window
    if isinstance(tallies.windows[number], RollingWindow) and at.buckets is not None:
        bucket, preceding = at.buckets
        active, retained, repeat = (
            tallies.customers(rows, number, count, bucket) for count in (ACTIVE, RETAINED, REPEAT)
        )
        start = tallies.customers(rows, number, ACTIVE, preceding)
    else:
        active, retained, repeat = (
            tallies.calendar_customers(rows, number, count, at.slots)
            for count in (ACTIVE, RETAINED, REPEAT)
        )
        start = tallies.calendar_customers(rows, number, ACTIVE, at.preceding_slots)
    columns = (
        active,
        tallies.count(rows, FIRST_ORDERS, at.slots),
        start,
        retained,
        repeat,
        tallies.count(rows, ORDERS, at.slots),
        tallies.units(rows, SOLD, at.slots),
        tallies.units(rows, RETURNED, at.slots),
        tallies.count(rows, SIGNUPS, at.slots),
    )
    table = np.stack(columns, axis=1).tolist()
    for row, values in zip(rows.tolist(), table, strict=True):
        result.counts[segments.names[row], name] = Counts(*values)
    wanted = set(rows.tolist())
    money = [(row, code, at) for (row, code), at in tallies.money_rows().items() if row in wanted]
    money_rows = np.array([place for _, _, place in money], np.int64)
    sums = np.stack(
        [tallies.money(money_rows, row, at.slots) for row in (GROSS, REFUNDED, ORDERS_PAID)], axis=1
    ).tolist()
    for (row, code, _), values in zip(money, sums, strict=True):
        result.money[segments.names[row], name, currency_code(code)] = Money(*values)
