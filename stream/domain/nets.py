"""Customers by lifetime net revenue, in buckets a hundredth wide, to find the top few's share.

The relative buckets of DDSketch (Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable
quantile sketch", VLDB 2019), with a sum beside each count: whole buckets are exact, and only of
the one bucket in which the top ends a part is taken, by its mean. Unlike most sketches it can
take a customer out again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stream.domain.arrays import I64
from stream.domain.paged import PagedArray, Term, dense
from stream.kernel import Paged

_BUCKET_RATIO = 1.01
_LARGEST_NET = 2.0**63
_BUCKETS = int(np.log(_LARGEST_NET) / np.log(_BUCKET_RATIO))
#: The least net of each bucket from 1 on; in bucket 0 is nothing, and less.
NET_LIMITS = np.ceil(_BUCKET_RATIO ** np.arange(_BUCKETS)).astype(np.int64)
# Rows under a money row.
_CUSTOMERS, _MINOR_UNITS, ROWS = range(3)


class NetBuckets(NamedTuple):
    """The buckets that hold customers, ascending: a greater one holds greater nets."""

    buckets: list[int]
    #: Customers in each, and what they brought together.
    customers: list[int]
    minor_units: list[int]

    @classmethod
    def none(cls) -> NetBuckets:
        """No customers."""
        return cls([], [], [])

    def plus(self, other: NetBuckets) -> NetBuckets:
        """These customers and those."""
        buckets = np.array(self.buckets + other.buckets, np.int64)
        together, at = np.unique(buckets, return_inverse=True)
        sums = np.zeros((2, len(together)), np.int64)
        for total, mine, its in zip(sums, self[1:], other[1:], strict=True):
            np.add.at(total, at, np.array(mine + its, np.int64))
        return NetBuckets(together.tolist(), *sums.tolist())

    def top_minor_units(self, customers: int) -> float:
        """What the ``customers`` with the greatest nets brought, within 1 % of one bucket."""
        brought = 0.0
        for held, minor_units in zip(self.customers[::-1], self.minor_units[::-1], strict=True):
            if held >= customers:
                return brought + minor_units * customers / held
            customers -= held
            brought += minor_units
        return brought


class NetSums:
    """Counts and sums by bucket, under every (segment row, currency)."""

    def __init__(self, cells: Paged) -> None:
        self._cells = cells

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._cells.nbytes

    def buckets(self, place: int) -> NetBuckets:
        """The buckets under one money row that hold customers."""
        first = place * ROWS
        return NetBuckets(*self._cells.row_cells_beside(first + _CUSTOMERS, first + _MINOR_UNITS))

    def dense(self) -> dict[tuple[int, int], int]:
        """Every cell that is not 0: for comparisons in tests."""
        return dense(self._cells)


class Nets(NetSums):
    """Those, and adding customers to them."""

    def __init__(self) -> None:
        self.cells: PagedArray = PagedArray(np.int64)
        super().__init__(self.cells)

    def add_rows(self) -> None:
        """Room for the next money row."""
        self.cells.add_rows(ROWS)

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
        self.cells.add_terms(places * ROWS, terms)


def buckets_of(net_minor_units: I64) -> I64:
    """The bucket of each net: 0 for nothing or less, then a hundredth wider each."""
    return np.searchsorted(NET_LIMITS, net_minor_units, side="right").astype(np.int64)
