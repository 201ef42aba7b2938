"""The filter of ids seen: it may be wrong in one direction only."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.id_filter import IdFilter, fingerprint

U64S = st.lists(st.integers(0, 2**64 - 1), max_size=50)


@given(U64S, U64S)
def test_an_id_that_was_added_is_always_found(first: list[int], second: list[int]) -> None:
    ids = IdFilter()
    for batch in (first, second):
        ids.add(np.array(batch, np.uint64))
    both = np.array(first + second, np.uint64)
    assert ids.may_contain(both).all()
    ids.rebuild(both)
    assert ids.may_contain(both).all()


def test_an_empty_filter_contains_nothing() -> None:
    assert not IdFilter().may_contain(np.arange(1000, dtype=np.uint64)).any()


def test_few_new_ids_are_taken_for_known_ones_until_it_is_full() -> None:
    random = np.random.default_rng(1)
    known = random.integers(0, 2**64, 100_000, np.uint64)
    ids = IdFilter()
    ids.rebuild(known[:40_000])
    batches = iter(known[40_000:].reshape(-1, 1000))
    while not ids.full:
        ids.add(next(batches))
    new = random.integers(0, 2**64, 100_000, np.uint64)
    assert ids.may_contain(new).mean() < 0.03


def test_a_full_filter_says_so_and_rebuilding_makes_room() -> None:
    ids = IdFilter()
    some = np.arange(100_000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    ids.add(some)
    small, was_full = ids.nbytes, ids.full
    ids.rebuild(some)
    assert (was_full, ids.full) == (True, False)
    assert ids.ids == 100_000
    assert ids.nbytes > small


def test_customer_kind_and_id_all_tell_fingerprints_apart() -> None:
    rows, kinds, ids = np.meshgrid(
        np.arange(50, dtype=np.uint64),
        np.arange(4, dtype=np.uint64),
        np.arange(50, dtype=np.uint64),
    )
    found = fingerprint(rows.ravel(), ids.ravel(), kinds.ravel())
    assert len(np.unique(found)) == len(found)
