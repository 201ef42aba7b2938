"""Customers by lifetime net revenue, in buckets a hundredth wide, to find the top few's share.

The relative buckets of DDSketch (Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable
quantile sketch", VLDB 2019), with a sum beside each count: whole buckets are exact, and only of
the one bucket in which the top ends a part is taken, by its mean. Unlike most sketches it can
take a customer out again.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stream.domain.arrays import I64
from stream.domain.paged import PagedArray, Term

_BUCKET_WIDTH = np.log(1.01)
# Rows under a money row.
_CUSTOMERS, _MINOR_UNITS, ROWS = range(3)

#: By bucket (a greater one holds greater nets): customers in it, and their minor units.
NetBuckets = Mapping[int, tuple[int, int]]


class Nets:
    """Counts and sums by bucket, under every (segment row, currency)."""

    def __init__(self) -> None:
        self._cells = PagedArray(np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._cells.nbytes

    def add_rows(self) -> None:
        """Room for the next money row."""
        self._cells.add_rows(ROWS)

    def add(self, places: I64, net_minor_units: I64, sign: int) -> None:
        """Add customers (or take them out).

        Args:
            places: ``[dimension, customer]``: number of the money row.
            net_minor_units: of each customer, in the row's currency.
            sign: 1 or -1.
        """
        if len(net_minor_units) == 0:
            return
        cells = buckets_of(net_minor_units)
        terms = [
            Term(_CUSTOMERS, None, cells, sign),
            Term(_MINOR_UNITS, None, cells, net_minor_units * sign),
        ]
        self._cells.add(places * ROWS, terms)

    def buckets(self, place: int) -> dict[int, tuple[int, int]]:
        """The buckets under one money row that hold customers."""
        customers = self._cells.row_cells(place * ROWS + _CUSTOMERS)
        sums = self._cells.row_cells(place * ROWS + _MINOR_UNITS)
        return {bucket: (count, sums.get(bucket, 0)) for bucket, count in customers.items()}

    def dense(self) -> dict[tuple[int, int], int]:
        """Every cell that is not 0: for comparisons in tests."""
        return self._cells.dense()


def buckets_of(net_minor_units: I64) -> I64:
    """The bucket of each net: 0 for nothing or less, then a hundredth wider each."""
    logs = np.log(np.maximum(net_minor_units, 1))
    return np.where(net_minor_units > 0, 1 + np.floor(logs / _BUCKET_WIDTH), 0).astype(np.int64)


def top_minor_units(buckets: NetBuckets, customers: int) -> float:
    """What the ``customers`` with the greatest nets brought, within 1 % of the last bucket."""
    wanted, total = customers, 0.0
    for bucket in sorted(buckets, reverse=True):
        held, minor_units = buckets[bucket]
        if held >= wanted:
            return total + minor_units * wanted / held
        wanted -= held
        total += minor_units
    return total
