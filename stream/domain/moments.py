"""Where in the tallies a window is read as of an instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.domain.calendar import Timeline, first_day_of_period, period_of_day
from stream.domain.windows import RollingWindow, Window


@dataclass(frozen=True, slots=True)
class Moment:
    """One evaluation of one window: where its counts and its sums are read."""

    #: The slots of the window, up to "as of".
    slots: range
    #: The slots of the preceding window.
    preceding_slots: range
    #: The last slot of the preceding window's first bucket, or first local day.
    mature_to_slot: int
    #: Rolling windows: the as-of bucket, and that of the preceding window; calendar: None.
    buckets: tuple[int, int] | None


def moment(timeline: Timeline, window: Window, as_of_ms: int, *, earlier: bool = False) -> Moment:
    """Where to read a window as of an instant; ``earlier`` is the ``prev_`` window."""
    bucket = as_of_ms // timeline.bucket_ms
    if isinstance(window, RollingWindow):
        length = window.length_buckets
        at = bucket - length if earlier else bucket
        edges = [timeline.last_slot_of_bucket(at - back * length) + 1 for back in (0, 1, 2)]
        return Moment(
            range(edges[1], edges[0]),
            range(edges[2], edges[1]),
            timeline.last_slot_of_bucket(at - 2 * length + 1),
            (at, at - length),
        )
    day = timeline.day_at(as_of_ms)
    period = int(period_of_day(window.unit, np.array([day], np.int64))[0])
    if earlier:
        period -= 1
    starts = [
        timeline.first_slot_of_day(first_day_of_period(window.unit, period + step))
        for step in (-1, 0, 1)
    ]
    # To date: not beyond the bucket of "as of", whose own slots count whole.
    end = min(starts[2], timeline.last_slot_of_bucket(bucket) + 1)
    first_day = first_day_of_period(window.unit, period - 1)
    mature_to = timeline.first_slot_of_day(first_day + 1) - 1
    return Moment(range(starts[1], end), range(starts[0], starts[1]), mature_to, None)
