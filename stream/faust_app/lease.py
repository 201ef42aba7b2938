"""Proof of ownership: no other worker can have these partitions while the lease lasts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stream.faust_app.fuse import BrokenWorldError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: What may pass between asking and the write's arrival at the broker.
MARGIN_SECONDS = 3.0


class Lease:
    """Lasts a session timeout from the last heartbeat the coordinator accepted.

    A worker that was paused (stopped, starved, cut off) may have lost its partitions without
    knowing. It must not write over its successor's state, so it asks before it writes.

    Args:
        heartbeat: asks the coordinator; until when (``time.monotonic``) this worker is safe,
            or None when it is no longer a member.
    """

    def __init__(self, heartbeat: Callable[[], Awaitable[float | None]]) -> None:
        self._heartbeat = heartbeat
        self._valid_until = 0.0

    async def renew(self) -> bool:
        """Ask the coordinator; whether this worker is still a member."""
        valid_until = await self._heartbeat()
        self._valid_until = valid_until or 0.0
        return valid_until is not None

    async def confirm(self) -> None:
        """Make sure there is time left to write.

        Raises:
            BrokenWorldError: when the partitions may belong to another worker by now.
        """
        if time.monotonic() < self._valid_until - MARGIN_SECONDS:
            return
        if not await self.renew():
            raise BrokenWorldError(
                "lost the partitions in the middle of a flush; a new start restores them"
            )
