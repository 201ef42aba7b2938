"""The stages of a partition's customers: which were told, and what is to be told next.

What was told is part of a customer's durable state. What follows from it, and from the customer's
orders, is found in :mod:`stream.domain.stage_changes`.
"""

from __future__ import annotations

import numpy as np

from stream import kernel
from stream.domain.arrays import I64, NEVER_MS
from stream.domain.customers import Customers
from stream.domain.lifecycle import stages_at
from stream.domain.lifecycle_rules import LifecycleRules
from stream.domain.stage_changes import NOTHING_TO_COME_MS, StageChanges, new_look_at, orders_of
from stream.domain.stage_counts import new_count_told

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
        self._count_told = new_count_told(compiled)
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
        count = len(customers)
        next_ms = customers.next_turn_ms[:count]
        rows = np.flatnonzero(customers.take_restaged() | (next_ms < bound_ms))
        for first in range(0, len(rows), _BLOCK):
            self._tell(rows[first : first + _BLOCK], bound_ms)
        self._next_ms = int(next_ms.min()) if count else NOTHING_TO_COME_MS

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
        table, others = self._count_told(
            customers.told[:rows], customers.next_turn_ms[:rows], customers.segments[:rows], at_ms
        )
        # Who changes between what is told and that instant: few, unless it is long ago.
        for first in range(0, len(others), _BLOCK):
            block = others[first : first + _BLOCK]
            order_ms, counts = orders_of(customers.ledger, block)
            stages = stages_at(order_ms, counts, at_ms, self._rules)
            np.add.at(table, (customers.segments[block, 0], stages), 1)
        return {row: table[row].tolist() for row in np.flatnonzero(table.any(axis=1)).tolist()}

    def _tell(self, rows: I64, bound_ms: int) -> None:
        """Note in the columns what is told of some rows."""
        customers = self._customers
        told, next_turn_ms, changes = self._look_at(
            customers.ledger, rows, customers.told[rows], bound_ms
        )
        customers.told[rows] = told
        customers.next_turn_ms[rows] = next_turn_ms
        if self._tells and len(changes.rows):
            customers.mark_told(changes.rows)
            self._pending.append(changes)
