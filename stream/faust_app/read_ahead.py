"""Reading ahead of whoever takes what was read, in a thread."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

T = TypeVar("T")


async def read_ahead(source: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """What a generator gives, which runs in a thread and an event loop of its own.

    It does not wait for whoever takes it. When this one is closed, it is cancelled and has come
    to its end.

    Raises:
        BaseException: whatever the source raises, after all that it gave before.
    """
    here, there = asyncio.get_running_loop(), asyncio.new_event_loop()
    given: asyncio.Queue[tuple[T] | None] = asyncio.Queue()

    def give(each: tuple[T] | None) -> None:
        here.call_soon_threadsafe(given.put_nowait, each)

    task = there.create_task(_hand_over(source, give))
    finished = here.run_in_executor(None, there.run_until_complete, task)
    try:
        while (each := await given.get()) is not None:
            yield each[0]
        await finished
    finally:
        there.call_soon_threadsafe(task.cancel)
        await asyncio.gather(finished, return_exceptions=True)
        there.close()


async def _hand_over(source: AsyncGenerator[T], give: Callable[[tuple[T] | None], None]) -> None:
    try:
        async with aclosing(source):
            async for each in source:
                give((each,))
    finally:
        give(None)
