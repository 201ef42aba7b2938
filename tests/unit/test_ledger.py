"""Runs of entries in one pool against a list of lists."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.arrays import NEVER_MS
from stream.domain.entries import entry_type
from stream.domain.ledger import Ledger
from tests.support.kernels import KERNELS, NEEDS_KERNEL, installed

if TYPE_CHECKING:
    from stream import kernel
    from stream.domain.arrays import I64, Records

_times = count(1)
#: How many entries each of some distinct rows gets, and whether they replace what it had.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("append", "replace", "rows")),
        st.dictionaries(st.integers(0, 11), st.integers(0, 9), max_size=6),
    ),
    max_size=30,
)


both = pytest.mark.parametrize("compiled", KERNELS)


def _empty(compiled: kernel.Kernel | None, dimensions: int) -> kernel.EntryLedger:
    return Ledger(dimensions) if compiled is None else compiled.Ledger(entry_type(dimensions))


def _entries(times: list[int]) -> Records:
    entries = np.zeros(len(times), entry_type(2))
    entries["time_ms"] = times
    entries["values"] = np.array(times, np.uint16).reshape(-1, 1)
    return entries


def _array(values: list[int]) -> I64:
    return np.array(values, np.int64)


def _assert_holds(ledger: kernel.EntryLedger, expected: list[list[int]]) -> None:
    everyone = np.arange(len(expected), dtype=np.int64)
    assert ledger.rows == len(expected)
    assert ledger.lengths(everyone).tolist() == [len(run) for run in expected]
    backwards = everyone[::-1].copy()
    entries, lengths = ledger.gather(backwards)
    assert lengths.tolist() == [len(run) for run in expected[::-1]]
    times = [time for run in expected[::-1] for time in run]
    assert entries["time_ms"].tolist() == times
    assert entries.tobytes() == _entries(times).tobytes()
    last = ledger.latest_ms(everyone, NEVER_MS).tolist()
    assert last == [run[-1] if run else NEVER_MS for run in expected]
    assert ledger.entries == len(times)


@both
@given(STEPS)
def test_runs_hold_what_was_put_in_whatever_moves_and_packs(
    compiled: kernel.Kernel | None,
    steps: list[tuple[str, dict[int, int]]],
) -> None:
    ledger = _empty(compiled, 2)
    ledger.add_rows(4)
    expected: list[list[int]] = [[] for _ in range(4)]
    for kind, sizes in steps:
        if kind == "rows":
            ledger.add_rows(len(sizes))
            expected += [[] for _ in sizes]
            continue
        chosen = {row: size for row, size in sizes.items() if row < len(expected)}
        new = {row: [next(_times) for _ in range(size)] for row, size in chosen.items()}
        entries = _entries([time for run in new.values() for time in run])
        rows, lengths = _array([*chosen]), _array([*chosen.values()])
        (ledger.append if kind == "append" else ledger.replace)(rows, lengths, entries)
        for row, run in new.items():
            expected[row] = expected[row] + run if kind == "append" else run
    _assert_holds(ledger, expected)


@both
def test_loaded_runs_are_packed_and_can_grow(compiled: kernel.Kernel | None) -> None:
    ledger = _empty(compiled, 2)
    ledger.load(_array([2, 0, 3]), _entries([1, 2, 3, 4, 5]))
    _assert_holds(ledger, [[1, 2], [], [3, 4, 5]])
    ledger.append(_array([0, 1]), _array([1, 1]), _entries([6, 7]))
    ledger.load(_array([1]), _entries([8]))
    _assert_holds(ledger, [[1, 2, 6], [7], [3, 4, 5], [8]])


@both
def test_growing_runs_one_by_one_does_not_fill_memory_with_holes(
    compiled: kernel.Kernel | None,
) -> None:
    ledger = _empty(compiled, 0)
    ledger.add_rows(10)
    rows = np.arange(10, dtype=np.int64)
    for time in range(1000):
        entries = np.zeros(10, entry_type(0))
        entries["time_ms"] = time
        ledger.append(rows, np.ones(10, np.int64), entries)
    assert ledger.entries == 10_000
    assert ledger.nbytes < 3 * 10_000 * entry_type(0).itemsize


@NEEDS_KERNEL
def test_rows_that_are_not_there_and_entries_too_few_raise() -> None:
    ledger = installed().Ledger(entry_type(2))
    ledger.add_rows(1)
    for misuse in (
        lambda: ledger.gather(_array([1])),
        lambda: ledger.lengths(_array([-1])),
        lambda: ledger.append(_array([1]), _array([1]), _entries([1])),
    ):
        with pytest.raises(IndexError):
            misuse()
    for lengths in (_array([2]), _array([-1])):
        with pytest.raises(ValueError, match="entries"):
            ledger.replace(_array([0]), lengths, _entries([1]))
        with pytest.raises(ValueError, match="entries"):
            ledger.load(lengths, _entries([1]))
