"""Rows made for pairs of numbers when first met, such as (segment row, currency)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stream.domain.arrays import I64

#: Second numbers the table begins with room for.
_COLUMNS = 4


class Places:
    """Numbers from 0 on for pairs, in the order in which they came.

    Args:
        largest_second: the largest second number of a pair.
    """

    def __init__(self, largest_second: int) -> None:
        self._pairs: list[tuple[int, int]] = []
        #: ``[first, column of second]`` → place, -1 where there is none yet.
        self._table: I64 = np.full((0, _COLUMNS), -1, np.int64)
        #: By second number its column in the table, -1 for none yet.
        self._columns: I64 = np.full(largest_second + 1, -1, np.int64)
        self._seconds = 0

    def pairs(self) -> list[tuple[int, int]]:
        """Every pair, by place."""
        return list(self._pairs)

    def of(self, firsts: I64, seconds: I64, make: Callable[[], None]) -> I64:
        """The places of pairs.

        Args:
            firsts: of each, of any shape.
            seconds: likewise, or of a shape that is repeated over it.
            make: called for each pair that is new.
        """
        columns = self._columns_of(seconds)
        largest = int(firsts.max())
        if largest >= len(self._table):
            larger = np.full((2 * (largest + 1), self._table.shape[1]), -1, np.int64)
            larger[: len(self._table)] = self._table
            self._table = larger
        places: I64 = self._table[firsts, columns]
        missing = places < 0
        if missing.any():
            wanted = np.broadcast_to(seconds, firsts.shape)[missing].tolist()
            for pair in dict.fromkeys(zip(firsts[missing].tolist(), wanted, strict=True)):
                self._table[pair[0], self._columns[pair[1]]] = len(self._pairs)
                self._pairs.append(pair)
                make()
            places = self._table[firsts, columns]
        return places

    def _columns_of(self, seconds: I64) -> I64:
        columns = self._columns[seconds]
        if (columns < 0).any():
            for number in np.unique(seconds[columns < 0]).tolist():
                self._columns[number] = self._seconds
                self._seconds += 1
            missing = max(0, self._seconds - self._table.shape[1])
            self._table = np.pad(self._table, ((0, 0), (0, missing)), constant_values=-1)
            columns = self._columns[seconds]
        return columns
