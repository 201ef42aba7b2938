"""What both ways to keep customers' entries and their tallies have: compiled, and the reference."""

from __future__ import annotations

from typing import Protocol

from stream.domain.arrays import I64, Bools, Records
from stream.kernel import EntryLedger


class Keeping(Protocol):
    """The entries of a partition's customers, and their part in the tallies."""

    @property
    def ledger(self) -> EntryLedger:
        """The entries."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""

    def add_rows(self, count: int) -> None:
        """Append rows without entries."""

    def apply(self, rows: I64, events: Records) -> tuple[I64, Bools]:
        """Apply events to their customers.

        Args:
            rows: the row of each event, which must be there.
            events: as entries in order of arrival; orders with the flag PLACED, cancellations with
                a kind of their own.

        Returns:
            The distinct rows, and True for each event that was a duplicate and changed nothing.
        """

    def load(self, lengths: I64, entries: Records) -> None:
        """Fill all rows, which must be empty.

        Args:
            lengths: entries of each row.
            entries: each row's together and in order.
        """

    def replace(self, rows: I64, lengths: I64, entries: Records) -> None:
        """Give distinct rows other entries, without a change of the tallies.

        Args:
            rows: to change.
            lengths: entries of each afterwards.
            entries: each row's together and in order; together they have the terms of before.
        """

    def unload(self) -> None:
        """Take every customer's part out of the tallies."""
