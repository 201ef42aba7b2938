"""Customers by the month they began in, and the months they came back in.

A cohort is a row, its cells are slots: a customer adds one where its first order of a month
stands. So a cohort's customers of any month, up to any instant, are a sum over slots.
"""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64, LEAST_ROOM, grown
from stream.domain.paged import PagedArray, Term

#: From January 1970 to well past the time zone tables.
_MONTHS = (2200 - 1970) * 12

# Rows under a cohort's: who came back in a month, where its first order of it stands; and, where
# that is not the first month's own count, who began.
_BACK, _MEMBERS, _ROWS = range(3)


class Cohorts:
    """Rows by (whole store's segment row, month); months count from January 1970."""

    def __init__(self) -> None:
        self._counts = PagedArray(np.int32)
        self._rows: dict[tuple[int, int], int] = {}
        #: By segment row the place of a whole store in the table; place 0 is of none yet.
        self._places: I64 = np.zeros(LEAST_ROOM, np.int64)
        #: ``[place, month]`` → row, -1 where there is none yet.
        self._table: I64 = np.full((4, _MONTHS), -1, np.int64)
        self._stores = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._counts.nbytes

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

    def cohorts(self) -> dict[tuple[int, int], int]:
        """Every (segment row, month), and its row."""
        return dict(self._rows)

    def sums_to(self, rows: I64, slot: int) -> I64:
        """Per cohort who came back in and before a slot."""
        return self._counts.sum_to(rows + _BACK, slot)

    def members_to(self, rows: I64, slot: int) -> I64:
        """Per cohort who began in and before a slot."""
        return self._counts.sum_to(rows + _MEMBERS, slot)

    def dense(self) -> dict[tuple[int, ...], int]:
        """Every cell that is not 0, by segment row, month, row and slot: for tests."""
        names = {row: name for name, row in self._rows.items()}
        return {
            (*names[row - row % _ROWS], row % _ROWS, cell): value
            for (row, cell), value in self._counts.dense().items()
        }

    def _add(self, row: int, stores: I64, months: I64, slots: I64, sign: int) -> None:
        if len(stores) == 0:
            return
        highest = int(stores.max())
        if highest >= len(self._places):
            self._places = grown(self._places, highest + 1)
        rows = self._table[self._places[stores], months]
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            for store, month in set(
                zip(stores[missing].tolist(), months[missing].tolist(), strict=True)
            ):
                self._make_row(store, month)
            rows = self._table[self._places[stores], months]
        self._counts.add(rows[np.newaxis], [Term(row, None, slots, sign)])

    def _make_row(self, store: int, month: int) -> None:
        if self._places[store] == 0:
            self._stores += 1
            self._places[store] = self._stores
            if self._stores >= len(self._table):
                larger = np.full((2 * len(self._table), _MONTHS), -1, np.int64)
                larger[: len(self._table)] = self._table
                self._table = larger
        row = self._rows[store, month] = self._counts.add_rows(_ROWS)
        self._table[self._places[store], month] = row
