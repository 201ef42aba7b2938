"""The stage a customer is in, as a function of its orders and of time; no state.

An order puts a customer into a stage, and time without a next order leads it on:

- ``new``: its first order, for a while; then ``active``.
- ``repeat``: an order after another one, in time.
- ``at_risk``: no order for longer than some multiple of its own median time between orders.
- ``lapsed``: no order for very long.
- ``reactivated``: an order of one who was at risk or had lapsed.

All instants at which a customer may change are *turns*. What time brings about happens at its
instant only when no order came up to then: an order at that very instant comes first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stream.domain.arrays import I64, Bools, concatenated_ranges
from stream.domain.lifecycle_rules import ORDERS_OF_A_RHYTHM, LifecycleRules
from stream.domain.medians import doubled_medians

#: Numbers of the stages; NO_STAGE: no order that counts.
NO_STAGE, NEW, ACTIVE, REPEAT, AT_RISK, LAPSED, REACTIVATED = range(7)
#: Their names, by number; the first stands for none.
STAGE_NAMES = ("", "new", "active", "repeat", "at_risk", "lapsed", "reactivated")

_NEVER_ENDING_MS = np.iinfo(np.int64).max


class Turns(NamedTuple):
    """Instants of customers' timelines, each customer's together and in order of time."""

    #: Whose, as given.
    owners: I64
    time_ms: I64
    #: What the customer is from then on; it may have been that before.
    stages: I64
    #: Orders up to then, and the time of the last one.
    orders: I64
    last_order_ms: I64


def turns(order_ms: I64, counts: I64, since_ms: I64, rules: LifecycleRules) -> Turns:
    """The timelines of customers, those by time passing included, however far ahead.

    Args:
        order_ms: times of all their orders, each customer's together and ascending.
        counts: how many each customer has.
        since_ms: per customer the instant that matters: of the turns up to it, at least the last
            one is there.
        rules: when time changes a customer.
    """
    ends = np.cumsum(counts)
    # From the order before the last one up to that instant on: whether that one came in time
    # depends on it.
    owners = np.repeat(np.arange(len(counts)), counts)
    up_to = np.bincount(owners[order_ms <= since_ms[owners]], minlength=len(counts))
    skipped = np.maximum(up_to - 2, 0)
    at = concatenated_ranges(ends - counts + skipped, counts - skipped)
    owners = owners[at]
    number = at - (ends - counts)[owners]
    time_ms = order_ms[at]
    overdue_ms = _overdue_ms(order_ms, at, number, rules)

    is_last = at == ends[owners] - 1
    next_ms = np.full(len(at), _NEVER_ENDING_MS)
    next_ms[:-1][~is_last[:-1]] = time_ms[1:][~is_last[:-1]]
    silent_ms = np.minimum(overdue_ms, rules.lapsed_ms)
    in_time = np.ones(len(at), np.bool_)
    in_time[1:] = time_ms[1:] - time_ms[:-1] <= silent_ms[:-1]
    first = number == 0
    stages = np.where(first, NEW, np.where(in_time, REPEAT, REACTIVATED))
    # Of whom an earlier order is left out, the first one here only tells about the second.
    told = first | (number > skipped[owners])

    time_of = np.stack(
        [
            time_ms,
            time_ms + rules.new_ms,
            time_ms + overdue_ms,
            time_ms + rules.lapsed_ms,
        ],
        axis=1,
    )
    stage_of = np.empty(time_of.shape, np.int64)
    stage_of[:, 0] = stages
    stage_of[:, 1:] = (ACTIVE, AT_RISK, LAPSED)
    happens: Bools = time_of < next_ms[:, np.newaxis]
    happens[:, 0] = True
    happens[:, 1] &= first & (rules.new_ms < silent_ms)
    happens[:, 2] &= overdue_ms < rules.lapsed_ms
    happens &= told[:, np.newaxis]
    order, _ = np.nonzero(happens)
    return Turns(
        owners[order], time_of[happens], stage_of[happens], number[order] + 1, time_ms[order]
    )


def stages_at(order_ms: I64, counts: I64, at_ms: int, rules: LifecycleRules) -> I64:
    """The stage of each customer as of an instant; see :func:`turns` for the arguments."""
    found = turns(order_ms, counts, np.full(len(counts), at_ms), rules)
    stages = np.zeros(len(counts), np.int64)
    past = np.flatnonzero(found.time_ms <= at_ms)
    # Of several the last one stays.
    stages[found.owners[past]] = found.stages[past]
    return stages


def _overdue_ms(order_ms: I64, at: I64, number: I64, rules: LifecycleRules) -> I64:
    """After each of some orders, the time without another one that makes it late."""
    doubled = np.full(len(at), 2 * rules.typical_interval_ms)
    rhythm = np.flatnonzero(number >= ORDERS_OF_A_RHYTHM - 1)
    if len(rhythm):
        doubled[rhythm] = doubled_medians(order_ms, at[rhythm], number[rhythm])
    # Who orders less often than that lapses before; so large numbers stay out of the product.
    doubled = np.minimum(doubled, 2 * rules.lapsed_ms)
    overdue: I64 = doubled * rules.at_risk_factor_hundredths // 200
    return np.maximum(overdue, rules.at_risk_least_ms)
