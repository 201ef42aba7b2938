"""Plays a simulated shop in real time: its history at once, then each event when it is due."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stream.tools.shop_delivery import Delivery
    from stream.tools.shop_pace import Pace

_LONGEST_WAIT_SECONDS = 0.2
_FLUSH_INTERVAL_SECONDS = 2.0


class EventSink(Protocol):
    """Where events go."""

    def send(self, line: bytes) -> None:
        """Take one event."""

    def flush(self) -> None:
        """Return when nothing is left waiting here."""


@dataclass(slots=True)
class Played:
    """How far a playback has come."""

    history_events: int = 0
    live_events: int = 0
    live_seconds: float = 0.0
    simulated_until_ms: int = 0

    def __str__(self) -> str:
        until = datetime.fromtimestamp(self.simulated_until_ms / 1000, UTC)
        text = f"{self.history_events:,} events of history"
        if self.live_events and self.live_seconds:
            rate = self.live_events / self.live_seconds
            text += f", {self.live_events:,} live ones ({rate:,.1f}/s)"
        return f"{text}, until {until:%Y-%m-%d %H:%M} UTC"


class StopFlag:
    """What a signal handler sets.

    An Event has a lock: set by a handler that interrupts its own thread's wait, it would wait for
    itself for ever.
    """

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        """Ask to stop."""
        self._asked = True

    def is_set(self) -> bool:
        """Whether it was asked."""
        return self._asked

    def wait(self, seconds: float) -> None:
        """Let time pass, unless it was asked already."""
        if not self._asked:
            time.sleep(seconds)


class Playback:
    """Sends deliveries to a sink at a pace, until they end, time is up or ``stop`` is set.

    Args:
        sink: takes the events; flushed now and then, so that its failures show.
        pace: says when each is due.
        live_seconds: how long to go on after the history.
        stop: set by somebody else (a signal, another thread) to end early.
        on_progress: called a few times a second.
    """

    def __init__(
        self,
        sink: EventSink,
        pace: Pace,
        *,
        live_seconds: float = math.inf,
        stop: Event | StopFlag | None = None,
        on_progress: Callable[[Played], None] | None = None,
    ) -> None:
        self._sink = sink
        self._pace = pace
        self._live_seconds = live_seconds
        self._stop: Event | StopFlag = StopFlag() if stop is None else stop
        self._on_progress = on_progress
        self._live_since: float | None = None
        self._next_report = self._next_flush = time.monotonic()
        self.played = Played()

    def run(self, deliveries: Iterable[Delivery]) -> Played:
        """Send; when this returns, the sink has been flushed."""
        for delivery in deliveries:
            if not self._is_due(delivery.arrival_ms):
                break
            self._sink.send(delivery.line)
            self.played.simulated_until_ms = delivery.arrival_ms
            if self._live_since is None:
                self.played.history_events += 1
            else:
                self.played.live_events += 1
        self._sink.flush()
        return self.played

    def _is_due(self, arrival_ms: int) -> bool:
        """Wait until an event is due; False when the playback is over before that."""
        if self._live_since is None and arrival_ms >= self._pace.live_from_ms:
            self._sink.flush()
            self._live_since = time.monotonic()
        while not self._stop.is_set():
            self._look_around()
            if self._live_since is not None and self.played.live_seconds >= self._live_seconds:
                return False
            wait_seconds = self._pace.wait_seconds(
                arrival_ms,
                sent=self.played.live_events,
                elapsed_seconds=self.played.live_seconds,
                wall_ms=time.time() * 1000,
            )
            if wait_seconds <= 0:
                return True
            self._stop.wait(min(wait_seconds, _LONGEST_WAIT_SECONDS))
        return False

    def _look_around(self) -> None:
        now = time.monotonic()
        if self._live_since is not None:
            self.played.live_seconds = now - self._live_since
            if now >= self._next_flush:
                self._sink.flush()
                self._next_flush = time.monotonic() + _FLUSH_INTERVAL_SECONDS
        if self._on_progress is not None and now >= self._next_report:
            self._on_progress(self.played)
            self._next_report = now + _LONGEST_WAIT_SECONDS
