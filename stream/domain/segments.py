"""Which segment row of the tallies stands for which (store, dimension, segment)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stream.domain.arrays import I32, I64, Bools, grown
from stream.domain.events import TextColumn
from stream.domain.segment_names import ALL, OTHER, UNKNOWN
from stream.domain.tallies import Tallies


class Segment(NamedTuple):
    """One segment of one dimension of one store; the whole store is ``all``, ``all``."""

    store: str
    dimension: str
    name: str


class Segments:
    """Segment rows by name, made when first met."""

    def __init__(self, tallies: Tallies, dimensions: tuple[str, ...]) -> None:
        self.names: list[Segment] = []
        self.dimensions = dimensions
        self._tallies = tallies
        self._rows: dict[Segment, int] = {}
        #: For each row whether it stands for customers without a value.
        self.unknown: Bools = np.zeros(0, np.bool_)

    def row(self, segment: Segment) -> int:
        """The row of a segment."""
        row = self._rows.get(segment)
        if row is None:
            row = self._rows[segment] = self._tallies.add_segment_row()
            self.names.append(segment)
            if row >= len(self.unknown):
                self.unknown = grown(self.unknown, row + 1)
            self.unknown[row] = segment.name == UNKNOWN
        return row


class ValueCodes:
    """The texts that events carried in any dimension, as codes of 16 bits; 0 is none."""

    #: Past this many distinct texts in one partition the rest are ``other``: each costs tens of
    #: kilobytes in the tallies, and no report shows more than fifty.
    LIMIT = 2_000

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._codes: dict[str, int] = {"": 0}

    def load(self, texts: list[str]) -> None:
        """Take the texts of a stored table, code by code."""
        self.texts = list(texts)
        self._codes = {text: code for code, text in enumerate(texts)}

    def encode(self, column: TextColumn) -> I64:
        """Codes of a column of texts; none is 0."""
        met = np.bincount(column.places, minlength=len(column.texts)) > 0
        table = [
            self._known_code(text) if is_met else 0
            for text, is_met in zip(column.texts, met.tolist(), strict=True)
        ]
        return np.array(table, np.int64)[column.places]

    def _known_code(self, text: str) -> int:
        code = self._codes.get(text)
        if code is None:
            code = self._code(text if len(self.texts) < self.LIMIT else OTHER)
        return code

    def _code(self, text: str) -> int:
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return code


class SegmentResolver:
    """Segment rows of customers, from their store and value codes; one per partition."""

    def __init__(self, segments: Segments, codes: ValueCodes) -> None:
        self._segments = segments
        self._codes = codes
        self._tables: dict[int, I64] = {}

    def whole_store(self, store: str) -> int:
        """The row of a whole store."""
        return self._segments.row(Segment(store, ALL, ALL))

    def is_known(self, rows: I64) -> Bools:
        """Whether each segment row stands for a value that was carried."""
        return ~self._segments.unknown[rows]

    def rows(self, whole_store: I64, codes: I64) -> I64:
        """Segment rows ``[customer, 1 + dimension]`` of customers.

        Args:
            whole_store: row of each customer's whole store.
            codes: value codes ``[customer, dimension]``.
        """
        rows = np.empty((len(codes), 1 + codes.shape[1]), np.int64)
        rows[:, 0] = whole_store
        for store_row in np.unique(whole_store).tolist():
            of = np.flatnonzero(whole_store == store_row)
            table = self._table(store_row)
            for dimension in range(codes.shape[1]):
                found = table[dimension][codes[of, dimension]]
                if (found < 0).any():
                    self._resolve(store_row, table, dimension, codes[of, dimension])
                    found = table[dimension][codes[of, dimension]]
                rows[of, 1 + dimension] = found
        return rows

    def _table(self, store_row: int) -> I64:
        table = self._tables.get(store_row)
        if table is None or table.shape[1] < len(self._codes.texts):
            larger = np.full(
                (len(self._segments.dimensions), 2 * len(self._codes.texts)), -1, np.int64
            )
            if table is not None:
                larger[:, : table.shape[1]] = table
            table = self._tables[store_row] = larger
        return table

    def _resolve(self, store_row: int, table: I64, dimension: int, codes: I64) -> None:
        store = self._segments.names[store_row].store
        for code in np.unique(codes).tolist():
            if table[dimension, code] < 0:
                name = self._codes.texts[code] or UNKNOWN
                table[dimension, code] = self._segments.row(
                    Segment(store, self._segments.dimensions[dimension], name)
                )


class CustomerSegments:
    """Which segment rows each customer of a partition is in, ``[row, dimension]``."""

    def __init__(self, resolver: SegmentResolver, dimensions: int) -> None:
        self.resolver = resolver
        #: The first column is the whole store; more rows than there are customers.
        self.rows: I32 = np.zeros((0, 1 + dimensions), np.int32)

    def add(self, first: int, whole_stores: I64) -> None:
        """Take customers in from a row on, so far in their whole stores only."""
        count = first + len(whole_stores)
        if count > len(self.rows):
            self.rows = grown(self.rows, count)
        self.rows[first:count, 0] = whole_stores

    def of(self, rows: I64) -> I64:
        """Segment rows of some customers."""
        return self.rows[rows].astype(np.int64)

    def resolve(self, rows: I64, codes: I64) -> I64:
        """Put customers where their value codes say; where that is."""
        segments = self.resolver.rows(self.rows[rows, 0].astype(np.int64), codes)
        self.rows[rows] = segments
        return segments
