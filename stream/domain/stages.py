"""The stages of a partition's customers: which were told, and what is to be told next.

What was told is part of a customer's durable state. What follows from it, and from the customer's
orders, is found in :mod:`stream.domain.stage_changes`.
"""

from __future__ import annotations

import numpy as np

from stream import kernel
from stream.domain.agenda import Agenda
from stream.domain.arrays import I64, NEVER_MS
from stream.domain.customers import Customers
from stream.domain.lifecycle import stages_at
from stream.domain.lifecycle_rules import LifecycleRules
from stream.domain.stage_changes import NOTHING_TO_COME_MS, StageChanges, new_look_at, orders_of
from stream.domain.stage_counts import StageCounts

#: Customers looked at together: few enough that the arrays stay small.
_BLOCK = 1 << 14


class Stages:
    """Tells the changes of one partition's customers, whose columns it keeps.

    Args:
        customers: the partition's.
        rules: when time changes a stage.
        tells: whether anybody is told: without, stages are counted, and a customer is not written
            because time passed.
        compiled: the kernel that has the customers' entries; None: the reference has them.
    """

    def __init__(
        self,
        customers: Customers,
        rules: LifecycleRules,
        compiled: kernel.Kernel | None,
        *,
        tells: bool = True,
    ) -> None:
        self._customers = customers
        self._tells = tells
        self._rules = rules
        self._look_at = new_look_at(rules, compiled)
        #: By what was told of them.
        self._counts = StageCounts()
        #: Whom time changes soon.
        self._agenda = Agenda()
        #: The greatest instant through which anybody was told.
        self._through_ms = NEVER_MS
        #: Told in the customers' columns, not yet handed out.
        self._pending: list[StageChanges] = []
        #: No customer changes by time passing before.
        self._next_ms = NEVER_MS if len(customers) else NOTHING_TO_COME_MS
        #: The greatest bound so far.
        self.bound_ms = NEVER_MS

    def has_to_tell(self, bound_ms: int) -> bool:
        """Whether time alone brings something to tell: see :meth:`advance`."""
        return self._tells and (bool(self._pending) or self._next_ms < bound_ms)

    def note_time(self, bound_ms: int) -> None:
        """Time is so far that changes before an instant may be told; nobody is looked at yet."""
        self.bound_ms = max(self.bound_ms, bound_ms)

    def advance(self, bound_ms: int) -> None:
        """Look at who was touched, or changes before an instant; what there is to tell waits.

        Args:
            bound_ms: changes before it are told. Those of that very instant are not, as more
                orders of it may come.
        """
        self.note_time(bound_ms)
        customers = self._customers
        next_ms = customers.next_turn_ms[: len(customers)]
        self._tell(customers.take_restaged(), bound_ms)
        self._tell(self._agenda.up_to(bound_ms - 1, next_ms), bound_ms)
        self._next_ms = self._agenda.settle(next_ms) if len(customers) else NOTHING_TO_COME_MS

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
        others = self._changing_up_to(at_ms)
        found = [np.zeros(0, np.int64)]
        for first in range(0, len(others), _BLOCK):
            order_ms, counts = orders_of(customers.ledger, others[first : first + _BLOCK])
            found.append(stages_at(order_ms, counts, at_ms, self._rules))
        table = self._counts.table_with(others, self._stores_of(others), np.concatenate(found))
        return {row: table[row].tolist() for row in np.flatnonzero(table.any(axis=1)).tolist()}

    def _changing_up_to(self, at_ms: int) -> I64:
        """Who changes between what is told and an instant: few, unless it is long ago."""
        customers = self._customers
        next_ms = customers.next_turn_ms[: len(customers)]
        if at_ms >= self._through_ms:
            return self._agenda.up_to(at_ms, next_ms)
        told_later = customers.told["through_ms"][: len(customers)] > at_ms
        return np.flatnonzero(told_later | (next_ms <= at_ms))

    def _stores_of(self, rows: I64) -> I64:
        """Segment rows of the whole stores of some customers."""
        stores: I64 = self._customers.segments[rows, 0].astype(np.int64)
        return stores

    def _tell(self, rows: I64, bound_ms: int) -> None:
        """Note in the columns what is told of some rows."""
        for first in range(0, len(rows), _BLOCK):
            self._tell_block(rows[first : first + _BLOCK], bound_ms)

    def _tell_block(self, rows: I64, bound_ms: int) -> None:
        customers = self._customers
        told, next_turn_ms, changes = self._look_at(
            customers.ledger, rows, customers.told[rows], bound_ms
        )
        customers.told[rows] = told
        customers.next_turn_ms[rows] = next_turn_ms
        self._agenda.note(rows, next_turn_ms)
        self._counts.put(rows, self._stores_of(rows), told["stage"].astype(np.int64))
        self._through_ms = max(self._through_ms, int(told["through_ms"].max()))
        if self._tells and len(changes.rows):
            customers.mark_told(changes.rows)
            self._pending.append(changes)
