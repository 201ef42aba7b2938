"""The customers of one partition: who they are, their entries, and what was applied to them."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I32, I64, NEVER_MS, Bools, Records, grown
from stream.domain.book import CompiledBook
from stream.domain.compiled_keeping import CompiledKeeping
from stream.domain.events import store_of
from stream.domain.keeping import Keeping
from stream.domain.key_column import KeyColumn
from stream.domain.key_table import PlainKeyTable
from stream.domain.plain_book import PlainBook
from stream.domain.plain_keeping import PlainKeeping
from stream.domain.segments import CustomerSegments, SegmentResolver, Segments, ValueCodes
from stream.kernel import EntryLedger, KeyTable

_COLUMNS = ("applied", "_changed", "told", "next_turn_ms", "_restaged")

#: What was told of a customer's lifecycle, also in its durable form: through which turn of its
#: timeline, the stage told last (see :mod:`stream.domain.lifecycle`), and how many changes.
TOLD_TYPE = np.dtype(
    [("through_ms", "<i8"), ("count", "<u4"), ("stage", "u1"), ("padding", "u1", (3,))]
)


class Customers:
    """Customers as rows of columns, numbered from 0 in order of arrival.

    Args:
        book: gets their part in the tallies.
        segments: of all partitions.
        topics: how many topics events come from.
    """

    def __init__(self, book: PlainBook | CompiledBook, segments: Segments, topics: int) -> None:
        self.dimensions = len(segments.dimensions)
        self.codes = ValueCodes()
        #: Greatest event time of all usable events that came to this partition.
        self.latest_ms = NEVER_MS
        #: The same of purchases' topic alone: the clock of its customers in event time.
        self.purchases_ms = NEVER_MS
        #: Per topic the offset last applied to a customer: what makes a replay harmless.
        self.applied: I64 = np.zeros((0, topics), np.int64)
        self._changed: Bools = np.zeros(0, np.bool_)
        #: See TOLD_TYPE.
        self.told: Records = np.zeros(0, TOLD_TYPE)
        #: When a customer's stage changes next if it orders nothing, as far as was looked at.
        self.next_turn_ms: I64 = np.zeros(0, np.int64)
        self._restaged: Bools = np.zeros(0, np.bool_)
        self.resolver = SegmentResolver(segments, self.codes)
        self._segments = CustomerSegments(self.resolver, self.dimensions)
        self._keeping: Keeping
        self._keys: KeyTable
        if isinstance(book, PlainBook):
            self._keys = PlainKeyTable()
            self._keeping = PlainKeeping(book, self._segments, self.dimensions)
        else:
            self._keys = book.compiled.KeyTable()
            self._keeping = CompiledKeeping(book, self._segments, self.dimensions)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def ledger(self) -> EntryLedger:
        """Every customer's entries."""
        return self._keeping.ledger

    @property
    def segments(self) -> I32:
        """Segment rows of each customer, ``[row, dimension]``; the first is the whole store."""
        return self._segments.rows

    @property
    def clock(self) -> tuple[int, int]:
        """The greatest event times: of all, and of purchases."""
        return self.latest_ms, self.purchases_ms

    def find(self, keys: KeyColumn) -> I64:
        """The row of each key, -1 where there is none."""
        return self._keys.find(keys.text, keys.begins, keys.ends)

    def row_of(self, key: bytes) -> int | None:
        """The row of a key; None where there is none."""
        row = int(self.find(KeyColumn.of([key]))[0])
        return None if row < 0 else row

    def keys_of(self, rows: I64) -> list[bytes]:
        """The keys of some rows."""
        return self._keys.keys(rows)

    def add(self, keys: KeyColumn) -> I64:
        """The row of each key; those that have none get the next ones, in their order."""
        first = len(self)
        rows = self._keys.add(keys.text, keys.begins, keys.ends)
        self._add_rows(first)
        return rows

    def apply(self, rows: I64, events: Records) -> Bools:
        """Apply events to their customers: see ``Keeping``; True for each duplicate."""
        distinct, duplicates = self._keeping.apply(rows, events)
        self.mark_changed(distinct)
        return duplicates

    def move(self, row: int, target: int | None, entries: Records) -> None:
        """Take all entries from a row; the tallies stay.

        Args:
            row: has none afterwards, and has to be written.
            target: an empty row of the same store that gets entries in their place; None: none.
            entries: with the very terms that the row's had.
        """
        rows = np.array([row] if target is None else [row, target], np.int64)
        lengths = np.array([0, len(entries)][: len(rows)], np.int64)
        self._keeping.replace(rows, lengths, entries)
        # What was told is told; of who is erased nothing more is.
        if target is not None:
            self.told[target] = self.told[row]
            self._restaged[target] = True
        self.told[row] = np.zeros((), TOLD_TYPE)
        self.mark_changed(rows[:1])

    def mark_changed(self, rows: I64) -> None:
        """Note rows whose state must be written at the next flush, and their stage looked at."""
        self._changed[rows] = True
        self._restaged[rows] = True

    def mark_told(self, rows: I64) -> None:
        """Note rows of which something was told, which must be written at the next flush."""
        self._changed[rows] = True

    def take_changed(self) -> I64:
        """Rows changed since the last call."""
        rows = np.flatnonzero(self._changed[: len(self)])
        self._changed[rows] = False
        return rows

    def take_restaged(self) -> I64:
        """Rows touched since the last call."""
        rows = np.flatnonzero(self._restaged[: len(self)])
        self._restaged[rows] = False
        return rows

    def forget(self, rows: I64) -> None:
        """Drop the keys of rows without entries: nothing leads to them, and they say nothing."""
        self._keys.forget(rows)

    def load(
        self, keys: KeyTable, applied: I64, told: Records, lengths: I64, entries: Records
    ) -> None:
        """Fill an empty partition with restored customers, one for each key, and derive all else.

        Args:
            keys: is kept.
            applied: per customer and topic the offset last applied.
            told: see ``TOLD_TYPE``.
            lengths: how many entries each customer has.
            entries: of all customers, each one's together and in order.
        """
        self._keys = keys
        self._add_rows(0)
        restored = slice(len(self))
        self.applied[restored] = applied
        self.told[restored] = told
        self._keeping.load(lengths, entries)
        self._restaged[restored] = True

    def unload(self) -> None:
        """Take every customer's part out of the tallies."""
        self._keeping.unload()

    def _add_rows(self, first: int) -> None:
        """Have all else for the keys from a row on."""
        count = len(self)
        self._keeping.add_rows(count - first)
        if count > len(self._changed):
            for name in _COLUMNS:
                setattr(self, name, grown(getattr(self, name), count))
        self.applied[first:count] = -1
        self._segments.add(first, self._whole_stores(first))

    def _whole_stores(self, first_row: int) -> I64:
        """Segment rows of the whole stores of all customers from a row on."""
        stores, of_rows = self._keys.stores(first_row)
        rows = [self.resolver.whole_store(store_of(store + b"\0")) for store in stores]
        return np.array(rows, np.int64)[of_rows]
