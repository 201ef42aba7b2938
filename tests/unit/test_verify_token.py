"""``verify`` before a worker that asks for a token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from stream.publish.http import start_http
from stream.settings import Secret
from stream.tools.console import CommandError
from stream.tools.verify_scrape import scrape
from tests.support.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = Secret("a-token-of-enough-characters")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    worker = Worker()
    worker.restore()
    worker.purchase("c-1", "o-1")
    runner = await start_http("127.0.0.1", 0, worker, TOKEN)
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
    await runner.cleanup()


async def test_the_token_of_the_settings_is_shown(url: str) -> None:
    assert (await asyncio.to_thread(scrape, url, TOKEN)).samples


@pytest.mark.parametrize("token", [None, Secret("another-token-than-that")])
async def test_without_the_right_token_it_says_what_to_set(url: str, token: Secret | None) -> None:
    with pytest.raises(CommandError, match="set RETENTION_WEB_TOKEN") as refused:
        await asyncio.to_thread(scrape, url, token)
    assert token is None or token.reveal() not in str(refused.value)


async def test_who_redirects_does_not_get_the_token() -> None:
    seen: list[str | None] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(text="")

    async def redirect(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        raise web.HTTPFound("/elsewhere")

    app = web.Application()
    app.add_routes([web.get("/metrics", redirect), web.get("/elsewhere", elsewhere)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await asyncio.to_thread(scrape, f"http://127.0.0.1:{runner.addresses[0][1]}/metrics", TOKEN)
    await runner.cleanup()

    assert seen == [f"Bearer {TOKEN.reveal()}", None]
