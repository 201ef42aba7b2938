"""Fetched batches of a changelog, put where the latest record of each key is kept.

With the compiled kernel no object is made of a record on its way there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from aiokafka.consumer.fetcher import Fetcher

from stream.faust_app.record_batches import (
    BatchwiseRecords,
    FetchedRecord,
    RecordBatch,
    RecordColumns,
    fetching_into,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.kernel import LatestRecords


class UnreadBatch(NamedTuple):
    """A batch of which nothing was looked at yet but whether it counts."""

    batch: RecordBatch
    #: What is before that was not asked for.
    from_offset: int


class UnreadRecords(BatchwiseRecords):
    """Reading of a fetched partition that gives the batches as they are."""

    def _unpack_records(self) -> Iterator[UnreadBatch]:  # type: ignore[override] # only for us
        for batch in self._batches():
            yield UnreadBatch(batch, self.next_fetch_offset)


class UnreadFetcher(Fetcher):
    """aiokafka's fetcher, reading so."""

    _proc_fetch_request = fetching_into(UnreadRecords)


def put_into(
    records: LatestRecords, fetched: Sequence[UnreadBatch] | Sequence[FetchedRecord]
) -> None:
    """Put what a consumer gave of a partition into its records, whichever way it reads.

    Raises:
        CorruptRecordException: when a batch cannot be read.
    """
    unread = [each for each in fetched if isinstance(each, UnreadBatch)]
    for each in unread:
        each.batch.put_into(records, each.from_offset)
    if not unread:
        columns = RecordColumns.of(cast("Sequence[FetchedRecord]", fetched))
        records.take(columns.keys, columns.values)
