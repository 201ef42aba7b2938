"""What all customers of this worker add up to, at every past and coming "as of" at once.

A *segment row* stands for one (store, dimension, segment). Under it lie, as rows of paged
arrays: difference arrays over buckets for the rolling windows' counts of customers, and sums
per slot for everything a prefix sum answers. Tallies are derived from customers' entries,
never stored: adding a customer's terms with sign -1 takes exactly that customer out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.domain.arrays import I64, NEVER_MS, grown
from stream.domain.calendar import Timeline, first_day_of_period, period_of_day
from stream.domain.intervals import NO_BUCKET, calendar_counts, rolling_intervals
from stream.domain.money import LARGEST_CURRENCY
from stream.domain.paged import PagedArray, Term
from stream.domain.windows import CalendarWindow, RollingWindow, Window

# Rows under a segment row in `_counts`; three per window follow.
FIRST_ORDERS, ORDERS, SIGNUPS, _WINDOWS_FROM = range(4)
# Rows under a segment row in `_units`.
SOLD, RETURNED, _UNIT_ROWS = range(3)
# Rows under a (segment row, currency) in `_money`.
GROSS, REFUNDED, ORDERS_PAID, _MONEY_ROWS = range(4)

_COUNTS_PER_WINDOW = 3
#: Currencies the table of money rows begins with room for.
_CURRENCIES = 4


@dataclass(frozen=True, slots=True)
class Amounts:
    """What was bought or sent back; arrays of one length, ``segments`` with a row each."""

    #: Segment rows of each one's customer, ``[event, dimension]``; the first is the whole store.
    segments: I64
    time_ms: I64
    units: I64
    minor_units: I64
    #: See :func:`stream.domain.money.currency_number`.
    currency: I64


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders of known customers, with what decides when their customers count."""

    amounts: Amounts
    #: Time of the same customer's order before, and of the one before that, or NEVER_MS.
    previous_ms: I64
    before_ms: I64

    def by_time(self) -> Orders:
        """The same orders, earliest first."""
        at = np.argsort(self.amounts.time_ms, kind="stable")
        amounts = self.amounts
        return Orders(
            Amounts(
                amounts.segments[at],
                amounts.time_ms[at],
                amounts.units[at],
                amounts.minor_units[at],
                amounts.currency[at],
            ),
            self.previous_ms[at],
            self.before_ms[at],
        )


class Tallies:
    """Sums over customers, by segment row."""

    def __init__(self, timeline: Timeline, windows: tuple[Window, ...]) -> None:
        self.timeline = timeline
        self.windows = windows
        self._counts_per_row = _WINDOWS_FROM + _COUNTS_PER_WINDOW * len(windows)
        self._counts = PagedArray(np.int32)
        self._units = PagedArray(np.int64)
        self._money = PagedArray(np.int64)
        self._money_rows: dict[tuple[int, int], int] = {}
        #: ``[segment row, place of currency]`` → money row, -1 where there is none yet.
        self._money_table: I64 = np.full((0, _CURRENCIES), -1, np.int64)
        #: By currency number its place in the table, -1 for none yet.
        self._currency_places: I64 = np.full(LARGEST_CURRENCY + 1, -1, np.int64)
        self._currencies = 0
        self.segment_rows = 0
        self._kept: I64 = np.zeros(0, np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays."""
        return self._counts.nbytes + self._units.nbytes + self._money.nbytes

    def add_segment_row(self) -> int:
        """A new segment row, all zeros."""
        self._counts.add_rows(self._counts_per_row)
        self._units.add_rows(_UNIT_ROWS)
        self.segment_rows += 1
        if self.segment_rows > len(self._kept):
            self._kept = grown(self._kept, self.segment_rows)
        return self.segment_rows - 1

    # -- adding terms ------------------------------------------------------------------------

    def add_orders(self, orders: Orders, sign: int) -> None:
        """Add customers' orders (or take them out): amounts, and when their customers count."""
        if len(orders.previous_ms) == 0:
            return
        # By time, neighbours add to the same few cells, which stay in the processor's cache.
        orders = orders.by_time()
        time_ms = orders.amounts.time_ms
        day = self.timeline.local_day(time_ms)
        bucket = self.timeline.bucket(time_ms)
        slot = bucket + day
        first = np.flatnonzero(orders.previous_ms == NEVER_MS)
        terms = [
            Term(FIRST_ORDERS, first, slot[first], sign),
            Term(ORDERS, None, slot, sign),
        ]
        previous = _or_never(self.timeline.bucket(orders.previous_ms), orders.previous_ms)
        before = _or_never(self.timeline.bucket(orders.before_ms), orders.before_ms)
        days = (
            day,
            _or_never(self.timeline.local_day(orders.previous_ms), orders.previous_ms),
            _or_never(self.timeline.local_day(orders.before_ms), orders.before_ms),
        )
        for number, window in enumerate(self.windows):
            row = _WINDOWS_FROM + _COUNTS_PER_WINDOW * number
            if isinstance(window, RollingWindow):
                for part in rolling_intervals(bucket, previous, before, window.length_buckets):
                    terms.append(Term(row + part.which, part.of, part.first, sign))
                    terms.append(Term(row + part.which, part.of, part.end, -sign))
            else:
                for count, chosen in calendar_counts(*_periods(window, days)):
                    of = np.flatnonzero(chosen)
                    terms.append(Term(row + count, of, slot[of], sign))
        self._counts.add(self._count_bases(orders.amounts.segments), terms)
        self._add_sales(orders.amounts, slot, sign)

    def add_guest_orders(self, amounts: Amounts, sign: int) -> None:
        """Add orders of nobody known: amounts only, no customer counts."""
        if len(amounts.time_ms) == 0:
            return
        slot = self.timeline.slot(amounts.time_ms)
        self._counts.add(self._count_bases(amounts.segments), [Term(ORDERS, None, slot, sign)])
        self._add_sales(amounts, slot, sign)

    def add_returns(self, amounts: Amounts, sign: int) -> None:
        """Add units and money sent back."""
        if len(amounts.time_ms) == 0:
            return
        slot = self.timeline.slot(amounts.time_ms)
        self._keep(amounts.segments, sign)
        units = Term(RETURNED, None, slot, amounts.units * sign)
        self._units.add(amounts.segments.T * _UNIT_ROWS, [units])
        refunded = Term(REFUNDED, None, slot, amounts.minor_units * sign)
        self._money.add(self._money_rows_of(amounts), [refunded])

    def add_signups(self, segments: I64, time_ms: I64, sign: int) -> None:
        """Add customers' earliest signups."""
        if len(time_ms) == 0:
            return
        self._keep(segments, sign)
        term = Term(SIGNUPS, None, self.timeline.slot(time_ms), sign)
        self._counts.add(self._count_bases(segments), [term])

    # -- reading -----------------------------------------------------------------------------

    def customers(self, segment_rows: I64, window: int, count: int, bucket: int) -> I64:
        """A rolling window's count of customers as of a bucket."""
        return self._counts.sum_to(self._count_rows(segment_rows, window, count), bucket)

    def calendar_customers(self, segment_rows: I64, window: int, count: int, slots: range) -> I64:
        """A calendar window's count of customers over the slots of (part of) one period."""
        return _sum_over(self._counts, self._count_rows(segment_rows, window, count), slots)

    def count(self, segment_rows: I64, row: int, slots: range) -> I64:
        """First orders, orders or signups in a range of slots."""
        return _sum_over(self._counts, segment_rows * self._counts_per_row + row, slots)

    def units(self, segment_rows: I64, row: int, slots: range) -> I64:
        """Units sold or returned in a range of slots."""
        return _sum_over(self._units, segment_rows * _UNIT_ROWS + row, slots)

    def money(self, money_rows: I64, row: int, slots: range) -> I64:
        """Minor units (or orders paid) of (segment row, currency) pairs in a range of slots."""
        return _sum_over(self._money, money_rows + row, slots)

    def money_rows(self) -> dict[tuple[int, int], int]:
        """Every (segment row, currency number) that has money, and its money row."""
        return dict(self._money_rows)

    def occupied(self) -> I64:
        """Segment rows with any order, return or signup; cancellations may empty one again."""
        return np.flatnonzero(self._kept)

    def first_orders_to(self, segment_rows: I64, slot: int) -> I64:
        """Customers whose first order is in or before a slot."""
        return self._counts.sum_to(segment_rows * self._counts_per_row + FIRST_ORDERS, slot)

    def first_order_slot(self, segment_row: int) -> int | None:
        """The slot of a segment row's earliest order; None when it has none."""
        return self._counts.first_cell(segment_row * self._counts_per_row + ORDERS)

    def dense(self) -> dict[tuple[str, int, int], int]:
        """Every sum that is not 0: for comparisons in tests."""
        parts = (("counts", self._counts), ("units", self._units), ("money", self._money))
        return {
            (name, row, cell): value
            for name, array in parts
            for (row, cell), value in array.dense().items()
        }

    # -- inside ------------------------------------------------------------------------------

    def _count_bases(self, segments: I64) -> I64:
        return segments.T * self._counts_per_row

    def _count_rows(self, segment_rows: I64, window: int, count: int) -> I64:
        row = _WINDOWS_FROM + _COUNTS_PER_WINDOW * window + count
        return segment_rows * self._counts_per_row + row

    def _add_sales(self, amounts: Amounts, slot: I64, sign: int) -> None:
        self._keep(amounts.segments, sign)
        units = Term(SOLD, None, slot, amounts.units * sign)
        self._units.add(amounts.segments.T * _UNIT_ROWS, [units])
        money = [
            Term(GROSS, None, slot, amounts.minor_units * sign),
            Term(ORDERS_PAID, None, slot, sign),
        ]
        self._money.add(self._money_rows_of(amounts), money)

    def _keep(self, segments: I64, sign: int) -> None:
        self._kept += sign * np.bincount(segments.ravel(), minlength=len(self._kept))

    def _money_rows_of(self, amounts: Amounts) -> I64:
        """Money rows ``[dimension, event]``."""
        places = self._places_of(amounts.currency)
        segments = amounts.segments.T
        if self.segment_rows > len(self._money_table):
            larger = np.full((2 * self.segment_rows, self._money_table.shape[1]), -1, np.int64)
            larger[: len(self._money_table)] = self._money_table
            self._money_table = larger
        rows: I64 = self._money_table[segments, places]
        if (rows < 0).any():
            currencies = np.broadcast_to(amounts.currency, segments.shape)[rows < 0]
            self._make_money_rows(segments[rows < 0], currencies)
            rows = self._money_table[segments, places]
        return rows

    def _places_of(self, currency: I64) -> I64:
        places = self._currency_places[currency]
        if (places < 0).any():
            for number in np.unique(currency[places < 0]).tolist():
                self._currency_places[number] = self._currencies
                self._currencies += 1
            missing = max(0, self._currencies - self._money_table.shape[1])
            self._money_table = np.pad(
                self._money_table, ((0, 0), (0, missing)), constant_values=-1
            )
            places = self._currency_places[currency]
        return places

    def _make_money_rows(self, segment_rows: I64, currency: I64) -> None:
        for segment, number in set(zip(segment_rows.tolist(), currency.tolist(), strict=True)):
            row = self._money.add_rows(_MONEY_ROWS)
            self._money_rows[segment, number] = row
            self._money_table[segment, self._currency_places[number]] = row


def _or_never(buckets: I64, time_ms: I64) -> I64:
    buckets[time_ms == NEVER_MS] = NO_BUCKET
    return buckets


def _periods(window: CalendarWindow, days: tuple[I64, I64, I64]) -> tuple[I64, I64, I64]:
    day, previous, before = days
    return (
        period_of_day(window.unit, day),
        _period_or_never(window, previous),
        _period_or_never(window, before),
    )


def _period_or_never(window: CalendarWindow, day: I64) -> I64:
    never = day == NO_BUCKET
    period = period_of_day(window.unit, np.where(never, 0, day))
    period[never] = NO_BUCKET
    return period


def _sum_over(array: PagedArray, rows: I64, slots: range) -> I64:
    if slots.stop <= slots.start:
        return np.zeros(len(rows), np.int64)
    return array.sum_to(rows, slots.stop - 1) - array.sum_to(rows, slots.start - 1)


@dataclass(frozen=True, slots=True)
class Moment:
    """One evaluation of one window: where its counts and its sums are read."""

    #: The slots of the window, up to "as of".
    slots: range
    #: The slots of the preceding window.
    preceding_slots: range
    #: The last slot of the preceding window's first bucket, or first local day.
    mature_to_slot: int
    #: Rolling windows: the as-of bucket, and that of the preceding window; calendar: None.
    buckets: tuple[int, int] | None


def moment(timeline: Timeline, window: Window, as_of_ms: int, *, earlier: bool = False) -> Moment:
    """Where to read a window as of an instant; ``earlier`` is the ``prev_`` window."""
    bucket = as_of_ms // timeline.bucket_ms
    if isinstance(window, RollingWindow):
        length = window.length_buckets
        at = bucket - length if earlier else bucket
        edges = [timeline.last_slot_of_bucket(at - back * length) + 1 for back in (0, 1, 2)]
        return Moment(
            range(edges[1], edges[0]),
            range(edges[2], edges[1]),
            timeline.last_slot_of_bucket(at - 2 * length + 1),
            (at, at - length),
        )
    day = timeline.day_at(as_of_ms)
    period = int(period_of_day(window.unit, np.array([day], np.int64))[0])
    if earlier:
        period -= 1
    starts = [
        timeline.first_slot_of_day(first_day_of_period(window.unit, period + step))
        for step in (-1, 0, 1)
    ]
    # To date: not beyond the bucket of "as of", whose own slots count whole.
    end = min(starts[2], timeline.last_slot_of_bucket(bucket) + 1)
    first_day = first_day_of_period(window.unit, period - 1)
    mature_to = timeline.first_slot_of_day(first_day + 1) - 1
    return Moment(range(starts[1], end), range(starts[0], starts[1]), mature_to, None)
