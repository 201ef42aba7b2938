"""What became of each record of a chunk, told from what became of its events."""

from __future__ import annotations

from collections import Counter

import numpy as np

from stream.domain.arrays import I64, U8
from stream.domain.events import DeadLetter, Outcome

#: Of several events of one record the first of these counts: a record that a later try could use
#: more of is a dead letter; one of which some event was used is not late.
_BY_WEIGHT = (
    Outcome.REJECTED,
    Outcome.APPLIED,
    Outcome.GUEST,
    Outcome.DUPLICATE,
    Outcome.REPLAYED,
    Outcome.REROUTED,
    Outcome.TOO_LATE,
)
_CODES = {outcome: code for code, outcome in enumerate(_BY_WEIGHT)}
_REASONS = {
    Outcome.REJECTED: ("in_future", "over 24 h ahead of the worker's clock"),
    Outcome.TOO_LATE: ("too_late", "older than the history horizon"),
}


class Verdicts:
    """Outcomes of the events of a batch, which are applied unless something else is said.

    Args:
        index: the place of each event's record in the chunk, ascending; a record of several
            events has several in a row.
    """

    def __init__(self, index: I64) -> None:
        self._index = index
        self._codes: U8 = np.full(len(index), _CODES[Outcome.APPLIED], np.uint8)

    def set(self, places: I64, outcome: Outcome) -> None:
        """Say what became of the events at these places of the batch."""
        self._codes[places] = _CODES[outcome]

    def count(self) -> tuple[Counter[Outcome], list[DeadLetter]]:
        """Records by outcome, and dead letters for those out of time."""
        records, codes = self._index, self._codes
        if len(records) > 1 and (starts := records[1:] != records[:-1]).sum() < len(starts):
            firsts = np.flatnonzero(np.concatenate([[True], starts]))
            records, codes = records[firsts], np.minimum.reduceat(codes, firsts)
        found = np.bincount(codes, minlength=len(_BY_WEIGHT)).tolist()
        letters = [
            DeadLetter(int(place), outcome, *reason)
            for outcome, reason in _REASONS.items()
            if found[_CODES[outcome]]
            for place in records[codes == _CODES[outcome]]
        ]
        return Counter(dict(zip(_BY_WEIGHT, found, strict=True))), letters
