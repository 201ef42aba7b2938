"""How many customers are in each stage, where that follows from what was told of them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from stream import kernel
from stream.domain.arrays import I32, I64, Records
from stream.domain.lifecycle import STAGE_NAMES

WIDTH = len(STAGE_NAMES)


class CountTold(Protocol):
    """Counts customers by the stage that was told last."""

    def __call__(
        self, told: Records, next_turn_ms: I64, segments: I32, at_ms: int
    ) -> tuple[I64, I64]:
        """Count those who are in it as of an instant.

        Args:
            told: per customer, see ``TOLD_TYPE`` in :mod:`stream.domain.customers`.
            next_turn_ms: per customer when time changes its stage next.
            segments: segment rows per customer, the first that of the whole store.
            at_ms: the instant.

        Returns:
            Customers by row of the whole store and by stage; and the places of those who are not
            in it: whose next change is past by then, or who were told of a later one.
        """


def new_count_told(compiled: kernel.Kernel | None) -> CountTold:
    """What counts; ``compiled`` is the kernel, None for the reference."""
    if compiled is None:
        return _count_told

    def count_told(told: Records, next_turn_ms: I64, segments: I32, at_ms: int) -> tuple[I64, I64]:
        counts, others = compiled.count_told(told, next_turn_ms, segments, at_ms, WIDTH)
        return counts.reshape(-1, WIDTH), others

    return count_told


def _count_told(told: Records, next_turn_ms: I64, segments: I32, at_ms: int) -> tuple[I64, I64]:
    is_other = (next_turn_ms <= at_ms) | (told["through_ms"] > at_ms)
    cells = segments[:, 0].astype(np.int64) * WIDTH + told["stage"]
    rows = int(segments[:, 0].max(initial=-1)) + 1
    counts = np.bincount(cells[~is_other], minlength=rows * WIDTH)
    return counts.reshape(-1, WIDTH), np.flatnonzero(is_other)
