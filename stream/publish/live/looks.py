"""One look at the state a second, shared by all who listen."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from stream.publish.live.ticks import health, numbers

if TYPE_CHECKING:
    from stream.meeting.overview import Overview
    from stream.publish.live.ticks import Scene
    from stream.publish.state import WorkerState

INTERVAL_SECONDS = 1.0
#: Looking may take this part of the event loop's time at most.
MOST_OF_THE_TIME = 0.05


class Looks:
    """What there is to tell, by event, as JSON. Looks only when asked, and not too often."""

    def __init__(self, state: WorkerState, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._state = state
        self._interval_seconds = interval_seconds
        self._next_at = 0.0
        self._overview: Overview | None = None
        self._health = ""
        self._numbers: dict[Scene, str] = {}

    def latest(self, scene: Scene) -> dict[str, str]:
        """How the worker is, and a scene's numbers if there are any."""
        started = time.monotonic()
        if started >= self._next_at:
            self._overview = self._state.overview()
            self._health = json.dumps(health(self._state, self._overview))
            self._numbers = {}
            took = time.monotonic() - started
            self._next_at = started + max(self._interval_seconds, took / MOST_OF_THE_TIME)
        told = {"health": self._health}
        if self._overview is not None and self._overview.totals is not None:
            if scene not in self._numbers:
                self._numbers[scene] = json.dumps(numbers(self._overview.totals, scene))
            told["numbers"] = self._numbers[scene]
        return told
