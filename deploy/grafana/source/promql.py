"""PromQL over the worker's gauges.

One worker of several exports the business gauges at a time, and which one changes. So every query
takes the worker's own labels away: two of them for a moment give one line, not two.
"""

from __future__ import annotations

#: Money of different currencies is never added up.
CURRENCY = 'currency="$currency"'
#: Windows of now; ``prev_`` ones are the period before.
CURRENT_WINDOWS = 'window!~"prev_.*"'


def gauge(metric: str, *matchers: str, by: str = "store") -> str:
    """A business gauge of the chosen store."""
    selector = ",".join(('store="$store"', *matchers))
    return f"max by ({by}) (retention_{metric}{{{selector}}})"


def whole(metric: str, *matchers: str, window: str = "$window", by: str = "store") -> str:
    """A gauge of the whole store in one window."""
    return gauge(metric, 'dimension="all"', f'window="{window}"', *matchers, by=by)


def every_window(metric: str) -> str:
    """A gauge of the whole store in each window there is."""
    return gauge(metric, 'dimension="all"', CURRENT_WINDOWS, by="window")


def of_segments(metric: str, *matchers: str) -> str:
    """A gauge of the chosen segments in the chosen window."""
    chosen = ('dimension="$dimension"', 'segment=~"$segment"', 'window="$window"')
    return gauge(metric, *chosen, *matchers, by="segment")


def before(metric: str, *matchers: str) -> str:
    """A gauge of the whole store in the period before the chosen window's."""
    return whole(metric, *matchers, window="prev_$window")
