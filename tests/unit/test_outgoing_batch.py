"""Batches of records that are written already, against aiokafka's own."""

from __future__ import annotations

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from stream.faust_app.outgoing_batch import Compression, OutgoingBatch
from stream.wire.record_bodies import Body, Header, header_block, record_bodies

AT_MS = 1_700_000_000_123
RECORDS: list[tuple[bytes | None, bytes | None, list[Header]]] = [
    (b"ann", b"value", []),
    (None, None, [("a", b"b"), ("c", None)]),
    *((b"key %d" % number, b"v" * number, []) for number in range(300)),
]


@pytest.fixture
def body() -> Body:
    keys, values, headers = zip(*RECORDS, strict=True)
    (body,) = record_bodies([*keys], [*values], [header_block(each) for each in headers])
    return body


def aiokafkas(*, is_transactional: bool) -> BatchBuilder:
    builder = BatchBuilder(1 << 20, 0, is_transactional=is_transactional)
    for key, value, headers in RECORDS:
        builder.append(timestamp=AT_MS, key=key, value=value, headers=headers)
    return builder


@pytest.mark.parametrize("is_transactional", [False, True])
def test_a_batch_is_aiokafkas_to_the_byte(body: Body, *, is_transactional: bool) -> None:
    theirs = aiokafkas(is_transactional=is_transactional)
    ours = OutgoingBatch(body, AT_MS, is_transactional=is_transactional)
    assert (ours.size(), ours.record_count()) == (theirs.size(), theirs.record_count())
    for batch in (theirs, ours):
        batch._set_producer_state(2**40, 7, 2**31 - 1)
    assert ours._build() == bytes(theirs._build())
    assert ours.size() == theirs.size()


def test_a_batch_of_no_producer_is_aiokafkas_too(body: Body) -> None:
    theirs = aiokafkas(is_transactional=False)
    assert OutgoingBatch(body, AT_MS)._build() == bytes(theirs._build())


def test_what_is_sent_again_is_the_same(body: Body) -> None:
    batch = OutgoingBatch(body, AT_MS, compression=Compression.GZIP)
    size = batch.size()
    assert batch._build() == batch._build()
    assert batch.size() == size == len(batch._build())


def test_a_packed_batch_is_smaller_and_reads_the_same(body: Body) -> None:
    batch = OutgoingBatch(body, AT_MS, compression=Compression.GZIP)
    batch._set_producer_state(5, 0, 0)
    assert batch.size() < OutgoingBatch(body, AT_MS).size() / 2
    read = MemoryRecords(bytes(batch._build())).next_batch()
    assert read.validate_crc()
    assert (read.compression_type, read.producer_id) == (1, 5)
    found = [(record.key, record.value, list(record.headers)) for record in read]
    assert found == RECORDS


def test_it_is_full_from_the_first(body: Body) -> None:
    batch = OutgoingBatch(body, AT_MS)
    assert batch.closed()
    batch.close()
    assert batch.record_count() == len(RECORDS)
