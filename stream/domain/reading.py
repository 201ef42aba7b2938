"""Reading the tallies of all segments as of one instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.domain.arrays import I64
from stream.domain.calendar import first_day_of_period, period_of_day
from stream.domain.cohorts import CohortSums
from stream.domain.intervals import ACTIVE, REPEAT, RETAINED
from stream.domain.moments import Moment, moment
from stream.domain.money import currency_code
from stream.domain.money_tallies import GROSS, GUESTS_GROSS, ORDERS_PAID, PAYERS, REFUNDED
from stream.domain.rows import (
    ACTIVATED,
    FIRST_ORDERS,
    GAP_MS,
    MEAN_INTERVAL_MS,
    ORDERS,
    REORDERS,
    REPEATERS,
    RETURNED,
    SIGNUPS,
    SOLD,
)
from stream.domain.segment_names import ALL
from stream.domain.segments import Segments
from stream.domain.tallies import Tallies
from stream.domain.totals import (
    PREVIOUS_PREFIX,
    Cohort,
    CohortKind,
    Counts,
    Gaps,
    Lifetime,
    LifetimeMoney,
    Money,
    Totals,
)
from stream.domain.windows import CalendarUnit, RollingWindow


@dataclass(frozen=True, slots=True)
class Scope:
    """What to read: a part costs a part of the time."""

    #: Names of windows, without ``prev_``; None for all.
    windows: frozenset[str] | None = None
    #: Names of dimensions, ``all`` among them; None for all.
    dimensions: frozenset[str] | None = None
    #: What has no window: lifetimes, cohorts, gaps, and the windows before.
    with_lifetimes: bool = True
    #: Customers' stages, which are for now: for an instant long ago each would be looked at.
    with_stages: bool = True

    def has_window(self, name: str) -> bool:
        """Whether a window is to be read."""
        return self.windows is None or name in self.windows

    def has_dimension(self, name: str) -> bool:
        """Whether a dimension is to be read."""
        return self.dimensions is None or name in self.dimensions


EVERYTHING = Scope()


def totals(
    tallies: Tallies, segments: Segments, as_of_ms: int, scope: Scope = EVERYTHING
) -> Totals:
    """What all segments add up to as of one instant."""
    return _Reading(tallies, segments, as_of_ms, scope).totals()


class _Reading:
    """One look at the tallies."""

    def __init__(self, tallies: Tallies, segments: Segments, as_of_ms: int, scope: Scope) -> None:
        self._tallies = tallies
        self._scope = scope
        self._timeline = tallies.timeline
        self._names = segments.names
        self._as_of_ms = as_of_ms
        self._last_slot = self._timeline.last_slot_of_bucket(as_of_ms // self._timeline.bucket_ms)
        wanted = [
            row
            for row in tallies.occupied().tolist()
            if scope.has_dimension(self._names[row].dimension)
        ]
        self._rows = np.array(wanted, np.int64)
        whole = [row for row in wanted if self._names[row].dimension == ALL]
        self._stores = np.array(whole, np.int64)
        occupied = set(self._rows.tolist())
        #: Segment row, currency and place of each.
        self._money = [
            (row, currency_code(code), place)
            for (row, code), place in tallies.money.places().items()
            if row in occupied
        ]

    def totals(self) -> Totals:
        """Everything."""
        result = Totals(self._as_of_ms)
        timeline = self._timeline
        for number, window in enumerate(self._tallies.windows):
            if not self._scope.has_window(window.name):
                continue
            now = moment(timeline, window, self._as_of_ms)
            self._read_window(result, (number, window.name), now, self._rows)
            result.mature_from_slots[window.name] = now.mature_to_slot
            if not self._scope.with_lifetimes:
                continue
            earlier = moment(timeline, window, self._as_of_ms, earlier=True)
            named = (number, PREVIOUS_PREFIX + window.name)
            self._read_window(result, named, earlier, self._stores)
        # Also says which segments are small, so that a part of the totals folds as all do.
        self._read_lifetimes(result)
        if self._scope.with_lifetimes:
            self._read_wholes(result)
        return result

    def _read_wholes(self, result: Totals) -> None:
        """What else has no window."""
        self._read_lifetime_money(result)
        for kind, cohorts in (
            (CohortKind.FIRST_ORDER, self._tallies.order_cohorts),
            (CohortKind.SIGNUP, self._tallies.signup_cohorts),
        ):
            self._read_cohorts(result, kind, cohorts)
        for row in self._stores.tolist():
            store = self._names[row].store
            slot = self._tallies.first_order_slot(row)
            if slot is not None:
                result.first_order_slots[store] = slot
            counts = self._tallies.gap_histogram_to(row, self._last_slot).tolist()
            (sum_ms,) = self._tallies.sum_to(np.array([row]), GAP_MS, self._last_slot).tolist()
            result.gaps[store] = Gaps(counts, sum_ms)

    def _read_window(self, result: Totals, window: tuple[int, str], at: Moment, rows: I64) -> None:
        number, name = window
        tallies = self._tallies
        statuses = (ACTIVE, RETAINED, REPEAT, ACTIVATED)
        if isinstance(tallies.windows[number], RollingWindow) and at.buckets is not None:
            bucket, preceding = at.buckets
            active, retained, repeat, activated = (
                tallies.customers(rows, number, count, bucket) for count in statuses
            )
            start = tallies.customers(rows, number, ACTIVE, preceding)
        else:
            active, retained, repeat, activated = (
                tallies.calendar_customers(rows, number, count, at.slots) for count in statuses
            )
            start = tallies.calendar_customers(rows, number, ACTIVE, at.preceding_slots)
        columns = (
            active,
            tallies.count(rows, FIRST_ORDERS, at.slots),
            start,
            retained,
            repeat,
            tallies.count(rows, ORDERS, at.slots),
            tallies.sum(rows, SOLD, at.slots),
            tallies.sum(rows, RETURNED, at.slots),
            tallies.count(rows, SIGNUPS, at.slots),
            activated,
            tallies.count(rows, REORDERS, at.slots),
            tallies.sum(rows, GAP_MS, at.slots),
        )
        table = np.stack(columns, axis=1).tolist()
        for row, values in zip(rows.tolist(), table, strict=True):
            result.counts[self._names[row], name] = Counts(*values)
        wanted = set(rows.tolist())
        money = [each for each in self._money if each[0] in wanted]
        sums = self._money_sums(money, (GROSS, REFUNDED, ORDERS_PAID), at.slots)
        for (row, currency, _), values in zip(money, sums, strict=True):
            result.money[self._names[row], name, currency] = Money(*values)

    def _read_lifetimes(self, result: Totals) -> None:
        tallies, rows, slot = self._tallies, self._rows, self._last_slot
        columns = (
            tallies.count_to(rows, FIRST_ORDERS, slot),
            tallies.count_to(rows, REPEATERS, slot),
            tallies.sum_to(rows, MEAN_INTERVAL_MS, slot),
        )
        table = np.stack(columns, axis=1).tolist()
        for row, values in zip(rows.tolist(), table, strict=True):
            result.lifetimes[self._names[row]] = Lifetime(*values)

    def _read_lifetime_money(self, result: Totals) -> None:
        places = np.array([place for _, _, place in self._money], np.int64)
        gross, refunded, guests, payers = (
            self._tallies.money.sum_to(places, row, self._last_slot).tolist()
            for row in (GROSS, REFUNDED, GUESTS_GROSS, PAYERS)
        )
        for at, (row, currency, place) in enumerate(self._money):
            result.lifetime_money[self._names[row], currency] = LifetimeMoney(
                gross[at] - guests[at],
                refunded[at],
                payers[at],
                self._tallies.money.nets.buckets(place),
            )

    def _read_cohorts(self, result: Totals, kind: CohortKind, cohorts: CohortSums) -> None:
        """Every cohort's size, and its customers in each month since."""
        months = self._months(cohorts)
        slots = [self._month_start(month) - 1 for month in range(months.start, months.stop)]
        slots.append(self._last_slot)
        rows_of = cohorts.cohorts()
        rows = np.array(list(rows_of.values()), np.int64)
        sums = np.stack([cohorts.sums_to(rows, slot) for slot in slots])
        table = np.diff(sums, axis=0).T.tolist()
        members = cohorts.members_to(rows, self._last_slot).tolist()
        for (row, month), counts, began in zip(rows_of, table, members, strict=True):
            if month not in months:
                continue
            ages = counts[month - months.start :]
            size = ages[0] if kind is CohortKind.FIRST_ORDER else began
            if size:
                result.cohorts[Cohort(self._names[row].store, kind, month)] = [size, *ages]

    def _months(self, cohorts: CohortSums) -> range:
        day = self._timeline.day_at(self._as_of_ms)
        current = int(period_of_day(CalendarUnit.MONTH, np.array([day], np.int64))[0])
        first = min((month for _, month in cohorts.cohorts()), default=current + 1)
        return range(min(first, current + 1), current + 1)

    def _month_start(self, month: int) -> int:
        return self._timeline.first_slot_of_day(first_day_of_period(CalendarUnit.MONTH, month))

    def _money_sums(
        self, money: list[tuple[int, str, int]], rows: tuple[int, ...], slots: range
    ) -> list[list[int]]:
        """Of each place the sums of some rows in a range of slots."""
        places = np.array([place for _, _, place in money], np.int64)
        if slots.stop <= slots.start:
            return [[0] * len(rows) for _ in money]
        read = self._tallies.money.sum_to
        columns = [
            read(places, row, slots.stop - 1) - read(places, row, slots.start - 1) for row in rows
        ]
        sums: list[list[int]] = np.stack(columns, axis=1).tolist()
        return sums
