"""What workers ask one another outside of rounds, over a real Redis."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from stream.domain.reading import EVERYTHING, Scope
from stream.meeting.redis_place import open_place
from stream.settings import load_settings
from tests.support.engines import HOUR_MS, gauges
from tests.support.members import NOW_MS, PARTITIONS, Fleet, Member, gathered, home, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from stream.meeting.redis_place import RedisPlace
    from tests.support.redis_server import RedisServer

WINDOW = Scope(frozenset({"month"}), frozenset({"all"}), with_lifetimes=False)


@pytest.fixture
async def fleet(redis_server: RedisServer) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:

        def place() -> RedisPlace:
            made = open_place(load_settings({"RETENTION_REDIS_URL": redis_server.url}).redis)
            stack.push_async_callback(made.close)
            return made

        fleet = await stack.enter_async_context(gathered(place))
        fleet.buy(50)
        await until(lambda: fleet.is_right)
        yield fleet


@pytest.mark.parametrize("scope", [EVERYTHING, WINDOW])
async def test_the_past_is_what_one_engine_tells(fleet: Fleet, scope: Scope) -> None:
    one = Member("alone")
    one.take_over(0, *range(PARTITIONS))
    for number in range(fleet.bought):
        one.buy(number)
    instants = range(NOW_MS, NOW_MS + 50 * HOUR_MS, HOUR_MS)

    past = await fleet.attendees[1].past(instants, scope)

    assert past is not None
    assert [gauges(totals) for totals in past] == [
        gauges(one.engine.totals(at, scope)) for at in instants
    ]
    assert await fleet.attendees[0].past(instants, scope) is None


async def test_no_past_without_redis(fleet: Fleet, redis_server: RedisServer) -> None:
    redis_server.kill()

    assert await fleet.attendees[1].past([NOW_MS], WINDOW) is None


async def test_every_worker_answers_about_a_customer(fleet: Fleet) -> None:
    for attendee in fleet.attendees:
        for number in range(10):
            answer = await attendee.customer(home(number), "default", f"customer-{number}")
            assert answer is not None
            assert answer.customer is not None
            assert [order.time_ms for order in answer.customer.orders] == [
                NOW_MS + number * HOUR_MS
            ]
