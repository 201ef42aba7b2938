"""Money by (segment row, currency): sums per slot, and customers by what they brought."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64
from stream.domain.money import LARGEST_CURRENCY
from stream.domain.nets import Nets
from stream.domain.paged import PagedArray, Term

# Rows under a money row's place. PAYERS: customers whose first order in the currency it is.
GROSS, REFUNDED, ORDERS_PAID, GUESTS_GROSS, PAYERS, ROWS = range(6)

#: Currencies the table begins with room for.
_CURRENCIES = 4


class MoneyTallies:
    """Money rows, made when a segment row first has money of a currency."""

    def __init__(self) -> None:
        self.sums = PagedArray(np.int64)
        self.nets = Nets()
        self._places: dict[tuple[int, int], int] = {}
        #: ``[segment row, column of currency]`` → place, -1 where there is none yet.
        self._table: I64 = np.full((0, _CURRENCIES), -1, np.int64)
        #: By currency number its column in the table, -1 for none yet.
        self._columns: I64 = np.full(LARGEST_CURRENCY + 1, -1, np.int64)
        self._currencies = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.sums.nbytes + self.nets.nbytes + self._table.nbytes

    def places(self) -> dict[tuple[int, int], int]:
        """Every (segment row, currency number) that has money, and its place."""
        return dict(self._places)

    def add(self, segments: I64, currency: I64, terms: list[Term]) -> None:
        """Add terms of orders or returns.

        Args:
            segments: ``[event, dimension]``: segment rows.
            currency: currency number of each.
            terms: what to add; rows as named above.
        """
        self.sums.add(self._places_of(segments, currency) * ROWS, terms)

    def add_nets(self, segments: I64, currency: I64, net_minor_units: I64, sign: int) -> None:
        """Add customers who paid in a currency, by their net, or take them out."""
        if len(currency):
            self.nets.add(self._places_of(segments, currency), net_minor_units, sign)

    def sum_to(self, places: I64, row: int, slot: int) -> I64:
        """Sums of one row under places up to and including a slot."""
        return self.sums.sum_to(places * ROWS + row, slot)

    def _places_of(self, segments: I64, currency: I64) -> I64:
        """Places ``[dimension, event]``."""
        columns = self._columns_of(currency)
        rows = segments.T
        largest = int(rows.max())
        if largest >= len(self._table):
            larger = np.full((2 * (largest + 1), self._table.shape[1]), -1, np.int64)
            larger[: len(self._table)] = self._table
            self._table = larger
        places: I64 = self._table[rows, columns]
        if (places < 0).any():
            currencies = np.broadcast_to(currency, rows.shape)[places < 0]
            self._make(rows[places < 0], currencies)
            places = self._table[rows, columns]
        return places

    def _columns_of(self, currency: I64) -> I64:
        columns = self._columns[currency]
        if (columns < 0).any():
            for number in np.unique(currency[columns < 0]).tolist():
                self._columns[number] = self._currencies
                self._currencies += 1
            missing = max(0, self._currencies - self._table.shape[1])
            self._table = np.pad(self._table, ((0, 0), (0, missing)), constant_values=-1)
            columns = self._columns[currency]
        return columns

    def _make(self, segment_rows: I64, currency: I64) -> None:
        for segment, number in set(zip(segment_rows.tolist(), currency.tolist(), strict=True)):
            place = len(self._places)
            self.sums.add_rows(ROWS)
            self.nets.add_rows()
            self._places[segment, number] = place
            self._table[segment, self._columns[number]] = place
