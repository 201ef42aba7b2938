"""Times between a customer's orders: sums over windows, a histogram, and customers' own means.

A customer with n orders has the mean interval ``(last - first) / (n - 1)``, held to whole
milliseconds. It changes with each order, so each order adds the difference it makes: the sum of
an instant's means is then a prefix sum like any other.
"""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64
from stream.domain.calendar import DAY_MS

#: Upper limits of the histogram's buckets, inclusive.
GAP_LIMITS_DAYS = (1, 3, 7, 14, 21, 30, 45, 60, 90, 120, 180, 365)
GAP_LIMITS_MS = np.array(GAP_LIMITS_DAYS, np.int64) * DAY_MS
#: One more for what is longer than all.
HISTOGRAM_ROWS = len(GAP_LIMITS_DAYS) + 1


def histogram_rows(gaps_ms: I64) -> I64:
    """The bucket of the histogram each gap falls in."""
    return np.searchsorted(GAP_LIMITS_MS, gaps_ms, side="left").astype(np.int64)


def mean_interval_changes_ms(
    first_ms: I64, previous_ms: I64, time_ms: I64, earlier_orders: I64
) -> I64:
    """What each order changes in its customer's mean interval.

    Args:
        first_ms: time of the customer's first order.
        previous_ms: time of the customer's order before.
        time_ms: time of the order.
        earlier_orders: how many orders the customer had before, at least 1.
    """
    after = np.rint((time_ms - first_ms) / earlier_orders)
    before = np.rint((previous_ms - first_ms) / np.maximum(earlier_orders - 1, 1))
    return (after - before).astype(np.int64)
