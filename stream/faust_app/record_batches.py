"""Record batches taken apart whole, where aiokafka makes an object of every record.

With the compiled kernel a fetched batch becomes columns in one call. aiokafka's own classes
still check it, read old formats and know about transactions.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import cramjam
import numpy as np
from aiokafka import codec
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, PartitionRecords
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from stream import kernel
from stream.wire.latest_records import PlainLatestRecords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from aiokafka import AIOKafkaConsumer

    from stream.domain.arrays import I64
    from stream.wire.record_bodies import Header

#: A batch may hold a million small records; one chunk should not.
PART_MAX_RECORDS = 10_000

_LENGTH_AT = 8
_OVERHEAD = 12
_MAGIC_AT = 16
_COUNT_AT = 57
#: The first format whose records the kernel reads, and the size of its batches' header.
_FORMAT = 2
_HEADER_SIZE = 61
#: The shortest batch of an older format.
_SMALLEST = 26
_DECOMPRESS: dict[int, Callable[[bytes], bytes]] = {
    1: codec.gzip_decode,
    2: codec.snappy_decode,
    3: codec.lz4_decode,
    4: codec.zstd_decode,
}
#: What decompressing and reading raise when the bytes are not what they should be.
_UNREADABLE = (
    ValueError,
    EOFError,
    OSError,
    UnsupportedCodecError,
    cramjam.DecompressionError,
    struct.error,
    zlib.error,
)


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


class RecordColumns(NamedTuple):
    """Consecutive records of one partition."""

    offsets: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    headers: Callable[[int], list[Header]]

    @classmethod
    def of(cls, records: Sequence[FetchedRecord]) -> RecordColumns:
        """Lay records out in columns."""
        return cls(
            [record.offset for record in records],
            [record.key for record in records],
            [record.value for record in records],
            lambda index: list(records[index].headers),
        )

    def part(self, first: int, end: int) -> RecordColumns:
        """The records from one place to another."""
        return RecordColumns(
            self.offsets[first:end],
            self.keys[first:end],
            self.values[first:end],
            lambda index: self.headers(first + index),
        )


class RecordBatch:
    """One batch: what aiokafka says of it, and its records as columns.

    Args:
        data: bytes of which the batch is a part.
        first: where it begins.
        end: where it ends.

    Raises:
        CorruptRecordException: when it is shorter than its header.
    """

    def __init__(self, data: bytes, first: int, end: int) -> None:
        self._data, self._first, self._end = data, first, end
        magic = data[first + _MAGIC_AT] if end - first >= _SMALLEST else 0
        if end - first < (_HEADER_SIZE if magic >= _FORMAT else _SMALLEST):
            raise CorruptRecordException("a record batch is shorter than its header")
        view = memoryview(data)[first:end]
        self._compiled = kernel.compiled if magic >= _FORMAT else None
        #: aiokafka's view of it.
        self.about = (
            DefaultRecordBatch(view) if magic >= _FORMAT else LegacyRecordBatch(view, magic)
        )

    def columns(self, from_offset: int) -> Iterator[RecordColumns]:
        """The records from an offset on, in parts of bounded size.

        Raises:
            CorruptRecordException: when they cannot be read.
        """
        with _corrupt_if_unreadable():
            columns = self._columns(from_offset)
        for first in range(0, len(columns.offsets), PART_MAX_RECORDS):
            yield columns.part(first, first + PART_MAX_RECORDS)

    def put_into(self, records: kernel.LatestRecords, from_offset: int) -> None:
        """Put the records from an offset on where the latest of each key is kept.

        Raises:
            CorruptRecordException: when they cannot be read; some may have been put there.
        """
        with _corrupt_if_unreadable():
            if self._compiled is None or isinstance(records, PlainLatestRecords):
                columns = self._columns(from_offset)
                records.take(columns.keys, columns.values)
            else:
                body, part = self._uncompressed()
                compiled = cast("kernel.CompiledLatestRecords", records)
                compiled.read(body, part, self.about.base_offset, self._count(), from_offset)

    def _columns(self, from_offset: int) -> RecordColumns:
        if self._compiled is None:
            return RecordColumns.of(list(_ascending(self.about, from_offset)))
        body, part = self._uncompressed()
        offsets, keys, values, headers_at = self._compiled.read_records(
            body, part, self.about.base_offset, self._count(), from_offset
        )
        headers = partial(_headers, self._compiled, body, np.frombuffer(headers_at, np.int64))
        return RecordColumns(np.frombuffer(offsets, np.int64).tolist(), keys, values, headers)

    def _count(self) -> int:
        (count,) = struct.unpack_from(">i", self._data, self._first + _COUNT_AT)
        return int(count)

    def _uncompressed(self) -> tuple[bytes, tuple[int, int]]:
        """Bytes, and which part of them the records are."""
        first = self._first + _HEADER_SIZE
        if not self.about.compression_type:
            return self._data, (first, self._end)
        decompress = _DECOMPRESS.get(self.about.compression_type)
        if decompress is None:
            raise ValueError("compressed in a way that Kafka does not know")
        body = decompress(self._data[first : self._end])
        return body, (0, len(body))


class RecordBatches:
    """The batches of a fetched partition: aiokafka's ``MemoryRecords``, keeping the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def size_in_bytes(self) -> int:
        """All that was fetched, the last batch perhaps cut short."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether another whole batch is there."""
        return self._end() is not None

    def next_batch(self) -> RecordBatch:
        """The next whole batch.

        Raises:
            CorruptRecordException: when there is none, or it is too short to be one.
        """
        end = self._end()
        if end is None:
            raise CorruptRecordException("there is no whole record batch")
        first, self._at = self._at, end
        return RecordBatch(self._data, first, end)

    def _end(self) -> int | None:
        if len(self._data) - self._at < _OVERHEAD:
            return None
        (length,) = struct.unpack_from(">i", self._data, self._at + _LENGTH_AT)
        end: int = self._at + _OVERHEAD + length
        return end if end <= len(self._data) else None


class BatchwiseRecords(PartitionRecords):
    """aiokafka's reading of a fetched partition, giving columns in place of records."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[RecordColumns]:
        for batch in self._batches():
            for columns in batch.columns(self.next_fetch_offset):
                if not columns.offsets:
                    continue
                self.next_fetch_offset = columns.offsets[-1] + 1
                yield columns

    def _batches(self) -> Iterator[RecordBatch]:
        """The batches whose records count, with ``next_fetch_offset`` before each."""
        while self._records.has_next():
            batch: RecordBatch = self._records.next_batch()
            about = batch.about
            if self._check_crcs and not about.validate_crc():
                raise CorruptRecordException(f"{self._tp}: a batch does not match its checksum")
            if not (self._is_aborted(about) or about.is_control_batch):
                yield batch
            # Also past records that compaction took away, or that are no events.
            self.next_fetch_offset = about.next_offset

    def _is_aborted(self, about: DefaultRecordBatch) -> bool:
        if self._isolation_level != READ_COMMITTED or about.producer_id is None:
            return False
        self._consume_aborted_up_to(about.base_offset)
        if about.is_control_batch and self._contains_abort_marker(about):
            self._aborted_producers.discard(about.producer_id)
        return about.is_transactional and about.producer_id in self._aborted_producers


def _with_names(function: FunctionType, **names: object) -> FunctionType:
    """A method that finds other things under some of its module's names."""
    return FunctionType(
        function.__code__,
        {**function.__globals__, **names},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )


def fetching_into(records: type[PartitionRecords]) -> FunctionType:
    """A fetcher's method that reads what came in another way."""
    return _with_names(
        Fetcher._proc_fetch_request,  # noqa: SLF001 - held by test_faust_internals.py
        MemoryRecords=RecordBatches,
        PartitionRecords=records,
    )


class BatchwiseFetcher(Fetcher):
    """aiokafka's fetcher, which names the classes it reads with and takes no others."""

    _proc_fetch_request = fetching_into(BatchwiseRecords)


def columns_of(fetched: Sequence[RecordColumns] | Sequence[FetchedRecord]) -> list[RecordColumns]:
    """What a consumer gave of one partition, whether it reads batchwise or not."""
    columns = [part for part in fetched if isinstance(part, RecordColumns)]
    if columns or not fetched:
        return columns
    return [RecordColumns.of(cast("Sequence[FetchedRecord]", fetched))]


def read_batchwise(consumer: AIOKafkaConsumer, fetcher: type[Fetcher] = BatchwiseFetcher) -> None:
    """Have a started consumer without partitions yet give columns in place of records.

    Nothing changes without a compiled kernel.
    """
    if kernel.compiled is not None:
        consumer._fetcher.__class__ = fetcher  # noqa: SLF001 - it is made in `start`


@contextmanager
def _corrupt_if_unreadable() -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise CorruptRecordException(f"a record batch cannot be read: {error}") from error


def _ascending(records: Iterable[FetchedRecord], from_offset: int) -> Iterator[FetchedRecord]:
    """The records from an offset on, without those that go back."""
    for record in records:
        if record.offset >= from_offset:
            from_offset = record.offset + 1
            yield record


def _headers(compiled: kernel.Kernel, body: bytes, headers_at: I64, index: int) -> list[Header]:
    return compiled.read_headers(body, int(headers_at[index]))
