"""Outcomes of records with several events."""

from __future__ import annotations

import numpy as np
import pytest

from stream.domain.events import Outcome
from stream.domain.verdicts import Verdicts


def test_records_of_one_event_each_count_as_they_are() -> None:
    verdicts = Verdicts(np.array([0, 2, 5]))
    verdicts.set(np.array([1]), Outcome.DUPLICATE)
    outcomes, letters = verdicts.count()
    assert +outcomes == {Outcome.APPLIED: 2, Outcome.DUPLICATE: 1}
    assert letters == []


def test_no_events_are_no_records() -> None:
    outcomes, letters = Verdicts(np.array([], np.int64)).count()
    assert sum(outcomes.values()) == 0
    assert letters == []


@pytest.mark.parametrize(
    ("events", "record"),
    [
        (["duplicate", "applied"], "applied"),
        (["too_late", "applied"], "applied"),
        (["too_late", "duplicate"], "duplicate"),
        (["applied", "rejected"], "rejected"),
        (["guest", "applied"], "applied"),
        (["too_late", "too_late"], "too_late"),
        (["rerouted", "rerouted"], "rerouted"),
    ],
)
def test_a_record_of_several_events_counts_once(events: list[str], record: str) -> None:
    verdicts = Verdicts(np.array([3, 7, 7, 9]))
    for place, name in enumerate(events, start=1):
        verdicts.set(np.array([place]), Outcome(name))
    outcomes, letters = verdicts.count()
    assert sum(outcomes.values()) == 3
    assert outcomes[Outcome(record)] == (3 if record == "applied" else 1)
    out_of_time = record in ("too_late", "rejected")
    assert [letter.index for letter in letters] == ([7] if out_of_time else [])
