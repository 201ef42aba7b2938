"""The HTTP side as a service of the app: up before recovery, down after everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mode import Service

from stream.publish.http import start_http

if TYPE_CHECKING:
    from aiohttp.web import AppRunner

    from stream.publish.state import WorkerState
    from stream.settings import Settings


class HttpSide(Service):
    """Serves the state from start to stop."""

    def __init__(self, settings: Settings, state: WorkerState) -> None:
        self._settings = settings
        self._state = state
        self._runner: AppRunner | None = None
        super().__init__()

    async def on_start(self) -> None:
        """Listen; a port that is taken ends the start of the worker."""
        self._runner = await start_http(
            self._settings.web_host,
            self._settings.web_port,
            self._state,
            self._settings.web_token,
        )

    async def on_stop(self) -> None:
        """Finish open requests and stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
