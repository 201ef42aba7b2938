"""Letting others have the event loop between two long steps."""

from __future__ import annotations

import asyncio

#: In the first what has arrived is read, in the second its handler wakes and answers; whoever gave
#: way is woken before that one, so it takes a third.
_ROUNDS = 3


async def give_way() -> None:
    """Let who asked for something during the last step have its answer before the next.

    Applying a chunk takes some tens of milliseconds, and so does taking a partition's changes.
    With one round of the event loop between two of them, a request that comes in one of them
    would wait for two more.
    """
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)
