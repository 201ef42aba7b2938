"""What the meeting of workers relies on; the place in memory stands for Redis in other tests."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from stream.meeting import redis_place
from stream.meeting.place import Place, PlaceAwayError, PlaceRefusedError
from stream.meeting.redis_place import open_place
from stream.settings import load_settings
from tests.support.meeting_place import MemoryPlace, MemoryServer
from tests.support.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TIMEOUT_SECONDS = 10.0


class Server(Protocol):
    def place(self) -> Place: ...
    def stop(self) -> None: ...
    def start(self) -> None: ...


class InMemory(MemoryServer):
    def place(self) -> Place:
        return MemoryPlace(self)


class OnRedis:
    def __init__(self, server: RedisServer) -> None:
        self._server = server

    def place(self) -> Place:
        return open_place(load_settings({"RETENTION_REDIS_URL": self._server.url}).redis)

    def stop(self) -> None:
        self._server.kill()

    def start(self) -> None:
        self._server.start()


@pytest.fixture(params=["memory", "redis"])
def server(request: pytest.FixtureRequest) -> Server:
    if request.param == "memory":
        return InMemory()
    return OnRedis(request.getfixturevalue("redis_server"))


@pytest.fixture
async def places(server: Server) -> AsyncIterator[list[Place]]:
    made = [server.place() for _ in range(3)]
    yield made
    for place in made:
        await place.close()


async def take(messages: AsyncIterator[bytes], count: int) -> list[bytes]:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        return [await anext(messages) for _ in range(count)]


async def test_all_who_listen_hear_all_of_their_channels_in_order(places: list[Place]) -> None:
    async with AsyncExitStack() as stack:
        heard = [
            await stack.enter_async_context(p.listen("hall", f"{n}")) for n, p in enumerate(places)
        ]
        for number in range(20):
            await places[0].post("hall", b"%d" % number)
            await places[1].post("2", b"%d for the last" % number)
        # One connection each keeps order; between two senders there is none to keep.
        for messages in heard[:2]:
            assert await take(messages, 20) == [b"%d" % number for number in range(20)]
        last = await take(heard[2], 40)
        assert [m for m in last if m.isdigit()] == [b"%d" % number for number in range(20)]
        assert [m for m in last if not m.isdigit()] == [b"%d for the last" % n for n in range(20)]


async def test_what_was_said_before_is_not_heard(places: list[Place]) -> None:
    await places[0].post("hall", b"early")
    async with places[1].listen("hall") as messages:
        await places[0].post("hall", b"late")
        assert await take(messages, 1) == [b"late"]


async def test_a_message_of_megabytes_arrives_whole(places: list[Place]) -> None:
    message = bytes(range(256)) * 20_000
    async with places[1].listen("hall") as messages:
        await places[0].post("hall", message)
        assert await take(messages, 1) == [message]


async def test_silence_is_no_failure(places: list[Place], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_place, "QUIET_SECONDS", 0.05)
    async with places[1].listen("hall") as messages:
        waiting = asyncio.create_task(take(messages, 1))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        await places[0].post("hall", b"at last")
        assert await waiting == [b"at last"]


@pytest.mark.parametrize("does", ["posts", "subscribes"])
async def test_who_posts_or_subscribes_without_end_can_be_cancelled_at_any_moment(
    places: list[Place], does: str
) -> None:
    async def go_on() -> None:
        while True:
            if does == "posts":
                await places[0].post("hall", b"again")
            else:
                async with places[0].listen("hall"):
                    pass
            await asyncio.sleep(0)

    for steps in range(60):
        busy = asyncio.create_task(go_on())
        for _ in range(steps):
            await asyncio.sleep(0)
        busy.cancel()
        await asyncio.wait([busy], timeout=1)
        ended = busy.cancelled()
        # A second cancellation, or what goes on would hold up the end of the test.
        busy.cancel()
        assert ended, f"after {steps} steps"


async def test_listening_ends_with_the_place(server: Server, places: list[Place]) -> None:
    async with places[0].listen("hall") as messages:
        await places[1].post("hall", b"before")
        assert await take(messages, 1) == [b"before"]
        server.stop()
        with pytest.raises(PlaceAwayError):
            await take(messages, 1)


async def test_without_the_place_nothing_works_and_with_it_again_all_does(
    server: Server, places: list[Place]
) -> None:
    await places[0].post("hall", b"connected")
    server.stop()
    for place in places[:2]:
        with pytest.raises(PlaceAwayError):
            await place.post("hall", b"lost")
        with pytest.raises(PlaceAwayError):
            async with place.listen("hall"):
                pass
    server.start()
    async with places[1].listen("hall") as messages:
        await places[0].post("hall", b"found")
        assert await take(messages, 1) == [b"found"]


async def test_a_redis_that_answers_nothing_is_away(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_place, "QUIET_SECONDS", 0.3)
    monkeypatch.setattr(redis_place, "TIMEOUT_SECONDS", 0.3)
    place = OnRedis(redis_server).place()
    try:
        async with place.listen("hall") as messages:
            redis_server.pause()
            with pytest.raises(PlaceAwayError):
                await take(messages, 1)
        with pytest.raises(PlaceAwayError):
            await place.post("hall", b"into the void")
    finally:
        redis_server.resume()
        await place.close()


async def test_a_password_is_needed_given_and_never_shown(tmp_path: Path) -> None:
    with RedisServer(tmp_path, password="correct-horse") as server:  # noqa: S106 - of this server only
        right = OnRedis(server).place()
        async with right.listen("hall") as messages:
            await right.post("hall", b"let in")
            assert await take(messages, 1) == [b"let in"]
        await right.close()
        server.url = server.url.replace("correct", "wrong")
        wrong = OnRedis(server).place()
        with pytest.raises(PlaceRefusedError) as refused:
            await wrong.post("hall", b"kept out")
        assert f"127.0.0.1:{server.port}" in str(refused.value)
        assert "horse" not in str(refused.value)
        await wrong.close()
