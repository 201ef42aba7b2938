"""Runs of entries in one pool against a list of lists."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.arrays import NEVER_MS
from stream.domain.entries import entry_type
from stream.domain.ledger import Ledger

if TYPE_CHECKING:
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


def _entries(times: list[int]) -> Records:
    entries = np.zeros(len(times), entry_type(2))
    entries["time_ms"] = times
    entries["values"] = np.array(times, np.uint16).reshape(-1, 1)
    return entries


def _array(values: list[int]) -> I64:
    return np.array(values, np.int64)


def _assert_holds(ledger: Ledger, expected: list[list[int]]) -> None:
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


@given(STEPS)
def test_runs_hold_what_was_put_in_whatever_moves_and_packs(
    steps: list[tuple[str, dict[int, int]]],
) -> None:
    ledger = Ledger(2)
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


def test_loaded_runs_are_packed_and_can_grow() -> None:
    ledger = Ledger(2)
    ledger.load(_array([2, 0, 3]), _entries([1, 2, 3, 4, 5]))
    _assert_holds(ledger, [[1, 2], [], [3, 4, 5]])
    ledger.append(_array([0, 1]), _array([1, 1]), _entries([6, 7]))
    ledger.load(_array([1]), _entries([8]))
    _assert_holds(ledger, [[1, 2, 6], [7], [3, 4, 5], [8]])


def test_growing_runs_one_by_one_does_not_fill_memory_with_holes() -> None:
    ledger = Ledger(0)
    ledger.add_rows(10)
    rows = np.arange(10, dtype=np.int64)
    for time in range(1000):
        entries = np.zeros(10, entry_type(0))
        entries["time_ms"] = time
        ledger.append(rows, np.ones(10, np.int64), entries)
    assert ledger.entries == 10_000
    assert ledger.nbytes < 3 * 10_000 * entry_type(0).itemsize
