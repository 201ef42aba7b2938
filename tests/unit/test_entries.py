"""Merging events into a customer's entries: what stays, in which order, and what was new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stream.domain.entries import (
    CANCELLATION,
    CANCELLED,
    GUEST_ORDER,
    ORDER,
    PLACED,
    RETURN,
    SIGNUP,
    carried_values,
    entry_type,
    is_live_order,
    merge,
    previous_two,
)

if TYPE_CHECKING:
    from stream.domain.arrays import I64, Records
    from stream.domain.entries import Merged


def _entries(*rows: tuple[int, int, int, int]) -> Records:
    """Entries as (kind, time, id, value)."""
    entries = np.zeros(len(rows), entry_type(1))
    for entry, (kind, time_ms, number, value) in zip(entries, rows, strict=True):
        entry["kind"], entry["time_ms"] = kind, time_ms
        entry["id_hash"], entry["values"] = number, value
        entry["flags"] = PLACED if kind == ORDER else 0
        # What tells two contents of one id apart.
        entry["amount_minor_units"] = 1000 * time_ms + value
    return entries


def _owners(entries: Records) -> I64:
    return np.zeros(len(entries), np.int64)


def _merge(old: Records, new: Records) -> Merged:
    return merge(old, _owners(old), new, _owners(new))


def _found(merged: Merged) -> list[tuple[int, int, int, int]]:
    names = ("kind", "time_ms", "id_hash", "flags")
    return [tuple(int(entry[name]) for name in names) for entry in merged.entries]  # type: ignore[misc]


NOTHING = _entries()


def test_entries_stand_by_time_then_kind_then_arrival() -> None:
    new = _entries(
        (RETURN, 5, 1, 0), (SIGNUP, 5, 0, 0), (ORDER, 5, 9, 0), (ORDER, 5, 8, 0), (ORDER, 4, 7, 0)
    )
    merged = _merge(NOTHING, new)
    assert _found(merged) == [
        (ORDER, 4, 7, PLACED),
        (ORDER, 5, 9, PLACED),
        (ORDER, 5, 8, PLACED),
        (SIGNUP, 5, 0, 0),
        (RETURN, 5, 1, 0),
    ]
    assert not merged.duplicates.any()


def test_what_was_there_arrived_first() -> None:
    merged = _merge(_entries((ORDER, 5, 1, 0)), _entries((ORDER, 5, 2, 0), (ORDER, 4, 3, 0)))
    assert [row[2] for row in _found(merged)] == [3, 1, 2]


def test_of_two_orders_with_one_id_the_first_to_arrive_stays() -> None:
    merged = _merge(_entries((ORDER, 5, 1, 7)), _entries((ORDER, 3, 1, 8), (ORDER, 9, 1, 9)))
    assert _found(merged) == [(ORDER, 5, 1, PLACED)]
    assert merged.entries["amount_minor_units"].tolist() == [5007]
    assert merged.duplicates.tolist() == [True, True]


def test_an_order_and_a_return_may_have_one_id() -> None:
    merged = _merge(NOTHING, _entries((ORDER, 5, 1, 0), (RETURN, 6, 1, 0), (RETURN, 7, 1, 0)))
    assert [row[:2] for row in _found(merged)] == [(ORDER, 5), (RETURN, 6)]
    assert merged.duplicates.tolist() == [False, False, True]


def test_a_cancellation_marks_its_order_and_leaves_no_entry_of_its_own() -> None:
    merged = _merge(_entries((ORDER, 5, 1, 0)), _entries((CANCELLATION, 9, 1, 0)))
    assert _found(merged) == [(ORDER, 5, 1, PLACED | CANCELLED)]
    assert not is_live_order(merged.entries).any()
    assert merged.duplicates.tolist() == [False]


def test_a_cancellation_before_its_order_ends_the_same() -> None:
    early = _merge(NOTHING, _entries((CANCELLATION, 2, 1, 0)))
    assert _found(early) == [(ORDER, 2, 1, CANCELLED)]
    late = _merge(early.entries, _entries((ORDER, 5, 1, 7)))
    assert _found(late) == [(ORDER, 5, 1, PLACED | CANCELLED)]
    assert late.entries["amount_minor_units"].tolist() == [5007]
    assert late.duplicates.tolist() == [False]
    together = _merge(NOTHING, _entries((CANCELLATION, 2, 1, 0), (ORDER, 5, 1, 7)))
    assert together.entries.tobytes() == late.entries.tobytes()


def test_a_cancelled_id_never_counts_again() -> None:
    cancelled = _merge(_entries((ORDER, 5, 1, 0)), _entries((CANCELLATION, 6, 1, 0)))
    again = _merge(cancelled.entries, _entries((ORDER, 9, 1, 0), (CANCELLATION, 9, 1, 0)))
    assert _found(again) == [(ORDER, 5, 1, PLACED | CANCELLED)]
    assert again.duplicates.tolist() == [True, True]


def test_equal_signups_are_duplicates_and_different_ones_are_kept() -> None:
    new = _entries((SIGNUP, 5, 0, 1), (SIGNUP, 5, 0, 2), (SIGNUP, 5, 0, 1), (SIGNUP, 3, 0, 1))
    merged = _merge(NOTHING, new)
    assert merged.entries["time_ms"].tolist() == [3, 5, 5]
    assert merged.entries["values"][:, 0].tolist() == [1, 1, 2]
    assert merged.duplicates.tolist() == [False, False, True, False]


def test_customers_are_merged_apart() -> None:
    old, new = _entries((ORDER, 5, 1, 0), (ORDER, 6, 1, 0)), _entries((ORDER, 4, 1, 0))
    merged = merge(
        old, np.array([0, 2], np.int64), np.repeat(new, 3), np.array([2, 1, 0], np.int64)
    )
    assert merged.owners.tolist() == [0, 1, 2]
    assert merged.entries["time_ms"].tolist() == [5, 4, 6]
    assert merged.duplicates.tolist() == [True, False, True]


def test_merging_leaves_its_arguments_alone() -> None:
    old, new = _entries((ORDER, 5, 1, 0)), _entries((CANCELLATION, 9, 1, 0), (ORDER, 1, 2, 0))
    before = old.tobytes(), new.tobytes()
    _merge(old, new)
    assert (old.tobytes(), new.tobytes()) == before


def test_the_earliest_carrier_that_counts_gives_the_segment() -> None:
    entries = _entries(
        (RETURN, 1, 1, 9),
        (ORDER, 2, 2, 0),
        (ORDER, 3, 3, 8),
        (SIGNUP, 4, 0, 7),
        (ORDER, 5, 4, 6),
        (GUEST_ORDER, 1, 5, 5),
        (RETURN, 1, 6, 4),
    )
    entries["flags"][2] |= CANCELLED
    owners = np.array([0, 0, 0, 0, 0, 1, 2], np.int64)
    assert carried_values(entries, owners, 4).tolist() == [[7], [5], [0], [0]]


def test_previous_orders_are_those_of_the_same_customer() -> None:
    owners = np.array([0, 0, 0, 1, 2, 2], np.int64)
    times = np.array([10, 11, 12, 20, 30, 31], np.int64)
    previous, before = previous_two(owners, times)
    never = previous[0]
    assert never < -(10**17)
    assert previous.tolist() == [never, 10, 11, never, never, 30]
    assert before.tolist() == [never, never, 10, never, never, never]


def test_an_entry_is_a_whole_number_of_words_whatever_the_dimensions() -> None:
    for dimensions in range(9):
        kind = entry_type(dimensions)
        assert kind.itemsize % 8 == 0
        assert 0 <= kind.itemsize - (32 + 2 * dimensions) < 8
