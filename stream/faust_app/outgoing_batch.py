"""A record batch whose records are written already, as aiokafka's producers take one."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING

from aiokafka.record.util import calc_crc32c
from isal import isal_zlib

if TYPE_CHECKING:
    from stream.wire.record_bodies import Body

#: The header of format 2 up to the checksum: base offset, length, leader epoch, format, checksum.
_FRONT = struct.Struct(">qiibI")
#: And from there on, all of which the checksum is of: attributes, last offset's distance, first
#: and last time, producer's id, epoch and sequence, count.
_ABOUT = struct.Struct(">hiqqqhii")
_LENGTH_FROM = 12
_FORMAT = 2
_NO_LEADER_EPOCH = -1
_TRANSACTIONAL = 0x10
_GZIP_WINDOW = 31
#: A tenth of the bytes for less time than they would take on the way to the broker.
_GZIP_LEVEL = 1


class Compression(IntEnum):
    """How the records of a batch are packed, by its number in the format."""

    NONE = 0
    #: The one every client reads.
    GZIP = 1


class OutgoingBatch:
    """Implements what aiokafka uses of its ``BatchBuilder`` after a batch is handed over.

    Its own takes record after record, each a call. Held by ``test_faust_internals.py``.

    Args:
        body: the records.
        timestamp_ms: of all of them.
        is_transactional: whether they are part of a transaction.
        compression: how to pack them.
    """

    def __init__(
        self,
        body: Body,
        timestamp_ms: int,
        *,
        is_transactional: bool = False,
        compression: Compression = Compression.NONE,
    ) -> None:
        self._records = _packed(body.records, compression)
        self._size = _FRONT.size + _ABOUT.size + len(self._records)
        self._count = body.count
        self._timestamp_ms = timestamp_ms
        self._attributes = compression | (_TRANSACTIONAL if is_transactional else 0)
        self._producer = (-1, -1, 0)
        self._buffer: bytes | None = None

    def record_count(self) -> int:
        """How many records it has."""
        return self._count

    def size(self) -> int:
        """Its bytes."""
        return self._size

    def close(self) -> None:
        """Nothing: it is full."""

    def closed(self) -> bool:
        """Always: nothing is added to it."""
        return True

    def _set_producer_state(
        self, producer_id: int, producer_epoch: int, base_sequence: int
    ) -> None:
        self._producer = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytes:
        if self._buffer is None:
            at, last = self._timestamp_ms, self._count - 1
            about = _ABOUT.pack(self._attributes, last, at, at, *self._producer, self._count)
            checked = about + self._records
            length = _FRONT.size + len(checked) - _LENGTH_FROM
            checksum = calc_crc32c(checked)
            front = _FRONT.pack(0, length, _NO_LEADER_EPOCH, _FORMAT, checksum)
            self._buffer = front + checked
            # Until it is acknowledged it would be held twice.
            self._records = b""
        return self._buffer


def _packed(records: bytes, compression: Compression) -> bytes:
    if compression is Compression.GZIP:
        return isal_zlib.compress(records, _GZIP_LEVEL, _GZIP_WINDOW)
    return records
