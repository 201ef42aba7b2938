"""The kernel's book refuses what does not fit together, before it changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from stream.domain.book import CompiledBook
from stream.domain.calendar import Timeline
from stream.domain.entries import ORDER, PLACED, entry_type
from stream.domain.windows import parse_window
from tests.support.kernels import NEEDS_KERNEL, installed

if TYPE_CHECKING:
    from stream import kernel
    from stream.domain.arrays import I64, Records

pytestmark = NEEDS_KERNEL

HOUR_MS = 3_600_000
DIMENSIONS = 1


def _book() -> CompiledBook:
    windows = tuple(parse_window(name, HOUR_MS) for name in ("7d", "month"))
    book = CompiledBook(installed(), Timeline(HOUR_MS, "UTC"), windows)
    for _ in range(2):
        book.add_segment_row()
    return book


def _orders(count: int) -> Records:
    entries = np.zeros(count, entry_type(DIMENSIONS))
    entries["time_ms"] = np.arange(count) * HOUR_MS
    entries["id_hash"] = np.arange(count) + 1
    entries["kind"], entries["flags"] = ORDER, PLACED
    return entries


def _ledger(rows: int) -> kernel.EntryLedger:
    ledger = installed().Ledger(entry_type(DIMENSIONS))
    ledger.add_rows(rows)
    return ledger


def _array(*values: int) -> I64:
    return np.array(values, np.int64)


SEGMENTS = np.array([[0, 1]], np.int64)


def test_a_merge_is_seen_when_it_is_committed() -> None:
    book, ledger = _book(), _ledger(1)
    merge = installed().merge_events(ledger, _array(0, 0), _orders(2), DIMENSIONS)
    assert ledger.entries == 0
    book.tallies.commit(merge, ledger, SEGMENTS, SEGMENTS)
    assert ledger.entries == 2
    assert book.occupied().tolist() == [0, 1]


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param(np.array([[0, 2]], np.int64), id="a segment row past the rows"),
        pytest.param(np.array([[0, -1]], np.int64), id="a negative segment row"),
        pytest.param(np.array([[0, 1], [0, 1]], np.int64), id="more than there are rows"),
        pytest.param(np.zeros((0, 2), np.int64), id="fewer than there are rows"),
    ],
)
def test_segments_that_do_not_fit_change_nothing(segments: I64) -> None:
    book, ledger = _book(), _ledger(1)
    merge = installed().merge_events(ledger, _array(0), _orders(1), DIMENSIONS)
    for before, after in ((SEGMENTS, segments), (segments, SEGMENTS)):
        with pytest.raises(ValueError, match="segment"):
            book.tallies.commit(merge, ledger, before, after)
    with pytest.raises(ValueError, match="segment"):
        book.tallies.contribute(ledger, segments, 1)
    assert ledger.entries == 0
    assert book.occupied().tolist() == []


@pytest.mark.parametrize(
    ("rows", "events"),
    [((1,), 1), ((-1,), 1), ((0,), 2), ((0, 0), 1)],
    ids=["a row past the rows", "a negative row", "too many events", "too few events"],
)
def test_events_that_do_not_fit_their_rows_are_refused(rows: tuple[int, ...], events: int) -> None:
    with pytest.raises(ValueError, match="row"):
        installed().merge_events(_ledger(1), _array(*rows), _orders(events), DIMENSIONS)


@pytest.mark.parametrize("window", [(0, ""), (-1, ""), (0, "fortnight"), (24, "day")])
def test_windows_that_are_none_are_refused(window: tuple[int, str]) -> None:
    with pytest.raises(ValueError, match="window"):
        installed().TallyBook(HOUR_MS, [], [0], [window], [1], [1])


def test_a_timeline_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="timeline"):
        installed().TallyBook(HOUR_MS, [0], [0], [], [1], [1])
