"""Customers counted by stage: the kernel as the reference, and both as one customer at a time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import kernel
from stream.domain.customers import TOLD_TYPE
from stream.domain.stage_counts import WIDTH, new_count_told
from tests.support.kernels import KERNELS, NEEDS_KERNEL, installed

CUSTOMERS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, WIDTH - 1), st.integers(0, 20), st.integers(0, 5)),
    max_size=40,
)


@pytest.mark.parametrize("compiled", KERNELS)
@given(customers=CUSTOMERS, dimensions=st.integers(0, 2), at_ms=st.integers(0, 20))
def test_everybody_is_counted_once_or_left_to_be_looked_at(
    compiled: kernel.Kernel | None,
    customers: list[tuple[int, int, int, int]],
    dimensions: int,
    at_ms: int,
) -> None:
    told = np.zeros(len(customers), TOLD_TYPE)
    next_turn_ms = np.zeros(len(customers), np.int64)
    segments = np.full((len(customers), 1 + dimensions), 99, np.int32)
    expected: Counter[tuple[int, int]] = Counter()
    others = []
    for place, (through_ms, stage, next_ms, store) in enumerate(customers):
        told[place]["through_ms"], told[place]["stage"] = through_ms, stage
        next_turn_ms[place], segments[place, 0] = next_ms, store
        if through_ms <= at_ms < next_ms:
            expected[store, stage] += 1
        else:
            others.append(place)
    table, left = new_count_told(compiled)(told, next_turn_ms, segments, at_ms)
    assert left.tolist() == others
    assert table.shape == (1 + max((store for *_, store in customers), default=-1), WIDTH)
    assert {(r, s): int(table[r, s]) for r, s in zip(*np.nonzero(table), strict=True)} == expected


@NEEDS_KERNEL
def test_columns_of_several_lengths_are_refused() -> None:
    told, next_turn_ms = np.zeros(2, TOLD_TYPE), np.zeros(2, np.int64)
    segments = np.zeros((2, 1), np.int32)
    columns = [
        (told[:1], next_turn_ms, segments),
        (told, next_turn_ms[:1], segments),
        (told, next_turn_ms, segments[:1]),
    ]
    for each in columns:
        with pytest.raises(ValueError, match="length"):
            installed().count_told(*each, 0, WIDTH)
