"""What there is to tell of some customers' stages, given what was told; no state.

Telling goes along a customer's timeline (see :mod:`stream.domain.lifecycle`): each turn is told
once, in order, as soon as time is past it. When an order comes late or goes away, so that the
customer was not what was told last, one change corrects that; the turns after it are told as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np

from stream import kernel
from stream.domain.arrays import I64, Bools, Records, starts_of_groups
from stream.domain.entries import is_live_order
from stream.domain.lifecycle import NO_STAGE, Turns, turns
from stream.domain.lifecycle_rules import LifecycleRules

#: When nothing is to come.
NOTHING_TO_COME_MS = np.iinfo(np.int64).max


class StageChanges(NamedTuple):
    """Changes of customers' stages, each customer's together and in order; columns of one length.

    A change corrects what was told before when its time is not after that of the one before.
    """

    rows: I64
    time_ms: I64
    from_stages: I64
    to_stages: I64
    #: 1 for a customer's first change that was told, 2 for the second, and so on.
    numbers: I64
    #: Orders up to then, and the time of the last; 0 orders where the only ones are cancelled.
    orders: I64
    last_order_ms: I64


class LookedAt(NamedTuple):
    """What was found of some rows."""

    #: Per row what is told of it now; see ``TOLD_TYPE`` of :mod:`stream.domain.customers`.
    told: Records
    #: Per row when it changes next if it orders nothing.
    next_turn_ms: I64
    #: What is to be told, row after row.
    changes: StageChanges


#: Looks at distinct rows of a ledger, given what was told of each and the bound before which
#: changes are told.
LookAt: TypeAlias = Callable[[kernel.EntryLedger, I64, Records, int], LookedAt]


def new_look_at(rules: LifecycleRules, compiled: kernel.Kernel | None) -> LookAt:
    """What looks at customers; ``compiled`` is the kernel, None for the reference."""
    if compiled is None:
        return partial(_look_at, rules)
    return partial(_compiled_look_at, compiled.Lifecycle(**asdict(rules)))


def orders_of(ledger: kernel.EntryLedger, rows: I64) -> tuple[I64, I64]:
    """Times of the orders of some rows, and how many each has."""
    entries, lengths = ledger.gather(rows)
    live: Bools = is_live_order(entries)
    owners = np.repeat(np.arange(len(rows)), lengths)
    return entries["time_ms"][live], np.bincount(owners[live], minlength=len(rows))


def _compiled_look_at(
    lifecycle: kernel.Lifecycle,
    ledger: kernel.EntryLedger,
    rows: I64,
    told: Records,
    bound_ms: int,
) -> LookedAt:
    after, next_turn_ms, changes = lifecycle.look_at(ledger, rows, told, bound_ms)
    return LookedAt(after.view(told.dtype), next_turn_ms, StageChanges(*changes))


def _look_at(
    rules: LifecycleRules, ledger: kernel.EntryLedger, rows: I64, told: Records, bound_ms: int
) -> LookedAt:
    order_ms, counts = orders_of(ledger, rows)
    found = turns(order_ms, counts, told["through_ms"], rules)
    found = _from_the_standing_on(found, told)
    owners, time_ms, stages = found.owners, found.time_ms, found.stages
    first = starts_of_groups(owners)
    before = np.empty(len(owners), np.int64)
    before[1:] = stages[:-1]
    before[first] = told["stage"][owners[first]]
    changes = stages != before
    # Also where the clock went back: what was told cannot be told by it again.
    past = (time_ms < bound_ms) | (time_ms <= told["through_ms"][owners])
    telling = np.flatnonzero(changes & past)
    coming = np.flatnonzero(changes & ~past)[::-1]
    next_turn_ms = np.full(len(rows), NOTHING_TO_COME_MS)
    next_turn_ms[owners[coming]] = time_ms[coming]
    who = owners[telling]
    starts = np.flatnonzero(starts_of_groups(who))
    rank = np.arange(len(who)) - np.repeat(starts, np.diff(np.append(starts, len(who)))) + 1
    result = StageChanges(
        rows[who],
        time_ms[telling],
        before[telling],
        stages[telling],
        told["count"][who].astype(np.int64) + rank,
        found.orders[telling],
        found.last_order_ms[telling],
    )
    after = told.copy()
    looked_at = np.flatnonzero(past)
    # Of several of one customer the last one stays.
    after["through_ms"][owners[looked_at]] = time_ms[looked_at]
    after["stage"][owners[looked_at]] = stages[looked_at]
    after["count"][who] = result.numbers
    return LookedAt(after, next_turn_ms, result)


def _from_the_standing_on(found: Turns, told: Records) -> Turns:
    """Each customer's last turn up to what was told, and those after it.

    Who has none up to there, though something was told, has the turn to no stage.
    """
    is_past = found.time_ms <= told["through_ms"][found.owners]
    keep = np.ones(len(is_past), np.bool_)
    keep[:-1] = ~(is_past[:-1] & is_past[1:] & (found.owners[:-1] == found.owners[1:]))
    kept = Turns(*(column[keep] for column in found))
    stands = told["stage"] == NO_STAGE
    stands[found.owners[is_past]] = True
    gone = np.flatnonzero(~stands)
    if len(gone) == 0:
        return kept
    nothing = np.zeros(len(gone), np.int64)
    taken_back = Turns(gone, told["through_ms"][gone], nothing + NO_STAGE, nothing, nothing)
    both = Turns(*(np.concatenate(pair) for pair in zip(taken_back, kept, strict=True)))
    order = np.argsort(both.owners, kind="stable")
    return Turns(*(column[order] for column in both))
