"""The interval arithmetic against looking at every instant."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.intervals import (
    ACTIVE,
    NO_BUCKET,
    REPEAT,
    RETAINED,
    calendar_counts,
    rolling_intervals,
)

if TYPE_CHECKING:
    from stream.domain.arrays import I64

BUCKETS = st.lists(st.integers(0, 40), max_size=8).map(sorted)


def _with_previous(buckets: list[int]) -> tuple[I64, I64, I64]:
    padded = np.array([NO_BUCKET, NO_BUCKET, *buckets], np.int64)
    return padded[2:], padded[1:-1], padded[:-2]


@given(BUCKETS, st.integers(1, 12))
def test_sums_of_intervals_are_what_one_sees_at_every_instant(
    buckets: list[int], window: int
) -> None:
    changes: Counter[tuple[int, int]] = Counter()
    for part in rolling_intervals(*_with_previous(buckets), window):
        for first, end in zip(part.first.tolist(), part.end.tolist(), strict=True):
            assert first <= end
            changes[part.which, first] += 1
            changes[part.which, end] -= 1
    for now in range(-2, 80):
        count = {
            which: sum(n for (kind, at), n in changes.items() if kind == which and at <= now)
            for which in (ACTIVE, RETAINED, REPEAT)
        }
        inside = [bucket for bucket in buckets if now - window < bucket <= now]
        before = [bucket for bucket in buckets if now - 2 * window < bucket <= now - window]
        assert count[ACTIVE] == bool(inside)
        assert count[RETAINED] == bool(inside and before)
        assert count[REPEAT] == (len(inside) >= 2)


@given(BUCKETS)
def test_only_named_orders_have_an_interval(buckets: list[int]) -> None:
    for part in rolling_intervals(*_with_previous(buckets), 5):
        if part.of is not None:
            assert len(part.of) == len(part.first) == len(part.end)
            assert (part.first < part.end).all()
        else:
            assert len(part.first) == len(buckets)


@given(st.lists(st.integers(0, 6), max_size=8).map(sorted))
def test_calendar_counts_add_up_to_what_one_sees_in_every_period(periods: list[int]) -> None:
    counts = {which: flags.tolist() for which, flags in calendar_counts(*_with_previous(periods))}
    for period in range(-1, 8):
        here = [place for place, one in enumerate(periods) if one == period]
        assert sum(counts[ACTIVE][place] for place in here) == bool(here)
        assert sum(counts[REPEAT][place] for place in here) == (len(here) >= 2)
        stayed = bool(here) and period - 1 in periods
        assert sum(counts[RETAINED][place] for place in here) == stayed
