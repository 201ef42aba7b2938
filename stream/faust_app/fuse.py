"""The end of a worker that must not go on: nothing is flushed or committed after it burns."""

from __future__ import annotations

import asyncio
import traceback

from stream.faust_app.log import logger


class BrokenWorldError(Exception):
    """Something outside the program is not as it must be; the message is one line, safe to log."""


class Fuse:
    """Burns once, with the reason; burnt, it stays burnt, and the worker has to end."""

    def __init__(self) -> None:
        self._burnt = asyncio.Event()
        self.reason: str | None = None

    @property
    def burnt(self) -> bool:
        """Whether nothing more may be flushed or committed."""
        return self._burnt.is_set()

    async def wait(self) -> str:
        """Wait until it burns; the reason, one line."""
        await self._burnt.wait()
        return self.reason or "unknown"

    def burn(self, error: BaseException, doing: str) -> None:
        """Burn because of an error met while ``doing`` something; later errors change nothing.

        The text of an error other than ours may quote an event or name a customer, so only
        its type and the lines of code it passed through are logged.
        """
        if self.burnt:
            return
        if isinstance(error, BrokenWorldError):
            self.reason = f"{doing}: {error}"
        else:
            frames = traceback.extract_tb(error.__traceback__)
            where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
            self.reason = f"{doing}: {type(error).__name__}{where}"
            logger.error(
                "%s while %s\n%s",
                type(error).__name__,
                doing,
                "".join(traceback.format_tb(error.__traceback__)),
            )
        self._burnt.set()
