"""The kernel's scattering of terms against the reference in ``stream/domain/paged.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.paged import PAGE_CELLS, PagedArray, Term
from tests.support.kernels import NEEDS_KERNEL, installed

if TYPE_CHECKING:
    from stream.domain.arrays import I64

pytestmark = NEEDS_KERNEL

ROWS = 6
#: Terms count from here in the rows, so that a base and a term's row share them.
LAST_BASE, LAST_TERM_ROW = 3, 2
CELLS = st.integers(-3, 3) | st.integers(-3000, 3000) | st.sampled_from((10**6, PAGE_CELLS))
AMOUNTS = st.integers(-3, 3) | st.sampled_from((2**31 - 1, -(2**31), 2**32 + 5, 2**62))
DTYPES = st.sampled_from((np.int32, np.int64))


def _array(values: list[int]) -> I64:
    return np.array(values, np.int64)


@st.composite
def batches(draw: st.DrawFn) -> tuple[I64, list[Term]]:
    """Bases of some orders in some dimensions, and terms of some or all of them."""
    orders, dimensions = draw(st.integers(0, 5)), draw(st.integers(1, 3))
    base = st.integers(0, LAST_BASE)
    bases = _array(
        draw(st.lists(base, min_size=orders * dimensions, max_size=orders * dimensions))
    ).reshape(dimensions, orders)
    if draw(st.booleans()):
        # As the engine has them: per order first, and not contiguous.
        bases = np.ascontiguousarray(bases.T).T
    terms = []
    for _ in range(draw(st.integers(0, 4))):
        of = None
        if draw(st.booleans()):
            of = _array(draw(st.lists(st.integers(0, orders - 1), max_size=6)) if orders else [])
        count = orders if of is None else len(of)
        one_each = st.lists(AMOUNTS, min_size=count, max_size=count).map(_array)
        terms.append(
            Term(
                draw(st.integers(0, LAST_TERM_ROW)),
                of,
                _array(draw(st.lists(CELLS, min_size=count, max_size=count))),
                draw(AMOUNTS | one_each),
            )
        )
    return bases, terms


@given(dtype=DTYPES, added=st.lists(batches(), min_size=1, max_size=4), cell=CELLS)
def test_the_same_terms_make_the_same_cells_and_sums(
    dtype: type[Any], added: list[tuple[I64, list[Term]]], cell: int
) -> None:
    ours, theirs = PagedArray(dtype, installed()), PagedArray(dtype, None)
    rows = np.arange(ROWS, dtype=np.int64)
    for each in (ours, theirs):
        each.add_rows(ROWS)
    for bases, terms in added:
        for each in (ours, theirs):
            each.add(bases, terms)
        # In between, so that it shows when a sum that was read before is taken for a fresh one.
        assert ours.sum_to(rows, cell).tolist() == theirs.sum_to(rows, cell).tolist()
    assert ours.dense() == theirs.dense()


@given(batches())
def test_terms_and_their_opposites_leave_nothing(batch: tuple[I64, list[Term]]) -> None:
    bases, terms = batch
    paged = PagedArray(np.int64, installed())
    paged.add_rows(ROWS)
    paged.add(bases, terms)
    paged.add(bases, [term._replace(amount=-term.amount) for term in terms])
    assert paged.dense() == {}


ORDERS = 3
BASES = np.zeros((2, ORDERS), np.int64)
THREE = np.zeros(ORDERS, np.int64)
TERM: tuple[Any, ...] = (0, None, THREE, 1)
MISUSES: dict[str, tuple[str, Any, type[Exception]]] = {
    "fewer cells than orders": ("terms", [(0, None, THREE[:2], 1)], ValueError),
    "more cells than orders": ("terms", [(0, None, np.zeros(4, np.int64), 1)], ValueError),
    "fewer cells than places": ("terms", [(0, THREE, THREE[:2], 1)], ValueError),
    "more cells than places": ("terms", [(0, THREE[:2], THREE, 1)], ValueError),
    "fewer amounts than cells": ("terms", [(0, None, THREE, THREE[:2])], ValueError),
    "an amount for each of none": ("terms", [(0, None, THREE, THREE[:0])], ValueError),
    "a place past the orders": ("terms", [(0, THREE[:1] + ORDERS, THREE[:1], 1)], IndexError),
    "a negative place": ("terms", [(0, THREE[:1] - 1, THREE[:1], 1)], IndexError),
    "a row past the rows": ("terms", [(10**6, None, THREE, 1)], IndexError),
    "a negative row": ("terms", [(-1, None, THREE, 1)], IndexError),
    "a row past all numbers": ("terms", [(2**63 - 1, None, THREE, 1)], IndexError),
    "bases past all numbers": ("bases", BASES + 2**62, IndexError),
    "bases of one dimension": ("bases", THREE, ValueError),
    "cells of another type": ("terms", [(0, None, THREE.astype(np.int32), 1)], BufferError),
    "amounts of another type": ("terms", [(0, None, THREE, THREE.astype(float))], TypeError),
    "cells with gaps": ("terms", [(0, None, np.zeros(6, np.int64)[::2], 1)], ValueError),
    "a directory with gaps": ("directory", np.ones((4, 2), np.int64)[:, ::2], ValueError),
    "a directory that names no page": ("directory", np.full((2, 2), 10**6), IndexError),
    "a directory that names a cell before all": ("directory", np.full((2, 2), -5), IndexError),
    "stale of another shape": ("stale", np.zeros((1, 2), np.uint8), ValueError),
    "pages of another type": ("pages", np.zeros((4, 512)), BufferError),
    "pages that cannot be written": ("pages", np.zeros((4, 512), np.int64), ValueError),
}
MISUSES["pages that cannot be written"][1].flags.writeable = False


@pytest.mark.parametrize(("name", "value", "error"), MISUSES.values(), ids=MISUSES.keys())
def test_what_does_not_fit_together_raises_and_is_not_followed_out_of_the_arrays(
    name: str, value: object, error: type[Exception]
) -> None:
    arguments: dict[str, Any] = {
        "pages": np.zeros((4, 512), np.int64),
        "directory": np.full((2, 2), 512),
        "stale": np.zeros((2, 2), np.uint8),
        "first_block": 0,
        "bases": BASES,
        "terms": [TERM],
    }
    installed().scatter(**arguments)
    assert arguments["pages"][1, 0] == BASES.size
    with pytest.raises(error):
        installed().scatter(**{**arguments, name: value})


def test_the_farthest_cells_there_are_have_no_page() -> None:
    far = np.array([2**63 - 1, -(2**63), 0], np.int64)
    pages, directory = np.zeros((2, 512), np.int64), np.full((1, 1), 512)
    for first_block in (0, 2**63 - 1, -(2**63)):
        rows, cells, amounts = installed().scatter(
            pages,
            directory,
            np.zeros((1, 1), np.uint8),
            first_block,
            BASES[:1],
            [(0, None, far, 1)],
        )
        kept = far[:2] if first_block == 0 else far
        assert np.frombuffer(cells, np.int64).tolist() == kept.tolist()
        assert np.frombuffer(rows, np.int64).tolist() == [0] * len(kept)
        assert np.frombuffer(amounts, np.int64).tolist() == [1] * len(kept)
