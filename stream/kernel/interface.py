"""Everything that there is in the compiled module, as a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from stream.kernel.state import (
    I64,
    CompiledLatestRecords,
    EntryLedger,
    KeyTable,
    Lifecycle,
    Merge,
    Paged,
    Records,
    StageColumns,
    TallyBook,
)


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
