"""The customers of one partition: who they are, their entries, and what was applied to them."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I32, I64, NEVER_MS, Bools, Records, grown
from stream.domain.book import CompiledBook
from stream.domain.compiled_keeping import CompiledKeeping
from stream.domain.events import store_of
from stream.domain.keeping import Keeping
from stream.domain.plain_book import PlainBook
from stream.domain.plain_keeping import PlainKeeping
from stream.domain.segments import CustomerSegments, SegmentResolver, Segments, ValueCodes
from stream.kernel import EntryLedger

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
        #: Row by key; as rows are never removed, the keys stand in the order of their rows.
        self.index: dict[bytes, int] = {}
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
        if isinstance(book, PlainBook):
            self._keeping = PlainKeeping(book, self._segments, self.dimensions)
        else:
            self._keeping = CompiledKeeping(book, self._segments, self.dimensions)

    def __len__(self) -> int:
        return len(self.index)

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

    def keys_of(self, rows: I64) -> list[bytes]:
        """The key of each of some rows."""
        keys = list(self.index)
        return [keys[row] for row in rows.tolist()]

    def add(self, keys: list[bytes]) -> I64:
        """Make rows for new, distinct keys; returns their numbers."""
        first, count = len(self), len(self) + len(keys)
        self.index.update(zip(keys, range(first, count), strict=True))
        self._keeping.add_rows(len(keys))
        if count > len(self._changed):
            for name in _COLUMNS:
                setattr(self, name, grown(getattr(self, name), count))
        self.applied[first:count] = -1
        self._segments.add(first, self._whole_stores(keys))
        return np.arange(first, count, dtype=np.int64)

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

    def take_restaged(self) -> Bools:
        """Which rows were touched since the last call."""
        restaged = self._restaged[: len(self)].copy()
        self._restaged[: len(self)] = False
        return restaged

    def forget(self, rows: set[int]) -> None:
        """Drop the keys of rows without entries: nothing leads to them, and they say nothing."""
        self.index = {
            b"\0\0\0\0%d" % row if row in rows else key: row for key, row in self.index.items()
        }

    def load(
        self, keys: list[bytes], applied: I64, told: Records, lengths: I64, entries: Records
    ) -> None:
        """Fill an empty partition with restored customers and derive all else from them."""
        rows = self.add(keys)
        self.applied[rows] = applied
        self.told[rows] = told
        self._keeping.load(lengths, entries)
        self._restaged[rows] = True

    def unload(self) -> None:
        """Take every customer's part out of the tallies."""
        self._keeping.unload()

    def _whole_stores(self, keys: list[bytes]) -> I64:
        row_of = dict.fromkeys({key[: key.index(0)] for key in keys}, -1)
        for prefix in row_of:
            row_of[prefix] = self.resolver.whole_store(store_of(prefix + b"\0"))
        if len(row_of) == 1:
            return np.full(len(keys), next(iter(row_of.values())), np.int64)
        return np.array([row_of[key[: key.index(0)]] for key in keys], np.int64)
