"""A worker that ends or stops itself inside a flush: what no signal from outside can time.

Run as ``python -m tests.chaos.faulty_worker STEP SIGNAL FLUSHES``.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING

from stream.faust_app.flush import FlushStep
from stream.faust_app.worker import run_worker
from stream.settings import load_settings

if TYPE_CHECKING:
    from stream.faust_app.intake import PartitionSnapshot


class Fault:
    """Sends itself a signal, once, at a step of a flush that writes to every kind of topic.

    Args:
        step: where it happens.
        number: which signal.
        flushes: how many such flushes of the same partition come to that step before.
    """

    def __init__(self, step: FlushStep, number: signal.Signals, flushes: int) -> None:
        self._step = step
        self._number = number
        self._flushes = flushes
        self._seen: Counter[int] = Counter()

    def __call__(self, step: FlushStep, part: PartitionSnapshot) -> None:
        """Look on, until it is time."""
        topics = {forward.topic for forward in part.forwards}
        writes_everywhere = bool(part.changes.keys) and len(topics) > 1
        if step is not self._step or not writes_everywhere:
            return
        self._seen[part.partition] += 1
        if self._seen[part.partition] > self._flushes:
            # Only one that is stopped gets to the next line, and must not be stopped again.
            self._flushes = sys.maxsize
            os.kill(os.getpid(), self._number)


if __name__ == "__main__":
    step, name, flushes = sys.argv[1:]
    sys.exit(
        run_worker(load_settings(), Fault(FlushStep(step), signal.Signals[name], int(flushes)))
    )
