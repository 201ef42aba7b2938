"""How entries and their tallies are kept by the compiled kernel."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64, Bools, Records
from stream.domain.book import CompiledBook
from stream.domain.entries import carried_values, entry_type
from stream.domain.segments import CustomerSegments


class CompiledKeeping:
    """Implements ``Keeping``; arguments as of ``PlainKeeping``, which is its reference.

    Every event takes the exact path: a customer's entries are merged with it, and the terms from
    the first change on are taken out and added again.
    """

    def __init__(self, book: CompiledBook, segments: CustomerSegments, dimensions: int) -> None:
        self._compiled = book.compiled
        self._tallies = book.tallies
        self._segments = segments
        self._dimensions = dimensions
        self.ledger = self._compiled.Ledger(entry_type(dimensions))

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.ledger.nbytes

    def add_rows(self, count: int) -> None:
        """Append rows without entries."""
        self.ledger.add_rows(count)

    def apply(self, rows: I64, events: Records) -> tuple[I64, Bools]:
        """Apply events to their customers."""
        merge = self._compiled.merge_events(self.ledger, rows, events, self._dimensions)
        distinct = merge.rows
        before = self._segments.of(distinct)
        after = self._segments.resolve(distinct, merge.codes(self.ledger))
        self._tallies.commit(merge, self.ledger, before, after)
        return distinct, merge.duplicates.astype(np.bool_)

    def load(self, lengths: I64, entries: Records) -> None:
        """Fill all rows, which must be empty."""
        rows = np.arange(self.ledger.rows, dtype=np.int64)
        # Rows without entries are there already; the ledger takes them again, packed.
        self.ledger = self._compiled.Ledger(entry_type(self._dimensions))
        self.ledger.load(lengths, entries)
        self._segments.resolve(rows, self._compiled.carried_codes(self.ledger, self._dimensions))
        self._contribute(1)

    def replace(self, rows: I64, lengths: I64, entries: Records) -> None:
        """Give distinct rows other entries, without a change of the tallies."""
        self.ledger.replace(rows, lengths, entries)
        owners = np.repeat(np.arange(len(rows)), lengths)
        self._segments.resolve(rows, carried_values(entries, owners, len(rows)))

    def unload(self) -> None:
        """Take every customer's part out of the tallies."""
        self._contribute(-1)

    def _contribute(self, sign: int) -> None:
        rows = np.arange(self.ledger.rows, dtype=np.int64)
        self._tallies.contribute(self.ledger, self._segments.of(rows), sign)
