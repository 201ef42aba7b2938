"""A column of customers' keys: one text with all of them, so that no object is made for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from stream.domain.arrays import I64


@dataclass(frozen=True, slots=True, eq=False)
class KeyColumn:
    """Keys as parts of a text; the parts may lie anywhere in it."""

    text: bytes
    #: Where in the text each key begins.
    begins: I64
    #: Where each ends; of the same length.
    ends: I64

    @classmethod
    def of(cls, keys: Iterable[bytes]) -> Self:
        """A column of these keys."""
        keys = list(keys)
        return cls.in_a_row(b"".join(keys), np.cumsum(list(map(len, keys)), dtype=np.int64))

    @classmethod
    def in_a_row(cls, text: bytes, ends: I64) -> Self:
        """The column of keys that follow one another in a text."""
        begins = np.zeros(len(ends), np.int64)
        begins[1:] = ends[:-1]
        return cls(text, begins, ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, place: int) -> bytes:
        return self.text[self.begins[place] : self.ends[place]]

    def __iter__(self) -> Iterator[bytes]:
        for begin, end in zip(self.begins.tolist(), self.ends.tolist(), strict=True):
            yield self.text[begin:end]

    def take(self, at: I64) -> Self:
        """The keys at these places of the column."""
        return type(self)(self.text, self.begins[at], self.ends[at])

    def replaced(self, at: I64, keys: KeyColumn) -> Self:
        """The column with other keys in these places."""
        begins, ends = self.begins.copy(), self.ends.copy()
        begins[at] = keys.begins + len(self.text)
        ends[at] = keys.ends + len(self.text)
        return type(self)(self.text + keys.text, begins, ends)
