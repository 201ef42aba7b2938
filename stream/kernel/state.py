"""What the compiled kernel keeps: the state of customers and what it adds up to, as protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

I32: TypeAlias = NDArray[np.int32]
I64: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]
Records: TypeAlias = NDArray[np.void]


class Paged(Protocol):
    """Rows of integer cells; reference: ``stream/domain/paged.py``."""

    @property
    def rows(self) -> int:
        """Rows there are."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""

    def add_rows(self, count: int) -> int:
        """Append empty rows; the number of the first."""

    def add(self, rows: I64, cells: I64, amounts: I64) -> None:
        """Add amounts to cells of rows.

        Raises:
            ValueError: when the columns are not of one length.
            IndexError: when there is no such row.
        """

    def sum_to(self, rows: I64, cell: int) -> I64:
        """For each row the sum of its cells up to and including ``cell``."""

    def row_cells(self, row: int) -> list[tuple[int, int]]:
        """The cells of a row that are not 0, ascending, with their values."""

    def row_cells_beside(self, row: int, other: int) -> tuple[list[int], list[int], list[int]]:
        """The same as three columns: cells, their values, and what another row holds there."""

    def first_cell(self, row: int) -> int | None:
        """The first cell of a row that is not 0; None when all are."""


class PlaceTable(Protocol):
    """Numbers from 0 on for pairs; reference: ``stream/domain/places.py``."""

    def pairs(self) -> list[tuple[int, int]]:
        """Every pair, by place."""


class KeyTable(Protocol):
    """Keys of customers by row, and rows by key; reference: ``stream/domain/key_table.py``.

    Rows are numbered from 0 in order of arrival. Keys are given as parts of a text, from
    ``begins`` to ``ends``; a ValueError is raised when one is not within it.
    """

    def __len__(self) -> int:
        """Rows there are."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""

    def find(self, text: bytes, begins: I64, ends: I64) -> I64:
        """The row of each key, -1 where there is none."""

    def add(self, text: bytes, begins: I64, ends: I64) -> I64:
        """The row of each key; those that have none get the next ones."""

    def keys(self, rows: I64) -> list[bytes]:
        """The keys of some rows."""

    def stores(self, first_row: int) -> tuple[list[bytes], I64]:
        """What stands before the NUL in the keys of all rows from one on.

        Returns:
            The distinct ones, and for each row the place of its own.
        """

    def have_nuls(self) -> bool:
        """Whether there is a NUL in every key."""

    def forget(self, rows: I64) -> None:
        """Have nothing lead to some rows any more, and overwrite their keys."""


class LatestRecords(Protocol):
    """The latest value of every key of a changelog; reference: ``stream/wire/latest_records.py``.

    No text has a byte 0xFF: keys that begin with it are no customers', and are kept apart.
    Customers' records are rows, numbered from 0 in the order in which their keys came.
    """

    def __len__(self) -> int:
        """Customers' records there are."""

    def take(self, keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> None:
        """Take records, in the order of the log.

        Args:
            keys: None is taken as an empty key, which is no customer's either.
            values: as many; None deletes its key.
        """

    def others(self) -> dict[bytes, bytes]:
        """The records whose keys are no customers'."""

    def keys(self) -> KeyTable:
        """The keys of all rows; whoever gets it may keep it, and nothing is taken after that."""

    def get(self, key: bytes) -> bytes | None:
        """A customer's value; None where there is none."""

    def at(self, row: int) -> tuple[bytes, bytes]:
        """The key and the value of a row.

        Raises:
            IndexError: when there is no such row.
        """

    def parts(self, header_size: int, count_at: int, entry_size: int) -> tuple[Bytes, Bytes, I64]:
        """All values taken apart into the headers in front and the entries that follow them.

        Args:
            header_size: bytes of a header.
            count_at: where in it the number of entries stands, 32 bits.
            entry_size: bytes of an entry.

        Returns:
            Headers and entries of all rows, and the bytes of each whole value, of which something
            may stand behind its entries.

        Raises:
            ValueError: when a value is shorter than it says.
        """


class CompiledLatestRecords(LatestRecords, Protocol):
    """The kernel's, which takes whole batches as well."""

    def read(
        self, data: bytes, part: tuple[int, int], base_offset: int, count: int, from_offset: int
    ) -> None:
        """Take the records that ``read_records`` gives for these arguments.

        Raises:
            ValueError: when these are not records; those before the first that is none are taken.
        """


class EntryLedger(Protocol):
    """Every customer's entries, by row."""

    @property
    def rows(self) -> int:
        """Rows there are."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""

    @property
    def entries(self) -> int:
        """Entries held."""

    def add_rows(self, count: int) -> None:
        """Append rows without entries."""

    def lengths(self, rows: I64) -> I64:
        """How many entries each row has."""

    def latest_ms(self, rows: I64, never_ms: int) -> I64:
        """Time of each row's last entry, or ``never_ms``."""

    def gather(self, rows: I64) -> tuple[Records, I64]:
        """All entries of some rows, in the order given, and how many each row has."""

    def append(self, rows: I64, added: I64, entries: Records) -> None:
        """Append to the runs of distinct rows: ``added[i]`` of the entries go to ``rows[i]``."""

    def replace(self, rows: I64, lengths: I64, entries: Records) -> None:
        """Give distinct rows new runs: the next ``lengths[i]`` of the entries are ``rows[i]``'s."""

    def load(self, lengths: I64, entries: Records) -> None:
        """Append rows with their runs, packed."""


class Merge(Protocol):
    """Events merged into their customers' entries, not yet part of ledger and tallies."""

    @property
    def rows(self) -> I64:
        """The distinct rows."""

    @property
    def duplicates(self) -> NDArray[np.uint8]:
        """For each event 1 when it said nothing new."""

    def codes(self, ledger: EntryLedger) -> I64:
        """Per row and dimension the value code of its earliest carrier, after the merge."""


class TallyBook(Protocol):
    """All tallies; reference: ``stream/domain/plain_book.py``."""

    counts: Paged
    sums: Paged
    gaps: Paged
    money_places: PlaceTable
    money_sums: Paged
    money_nets: Paged
    order_cohort_places: PlaceTable
    order_cohorts: Paged
    signup_cohort_places: PlaceTable
    signup_cohorts: Paged

    def add_segment_row(self) -> int:
        """A new segment row, all zeros."""

    def occupied(self) -> I64:
        """Segment rows with any order, return or signup."""

    def commit(self, merge: Merge, ledger: EntryLedger, old_segments: I64, segments: I64) -> None:
        """Put a merge into the ledger, and the difference it makes into the tallies.

        Args:
            merge: made with this ledger, which has not changed since.
            ledger: the entries.
            old_segments: segment rows of the merge's rows so far, ``[row, dimension]``.
            segments: the same from now on.
        """

    def contribute(self, ledger: EntryLedger, segments: I64, sign: int) -> None:
        """Add what the customers of all rows are (1), or take it out (-1)."""


#: The columns of ``StageChanges`` in ``stream/domain/stage_changes.py``, in its order.
StageColumns: TypeAlias = Sequence[I64]


class Lifecycle(Protocol):
    """Customers' stages by some rules; reference: ``stream/domain/stage_changes.py``."""

    def look_at(
        self, ledger: EntryLedger, rows: I64, told: Records, bound_ms: int
    ) -> tuple[Bytes, I64, StageColumns]:
        """What there is to tell of some customers.

        Args:
            ledger: has their entries.
            rows: distinct ones.
            told: per row what was told of it; see ``TOLD_TYPE`` in ``stream/domain/customers.py``.
            bound_ms: changes before it are told.

        Returns:
            What is told of each row now; when each changes next; and the changes, row after row.

        Raises:
            IndexError: when there is no such row.
            ValueError: when ``told`` is not of as many.
        """
