from __future__ import annotations

import asyncio
import socket

from stream.faust_app.give_way import give_way


async def test_who_asks_during_a_step_is_answered_before_the_next() -> None:
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    steps: list[int] = []
    answered_after: list[int] = []

    async def answer() -> None:
        await reader.readexactly(1)
        answered_after.append(len(steps))

    answering = asyncio.create_task(answer())
    await asyncio.sleep(0)
    for step in range(4):
        if step == 1:
            theirs.send(b"?")
        steps.append(step)
        await give_way()
    await answering
    assert answered_after == [2]
    writer.close()
    theirs.close()
