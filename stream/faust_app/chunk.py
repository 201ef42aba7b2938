"""A chunk: the records one fetch gave of one partition, handled as one message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

Header = tuple[str, bytes | None]


class SourcePartition(NamedTuple):
    """A partition of a topic; equal to Faust's and aiokafka's tuples of the same."""

    topic: str
    partition: int


class FetchedRecord(Protocol):
    """What is used of a record as aiokafka decodes it."""

    @property
    def offset(self) -> int:
        """Its offset in the partition."""

    @property
    def key(self) -> bytes | None:
        """Its key."""

    @property
    def value(self) -> bytes | None:
        """Its value; None for a tombstone."""

    @property
    def headers(self) -> Sequence[Header]:
        """Its headers."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive records of one partition, as columns of equal length.

    ``start`` is where the consumer stood before the fetch and ``end`` where it stands after:
    the offset to commit once the chunk is applied. Compaction and transaction markers leave
    gaps, so ``start`` may lie before the first offset, ``end`` may be more than one past the
    last, and a chunk may hold no records at all.
    """

    source: SourcePartition
    start: int
    end: int
    offsets: Sequence[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    #: The records themselves, for the few whose headers are needed.
    records: Sequence[FetchedRecord] = field(repr=False)

    @classmethod
    def of(
        cls, source: SourcePartition, start: int, end: int, records: Sequence[FetchedRecord]
    ) -> Chunk:
        """Lay the records out in columns."""
        # With one record to an offset, as almost always, the offsets are known.
        gapless = len(records) == end - start
        return cls(
            source=source,
            start=start,
            end=end,
            offsets=range(start, end) if gapless else [record.offset for record in records],
            keys=[record.key for record in records],
            values=[record.value for record in records],
            records=records,
        )

    def headers(self, index: int) -> list[Header]:
        """The headers of one record."""
        return list(self.records[index].headers)
