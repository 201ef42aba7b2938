"""The agents: one for each topic, handing its chunks to the intake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stream.faust_app.transport import ChunkSchema
from stream.kernel import KernelPanic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from stream.faust_app.app import RetentionApp
    from stream.faust_app.chunk import Chunk


def add_agents(app: RetentionApp, topics: tuple[str, ...]) -> None:
    """Give every topic its agent, named after it."""
    for name in topics:
        # Without acks Faust neither counts messages as done nor commits for them.
        topic: Any = app.topic(name, schema=ChunkSchema(), acks=False)
        app.agent(topic, name=name)(_consume_with(app))


def _consume_with(app: RetentionApp) -> Callable[[AsyncIterator[Chunk]], Awaitable[None]]:
    async def consume(chunks: AsyncIterator[Chunk]) -> None:
        async for chunk in chunks:
            async with app.long_steps.turn():
                try:
                    app.intake.apply(chunk)
                except (Exception, KernelPanic) as error:  # noqa: BLE001 - whatever, the worker has to end
                    # Faust would take the chunk for done and go on with the next one.
                    topic, partition = chunk.source
                    app.fuse.burn(error, f"applying {topic}[{partition}] from offset {chunk.start}")
                    return

    return consume
