"""A generator that runs in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from stream.faust_app.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


async def test_all_that_the_source_gives_comes_in_its_order_from_another_thread() -> None:
    threads = set()

    async def source() -> AsyncGenerator[int]:
        for number in range(100):
            threads.add(threading.get_ident())
            yield number
            await asyncio.sleep(0)

    assert [number async for number in read_ahead(source())] == list(range(100))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_the_source_goes_on_while_its_taker_is_busy() -> None:
    ended = threading.Event()

    async def source() -> AsyncGenerator[int]:
        for number in range(3):
            yield number
            await asyncio.sleep(0.001)
        ended.set()

    async with aclosing(read_ahead(source())) as numbers:
        async for number in numbers:
            if number == 0:
                # Blocks the taker's event loop, as restoring a partition does.
                assert ended.wait(10)
    assert number == 2


async def test_what_the_source_raises_comes_after_what_it_gave() -> None:
    async def source() -> AsyncGenerator[int]:
        yield 1
        await asyncio.sleep(0)
        raise ValueError("broken")

    taken: list[int] = []

    async def take() -> None:
        async for number in read_ahead(source()):
            taken.append(number)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(ValueError, match="broken"):
        await take()
    assert taken == [1]


async def test_closed_early_the_source_is_cancelled_and_at_its_end() -> None:
    ends = []

    async def source() -> AsyncGenerator[int]:
        try:
            yield 1
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0.01)
            ends.append("closed")

    began = time.monotonic()
    async with aclosing(read_ahead(source())) as numbers:
        assert await anext(numbers) == 1
    assert ends == ["closed"]
    assert time.monotonic() - began < 60


async def test_cancelled_while_it_waits_the_source_is_at_its_end_as_well() -> None:
    ends = []

    async def source() -> AsyncGenerator[int]:
        try:
            await asyncio.sleep(600)
            yield 1
        finally:
            ends.append("closed")

    async def take() -> None:
        async with aclosing(read_ahead(source())) as numbers:
            async for _ in numbers:
                pass

    taking = asyncio.create_task(take())
    await asyncio.sleep(0.05)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert ends == ["closed"]
