"""Adding customers' terms to the tallies: the reference, in numpy, of ``TallyBook``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.domain.arrays import I64, NEVER_MS, Bools, grown
from stream.domain.calendar import Timeline, period_of_day
from stream.domain.cohorts import Cohorts
from stream.domain.gaps import HISTOGRAM_ROWS, histogram_rows, mean_interval_changes_ms
from stream.domain.intervals import NO_BUCKET, calendar_counts, rolling_intervals
from stream.domain.money_tallies import (
    GROSS,
    GUESTS_GROSS,
    ORDERS_PAID,
    PAYERS,
    REFUNDED,
    MoneyTallies,
)
from stream.domain.paged import PagedArray, Term
from stream.domain.rows import (
    ACTIVATED,
    COUNTS_PER_WINDOW,
    FIRST_ORDERS,
    GAP_MS,
    MEAN_INTERVAL_MS,
    ORDERS,
    REORDERS,
    REPEATERS,
    RETURNED,
    SIGNUPS,
    SOLD,
    SUM_ROWS,
    WINDOWS_FROM,
    counts_per_row,
)
from stream.domain.windows import CalendarUnit, RollingWindow, Window


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

    def at(self, places: I64) -> Amounts:
        """Some of them."""
        return Amounts(
            self.segments[places],
            self.time_ms[places],
            self.units[places],
            self.minor_units[places],
            self.currency[places],
        )


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders of known customers, with what decides when their customers count."""

    amounts: Amounts
    #: Time of the same customer's order before, and of the one before that, or NEVER_MS.
    previous_ms: I64
    before_ms: I64
    #: Time of the customer's first order, and how many it had before this one.
    first_ms: I64
    earlier_orders: I64
    #: The customer's first order in its currency.
    is_first_paid: Bools
    #: Time of the customer's earliest signup, or NEVER_MS.
    signup_ms: I64

    def at(self, places: I64) -> Orders:
        """Some of them."""
        return Orders(
            self.amounts.at(places),
            self.previous_ms[places],
            self.before_ms[places],
            self.first_ms[places],
            self.earlier_orders[places],
            self.is_first_paid[places],
            self.signup_ms[places],
        )


class PlainBook:
    """The sums, and what customers' entries change in them."""

    def __init__(self, timeline: Timeline, windows: tuple[Window, ...]) -> None:
        self._timeline = timeline
        self._windows = windows
        self._counts_per_row = counts_per_row(windows)
        self.counts = PagedArray(np.int32)
        self.sums = PagedArray(np.int64)
        self.gaps = PagedArray(np.int32)
        self._money = MoneyTallies()
        self.money_places, self.money_sums = self._money.places_table, self._money.sums
        self.money_nets = self._money.nets.cells
        self._order_cohorts, self._signup_cohorts = Cohorts(), Cohorts()
        self.order_cohort_places = self._order_cohorts.places
        self.order_cohorts = self._order_cohorts.counts
        self.signup_cohort_places = self._signup_cohorts.places
        self.signup_cohorts = self._signup_cohorts.counts
        self._kept: I64 = np.zeros(0, np.int64)
        self._rows = 0

    def add_segment_row(self) -> int:
        """A new segment row, all zeros."""
        self.counts.add_rows(self._counts_per_row)
        self.sums.add_rows(SUM_ROWS)
        self.gaps.add_rows(HISTOGRAM_ROWS)
        self._rows += 1
        if self._rows > len(self._kept):
            self._kept = grown(self._kept, self._rows)
        return self._rows - 1

    def occupied(self) -> I64:
        """Segment rows with any order, return or signup; cancellations may empty one again."""
        return np.flatnonzero(self._kept)

    def add_orders(self, orders: Orders, sign: int) -> None:
        """Add customers' orders (or take them out): amounts, and when their customers count."""
        if len(orders.previous_ms) == 0:
            return
        # By time, neighbours add to the same few cells, which stay in the processor's cache.
        orders = orders.at(np.argsort(orders.amounts.time_ms, kind="stable"))
        time_ms, segments = orders.amounts.time_ms, orders.amounts.segments
        bucket, day = self._timeline.bucket(time_ms), self._timeline.local_day(time_ms)
        slot = bucket + day
        first = np.flatnonzero(orders.earlier_orders == 0)
        later = np.flatnonzero(orders.earlier_orders)
        second = np.flatnonzero(orders.earlier_orders == 1)
        terms = [
            Term(FIRST_ORDERS, first, slot[first], sign),
            Term(ORDERS, None, slot, sign),
            Term(REORDERS, later, slot[later], sign),
            Term(REPEATERS, second, slot[second], sign),
        ]
        days = (
            day,
            _or_never(self._timeline.local_day(orders.previous_ms), orders.previous_ms),
            _or_never(self._timeline.local_day(orders.before_ms), orders.before_ms),
        )
        terms += self._window_terms(orders, bucket, slot, days, sign)
        self.counts.add_terms(segments.T * self._counts_per_row, terms)
        self._add_gaps(orders.at(later), slot[later], sign)
        self._add_cohorts(orders, slot, days, sign)
        self._add_sales(orders.amounts, slot, sign)
        paid = np.flatnonzero(orders.is_first_paid)
        payers = Term(PAYERS, paid, slot[paid], sign)
        self._money.add(segments, orders.amounts.currency, [payers])

    def add_guest_orders(self, amounts: Amounts, sign: int) -> None:
        """Add orders of nobody known: amounts only, no customer counts."""
        if len(amounts.time_ms) == 0:
            return
        slot = self._timeline.slot(amounts.time_ms)
        bases = amounts.segments.T * self._counts_per_row
        self.counts.add_terms(bases, [Term(ORDERS, None, slot, sign)])
        self._add_sales(amounts, slot, sign)
        gross = Term(GUESTS_GROSS, None, slot, amounts.minor_units * sign)
        self._money.add(amounts.segments, amounts.currency, [gross])

    def add_returns(self, amounts: Amounts, sign: int) -> None:
        """Add units and money sent back."""
        if len(amounts.time_ms) == 0:
            return
        slot = self._timeline.slot(amounts.time_ms)
        self._keep(amounts.segments, sign)
        units = Term(RETURNED, None, slot, amounts.units * sign)
        self.sums.add_terms(amounts.segments.T * SUM_ROWS, [units])
        refunded = Term(REFUNDED, None, slot, amounts.minor_units * sign)
        self._money.add(amounts.segments, amounts.currency, [refunded])

    def add_signups(self, segments: I64, time_ms: I64, sign: int) -> None:
        """Add customers' earliest signups."""
        if len(time_ms) == 0:
            return
        self._keep(segments, sign)
        slot = self._timeline.slot(time_ms)
        self.counts.add_terms(segments.T * self._counts_per_row, [Term(SIGNUPS, None, slot, sign)])
        self._signup_cohorts.add_members(segments[:, 0], self._month(time_ms), slot, sign)

    def add_activations(
        self, segments: I64, signup_ms: I64, first_order_ms: I64, sign: int
    ) -> None:
        """Add customers who both signed up and ordered, by those two times."""
        if len(signup_ms) == 0:
            return
        active_ms = np.maximum(signup_ms, first_order_ms)
        bucket, day = self._timeline.bucket(active_ms), self._timeline.local_day(active_ms)
        signup_bucket = self._timeline.bucket(signup_ms)
        signup_day = self._timeline.local_day(signup_ms)
        terms = []
        for number, window in enumerate(self._windows):
            row = WINDOWS_FROM + COUNTS_PER_WINDOW * number + ACTIVATED
            if isinstance(window, RollingWindow):
                end = signup_bucket + window.length_buckets
                of = np.flatnonzero(bucket < end)
                terms.append(Term(row, of, bucket[of], sign))
                terms.append(Term(row, of, end[of], -sign))
            else:
                period = period_of_day(window.unit, day)
                of = np.flatnonzero(period == period_of_day(window.unit, signup_day))
                terms.append(Term(row, of, (bucket + day)[of], sign))
        self.counts.add_terms(segments.T * self._counts_per_row, terms)

    def add_nets(self, segments: I64, currency: I64, net_minor_units: I64, sign: int) -> None:
        """Add customers who paid in a currency, by their net, or take them out."""
        self._money.add_nets(segments, currency, net_minor_units, sign)

    # -- inside ------------------------------------------------------------------------------

    def _window_terms(
        self, orders: Orders, bucket: I64, slot: I64, days: tuple[I64, I64, I64], sign: int
    ) -> list[Term]:
        previous = _or_never(self._timeline.bucket(orders.previous_ms), orders.previous_ms)
        before = _or_never(self._timeline.bucket(orders.before_ms), orders.before_ms)
        terms = []
        for number, window in enumerate(self._windows):
            row = WINDOWS_FROM + COUNTS_PER_WINDOW * number
            if isinstance(window, RollingWindow):
                for part in rolling_intervals(bucket, previous, before, window.length_buckets):
                    terms.append(Term(row + part.which, part.of, part.first, sign))
                    terms.append(Term(row + part.which, part.of, part.end, -sign))
            else:
                for count, chosen in calendar_counts(*_periods(window.unit, days)):
                    of = np.flatnonzero(chosen)
                    terms.append(Term(row + count, of, slot[of], sign))
        return terms

    def _add_gaps(self, orders: Orders, slot: I64, sign: int) -> None:
        """Add the times from orders back to those before them."""
        if len(slot) == 0:
            return
        time_ms, segments = orders.amounts.time_ms, orders.amounts.segments
        gaps_ms = time_ms - orders.previous_ms
        changes_ms = mean_interval_changes_ms(
            orders.first_ms, orders.previous_ms, time_ms, orders.earlier_orders
        )
        terms = [
            Term(GAP_MS, None, slot, gaps_ms * sign),
            Term(MEAN_INTERVAL_MS, None, slot, changes_ms * sign),
        ]
        self.sums.add_terms(segments.T * SUM_ROWS, terms)
        rows = segments[:, 0] * HISTOGRAM_ROWS + histogram_rows(gaps_ms)
        self.gaps.add_terms(rows[np.newaxis], [Term(0, None, slot, sign)])

    def _add_cohorts(
        self, orders: Orders, slot: I64, days: tuple[I64, I64, I64], sign: int
    ) -> None:
        month, previous_month, _ = _periods(CalendarUnit.MONTH, days)
        first_of_month = np.flatnonzero(month != previous_month)
        stores = orders.amounts.segments[first_of_month, 0]
        slot = slot[first_of_month]
        began = self._month(orders.first_ms[first_of_month])
        self._order_cohorts.add(stores, began, slot, sign)
        signed_up = np.flatnonzero(orders.signup_ms[first_of_month] != NEVER_MS)
        signup_ms = orders.signup_ms[first_of_month][signed_up]
        began = self._month(signup_ms)
        # Who ordered first and signed up later in that month is in the cohort from the signup on.
        slot = np.maximum(slot[signed_up], self._timeline.slot(signup_ms))
        since = np.flatnonzero(month[first_of_month][signed_up] >= began)
        self._signup_cohorts.add(stores[signed_up][since], began[since], slot[since], sign)

    def _month(self, time_ms: I64) -> I64:
        return period_of_day(CalendarUnit.MONTH, self._timeline.local_day(time_ms))

    def _add_sales(self, amounts: Amounts, slot: I64, sign: int) -> None:
        self._keep(amounts.segments, sign)
        units = Term(SOLD, None, slot, amounts.units * sign)
        self.sums.add_terms(amounts.segments.T * SUM_ROWS, [units])
        money = [
            Term(GROSS, None, slot, amounts.minor_units * sign),
            Term(ORDERS_PAID, None, slot, sign),
        ]
        self._money.add(amounts.segments, amounts.currency, money)

    def _keep(self, segments: I64, sign: int) -> None:
        self._kept += sign * np.bincount(segments.ravel(), minlength=len(self._kept))


def _or_never(buckets: I64, time_ms: I64) -> I64:
    buckets[time_ms == NEVER_MS] = NO_BUCKET
    return buckets


def _periods(unit: CalendarUnit, days: tuple[I64, I64, I64]) -> tuple[I64, I64, I64]:
    day, previous, before = days
    return (
        period_of_day(unit, day),
        _period_or_never(unit, previous),
        _period_or_never(unit, before),
    )


def _period_or_never(unit: CalendarUnit, day: I64) -> I64:
    never = day == NO_BUCKET
    period = period_of_day(unit, np.where(never, 0, day))
    period[never] = NO_BUCKET
    return period
