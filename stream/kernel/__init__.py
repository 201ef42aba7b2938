"""The compiled kernel, where it is installed: the inner loops of the hot path, in Rust.

Every function in it has a reference in Python that does the same for all input, and that the
tests hold it against. Without a compiled kernel (no wheel, no Rust compiler when installing) the
references do all the work: slower, never different.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

I32: TypeAlias = NDArray[np.int32]
I64: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]
Records: TypeAlias = NDArray[np.void]


class PlainEvents(Protocol):
    """Reads event JSON that is written plainly; reference: ``stream/wire/event_json.py``."""

    def read(
        self, values: list[bytes | None]
    ) -> tuple[list[int], bytearray, bytes, I64, list[list[str]]]:
        """Read a chunk.

        Returns:
            The places left to the reference; for each value the record of an entry, whose
            ``values`` are codes of this chunk's own; all keys in a row, and where each ends
            (zeros and b"" where left); and for each dimension the texts that its codes stand
            for, the first "".
        """


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


class Kernel(Protocol):
    """What there is in the compiled module."""

    PanicException: type[BaseException]

    def EventReader(  # noqa: N802 - a class
        self, dimensions: Sequence[str], currencies: Sequence[tuple[str, int, int]]
    ) -> PlainEvents:
        """A reader for these dimensions; currencies as :func:`stream.domain.money.currencies`."""

    def read_records(
        self, data: bytes, part: tuple[int, int], base_offset: int, count: int, from_offset: int
    ) -> tuple[bytes, list[bytes | None], list[bytes | None], bytes]:
        """The records of a batch from an offset on; reference: aiokafka.

        Args:
            data: bytes of which a part is the records of a batch, uncompressed.
            part: from where to where they go.
            base_offset: as the batch's header says.
            count: likewise.
            from_offset: leave out those before.

        Returns:
            Offsets as int64, keys, values, and as int64 where in ``data`` headers begin.

        Raises:
            ValueError: when these are not records.
        """

    def read_headers(self, data: bytes, at: int) -> list[tuple[str, bytes | None]]:
        """The headers that begin at a place that ``read_records`` gave."""

    def home_partitions(self, keys: list[bytes], partitions: int) -> bytes:
        """The partition of each key, as int64; reference: ``stream/wire/partitioning.py``."""

    def record_bodies(
        self,
        keys: list[bytes | None],
        values: list[bytes | None],
        headers: list[bytes],
        max_bytes: int,
    ) -> Sequence[tuple[bytes, int]]:
        """Records as brokers keep them; reference: ``stream/wire/record_bodies.py``.

        Args:
            keys: of the records.
            values: as many.
            headers: as many, written already.
            max_bytes: of the records of a batch.

        Returns:
            The records of each batch, and how many they are.

        Raises:
            ValueError: when the columns are not of one length.
        """

    def stage_events(
        self, keys: list[bytes], changes: StageColumns, headers: bytes, max_bytes: int
    ) -> Sequence[tuple[bytes, int]]:
        """Changes of stages as events; reference: ``stream/wire/stage_events.py``.

        Args:
            keys: of the customers, one wherever another row begins.
            changes: each customer's together.
            headers: of every event, written already.
            max_bytes: of the records of a batch.

        Returns:
            The records of each batch, as ``record_bodies``; those of keys that name nobody are
            left out.

        Raises:
            ValueError: when this can be no customer's key, or no change.
        """

    def count_told(
        self, told: Records, next_turn_ms: I64, segments: I32, at_ms: int, stages: int
    ) -> tuple[I64, I64]:
        """Customers by stage; reference: ``stream/domain/stage_counts.py``.

        Args:
            told: as there, likewise the following ones.
            next_turn_ms: likewise.
            segments: likewise.
            at_ms: likewise.
            stages: how many there are.

        Returns:
            Counts, stage by stage of one store after the other; and the places of the others.

        Raises:
            ValueError: when the columns are not of one length.
        """

    def TallyBook(  # noqa: N802 - a class
        self,
        bucket_ms: int,
        changes_ms: list[int],
        offsets_ms: list[int],
        windows: list[tuple[int, str]],
        net_limits: list[int],
        gap_limits_ms: list[int],
    ) -> TallyBook:
        """An empty book.

        Args:
            bucket_ms: see ``stream/domain/calendar.py``.
            changes_ms: likewise.
            offsets_ms: likewise.
            windows: (buckets, "") of rolling ones, (0, unit) of calendar ones.
            net_limits: see ``stream/domain/nets.py``.
            gap_limits_ms: see ``stream/domain/gaps.py``.
        """

    def Lifecycle(  # noqa: N802 - a class
        self,
        new_ms: int,
        at_risk_factor_hundredths: int,
        at_risk_least_ms: int,
        typical_interval_ms: int,
        lapsed_ms: int,
    ) -> Lifecycle:
        """What looks at customers by these rules; see ``stream/domain/lifecycle_rules.py``."""

    def PagedArray(self, wide: bool) -> Paged:  # noqa: FBT001, N802 - a class; by place
        """An empty array with cells of 64 bits, or of 32."""

    def KeyTable(self) -> KeyTable:  # noqa: N802 - a class
        """An empty table of keys."""

    def LatestRecords(self) -> CompiledLatestRecords:  # noqa: N802 - a class
        """None yet."""

    def Ledger(self, entry_type: np.dtype[np.void]) -> EntryLedger:  # noqa: N802 - a class
        """An empty ledger; reference: ``stream/domain/ledger.py``."""

    def merge_events(
        self, ledger: EntryLedger, rows: I64, events: Records, dimensions: int
    ) -> Merge:
        """Merge events into their customers' entries; reference: ``stream/domain/entries.py``.

        Args:
            ledger: the entries there are.
            rows: the row of each event, which must be there.
            events: as entries, in order of arrival; cancellations with their own kind.
            dimensions: values in an entry.
        """

    def carried_codes(self, ledger: EntryLedger, dimensions: int) -> I64:
        """Per row and dimension the value code of its earliest carrier."""


def _installed() -> Kernel | None:
    try:
        return cast("Kernel", import_module("stream.kernel._compiled"))
    except ModuleNotFoundError:  # built only where there is a compiler
        return None


class _NeverRaisedError(BaseException):
    """In place of a panic where there is no kernel."""


#: The kernel; None where it is not installed.
compiled = _installed()
#: A bug in the kernel; no Exception, so that nobody takes it for a failure to go on from.
KernelPanic = _NeverRaisedError if compiled is None else compiled.PanicException
#: Which of the two does the work.
NAME = "python" if compiled is None else "compiled"
#: The same, for whoever reads the log.
ABOUT = (
    "python, at less than half the speed; install Rust and then this again"
    if compiled is None
    else NAME
)
