"""A meeting place in memory, with the manners of the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stream.meeting.place import PlaceAwayError


class MemoryServer:
    """What places in memory have in common, as several clients have one Redis."""

    def __init__(self) -> None:
        self.is_up = True
        self._queues: list[tuple[tuple[str, ...], asyncio.Queue[bytes | None]]] = []

    def stop(self) -> None:
        self.is_up = False
        for _, queue in self._queues:
            queue.put_nowait(None)
        self._queues.clear()

    def start(self) -> None:
        self.is_up = True


class MemoryPlace:
    """Fits the protocol Place."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    @asynccontextmanager
    async def listen(self, *channels: str) -> AsyncIterator[AsyncIterator[bytes]]:
        self._check()
        entry = (channels, asyncio.Queue[bytes | None]())
        self._server._queues.append(entry)
        try:
            yield self._messages(entry[1])
        finally:
            if entry in self._server._queues:
                self._server._queues.remove(entry)

    async def post(self, channel: str, message: bytes) -> None:
        self._check()
        for channels, queue in self._server._queues:
            if channel in channels:
                queue.put_nowait(message)
        await asyncio.sleep(0)

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _messages(self, queue: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
        while (message := await queue.get()) is not None:
            yield message
        raise PlaceAwayError("stopped")

    def _check(self) -> None:
        if not self._server.is_up:
            raise PlaceAwayError("stopped")
