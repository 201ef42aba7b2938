"""Which rows of the tallies mean what."""

from __future__ import annotations

from stream.domain.windows import Window

# Under a segment row in `counts`; some per window follow. REORDERS: orders of customers that
# have an earlier one; REPEATERS: customers' second orders.
FIRST_ORDERS, ORDERS, SIGNUPS, REORDERS, REPEATERS, WINDOWS_FROM = range(6)
#: Beside ACTIVE, RETAINED and REPEAT of :mod:`stream.domain.intervals`.
ACTIVATED = 3
COUNTS_PER_WINDOW = 4
# Under a segment row in `sums`. MEAN_INTERVAL_MS: see :mod:`stream.domain.gaps`.
SOLD, RETURNED, GAP_MS, MEAN_INTERVAL_MS, SUM_ROWS = range(5)


def counts_per_row(windows: tuple[Window, ...]) -> int:
    """Rows of `counts` under a segment row."""
    return WINDOWS_FROM + COUNTS_PER_WINDOW * len(windows)
