"""The place where workers meet: channels that carry a message to whoever listens at that moment.

Nothing is kept there, so nothing in it can be stale, and losing it loses nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class PlaceAwayError(Exception):
    """The place cannot be reached now; the message is one line, safe to log."""


class PlaceRefusedError(Exception):
    """The place does not let this worker in, and trying again would not help.

    The message is one line with the settings to check, safe to log.
    """


class Place(Protocol):
    """Channels by name. After a failure the next call tries anew."""

    def listen(self, *channels: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Every message posted to these channels from entering on, in the order of posting.

        Raises:
            PlaceAwayError: on entering, and from the iterator when the place goes away.
            PlaceRefusedError: on entering, when this worker may not.
        """

    async def post(self, channel: str, message: bytes) -> None:
        """Carry a message to all who listen, the sender too if it does.

        Raises:
            PlaceAwayError: when it may not have arrived there.
            PlaceRefusedError: when this worker may not.
        """

    async def close(self) -> None:
        """Let connections go."""
