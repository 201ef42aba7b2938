from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from stream.publish.http import SHUTDOWN_SECONDS, start_http
from stream.publish.live.route import Events
from stream.settings import Secret
from tests.support.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "a-token-of-enough-characters"  # noqa: S105 - made up


@pytest.fixture
def worker() -> Worker:
    worker = Worker()
    worker.restore()
    return worker


@asynccontextmanager
async def events_of(worker: Worker, *, most_listeners: int = 100) -> AsyncIterator[str]:
    """The address of the events alone, told often."""
    app = web.Application()
    Events(worker, interval_seconds=0.01, most_listeners=most_listeners).add_to(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/events?store=default&window=7d"
    finally:
        await runner.cleanup()


async def next_event(response: aiohttp.ClientResponse) -> tuple[str, dict[str, object]]:
    """The next event's name and data; EOFError at the end."""
    name = ""
    while line := await response.content.readline():
        field, _, value = line.decode().strip().partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            return name, json.loads(value)
    raise EOFError


async def test_at_first_everything_then_what_changed(worker: Worker) -> None:
    async with (
        events_of(worker) as address,
        aiohttp.ClientSession() as session,
        session.get(address) as response,
    ):
        assert response.content_type == "text/event-stream"
        assert [(await next_event(response))[0] for _ in range(2)] == ["health", "numbers"]
        worker.purchase("ann", "1")
        name, data = await next_event(response)
        assert name == "numbers"
        assert isinstance(data["now"], dict)
        assert data["now"]["retention_orders"] == 1
        worker.ready = False
        assert (await next_event(response))[0] == "health"


async def test_nothing_is_told_twice(worker: Worker) -> None:
    async with (
        events_of(worker) as address,
        aiohttp.ClientSession() as session,
        session.get(address) as response,
    ):
        for _ in range(2):
            await next_event(response)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(next_event(response), 0.3)


async def test_one_listener_too_many_is_told_to_come_back(worker: Worker) -> None:
    async with events_of(worker, most_listeners=2) as address, aiohttp.ClientSession() as session:
        listening = [await session.get(address) for _ in range(2)]
        async with session.get(address) as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "30")
        listening.pop().close()
        async with asyncio.timeout(10):
            while True:
                # A write is what notices that the browser has left.
                worker.purchase("ann", f"{time.monotonic()}")
                async with session.get(address) as again:
                    if again.status == 200:
                        break
                await asyncio.sleep(0.01)
        listening.pop().close()


async def test_the_end_of_the_server_ends_the_stream(worker: Worker) -> None:
    runner = await start_http("127.0.0.1", 0, worker)
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/events"
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        assert (await next_event(response))[0] == "health"
        started = time.monotonic()
        await runner.cleanup()
        took_seconds = time.monotonic() - started
        await asyncio.wait_for(response.content.read(), 1)  # to its end, which has come
    # Sooner than the server would cut it off.
    assert took_seconds < SHUTDOWN_SECONDS


async def test_events_are_shown_to_who_shows_the_token(worker: Worker) -> None:
    runner = await start_http("127.0.0.1", 0, worker, Secret(TOKEN))
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/events"
    shown = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as refused:
            refusal = refused.status
        async with session.get(address, headers=shown) as response:
            first, _ = await next_event(response)
    await runner.cleanup()

    assert (refusal, first) == (401, "health")


async def test_nobody_asks_for_the_head_of_a_stream(worker: Worker) -> None:
    async with events_of(worker) as address, aiohttp.ClientSession() as session:
        for method in ("HEAD", "POST"):
            async with session.request(method, address) as response:
                assert response.status == 405
