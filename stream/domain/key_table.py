"""Customers' keys by row, and rows by key: what the kernel's table does, in Python."""

from __future__ import annotations

from itertools import repeat

import numpy as np

from stream.domain.arrays import I64
from stream.domain.key_column import KeyColumn


class PlainKeyTable:
    """Implements ``KeyTable``, whose arguments take a ``KeyColumn`` apart."""

    def __init__(self) -> None:
        self._rows: dict[bytes, int] = {}
        self._keys: list[bytes] = []

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def nbytes(self) -> int:
        """Bytes of the keys; what Python needs to hold them is several times that."""
        return sum(map(len, self._keys))

    def find(self, text: bytes, begins: I64, ends: I64) -> I64:
        """The row of each key, -1 where there is none."""
        keys = KeyColumn(text, begins, ends)
        return np.array(list(map(self._rows.get, keys, repeat(-1))), np.int64)

    def add(self, text: bytes, begins: I64, ends: I64) -> I64:
        """The row of each key; those that have none get the next ones."""
        rows = []
        for key in KeyColumn(text, begins, ends):
            row = self._rows.setdefault(key, len(self._keys))
            if row == len(self._keys):
                self._keys.append(key)
            rows.append(row)
        return np.array(rows, np.int64)

    def keys(self, rows: I64) -> list[bytes]:
        """The keys of some rows."""
        return [self._keys[row] for row in rows.tolist()]

    def stores(self, first_row: int) -> tuple[list[bytes], I64]:
        """What stands before the NUL in the keys of all rows from one on."""
        places: dict[bytes, int] = {}
        of_rows = [
            places.setdefault(key.partition(b"\0")[0], len(places))
            for key in self._keys[first_row:]
        ]
        return list(places), np.array(of_rows, np.int64)

    def have_nuls(self) -> bool:
        """Whether there is a NUL in every key."""
        return all(0 in key for key in self._keys)

    def forget(self, rows: I64) -> None:
        """Have nothing lead to some rows any more, and overwrite their keys."""
        for row in rows.tolist():
            self._rows.pop(self._keys[row], None)
            self._keys[row] = bytes(len(self._keys[row]))
