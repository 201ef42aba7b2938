"""The past of several workers: what one engine would tell, or nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stream.domain.reading import EVERYTHING, Scope
from stream.domain.segments import Segment
from stream.domain.totals import Counts, Totals
from stream.meeting import inquiries
from stream.meeting.attendee import INSTANTS_A_QUESTION
from stream.meeting.messages import PastQuestion, PastShare, Standing, decode
from stream.meeting.past_sum import PastSum
from tests.support.engines import HOUR_MS, gauges
from tests.support.meeting_place import MemoryPlace, MemoryServer
from tests.support.members import (
    NOW_MS,
    PARTITIONS,
    Fleet,
    Member,
    attending,
    gathered,
    hurry,
    until,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GENERATION = 5
KEY = (Segment("shop", "all", "all"), "7d")
QUESTION = PastQuestion("terms", "w1", 3, GENERATION, (1, 2), EVERYTHING)
WINDOW = Scope(frozenset({"7d"}), frozenset({"all"}), with_lifetimes=False)


def standing(worker: str, *partitions: int, generation: int = GENERATION) -> Standing:
    return Standing(worker, generation, frozenset(partitions), {}, None)


def share(of: Standing, *active: int, first_ms: int = 1) -> PastShare:
    totals = [
        Totals(at_ms, counts={KEY: Counts(active=count)})
        for at_ms, count in enumerate(active, first_ms)
    ]
    return PastShare("terms", QUESTION.number, of, totals)


def total(*shares: PastShare) -> list[int] | None:
    """What the question is answered with, by the last of these."""
    collected = PastSum(QUESTION, frozenset(range(3)))
    answers = [collected.hear(one) for one in shares]
    assert answers[:-1] == [None] * (len(shares) - 1)
    last = answers[-1]
    return None if last is None else [totals.counts[KEY].active for totals in last]


def test_the_parts_of_all_partitions_are_added_up_instant_by_instant() -> None:
    assert total(share(standing("w1", 0, 2), 1, 2), share(standing("w2", 1), 10, 20)) == [11, 22]


@pytest.mark.parametrize(
    "shares",
    [
        [share(standing("w1", 0, 2), 1, 2)],
        [share(standing("w1", 0, 2), 1, 2), share(standing("w1", 0, 2), 1, 2)],
        [share(standing("w1", 0, 1), 1, 2), share(standing("w2", 1, 2), 1, 2)],
        [share(standing("w1", 0, 2), 1, 2), share(standing("w2", 1, 3), 1, 2)],
        [share(standing("w1", 0, 2), 1, 2), share(standing("w2", 1, generation=4), 1, 2)],
        [share(standing("w1", 0, 2), 1, 2), share(standing("w2", 1, generation=6), 1, 2)],
        [share(standing("w1", 0, 2), 1, 2), share(standing("w2", 1), 1)],
        [share(standing("w1", 0, 2), 1, 2), share(standing("w2", 1), 1, 2, first_ms=2)],
    ],
)
def test_no_sum_unless_each_partition_is_covered_once_in_this_generation(
    shares: list[PastShare],
) -> None:
    assert total(*shares) is None


def test_answers_of_other_settings_or_to_another_question_do_not_count() -> None:
    whole = share(standing("w1", 0, 1, 2), 1, 2)
    collected = PastSum(QUESTION, frozenset(range(3)))

    assert collected.hear(PastShare("others", 3, whole.standing, whole.totals)) is None
    assert collected.hear(PastShare("terms", 4, whole.standing, whole.totals)) is None
    assert collected.hear(whole) is not None


def test_one_that_covers_less_by_now_is_taken_at_its_latest_word() -> None:
    before = share(standing("w1", 0, 1), 100, 100)
    now = share(standing("w1", 0), 1, 2)

    assert total(before, now, share(standing("w2", 1, 2), 10, 20)) == [11, 22]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For questions that nobody answers."""
    monkeypatch.setattr(inquiries, "ANSWER_TIMEOUT_SECONDS", 0.2)


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer()


@pytest.fixture
async def fleet(server: MemoryServer) -> AsyncIterator[Fleet]:
    async with gathered(lambda: MemoryPlace(server)) as fleet:
        fleet.buy(60)
        await until(lambda: fleet.is_right)
        yield fleet


def alone(fleet: Fleet) -> Member:
    """One worker with all that the fleet has."""
    member = Member("alone")
    member.take_over(0, *range(PARTITIONS))
    for number in range(fleet.bought):
        member.buy(number)
    return member


@pytest.mark.parametrize("scope", [EVERYTHING, WINDOW])
async def test_the_owner_of_partition_0_tells_the_past_of_all(fleet: Fleet, scope: Scope) -> None:
    instants = range(NOW_MS - 5 * HOUR_MS, NOW_MS + 70 * HOUR_MS, HOUR_MS)
    assert len(instants) > 4 * INSTANTS_A_QUESTION

    past = await fleet.attendees[1].past(instants, scope)

    assert past is not None
    one = alone(fleet).engine
    assert [gauges(totals) for totals in past] == [gauges(one.totals(at, scope)) for at in instants]


async def test_only_the_owner_of_partition_0_tells(fleet: Fleet) -> None:
    for attendee in fleet.attendees[::2]:
        assert await attendee.past([NOW_MS], WINDOW) is None


async def test_two_pasts_at_once_are_kept_apart(fleet: Fleet) -> None:
    one = alone(fleet).engine
    instants = [NOW_MS + hour * HOUR_MS for hour in range(20)]

    answers = await asyncio.gather(
        *(fleet.attendees[1].past(instants[::step], WINDOW) for step in (1, -1, 3))
    )

    for step, past in zip((1, -1, 3), answers, strict=True):
        assert past is not None
        assert [gauges(totals) for totals in past] == [
            gauges(one.totals(at, WINDOW)) for at in instants[::step]
        ]


@pytest.mark.usefixtures("impatient")
async def test_no_past_while_a_part_is_missing_and_then_it_is_back(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = fleet.members[2]
    generation, gone.generation = gone.generation, None
    assert await fleet.attendees[1].past([NOW_MS], WINDOW) is None

    gone.generation = generation
    monkeypatch.undo()
    assert await fleet.attendees[1].past([NOW_MS], WINDOW) is not None


@pytest.mark.usefixtures("impatient")
async def test_no_past_of_a_worker_with_other_settings(fleet: Fleet, server: MemoryServer) -> None:
    stranger = fleet.members[2]
    stranger.generation = None
    other = Member("w9")
    other.take_over(1, 2)
    other.engine.config = replace(other.engine.config, horizon_ms=1)
    async with attending(MemoryPlace(server), other):
        assert await fleet.attendees[1].past([NOW_MS], WINDOW) is None


async def test_no_past_while_the_place_is_away(fleet: Fleet, server: MemoryServer) -> None:
    server.stop()

    assert await fleet.attendees[1].past([NOW_MS], WINDOW) is None


async def test_messages_about_the_past_are_of_bounded_length(
    fleet: Fleet, server: MemoryServer
) -> None:
    asked: list[PastQuestion] = []
    answered: list[PastShare] = []

    async def overhear() -> None:
        channels = ["app:meeting", *(f"app:meeting:w{number}" for number in range(3))]
        async with MemoryPlace(server).listen(*channels) as messages:
            async for data in messages:
                match decode(data):
                    case PastQuestion() as question:
                        asked.append(question)
                    case PastShare() as part:
                        answered.append(part)
                    case _:
                        pass

    listening = asyncio.create_task(overhear())
    await asyncio.sleep(0)
    past = await fleet.attendees[1].past(range(NOW_MS, NOW_MS + 100), WINDOW)
    listening.cancel()
    await asyncio.wait([listening])

    assert past is not None
    assert len(past) == 100
    assert max(len(question.at_ms) for question in asked) == INSTANTS_A_QUESTION
    assert sum(len(question.at_ms) for question in asked) == 100
    assert max(len(part.totals) for part in answered) == INSTANTS_A_QUESTION
    # Nobody is asked for windows that were not asked for.
    assert {window for part in answered for t in part.totals for _, window in t.counts} == {"7d"}
