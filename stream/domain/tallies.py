"""What all customers of this worker add up to, at every past and coming "as of" at once.

A *segment row* stands for one (store, dimension, segment). Under it lie, as rows of paged
arrays: difference arrays over buckets for the rolling windows' counts of customers, and sums
per slot for everything a prefix sum answers. Tallies are derived from customers' entries,
never stored: adding a customer's terms with sign -1 takes exactly that customer out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stream.domain.arrays import I64
from stream.domain.book import Book
from stream.domain.calendar import Timeline
from stream.domain.cohorts import CohortSums
from stream.domain.gaps import HISTOGRAM_ROWS
from stream.domain.money_tallies import MoneySums
from stream.domain.nets import NetSums
from stream.domain.paged import dense
from stream.domain.rows import COUNTS_PER_WINDOW, ORDERS, SUM_ROWS, WINDOWS_FROM, counts_per_row
from stream.domain.windows import Window
from stream.kernel import Paged


class Tallies:
    """Sums over customers, by segment row.

    Args:
        timeline: of the windows.
        windows: what customers are counted in.
        book: where the sums are, and what adds to them.
    """

    def __init__(self, timeline: Timeline, windows: tuple[Window, ...], book: Book) -> None:
        self.timeline = timeline
        self.windows = windows
        self.book = book
        self.segment_rows = 0
        self._counts_per_row = counts_per_row(windows)
        self._counts: Paged = book.counts
        self._sums: Paged = book.sums
        self.money = MoneySums(book.money_places, book.money_sums, NetSums(book.money_nets))
        #: Customers of whole stores by the month of their first order, and of their signup.
        self.order_cohorts = CohortSums(book.order_cohort_places, book.order_cohorts)
        self.signup_cohorts = CohortSums(book.signup_cohort_places, book.signup_cohorts)
        #: A row for each bucket of the histogram, under the rows of whole stores.
        self._gap_histogram: Paged = book.gaps

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays."""
        parts = (
            self._counts,
            self._sums,
            self.money,
            self.order_cohorts,
            self.signup_cohorts,
            self._gap_histogram,
        )
        return sum(part.nbytes for part in parts)

    def add_segment_row(self) -> int:
        """A new segment row, all zeros."""
        self.segment_rows += 1
        return self.book.add_segment_row()

    # -- reading -----------------------------------------------------------------------------

    def customers(self, segment_rows: I64, window: int, count: int, bucket: int) -> I64:
        """A rolling window's count of customers as of a bucket."""
        return self._counts.sum_to(self._count_rows(segment_rows, window, count), bucket)

    def calendar_customers(self, segment_rows: I64, window: int, count: int, slots: range) -> I64:
        """A calendar window's count of customers over the slots of (part of) one period."""
        return _sum_over(self._counts, self._count_rows(segment_rows, window, count), slots)

    def count(self, segment_rows: I64, row: int, slots: range) -> I64:
        """Orders of some kind, or signups, in a range of slots."""
        return _sum_over(self._counts, segment_rows * self._counts_per_row + row, slots)

    def count_to(self, segment_rows: I64, row: int, slot: int) -> I64:
        """The same in and before a slot."""
        return self._counts.sum_to(segment_rows * self._counts_per_row + row, slot)

    def sum(self, segment_rows: I64, row: int, slots: range) -> I64:
        """Units or milliseconds in a range of slots."""
        return _sum_over(self._sums, segment_rows * SUM_ROWS + row, slots)

    def sum_to(self, segment_rows: I64, row: int, slot: int) -> I64:
        """The same in and before a slot."""
        return self._sums.sum_to(segment_rows * SUM_ROWS + row, slot)

    def gap_histogram_to(self, segment_row: int, slot: int) -> I64:
        """Gaps in each bucket of the histogram, of orders in and before a slot."""
        rows = segment_row * HISTOGRAM_ROWS + np.arange(HISTOGRAM_ROWS, dtype=np.int64)
        return self._gap_histogram.sum_to(rows, slot)

    def occupied(self) -> I64:
        """Segment rows with any order, return or signup; cancellations may empty one again."""
        return self.book.occupied()

    def first_order_slot(self, segment_row: int) -> int | None:
        """The slot of a segment row's earliest order; None when it has none."""
        return self._counts.first_cell(segment_row * self._counts_per_row + ORDERS)

    def dense(self) -> dict[tuple[str | int, ...], int]:
        """Every sum that is not 0: for comparisons in tests."""
        parts: dict[str, Mapping[Any, int]] = {
            "counts": dense(self._counts),
            "sums": dense(self._sums),
            "money": self.money.dense(),
            "nets": self.money.nets.dense(),
            "order cohorts": self.order_cohorts.dense(),
            "signup cohorts": self.signup_cohorts.dense(),
            "gaps": dense(self._gap_histogram),
        }
        return {
            (name, *place): value for name, cells in parts.items() for place, value in cells.items()
        }

    def _count_rows(self, segment_rows: I64, window: int, count: int) -> I64:
        row = WINDOWS_FROM + COUNTS_PER_WINDOW * window + count
        return segment_rows * self._counts_per_row + row


def _sum_over(array: Paged, rows: I64, slots: range) -> I64:
    if slots.stop <= slots.start:
        return np.zeros(len(rows), np.int64)
    return array.sum_to(rows, slots.stop - 1) - array.sum_to(rows, slots.start - 1)
