"""Records as the kernel writes them against the reference: the same, to the byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.wire.record_bodies import Body, Header, header_block, record_bodies
from tests.support.batches import keys_and_values
from tests.support.kernels import NEEDS_KERNEL, installed

#: Around the lengths that take one more byte to write.
BYTES = (
    st.none()
    | st.binary(max_size=4)
    | st.integers(56, 70).map(bytes)
    | st.integers(8180, 8200).map(bytes)
)
HEADERS = st.lists(st.tuples(st.text(max_size=3), BYTES), max_size=3)
RECORDS = st.lists(st.tuples(BYTES, BYTES, HEADERS), max_size=8)
MAX_BYTES = st.sampled_from((0, 20, 100, 10_000, 1 << 20))

Records = list[tuple[bytes | None, bytes | None, list[Header]]]


def _written(records: Records, max_bytes: int, *, with_kernel: bool) -> list[Body]:
    return record_bodies(
        [key for key, _, _ in records],
        [value for _, value, _ in records],
        [header_block(headers) for _, _, headers in records],
        max_bytes,
        installed() if with_kernel else None,
    )


@NEEDS_KERNEL
@given(records=RECORDS, max_bytes=MAX_BYTES)
def test_the_kernel_writes_what_the_reference_writes(records: Records, max_bytes: int) -> None:
    ours = _written(records, max_bytes, with_kernel=True)
    assert ours == _written(records, max_bytes, with_kernel=False)


@given(records=RECORDS, max_bytes=MAX_BYTES)
def test_bodies_are_as_full_as_they_may_be_and_hold_everything_in_order(
    records: Records, max_bytes: int
) -> None:
    bodies = _written(records, max_bytes, with_kernel=False)
    assert keys_and_values(bodies) == [(key, value) for key, value, _ in records]
    assert all(body.count == 1 or len(body.records) <= max_bytes for body in bodies)
    first = 0
    for body in bodies[:-1]:
        # With the next record it would be too large.
        more = _written(records[first : first + body.count + 1], 1 << 30, with_kernel=False)
        assert len(more[0].records) > max_bytes
        first += body.count


@NEEDS_KERNEL
@pytest.mark.parametrize("count", [63, 64, 65, 8191, 8192, 8193])
def test_the_place_in_a_batch_may_take_several_bytes(count: int) -> None:
    records: Records = [(b"k", None, [])] * count
    ours = _written(records, 1 << 20, with_kernel=True)
    assert ours == _written(records, 1 << 20, with_kernel=False)
    assert len(keys_and_values(ours)) == count


@NEEDS_KERNEL
def test_columns_of_several_lengths_are_refused() -> None:
    for keys, values, headers in ((1, 0, 0), (1, 1, 0), (0, 0, 1)):
        with pytest.raises(ValueError, match="length"):
            installed().record_bodies([b"k"] * keys, [None] * values, [b"\0"] * headers, 100)
