"""Letting others have the event loop between two long steps."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: In the first what has arrived is read, in the second its handler wakes and answers; whoever gave
#: way is woken before that one, so it takes a third.
_ROUNDS = 3


class LongSteps:
    """Long steps of whoever takes them, one at a time.

    Applying a chunk takes some tens of milliseconds, and so does taking a partition's changes.
    Who asked for something during one of them has the answer before the next. Agents and flush
    share one of these: if each gave way by itself, a request would wait for a step of every other.
    """

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for those who came before; the block is the step, and awaits nothing."""
        async with self._one:
            yield
            for _ in range(_ROUNDS):
                await asyncio.sleep(0)
