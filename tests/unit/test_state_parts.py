"""Changelog records taken apart, with the kernel and without."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import kernel
from stream.wire.state_parts import state_parts
from tests.support.kernels import KERNELS

HEADER = np.dtype([("version", "u1"), ("padding", "u1", (3,)), ("count", "<u4")])
ENTRY = np.dtype([("time_ms", "<i8"), ("units", "<u4"), ("padding", "u1", (4,))])
both = pytest.mark.parametrize("compiled", KERNELS)


def _record(count: int, body: bytes) -> bytes:
    return bytes([1, 0, 0, 0]) + count.to_bytes(4, "little") + body


@both
@given(st.lists(st.tuples(st.integers(0, 4), st.binary(max_size=9)), max_size=6))
def test_headers_and_entries_stand_together_and_what_follows_them_is_left_out(
    compiled: kernel.Kernel | None, records: list[tuple[int, bytes]]
) -> None:
    bodies = [bytes(range(count * ENTRY.itemsize)) for count, _ in records]
    values = [
        _record(count, body + rest) for (count, rest), body in zip(records, bodies, strict=True)
    ]
    headers, entries = state_parts(values, HEADER, ENTRY, compiled)
    assert headers["count"].tolist() == [count for count, _ in records]
    assert entries.tobytes() == b"".join(bodies)


@both
@pytest.mark.parametrize(
    "value",
    [b"", _record(0, b"")[:-1], _record(1, bytes(ENTRY.itemsize - 1)), _record(2**32 - 1, b"")],
    ids=["nothing", "half a header", "half an entry", "more entries than there can be"],
)
def test_a_record_shorter_than_it_says_is_refused(
    compiled: kernel.Kernel | None, value: bytes
) -> None:
    whole = _record(1, bytes(ENTRY.itemsize))
    with pytest.raises(ValueError, match="shorter"):
        state_parts([whole, value, whole], HEADER, ENTRY, compiled)
