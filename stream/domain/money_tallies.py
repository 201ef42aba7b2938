"""Money by (segment row, currency): sums per slot, and customers by what they brought."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64
from stream.domain.money import LARGEST_CURRENCY
from stream.domain.nets import Nets, NetSums
from stream.domain.paged import PagedArray, Term, dense
from stream.domain.places import Places
from stream.kernel import Paged, PlaceTable

# Rows under a money row's place. PAYERS: customers whose first order in the currency it is.
GROSS, REFUNDED, ORDERS_PAID, GUESTS_GROSS, PAYERS, ROWS = range(6)


class MoneySums:
    """Money rows, made when a segment row first has money of a currency."""

    def __init__(self, places: PlaceTable, sums: Paged, nets: NetSums) -> None:
        self._pairs = places.pairs
        self._sums = sums
        self.nets = nets

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._sums.nbytes + self.nets.nbytes

    def places(self) -> dict[tuple[int, int], int]:
        """Every (segment row, currency number) that has money, and its place."""
        return {pair: place for place, pair in enumerate(self._pairs())}

    def sum_to(self, places: I64, row: int, slot: int) -> I64:
        """Sums of one row under places up to and including a slot."""
        return self._sums.sum_to(places * ROWS + row, slot)

    def dense(self) -> dict[tuple[int, int], int]:
        """Every sum that is not 0: for comparisons in tests."""
        return dense(self._sums)


class MoneyTallies(MoneySums):
    """Those, and adding to them."""

    def __init__(self) -> None:
        self.places_table = Places(LARGEST_CURRENCY)
        self.sums: PagedArray = PagedArray(np.int64)
        self.nets: Nets = Nets()
        super().__init__(self.places_table, self.sums, self.nets)

    def add(self, segments: I64, currency: I64, terms: list[Term]) -> None:
        """Add terms of orders or returns.

        Args:
            segments: ``[event, dimension]``: segment rows.
            currency: currency number of each.
            terms: what to add; rows as named above.
        """
        self.sums.add_terms(self._places_of(segments, currency) * ROWS, terms)

    def add_nets(self, segments: I64, currency: I64, net_minor_units: I64, sign: int) -> None:
        """Add customers who paid in a currency, by their net, or take them out."""
        if len(currency):
            self.nets.add(self._places_of(segments, currency), net_minor_units, sign)

    def _places_of(self, segments: I64, currency: I64) -> I64:
        """Places ``[dimension, event]``."""
        return self.places_table.of(segments.T, currency, self._make)

    def _make(self) -> None:
        self.sums.add_rows(ROWS)
        self.nets.add_rows()
