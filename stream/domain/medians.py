"""Medians of customers' times between orders, after each of their orders."""

from __future__ import annotations

from bisect import insort

import numpy as np

from stream.domain.arrays import I64

#: So many gaps are sorted side by side, filled up to the next width; more, customer by customer.
_WIDTHS = (1, 2, 4, 8, 16, 32, 64)
#: Elements sorted at once: few enough to stay in the processor's cache.
_BLOCK = 1 << 16
_LAST = np.iinfo(np.int64).max


def doubled_medians(order_ms: I64, at: I64, gaps: I64) -> I64:
    """Twice the median of the gaps up to some orders: whole numbers, as of two the mean counts.

    Args:
        order_ms: times of customers' orders, each customer's together and ascending.
        at: places of the orders, ascending.
        gaps: how many gaps each has up to it, at least one: it is its customer's order number
            ``gaps``, counted from 0.
    """
    result = np.empty(len(at), np.int64)
    for width in _WIDTHS:
        some = np.flatnonzero((gaps <= width) & (gaps > width // 2))
        step = _BLOCK // width
        for first in range(0, len(some), step):
            block = some[first : first + step]
            result[block] = _few(order_ms, at[block], gaps[block], width)
    many = np.flatnonzero(gaps > _WIDTHS[-1])
    if len(many):
        result[many] = _many(order_ms, at[many], gaps[many])
    return result


def _few(order_ms: I64, at: I64, gaps: I64, width: int) -> I64:
    """Sorted side by side, each in a row of ``width``."""
    column = np.arange(width)
    beyond = column >= gaps[:, np.newaxis]
    end = np.where(beyond, 1, at[:, np.newaxis] - column)
    table = order_ms[end] - order_ms[end - 1]
    table[beyond] = _LAST
    table.sort(axis=1)
    row = np.arange(len(at))
    doubled: I64 = table[row, (gaps - 1) // 2] + table[row, gaps // 2]
    return doubled


def _many(order_ms: I64, at: I64, gaps: I64) -> list[int]:
    """One customer after the other, keeping its gaps sorted from order to order."""
    doubled = []
    begin, upto = -1, -1
    kept: list[int] = []
    for place, count in zip(at.tolist(), gaps.tolist(), strict=True):
        if place - count != begin:
            begin, upto = place - count, place
            kept = np.sort(np.diff(order_ms[begin : place + 1])).tolist()
        for new in range(upto + 1, place + 1):
            insort(kept, int(order_ms[new] - order_ms[new - 1]))
        upto = place
        doubled.append(kept[(count - 1) // 2] + kept[count // 2])
    return doubled
