"""Whose turn comes soon: so that not everybody has to be asked whenever somebody wants to know."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64, NEVER_MS

#: So far beyond what was asked for it is known whose turn comes; then everybody is asked again.
_AHEAD_MS = 3_600_000


class Agenda:
    """The rows of a column of instants whose instant is near.

    The column is the caller's, and given with each call; the same one, as it is then.
    """

    def __init__(self) -> None:
        #: Distinct, ascending: at least those whose instant is not after ``_known_to_ms``.
        self._rows: I64 = np.zeros(0, np.int64)
        self._known_to_ms = NEVER_MS

    def up_to(self, at_ms: int, column_ms: I64) -> I64:
        """The rows whose instant is ``at_ms`` or before, ascending."""
        if at_ms > self._known_to_ms:
            self._known_to_ms = at_ms + _AHEAD_MS
            self._rows = np.flatnonzero(column_ms <= self._known_to_ms)
        return self._rows[column_ms[self._rows] <= at_ms]

    def note(self, rows: I64, instants_ms: I64) -> None:
        """Instants of some distinct rows were set in the column, or rows added to it."""
        soon = rows[instants_ms <= self._known_to_ms]
        if len(soon):
            self._rows = np.union1d(self._rows, soon)

    def settle(self, column_ms: I64) -> int:
        """Let go whose instant has moved on.

        Returns:
            An instant before which no row has its own. At it one may have, or nothing is known.
        """
        instants_ms = column_ms[self._rows]
        self._rows = self._rows[instants_ms <= self._known_to_ms]
        return int(instants_ms.min(initial=self._known_to_ms + 1))
