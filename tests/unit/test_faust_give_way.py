from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from stream.faust_app.give_way import LongSteps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STEPS = 12
#: Not the last of a round of three, with whom all others had their turn before.
ASKED_IN = 5


@asynccontextmanager
async def _asked(steps: list[str], answered_after: list[int]) -> AsyncIterator[socket.socket]:
    """A socket whose first byte is answered with the number of steps taken until then."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)

    async def answer() -> None:
        await reader.readexactly(1)
        answered_after.append(len(steps))

    answering = asyncio.create_task(answer())
    await asyncio.sleep(0)
    yield theirs
    await answering
    writer.close()
    theirs.close()


async def _take(
    steps: list[str], long_steps: LongSteps, name: str, asks: socket.socket | None = None
) -> None:
    while len(steps) < STEPS:
        async with long_steps.turn():
            steps.append(name)
            if asks is not None and len(steps) == ASKED_IN:
                asks.send(b"?")


async def test_who_asks_during_a_step_is_answered_before_the_next() -> None:
    steps: list[str] = []
    answered_after: list[int] = []
    async with _asked(steps, answered_after) as asks:
        await _take(steps, LongSteps(), "only", asks)
    assert answered_after == [ASKED_IN]


async def test_who_asks_is_answered_before_the_next_step_of_anyone() -> None:
    steps: list[str] = []
    answered_after: list[int] = []
    long_steps = LongSteps()
    async with _asked(steps, answered_after) as asks:
        await asyncio.gather(*(_take(steps, long_steps, name, asks) for name in "abc"))
    assert answered_after == [ASKED_IN]


async def test_steps_go_in_turn_from_one_to_the_next() -> None:
    steps: list[str] = []
    long_steps = LongSteps()
    await asyncio.gather(*(_take(steps, long_steps, name) for name in "abc"))
    assert steps[:STEPS] == list("abc") * (STEPS // 3)


async def test_a_step_that_fails_lets_the_next_one_have_its_turn() -> None:
    long_steps = LongSteps()

    async def fail() -> None:
        async with long_steps.turn():
            raise ValueError

    ended = await asyncio.gather(fail(), return_exceptions=True)
    assert isinstance(ended[0], ValueError)
    async with asyncio.timeout(1), long_steps.turn():
        pass
