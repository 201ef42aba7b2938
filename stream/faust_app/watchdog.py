"""Ends a worker that hangs while its heartbeats, which another thread sends, say it is well."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from mode import Service

from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.log import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.faust_app.chunk import SourcePartition
    from stream.faust_app.fuse import Fuse
    from stream.faust_app.intake import Intake
    from stream.publish.state import WorkerState

CHECK_EVERY_SECONDS = 5.0
#: Events wait, the worker is ready, and nothing is applied.
STALL_SECONDS = 60.0
#: The event loop answers nobody. Deriving the tallies of a large partition takes a while, too.
FROZEN_SECONDS = 300.0
EXIT_FAILURE = 1


class Progress:
    """Whether events that wait are being applied; pure, for any clock."""

    def __init__(self, now_seconds: float) -> None:
        self._positions: Mapping[SourcePartition, int] = {}
        self._moved_at = now_seconds

    def stalled_seconds(
        self, positions: Mapping[SourcePartition, int], *, waiting: bool, now_seconds: float
    ) -> float:
        """For how long events have waited and no position has moved."""
        if not waiting or positions != self._positions:
            self._positions = dict(positions)
            self._moved_at = now_seconds
        return now_seconds - self._moved_at


class Watchdog(Service):
    """Burns the fuse on a stall; ends the process when the event loop is frozen."""

    mundane_level = "debug"

    def __init__(self, state: WorkerState, intake: Intake, fuse: Fuse) -> None:
        self._state = state
        self._intake = intake
        self._fuse = fuse
        self._ticked_at = time.monotonic()
        self._ended = threading.Event()
        super().__init__()

    async def on_start(self) -> None:
        """Begin to watch the event loop from outside."""
        threading.Thread(target=self._watch_event_loop, name="watchdog", daemon=True).start()

    async def on_stop(self) -> None:
        """Stop watching."""
        self._ended.set()

    @Service.task  # type: ignore[untyped-decorator] # mode is untyped here
    async def _watch_progress(self) -> None:
        progress = Progress(time.monotonic())
        while not self.should_stop:
            self._ticked_at = time.monotonic()
            waiting = self._state.ready and any(self._state.lag_events.values())
            stalled = progress.stalled_seconds(
                self._intake.positions, waiting=waiting, now_seconds=self._ticked_at
            )
            if stalled > STALL_SECONDS:
                self._fuse.burn(_nothing_applied(stalled), "watching")
                return
            await self.sleep(CHECK_EVERY_SECONDS)

    def _watch_event_loop(self) -> None:
        while not self._ended.wait(CHECK_EVERY_SECONDS):
            if time.monotonic() - self._ticked_at > FROZEN_SECONDS:
                logger.critical(
                    "the worker ends: its event loop has not moved for %.0f s; "
                    "start it again, and report this",
                    FROZEN_SECONDS,
                )
                sys.stderr.flush()
                os._exit(EXIT_FAILURE)


def _nothing_applied(stalled_seconds: float) -> BrokenWorldError:
    return BrokenWorldError(
        f"events wait, but none was applied for {stalled_seconds:.0f} s; start the worker again"
    )
