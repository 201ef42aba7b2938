"""A chunk: the records one fetch gave of one partition, handled as one message."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.faust_app.record_batches import RecordColumns
    from stream.wire.record_bodies import Header


class SourcePartition(NamedTuple):
    """A partition of a topic; equal to Faust's and aiokafka's tuples of the same."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive records of one partition, as columns of equal length.

    ``start`` is where the consumer stood before the fetch and ``end`` where it stands after:
    the offset to commit once the chunk is applied. Compaction and transaction markers leave
    gaps, so ``start`` may lie before the first offset, ``end`` may be more than one past the
    last, and a chunk may hold no records at all.

    ``seeks`` is how often the consumer had sought when it was fetched: a chunk of before a
    rebalance may be delivered after it, when the consumer stands elsewhere.
    """

    source: SourcePartition
    start: int
    end: int
    offsets: Sequence[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    #: Where the columns come from, for the few records whose headers are needed.
    parts: Sequence[RecordColumns] = field(repr=False)
    seeks: int = 0

    @classmethod
    def of(
        cls,
        source: SourcePartition,
        start: int,
        end: int,
        parts: Sequence[RecordColumns],
        seeks: int = 0,
    ) -> Chunk:
        """Join what was fetched into one chunk."""
        offsets = list(chain.from_iterable(part.offsets for part in parts))
        # With one record to an offset, as almost always, a range says it all.
        gapless = len(offsets) == end - start
        return cls(
            source=source,
            start=start,
            end=end,
            offsets=range(start, end) if gapless else offsets,
            keys=list(chain.from_iterable(part.keys for part in parts)),
            values=list(chain.from_iterable(part.values for part in parts)),
            parts=parts,
            seeks=seeks,
        )

    def headers(self, index: int) -> list[Header]:
        """The headers of one record.

        Raises:
            IndexError: when the chunk has no such record.
        """
        for part in self.parts:
            if index < len(part.offsets):
                return part.headers(index)
            index -= len(part.offsets)
        raise IndexError(index)
