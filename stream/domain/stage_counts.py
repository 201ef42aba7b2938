"""How many customers are in each stage: kept up with what is told, not counted anew."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64, U8, grown
from stream.domain.lifecycle import STAGE_NAMES

WIDTH = len(STAGE_NAMES)


class StageCounts:
    """Customers by row of the whole store and by stage.

    A byte a customer says in which stage it is counted: it is taken out there whatever became of
    it since.
    """

    def __init__(self) -> None:
        #: Per customer one more than its stage; 0: it is not counted yet.
        self._counted: U8 = np.zeros(0, np.uint8)
        #: ``[store, stage]``
        self._table: I64 = np.zeros((0, WIDTH), np.int64)

    def put(self, rows: I64, stores: I64, stages: I64) -> None:
        """Count distinct customers in their stages, and no more where they were.

        Args:
            rows: the customers.
            stores: the row of the whole store of each, always the same.
            stages: what each is in.
        """
        if not len(rows):
            return
        self._make_room(int(rows.max()), int(stores.max()))
        self._table = self._with(rows, stores, stages)
        self._counted[rows] = stages + 1

    def table_with(self, rows: I64, stores: I64, stages: I64) -> I64:
        """The counts ``[store, stage]``, were some customers, who are counted, in other stages."""
        return self._with(rows, stores, stages) if len(rows) else self._table

    def _with(self, rows: I64, stores: I64, stages: I64) -> I64:
        first = stores * WIDTH
        before = self._counted[rows]
        known = before > 0
        left, entered = first[known] + before[known] - 1, first + stages
        size = self._table.size
        change = np.bincount(entered, minlength=size) - np.bincount(left, minlength=size)
        return self._table + change.reshape(self._table.shape)

    def _make_room(self, row: int, store: int) -> None:
        if row >= len(self._counted):
            self._counted = grown(self._counted, row + 1)
        missing = store + 1 - len(self._table)
        if missing > 0:
            self._table = np.concatenate([self._table, np.zeros((missing, WIDTH), np.int64)])
