"""An order and the two before it → the stretches of "as of" in which they count.

For one customer let the orders, sorted by time, fall in buckets T0 ≤ T1 ≤ …; W is a rolling
window in buckets and ``[a, b)`` means "at every as-of bucket t with a ≤ t < b". Each count of
customers is a sum of intervals, one per order:

========  ==================================================================
active    ``[max(Ti, Ti-1 + W), Ti + W)``
retained  ``[max(Ti, Ti-1 + W), min(Ti-1 + 2W, Ti + W))``, if not empty
repeat    ``[max(Ti, Ti-2 + W), Ti-1 + W)``, if not empty
========  ==================================================================

Where there is no earlier order its bucket is :data:`NO_BUCKET`, so far back that the maxima
ignore it and the intervals that need it are empty. What this buys: a customer ages out of a
window by an end written down when the order arrived, so there are no timers; and inserting or
removing an order changes the terms of that order and the next two only.

A calendar count needs no interval: an order counts from its slot to the end of its period.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from stream.domain.arrays import I64, Bools

#: "No earlier order": far before any bucket, and far from overflow.
NO_BUCKET = -(1 << 40)

#: The counts kept per window, in the order the functions below give them.
ACTIVE, RETAINED, REPEAT = range(3)


class Intervals(NamedTuple):
    """Half-open intervals of as-of buckets; ``of`` says which order each belongs to."""

    which: int
    of: I64 | None
    first: I64
    end: I64


def rolling_intervals(
    bucket: I64, previous: I64, before: I64, window_buckets: int
) -> Iterator[Intervals]:
    """The intervals of each order in one rolling window.

    Args:
        bucket: bucket of each order.
        previous: bucket of the same customer's order before it, or NO_BUCKET.
        before: bucket of the order before that, or NO_BUCKET.
        window_buckets: length of the window.

    Yields:
        One batch of intervals per count (``which``); ``of`` is None when every order has one.
    """
    aged_out = bucket + window_buckets
    previous_aged_out = previous + window_buckets
    begins = np.maximum(bucket, previous_aged_out)
    yield Intervals(ACTIVE, None, begins, aged_out)

    ends = np.minimum(previous_aged_out + window_buckets, aged_out)
    some = np.flatnonzero(begins < ends)
    yield Intervals(RETAINED, some, begins[some], ends[some])

    begins = np.maximum(bucket, before + window_buckets)
    some = np.flatnonzero(begins < previous_aged_out)
    yield Intervals(REPEAT, some, begins[some], previous_aged_out[some])


def calendar_counts(period: I64, previous: I64, before: I64) -> Iterator[tuple[int, Bools]]:
    """Which orders make their customer count in the order's own calendar period.

    Args:
        period: number of the period of each order.
        previous: period of the same customer's order before it, or NO_BUCKET.
        before: period of the order before that, or NO_BUCKET.

    Yields:
        Each count with the orders that begin it: the first order of a period makes active, and
        retained when the period before has one too; the second makes repeat.
    """
    first_of_period = period != previous
    yield ACTIVE, first_of_period
    yield RETAINED, previous == period - 1
    yield REPEAT, ~first_of_period & (before != period)
