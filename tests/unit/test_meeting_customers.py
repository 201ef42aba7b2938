"""A customer asked about at any worker is looked up where its partition is."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from stream.meeting import inquiries
from tests.support.engines import HOUR_MS
from tests.support.meeting_place import MemoryPlace, MemoryServer
from tests.support.members import NOW_MS, Fleet, gathered, home, hurry, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BOUGHT = 30


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer()


@pytest.fixture
async def fleet(server: MemoryServer) -> AsyncIterator[Fleet]:
    async with gathered(lambda: MemoryPlace(server)) as fleet:
        fleet.buy(BOUGHT)
        await until(lambda: fleet.is_right)
        yield fleet


async def test_every_worker_answers_about_everybody(fleet: Fleet) -> None:
    for attendee in fleet.attendees:
        for number in range(BOUGHT):
            answer = await attendee.customer(home(number), "default", f"customer-{number}")
            assert answer is not None
            assert answer.customer is not None
            (order,) = answer.customer.orders
            assert order.time_ms == NOW_MS + number * HOUR_MS
            # As of one instant, whoever knows the customer: the latest event of all.
            assert answer.customer.as_of_ms == NOW_MS + (BOUGHT - 1) * HOUR_MS


async def test_somebody_unknown_is_told_from_nobody_answering(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiries, "ANSWER_TIMEOUT_SECONDS", 0.2)
    at_2 = next(
        f"nobody-{n}" for n in range(99) if fleet.members[0].engine.home_of(f"nobody-{n}") == 2
    )
    asked = fleet.attendees[0]

    unknown = await asked.customer(2, "default", at_2)
    fleet.members[2].generation = None
    silent = await asked.customer(2, "default", at_2)

    assert unknown is not None
    assert unknown.customer is None
    assert silent is None


async def test_one_that_woke_up_in_an_old_generation_is_not_asked(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiries, "ANSWER_TIMEOUT_SECONDS", 0.2)
    known = next(number for number in range(BOUGHT) if home(number) == 2)
    for member in fleet.members[:2]:
        member.generation = 2

    assert await fleet.attendees[0].customer(2, "default", f"customer-{known}") is None


async def test_one_that_is_no_member_asks_nobody(fleet: Fleet) -> None:
    fleet.members[0].generation = None

    assert await fleet.attendees[0].customer(2, "default", "customer-1") is None


async def test_answers_do_not_mix(fleet: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asked = fleet.attendees[0]

    answers = await asyncio.gather(
        *(asked.customer(home(n), "default", f"customer-{n}") for n in range(BOUGHT)),
        *(asked.customer(home(n), "elsewhere", f"customer-{n}") for n in range(5)),
    )

    found = [None if each is None else each.customer for each in answers]
    assert [view and view.orders[0].time_ms for view in found] == [
        *(NOW_MS + n * HOUR_MS for n in range(BOUGHT)),
        *[None] * 5,
    ]
    assert "customer-" not in caplog.text
