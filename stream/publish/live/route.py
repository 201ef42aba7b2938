"""``/api/v1/events``: server-sent events, for as long as the browser listens."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from stream.publish.live.looks import INTERVAL_SECONDS, Looks
from stream.publish.live.ticks import Scene

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.publish.state import WorkerState

#: More would make the worker wait on browsers: the rest are told to come back.
MOST_LISTENERS = 100
#: A word now and then: proxies cut silent connections, and only a write notices who has left.
SILENCE_SECONDS = 15.0
#: When the worker is away, a browser tries again after so long.
RETRY_MS = 3000


class Events:
    """The handler, and what ends its streams when the server stops.

    Args:
        state: what is told of.
        interval_seconds: how often at most.
        most_listeners: how many at once.
    """

    def __init__(
        self,
        state: WorkerState,
        *,
        interval_seconds: float = INTERVAL_SECONDS,
        most_listeners: int = MOST_LISTENERS,
    ) -> None:
        self._looks = Looks(state, interval_seconds)
        self._interval_seconds = interval_seconds
        self._most_listeners = most_listeners
        self._listeners = 0
        self._closing = asyncio.Event()

    def add_to(self, app: web.Application) -> None:
        """Serve the events in an application."""
        # HEAD would get a stream without an end.
        app.router.add_get("/api/v1/events", self.events, allow_head=False)
        app.on_shutdown.append(self._close)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """``health`` and ``numbers`` of a store and window: at first, and when they change."""
        if self._listeners >= self._most_listeners:
            raise web.HTTPServiceUnavailable(
                text="503: as many listen as may; try again later\n",
                headers={hdrs.RETRY_AFTER: "30"},
            )
        scene = Scene(request.query.get("store", "default"), request.query.get("window", "30d"))
        response = web.StreamResponse(
            headers={
                hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
                # To a proxy of the kind that would collect the whole answer first.
                "X-Accel-Buffering": "no",
            }
        )
        self._listeners += 1
        try:
            await response.prepare(request)
            await response.write(f"retry: {RETRY_MS}\n\n".encode())
            await self._tell(response, scene)
        except ConnectionResetError:
            pass  # who listened has left, which is how it ends
        finally:
            self._listeners -= 1
        return response

    async def _tell(self, response: web.StreamResponse, scene: Scene) -> None:
        """Tell what differs from what was told, until the server stops.

        Who reads slowly misses what came in between; nothing piles up.
        """
        told: dict[str, str] = {}
        told_at = time.monotonic()
        while not self._closing.is_set():
            latest = self._looks.latest(scene)
            news = {event: data for event, data in latest.items() if told.get(event) != data}
            if news or time.monotonic() - told_at >= SILENCE_SECONDS:
                await response.write(_written(news))
                told_at = time.monotonic()
                told |= news
            await self._pause()

    async def _pause(self) -> None:
        """Wait for the next look, or for the end."""
        try:
            await asyncio.wait_for(self._closing.wait(), self._interval_seconds)
        except TimeoutError:
            return

    async def _close(self, _app: web.Application) -> None:
        self._closing.set()


def _written(news: Mapping[str, str]) -> bytes:
    if not news:
        return b": still here\n\n"
    return "".join(f"event: {event}\ndata: {data}\n\n" for event, data in news.items()).encode()
