"""Record batches as brokers hold them: transactions, gaps and all; and as we write them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from stream.faust_app.outgoing_batch import OutgoingBatch
from stream.wire.record_bodies import Body, Header

#: Offset past the base, key, value and headers.
Record: TypeAlias = tuple[int, bytes | None, bytes | None, Sequence[Header]]

HEADER_SIZE = 61
_CRC_AT, _ATTRIBUTES_AT, _LAST_DELTA_AT = 17, 21, 23
_CONTROL = 0x20
ABORT, COMMIT = 0, 1


def batch(
    records: Sequence[Record],
    *,
    base_offset: int = 0,
    codec: int = 0,
    producer_id: int = -1,
    last_delta: int | None = None,
    control: bool = False,
) -> bytes:
    """A batch of format 2.

    Args:
        records: its records; at least one.
        base_offset: its first offset.
        codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
        producer_id: of the transaction it belongs to; -1 for none.
        last_delta: the offset of what was its last record, when compaction took that away.
        control: whether it holds a transaction's marker and no events.
    """
    builder: Any = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec,
        is_transactional=int(producer_id >= 0),
        producer_id=producer_id,
        producer_epoch=0,
        base_sequence=-1,
        batch_size=1 << 30,
    )
    for offset, key, value, headers in records:
        builder.append(offset, timestamp=5, key=key, value=value, headers=list(headers))
    data = bytearray(builder.build())
    struct.pack_into(">q", data, 0, base_offset)
    if control:
        data[_ATTRIBUTES_AT + 1] |= _CONTROL
    if last_delta is not None:
        struct.pack_into(">i", data, _LAST_DELTA_AT, last_delta)
    return checked(data)


def marker(kind: int, producer_id: int, base_offset: int) -> bytes:
    """The end of a transaction: ABORT or COMMIT."""
    record: Record = (0, struct.pack(">hh", 0, kind), struct.pack(">hi", 0, 0), [])
    return batch([record], base_offset=base_offset, producer_id=producer_id, control=True)


def checked(data: bytearray) -> bytes:
    """A batch with the checksum of what it holds now."""
    struct.pack_into(">I", data, _CRC_AT, calc_crc32c(bytes(data[_ATTRIBUTES_AT:])))
    return bytes(data)


def old_batch(magic: int, values: Sequence[bytes]) -> bytes:
    """Records in format 0 or 1, as of brokers before 0.11."""
    builder: Any = LegacyRecordBatchBuilder(magic=magic, compression_type=0, batch_size=1 << 30)
    for offset, value in enumerate(values):
        builder.append(offset, timestamp=5, key=b"k", value=value)
    return bytes(builder.build())


def stored(batch: OutgoingBatch) -> list[Any]:
    """The records of a batch of ours, as aiokafka reads them."""
    batches = MemoryRecords(bytes(batch._build()))
    records = batches.next_batch()
    assert records.validate_crc()
    assert not batches.has_next()
    return list(records)


def keys_and_values(bodies: Iterable[Body]) -> list[tuple[bytes | None, bytes | None]]:
    """What is in records that we wrote."""
    return [
        (record.key, record.value) for body in bodies for record in stored(OutgoingBatch(body, 0))
    ]
