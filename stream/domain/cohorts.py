"""Customers by the month they began in, and the months they came back in.

A cohort is a row, its cells are slots: a customer adds one where its first order of a month
stands. So a cohort's customers of any month, up to any instant, are a sum over slots.
"""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64
from stream.domain.paged import PagedArray, Term
from stream.domain.places import Places
from stream.kernel import Paged, PlaceTable

#: From January 1970 to well past the time zone tables.
_MONTHS = (2200 - 1970) * 12

# Rows under a cohort's: who came back in a month, where its first order of it stands; and, where
# that is not the first month's own count, who began.
_BACK, _MEMBERS, _ROWS = range(3)


class CohortSums:
    """Rows by (whole store's segment row, month); months count from January 1970."""

    def __init__(self, places: PlaceTable, counts: Paged) -> None:
        self._pairs = places.pairs
        self._counts = counts

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._counts.nbytes

    def cohorts(self) -> dict[tuple[int, int], int]:
        """Every (segment row, month), and its row."""
        return {pair: place * _ROWS for place, pair in enumerate(self._pairs())}

    def sums_to(self, rows: I64, slot: int) -> I64:
        """Per cohort who came back in and before a slot."""
        return self._counts.sum_to(rows + _BACK, slot)

    def members_to(self, rows: I64, slot: int) -> I64:
        """Per cohort who began in and before a slot."""
        return self._counts.sum_to(rows + _MEMBERS, slot)

    def dense(self) -> dict[tuple[int, ...], int]:
        """Every cell that is not 0, by segment row, month, row and slot: for tests."""
        return {
            (*pair, within, cell): value
            for pair, first in self.cohorts().items()
            for within in range(_ROWS)
            for cell, value in self._counts.row_cells(first + within)
        }


class Cohorts(CohortSums):
    """Those, and adding customers to them."""

    def __init__(self) -> None:
        self.places = Places(_MONTHS)
        self.counts: PagedArray = PagedArray(np.int32)
        super().__init__(self.places, self.counts)

    def add(self, stores: I64, months: I64, slots: I64, sign: int) -> None:
        """Add customers of cohorts who came back.

        Args:
            stores: segment row of each one's whole store.
            months: the month each one began in.
            slots: the slot of each one's first order in some month.
            sign: 1 or -1.
        """
        self._add(_BACK, stores, months, slots, sign)

    def add_members(self, stores: I64, months: I64, slots: I64, sign: int) -> None:
        """Add customers who began, at the slots where they did; arguments as for :meth:`add`."""
        self._add(_MEMBERS, stores, months, slots, sign)

    def _add(self, row: int, stores: I64, months: I64, slots: I64, sign: int) -> None:
        if len(stores) == 0:
            return
        places = self.places.of(stores, months, self._make)
        self.counts.add_terms((places * _ROWS)[np.newaxis], [Term(row, None, slots, sign)])

    def _make(self) -> None:
        self.counts.add_rows(_ROWS)
