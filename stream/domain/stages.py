"""The stages of a partition's customers: which were told, and what is to be told next.

What was told is part of a customer's durable state. Telling goes along the customer's timeline
(see :mod:`stream.domain.lifecycle`): each turn is told once, in order, as soon as time is past it.
When an order comes late or goes away, so that the customer was not what was told last, one change
corrects that; the turns after it are told as ever.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stream.domain.arrays import I64, NEVER_MS, Bools, Records, starts_of_groups
from stream.domain.customers import Customers
from stream.domain.entries import is_live_order
from stream.domain.lifecycle import (
    NO_STAGE,
    STAGE_NAMES,
    Turns,
    stages_at,
    turns,
)
from stream.domain.lifecycle_rules import LifecycleRules

#: Customers looked at together: few enough that the arrays stay small.
_BLOCK = 1 << 14
_NOTHING_TO_COME_MS = np.iinfo(np.int64).max


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


class Stages:
    """Tells the changes of one partition's customers, whose columns it keeps.

    Args:
        customers: the partition's.
        rules: when time changes a stage.
        tells: whether anybody is told: without, stages are counted, and a customer is not written
            because time passed.
    """

    def __init__(self, customers: Customers, rules: LifecycleRules, *, tells: bool = True) -> None:
        self._customers = customers
        self._tells = tells
        self._rules = rules
        #: Told in the customers' columns, not yet handed out.
        self._pending: list[StageChanges] = []
        #: No customer changes by time passing before.
        self._next_ms = NEVER_MS if len(customers) else _NOTHING_TO_COME_MS
        #: The greatest bound so far.
        self.bound_ms = NEVER_MS

    def has_to_tell(self, bound_ms: int) -> bool:
        """Whether time alone brings something to tell: see :meth:`advance`."""
        return self._tells and (bool(self._pending) or self._next_ms < bound_ms)

    def advance(self, bound_ms: int) -> None:
        """Look at who was touched, or changes before an instant; what there is to tell waits.

        Args:
            bound_ms: changes before it are told. Those of that very instant are not, as more
                orders of it may come.
        """
        self.bound_ms = max(self.bound_ms, bound_ms)
        customers = self._customers
        count = len(customers)
        next_ms = customers.next_turn_ms[:count]
        rows = np.flatnonzero(customers.take_restaged() | (next_ms < bound_ms))
        for first in range(0, len(rows), _BLOCK):
            changes = self._look_at(rows[first : first + _BLOCK], bound_ms)
            if self._tells and len(changes.rows):
                self._pending.append(changes)
        self._next_ms = int(next_ms.min()) if count else _NOTHING_TO_COME_MS

    def take(self) -> StageChanges:
        """The changes since the last call."""
        pending, self._pending = self._pending, []
        if not pending:
            return StageChanges(*(np.zeros(0, np.int64) for _ in StageChanges._fields))
        return StageChanges(*map(np.concatenate, zip(*pending, strict=True)))

    def count(self, at_ms: int) -> dict[int, list[int]]:
        """Customers in each stage as of an instant; :meth:`advance` before.

        Returns:
            By segment row of the whole store; the first number is that of NO_STAGE.
        """
        customers = self._customers
        rows = len(customers)
        stages = customers.told["stage"][:rows].astype(np.int64)
        # Who changes between what is told and that instant: few, unless it is long ago.
        passed = customers.next_turn_ms[:rows] <= at_ms
        other = np.flatnonzero(passed | (customers.told["through_ms"][:rows] > at_ms))
        for first in range(0, len(other), _BLOCK):
            block = other[first : first + _BLOCK]
            order_ms, counts = self._orders(block)
            stages[block] = stages_at(order_ms, counts, at_ms, self._rules)
        width = len(STAGE_NAMES)
        stores = customers.segments[:rows, 0].astype(np.int64)
        table = np.bincount(stores * width + stages)
        table = np.pad(table, (0, -len(table) % width)).reshape(-1, width)
        return {row: table[row].tolist() for row in np.flatnonzero(table.any(axis=1)).tolist()}

    def _orders(self, rows: I64) -> tuple[I64, I64]:
        """Times of the orders of some rows, and how many each has."""
        entries, lengths = self._customers.ledger.gather(rows)
        live: Bools = is_live_order(entries)
        owners = np.repeat(np.arange(len(rows)), lengths)
        return entries["time_ms"][live], np.bincount(owners[live], minlength=len(rows))

    def _look_at(self, rows: I64, bound_ms: int) -> StageChanges:
        """Tell the changes of some rows in the columns."""
        customers = self._customers
        told = customers.told[rows]
        order_ms, counts = self._orders(rows)
        found = turns(order_ms, counts, told["through_ms"], self._rules)
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
        next_ms = np.full(len(rows), _NOTHING_TO_COME_MS)
        next_ms[owners[coming]] = time_ms[coming]
        customers.next_turn_ms[rows] = next_ms
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
        looked_at = np.flatnonzero(past)
        # Of several of one customer the last one stays.
        told["through_ms"][owners[looked_at]] = time_ms[looked_at]
        told["stage"][owners[looked_at]] = stages[looked_at]
        told["count"][who] = result.numbers
        customers.told[rows] = told
        if self._tells:
            customers.mark_told(result.rows)
        return result


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
