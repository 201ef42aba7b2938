"""Times between orders: buckets of the histogram, and what each order changes in a mean."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.gaps import (
    GAP_LIMITS_DAYS,
    HISTOGRAM_ROWS,
    histogram_rows,
    mean_interval_changes_ms,
)

DAY_MS = 86_400_000

# Over 130 years, far more than a horizon; few values, so that halves and ties happen.
times = st.lists(st.integers(0, 40) | st.integers(0, 2**42), min_size=2, max_size=40).map(sorted)


def test_a_gap_of_exactly_a_limit_is_in_that_limits_bucket() -> None:
    limits_ms = np.array(GAP_LIMITS_DAYS, np.int64) * DAY_MS
    assert histogram_rows(limits_ms).tolist() == list(range(len(GAP_LIMITS_DAYS)))
    assert histogram_rows(limits_ms + 1).tolist() == list(range(1, HISTOGRAM_ROWS))
    assert histogram_rows(np.array([0], np.int64)).tolist() == [0]


@given(times)
def test_changes_of_the_mean_interval_add_up_to_it_after_every_order(times_ms: list[int]) -> None:
    moments = np.array(times_ms, np.int64)
    later = len(moments) - 1
    changes = mean_interval_changes_ms(
        np.full(later, moments[0]), moments[:-1], moments[1:], np.arange(1, later + 1)
    )
    for orders, mean_ms in enumerate(np.cumsum(changes).tolist(), start=1):
        # Python rounds halves of a fraction to the even neighbour.
        assert mean_ms == round(Fraction(times_ms[orders] - times_ms[0], orders))
