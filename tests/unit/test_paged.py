"""Paged prefix sums against a dictionary."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.paged import PAGE_CELLS, PagedArray, Term, dense
from tests.support.kernels import KERNELS, NEEDS_KERNEL, installed

if TYPE_CHECKING:
    from stream import kernel
    from stream.domain.arrays import I64

ROWS = 5
CELLS = st.integers(-3, 3) | st.integers(-5000, 5000) | st.just(10**6)
TERMS = st.lists(st.tuples(st.integers(0, ROWS - 1), CELLS, st.integers(-3, 3)), max_size=12)

both = pytest.mark.parametrize("compiled", KERNELS)


def _array(values: list[int]) -> I64:
    return np.array(values, np.int64)


def _empty(compiled: kernel.Kernel | None, *, wide: bool) -> kernel.Paged:
    if compiled is None:
        return PagedArray(np.int64 if wide else np.int32)
    return compiled.PagedArray(wide)


def _add(paged: kernel.Paged, terms: list[tuple[int, int, int]], sign: int = 1) -> None:
    rows, cells, amounts = map(list, zip(*terms, strict=True)) if terms else ([], [], [])
    paged.add(_array(rows), _array(cells), _array(amounts) * sign)


@both
@given(st.lists(TERMS, max_size=4), st.lists(CELLS, min_size=1, max_size=6))
def test_prefix_sums_and_cells_are_those_of_a_dictionary(
    compiled: kernel.Kernel | None, batches: list[list[tuple[int, int, int]]], asked: list[int]
) -> None:
    paged, expected = _empty(compiled, wide=False), Counter[tuple[int, int]]()
    paged.add_rows(ROWS)
    for batch in batches:
        _add(paged, batch)
        for row, cell, amount in batch:
            expected[row, cell] += amount
        for cell in asked:
            sums = [
                sum(n for (of, at), n in expected.items() if of == row and at <= cell)
                for row in range(ROWS)
            ]
            assert paged.sum_to(np.arange(ROWS), cell).tolist() == sums
    cells = {place: amount for place, amount in expected.items() if amount}
    assert dense(paged) == cells
    for row in range(ROWS):
        held = sorted(cell for of, cell in cells if of == row)
        other = (row + 1) % ROWS
        values, beside = ([expected[each, cell] for cell in held] for each in (row, other))
        assert paged.row_cells_beside(row, other) == (held, values, beside)
    for row in range(ROWS):
        assert paged.first_cell(row) == min((at for of, at in cells if of == row), default=None)


@both
@given(TERMS, TERMS)
def test_taking_terms_out_again_leaves_the_rest(
    compiled: kernel.Kernel | None,
    stay: list[tuple[int, int, int]],
    leave: list[tuple[int, int, int]],
) -> None:
    paged, without = _empty(compiled, wide=True), _empty(compiled, wide=True)
    for one in (paged, without):
        one.add_rows(ROWS)
        _add(one, stay)
    _add(paged, leave)
    _add(paged, leave, -1)
    assert dense(paged) == dense(without)


@both
def test_rows_can_be_added_at_any_time_and_start_empty(compiled: kernel.Kernel | None) -> None:
    paged = _empty(compiled, wide=True)
    for number in range(100):
        assert paged.add_rows(3) == 3 * number
        _add(paged, [(3 * number, number * PAGE_CELLS, number + 1)])
    assert paged.rows == 300
    assert paged.sum_to(np.arange(300), 10**9).tolist()[::3] == list(range(1, 101))
    assert paged.sum_to(np.arange(1, 300, 3), 10**9).sum() == 0


@both
def test_nothing_added_is_zero_everywhere(compiled: kernel.Kernel | None) -> None:
    paged = _empty(compiled, wide=False)
    assert paged.sum_to(_array([]), 5).tolist() == []
    paged.add_rows(2)
    _add(paged, [])
    assert paged.sum_to(_array([0, 1]), -5).tolist() == [0, 0]
    assert dense(paged) == {}
    assert paged.first_cell(1) is None


@both
def test_sums_of_int32_cells_are_wider_than_a_cell(compiled: kernel.Kernel | None) -> None:
    paged = _empty(compiled, wide=False)
    paged.add_rows(1)
    _add(paged, [(0, 0, 2**31 - 1), (0, 1, 2**31 - 1)])
    assert paged.sum_to(_array([0]), 1).tolist() == [2 * (2**31 - 1)]


@both
def test_memory_goes_with_the_pages_touched_and_not_with_the_span(
    compiled: kernel.Kernel | None,
) -> None:
    paged = _empty(compiled, wide=True)
    paged.add_rows(1)
    _add(paged, [(0, 0, 1), (0, 1000 * PAGE_CELLS, 1)])
    assert paged.nbytes < 200 * PAGE_CELLS * 8


def test_terms_count_from_each_orders_base_in_every_dimension() -> None:
    paged = PagedArray(np.int64)
    paged.add_rows(6)
    bases = np.array([[0, 0, 3], [3, 0, 0]], np.int64)
    some = _array([0, 2])
    paged.add_terms(bases, [Term(1, None, _array([5, 6, 7]), 2), Term(2, some, some, some + 1)])
    assert dense(paged) == {
        (1, 5): 2,
        (1, 6): 4,
        (1, 7): 2,
        (4, 5): 2,
        (4, 7): 2,
        (2, 0): 1,
        (2, 2): 3,
        (5, 0): 1,
        (5, 2): 3,
    }


@NEEDS_KERNEL
def test_the_same_amounts_make_the_same_cells_however_far_and_large() -> None:
    rows = _array([0, 0, 1, 1, 0])
    cells = _array([0, 10**6, -(10**6), 10**6, 0])
    amounts = _array([2**31 - 1, 2**62, -(2**31), 2**32 + 5, 1])
    for wide in (False, True):
        ours, theirs = _empty(installed(), wide=wide), _empty(None, wide=wide)
        for each in (ours, theirs):
            each.add_rows(2)
            each.add(rows, cells, amounts)
        assert dense(ours) == dense(theirs)


@NEEDS_KERNEL
@pytest.mark.parametrize(
    ("rows", "cells", "error"),
    [([5], [0], IndexError), ([-1], [0], IndexError), ([0, 0], [0], ValueError)],
)
def test_rows_that_are_not_there_and_columns_that_do_not_fit_raise(
    rows: list[int], cells: list[int], error: type[Exception]
) -> None:
    paged = _empty(installed(), wide=True)
    paged.add_rows(2)
    with pytest.raises(error):
        paged.add(_array(rows), _array(cells), _array([1]))
    with pytest.raises(IndexError):
        paged.sum_to(_array([2]), 0)
