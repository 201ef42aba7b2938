"""The time that events themselves tell, over all partitions of a worker."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64, NEVER_MS, Bools


class EventClock:
    """The greatest time of all usable events so far."""

    def __init__(self) -> None:
        #: None before the first.
        self.latest_ms: int | None = None

    def advance(self, event_ms: int) -> None:
        """Note that a usable event has this time."""
        self.latest_ms = max(event_ms, self.latest_ms or event_ms)

    def before_each(self, time_ms: I64, usable: Bools) -> I64:
        """What the clock says before each of some events, the earlier ones of them included.

        Args:
            time_ms: of the events, in order of arrival.
            usable: whether each moves the clock on.
        """
        seen = np.empty(len(time_ms) + 1, np.int64)
        seen[0] = NEVER_MS if self.latest_ms is None else self.latest_ms
        seen[1:] = np.where(usable, time_ms, NEVER_MS)
        before: I64 = np.maximum.accumulate(seen)[:-1]
        return before
