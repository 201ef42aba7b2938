"""The kernel's reading of record batches against aiokafka's own."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from stream import kernel
from stream.faust_app import record_batches
from stream.faust_app.changelog_batches import UnreadRecords, put_into
from stream.faust_app.record_batches import BatchwiseRecords, RecordBatches
from stream.wire.latest_records import PlainLatestRecords, latest_records
from stream.wire.record_bodies import Header
from tests.support.batches import (
    ABORT,
    COMMIT,
    HEADER_SIZE,
    Record,
    batch,
    checked,
    marker,
    old_batch,
)
from tests.support.kernels import KERNELS

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTITION = TopicPartition("purchases", 0)
Read: TypeAlias = tuple[int, bytes | None, bytes | None, tuple[Header, ...]]
Records: TypeAlias = list[Read]

TEXTS = st.none() | st.just(b"") | st.binary(max_size=4) | st.binary(min_size=60, max_size=300)
HEADERS = st.lists(st.tuples(st.text(max_size=3), TEXTS), max_size=3)
RECORDS = st.lists(st.tuples(st.integers(1, 3), TEXTS, TEXTS, HEADERS), min_size=1, max_size=6)
CODECS = st.sampled_from((0, 0, 0, 1, 2, 3, 4))


@pytest.fixture(params=KERNELS, autouse=True, scope="module")
def compiled(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each way to read in turn; aiokafka's, too, gives columns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "compiled", request.param)
        yield


class Fetched(NamedTuple):
    """What a broker answered."""

    data: bytes
    #: (producer, first offset) of transactions that were aborted.
    aborted: list[tuple[int, int]]
    end: int


@st.composite
def fetches(draw: st.DrawFn) -> Fetched:
    """Batches one after the other, some in transactions that end one way or the other."""
    data, offset, aborted = b"", draw(st.integers(0, 5)), []
    open_at: dict[int, int] = {}
    for _ in range(draw(st.integers(1, 6))):
        producer_id = draw(st.sampled_from((-1, -1, 1, 2)))
        if producer_id in open_at and draw(st.booleans()):
            kind = draw(st.sampled_from((ABORT, COMMIT)))
            first = open_at.pop(producer_id)
            if kind == ABORT:
                aborted.append((producer_id, first))
            data += marker(kind, producer_id, offset)
            offset += 1
            continue
        if producer_id >= 0:
            open_at.setdefault(producer_id, offset)
        records, delta = [], -1
        for gap, key, value, headers in draw(RECORDS):
            delta += gap
            records.append((delta, key, value, headers))
        delta += draw(st.integers(0, 2))
        data += batch(
            records,
            base_offset=offset,
            codec=draw(CODECS),
            producer_id=producer_id,
            last_delta=delta,
        )
        offset += delta + 1 + draw(st.sampled_from((0, 0, 3)))
    # A broker cuts the last batch where the answer is full.
    return Fetched(data[: len(data) - draw(st.sampled_from((0, 0, 0, 7)))], aborted, offset)


def _theirs(
    data: bytes, aborted: list[tuple[int, int]], start: int, isolation: int, *, crc: bool
) -> tuple[Records, int]:
    reading: Any = PartitionRecords(
        PARTITION, MemoryRecords(data), aborted, start, None, None, crc, isolation
    )
    records = [(each.offset, each.key, each.value, tuple(each.headers)) for each in reading]
    return records, reading.next_fetch_offset


def _ours(
    data: bytes, aborted: list[tuple[int, int]], start: int, isolation: int, *, crc: bool
) -> tuple[Records, int]:
    reading: Any = BatchwiseRecords(
        PARTITION, RecordBatches(data), aborted, start, None, None, crc, isolation
    )
    records: Records = []
    for part in reading:
        assert 0 < len(part.offsets) <= record_batches.PART_MAX_RECORDS
        assert len(part.offsets) == len(part.keys) == len(part.values)
        assert reading.next_fetch_offset == part.offsets[-1] + 1
        records += zip(
            part.offsets,
            part.keys,
            part.values,
            [tuple(part.headers(index)) for index in range(len(part.offsets))],
            strict=True,
        )
    return records, reading.next_fetch_offset


@pytest.mark.parametrize("part_records", [2, 10_000])
@given(fetched=fetches(), isolation=st.sampled_from((READ_COMMITTED, READ_UNCOMMITTED)))
def test_a_fetch_gives_the_records_that_aiokafka_reads(
    part_records: int, fetched: Fetched, isolation: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_batches, "PART_MAX_RECORDS", part_records)
        for start in range(fetched.end + 1):
            expected = _theirs(fetched.data, fetched.aborted, start, isolation, crc=True)
            found = _ours(fetched.data, fetched.aborted, start, isolation, crc=True)
            assert found == expected


def _kept(
    fetched: Fetched, start: int, records: kernel.LatestRecords
) -> tuple[list[tuple[bytes, bytes]], dict[bytes, bytes], int]:
    """What stays of a fetch whose batches are put where the latest of each key is kept."""
    reading: Any = UnreadRecords(
        PARTITION, RecordBatches(fetched.data), fetched.aborted, start, None, None, True,
        READ_COMMITTED,
    )  # fmt: skip
    put_into(records, list(reading))
    rows = [records.at(row) for row in range(len(records))]
    return rows, records.others(), reading.next_fetch_offset


@given(fetched=fetches())
def test_of_whole_batches_the_latest_of_each_key_stays(fetched: Fetched) -> None:
    for start in range(fetched.end + 1):
        records, end = _theirs(fetched.data, fetched.aborted, start, READ_COMMITTED, crc=True)
        expected = PlainLatestRecords()
        expected.take([key for _, key, _, _ in records], [value for _, _, value, _ in records])
        rows = [expected.at(row) for row in range(len(expected))]
        found = _kept(fetched, start, latest_records(kernel.compiled))
        assert found == (rows, expected.others(), end)
        assert found == _kept(fetched, start, PlainLatestRecords())


def test_a_batch_that_cannot_be_read_is_corrupt_for_who_keeps_the_latest() -> None:
    data = bytearray(batch([(0, b"k", b"v", [])]))
    data[HEADER_SIZE] ^= 2
    fetched = Fetched(checked(data), [], 1)
    with pytest.raises(CorruptRecordException, match="read"):
        _kept(fetched, 0, latest_records(kernel.compiled))


@pytest.mark.parametrize("magic", [0, 1])
def test_of_formats_before_2_the_latest_stays_as_well(magic: int) -> None:
    fetched = Fetched(old_batch(magic, [b"a", b"b", b"c"]), [], 3)
    expected = PlainLatestRecords()
    expected.take([key for _, key, _, _ in _old(fetched)], [v for _, _, v, _ in _old(fetched)])
    rows = [expected.at(row) for row in range(len(expected))]
    assert _kept(fetched, 1, latest_records(kernel.compiled)) == (rows, {}, 3)


def _old(fetched: Fetched) -> Records:
    return _theirs(fetched.data, [], 1, READ_COMMITTED, crc=True)[0]


def test_events_of_an_aborted_transaction_are_left_out() -> None:
    events: list[Record] = [(0, b"k", b"v", [])]
    data = b"".join(
        (
            batch(events, base_offset=0, producer_id=1),
            batch(events, base_offset=1, producer_id=2),
            batch(events, base_offset=2),
            marker(ABORT, 1, 3),
            marker(COMMIT, 2, 4),
            batch(events, base_offset=5, producer_id=1),
            marker(COMMIT, 1, 6),
        )
    )
    records, end = _ours(data, [(1, 0)], 0, READ_COMMITTED, crc=True)
    assert [offset for offset, *_ in records] == [1, 2, 5]
    assert end == 7
    records, _ = _ours(data, [(1, 0)], 0, READ_UNCOMMITTED, crc=True)
    assert [offset for offset, *_ in records] == [0, 1, 2, 5]


@pytest.mark.parametrize("magic", [0, 1])
def test_formats_before_2_are_read_by_aiokafka(magic: int) -> None:
    data = old_batch(magic, [b"a", b"b", b"c"])
    found = _ours(data, [], 1, READ_COMMITTED, crc=True)
    assert found == _theirs(data, [], 1, READ_COMMITTED, crc=True)
    assert [value for _, _, value, _ in found[0]] == [b"b", b"c"]


@pytest.mark.parametrize("codec", range(5))
def test_a_batch_that_does_not_match_its_checksum_is_not_read(codec: int) -> None:
    data = bytearray(batch([(0, b"k", b"value", [])], codec=codec))
    data[-1] ^= 1
    with pytest.raises(CorruptRecordException, match="checksum"):
        _ours(bytes(data), [], 0, READ_COMMITTED, crc=True)


def _outcome(read: Any, data: bytes) -> tuple[Records, int] | str:  # noqa: ANN401 - either of two
    """What is read, or "corrupt"; nothing else may come of it."""
    try:
        return read(data, [], 0, READ_UNCOMMITTED, crc=False)  # type: ignore[no-any-return]
    except CorruptRecordException:
        return "corrupt"
    except UnicodeDecodeError:
        # aiokafka lets it out when a header's name is not UTF-8.
        if read is _ours:
            raise
        return "corrupt"


MUTATIONS = st.lists(
    st.tuples(
        st.integers(HEADER_SIZE, 400),
        st.sampled_from((0, 1, 2, 0x7F, 0x80, 0xFF)) | st.integers(0, 255),
    ),
    min_size=1,
    max_size=3,
)


@given(records=RECORDS, mutations=MUTATIONS)
def test_records_that_are_not_what_they_should_be_are_corrupt_as_aiokafka_says(
    records: list[tuple[int, bytes | None, bytes | None, list[Header]]],
    mutations: list[tuple[int, int]],
) -> None:
    data = bytearray(
        batch([(at, key, value, some) for at, (_, key, value, some) in enumerate(records)])
    )
    for place, byte in mutations:
        data[HEADER_SIZE + (place - HEADER_SIZE) % (len(data) - HEADER_SIZE)] = byte
    assert _outcome(_ours, bytes(data)) == _outcome(_theirs, bytes(data))


def test_records_that_go_back_are_left_out_as_aiokafka_does() -> None:
    data = bytearray(batch([(0, b"k", b"v", []), (1, b"k", b"v", [])]))
    # The first record's offset, behind its length, attributes and time.
    data[HEADER_SIZE + 3] = 2
    expected = _theirs(bytes(data), [], 0, READ_UNCOMMITTED, crc=False)
    assert [offset for offset, *_ in expected[0]] == [1]
    assert _ours(bytes(data), [], 0, READ_UNCOMMITTED, crc=False) == expected


@given(data=fetches(), places=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255))))
def test_whatever_the_bytes_they_are_read_or_corrupt(
    data: Fetched, places: list[tuple[int, int]]
) -> None:
    damaged = bytearray(data.data)
    for place, byte in places:
        damaged[place % len(damaged)] = byte
    _outcome(_ours, bytes(damaged))


@given(data=st.binary(max_size=200), codec=st.integers(0, 7))
def test_noise_in_place_of_records_is_corrupt_or_empty(data: bytes, codec: int) -> None:
    header = bytearray(batch([(0, b"k", b"v", [])])[:HEADER_SIZE])
    header[22] |= codec
    struct.pack_into(">i", header, 8, HEADER_SIZE - 12 + len(data))
    whole = checked(header + data)
    outcome = _outcome(_ours, whole)
    assert outcome == "corrupt" or outcome[0] == [] or len(outcome[0]) == 1
