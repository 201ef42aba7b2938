"""Changelog records as they are read and taken apart, with the kernel and without."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import kernel
from stream.wire.latest_records import latest_records
from tests.support.kernels import KERNELS, NEEDS_KERNEL, installed

HEADER = np.dtype([("version", "u1"), ("padding", "u1", (3,)), ("count", "<u4")])
ENTRY = np.dtype([("time_ms", "<i8"), ("units", "<u4"), ("padding", "u1", (4,))])
both = pytest.mark.parametrize("compiled", KERNELS)


def _record(count: int, body: bytes) -> bytes:
    return bytes([1, 0, 0, 0]) + count.to_bytes(4, "little") + body


def _of(compiled: kernel.Kernel | None, *values: bytes) -> kernel.LatestRecords:
    records = latest_records(compiled)
    records.take([b"\0%d" % number for number in range(len(values))], values)
    return records


def _keys(records: kernel.LatestRecords) -> list[bytes]:
    keys = records.keys()
    return keys.keys(np.arange(len(keys)))


@both
def test_of_a_key_the_latest_value_stays_in_its_first_place(
    compiled: kernel.Kernel | None,
) -> None:
    records = latest_records(compiled)
    records.take([b"\0a", b"\0b"], [b"1", b"2"])
    records.take([b"\0a", b"\0c"], [b"long value", b""])
    assert len(records) == 3
    assert [records.at(row) for row in range(3)] == [
        (b"\0a", b"long value"),
        (b"\0b", b"2"),
        (b"\0c", b""),
    ]
    assert _keys(records) == [b"\0a", b"\0b", b"\0c"]
    assert (records.get(b"\0c"), records.get(b"\0d")) == (b"", None)


@both
def test_a_deleted_key_has_no_row_and_comes_last_when_it_comes_again(
    compiled: kernel.Kernel | None,
) -> None:
    records = latest_records(compiled)
    keys = [b"\0a", b"\0b", b"\0a", b"\0never", b"\0c", b"\0a"]
    records.take(keys, [b"1", b"2", None, None, b"3", b"4"])
    assert (len(records), records.get(b"\0never")) == (3, None)
    assert _keys(records) == [b"\0b", b"\0c", b"\0a"]
    assert records.at(2) == (b"\0a", b"4")
    records.take([b"\0b"], [None])
    assert (len(records), records.get(b"\0b"), records.get(b"\0a")) == (2, None, b"4")
    assert _keys(records) == [b"\0c", b"\0a"]


@both
def test_keys_that_are_no_customers_are_kept_apart(compiled: kernel.Kernel | None) -> None:
    records = latest_records(compiled)
    keys = [b"\xffcodes", b"\xff", b"\0a", b"\xffcodes", b"\xff", b"\xffnever"]
    records.take(keys, [b"1", b"2", b"3", b"4", None, None])
    assert (len(records), _keys(records)) == (1, [b"\0a"])
    assert records.others() == {b"\xffcodes": b"4"}
    assert records.get(b"\xffcodes") is None


@both
def test_no_key_is_an_empty_one(compiled: kernel.Kernel | None) -> None:
    records = latest_records(compiled)
    records.take([None, None, b""], [b"1", None, b"2"])
    assert records.at(0) == (b"", b"2")
    assert not records.keys().have_nuls()


@both
def test_there_is_no_row_after_the_last(compiled: kernel.Kernel | None) -> None:
    with pytest.raises(IndexError):
        _of(compiled, b"1", b"2").at(2)


@both
def test_keys_and_values_must_be_as_many(compiled: kernel.Kernel | None) -> None:
    with pytest.raises(ValueError, match=r"zip|as many"):
        latest_records(compiled).take([b"\0a"], [])


@both
@given(st.lists(st.tuples(st.integers(0, 4), st.binary(max_size=9)), max_size=6))
def test_headers_and_entries_stand_together_and_what_follows_them_is_left_out(
    compiled: kernel.Kernel | None, records: list[tuple[int, bytes]]
) -> None:
    bodies = [bytes(range(count * ENTRY.itemsize)) for count, _ in records]
    values = [
        _record(count, body + rest) for (count, rest), body in zip(records, bodies, strict=True)
    ]
    headers, entries, sizes = _of(compiled, *values).parts(HEADER.itemsize, 4, ENTRY.itemsize)
    assert headers.view(HEADER)["count"].tolist() == [count for count, _ in records]
    assert entries.tobytes() == b"".join(bodies)
    assert sizes.tolist() == list(map(len, values))


@both
@pytest.mark.parametrize(
    "value",
    [b"", _record(0, b"")[:-1], _record(1, bytes(ENTRY.itemsize - 1)), _record(2**32 - 1, b"")],
    ids=["nothing", "half a header", "half an entry", "more entries than there can be"],
)
def test_a_value_shorter_than_it_says_is_refused(
    compiled: kernel.Kernel | None, value: bytes
) -> None:
    whole = _record(1, bytes(ENTRY.itemsize))
    with pytest.raises(ValueError, match="shorter"):
        _of(compiled, whole, value, whole).parts(HEADER.itemsize, 4, ENTRY.itemsize)


KEYS = st.sampled_from((None, b"", b"\0a", b"\0b", b"n\0a", b"\xff", b"\xffcodes", b"foreign"))
VALUES = st.none() | st.binary(max_size=3).map(lambda rest: _record(0, rest)) | st.just(b"short")
Chunk = list[tuple[bytes | None, bytes | None]]


def _outcome(records: kernel.LatestRecords, chunks: list[Chunk]) -> list[object]:
    """All that can be seen of records after each chunk."""
    seen: list[object] = []
    for chunk in chunks:
        records.take([key for key, _ in chunk], [value for _, value in chunk])
        seen += [len(records), records.others(), records.get(b"\0a")]
        seen += [records.at(row) for row in range(len(records))]
        try:
            parts = records.parts(HEADER.itemsize, 4, ENTRY.itemsize)
        except ValueError:
            seen.append("too short")
        else:
            seen += [part.tolist() for part in parts]
    return [*seen, _keys(records), records.keys().have_nuls()]


@NEEDS_KERNEL
@given(st.lists(st.lists(st.tuples(KEYS, VALUES), max_size=8), max_size=6))
def test_the_kernel_keeps_what_the_reference_keeps(chunks: list[Chunk]) -> None:
    compiled = _outcome(latest_records(installed()), chunks)
    assert compiled == _outcome(latest_records(None), chunks)
