"""Workers that meet in memory: each an engine with its partitions, as the group gave them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from stream.meeting.attendee import Attendee
from stream.meeting.messages import Standing
from tests.support.engines import gauges
from tests.support.meeting_place import MemoryPlace, MemoryServer
from tests.support.members import (
    CONFIG,
    NOW_MS,
    PARTITIONS,
    Fleet,
    Member,
    alone,
    gathered,
    home,
    hurry,
    until,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.naive import Gauges


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer()


@pytest.fixture
async def fleet(server: MemoryServer) -> AsyncIterator[Fleet]:
    async with gathered(lambda: MemoryPlace(server)) as fleet:
        yield fleet


async def test_the_owner_of_partition_0_shows_what_all_count(fleet: Fleet) -> None:
    fleet.buy(40)
    await until(lambda: fleet.is_right)
    assert fleet.attendees[0].overview() is None
    assert fleet.attendees[2].overview() is None
    overview = fleet.attendees[1].overview()
    assert overview is not None
    assert sum(overview.positions.values()) == 40
    fleet.buy(7)
    await until(lambda: fleet.is_right)


def as_of(found: Gauges) -> Gauges:
    """Without the one metric that counts all that was applied, whatever the instant."""
    return {
        key: value
        for key, value in found.items()
        if key[0] != "retention_top_customers_revenue_ratio"
    }


async def test_every_answer_in_between_is_right_for_its_positions(fleet: Fleet) -> None:
    seen: set[int] = set()
    for _ in range(30):
        fleet.buy(1)
        await asyncio.sleep(0.007)
        overview = fleet.attendees[1].overview()
        if overview is not None and overview.totals is not None:
            assert overview.as_of_ms is not None
            # Orders come hour by hour, so as of an instant those up to it count: what was
            # applied later is in the positions, but not in the windows yet.
            counted = (overview.as_of_ms - NOW_MS) // 3_600_000 + 1
            assert counted <= sum(overview.positions.values()) <= fleet.bought
            assert as_of(gauges(overview.totals)) == as_of(alone(counted))
            seen.add(counted)
    assert len(seen) > 5


async def test_nobody_adds_up_again_what_did_not_change(fleet: Fleet) -> None:
    fleet.buy(5)
    await until(lambda: fleet.is_right)
    asked = [member.asked for member in fleet.members]
    await asyncio.sleep(0.1)
    assert [member.asked for member in fleet.members] == asked
    assert fleet.is_right


async def test_a_missing_worker_leaves_nothing_and_its_successor_brings_all_back(
    fleet: Fleet,
) -> None:
    fleet.buy(20)
    await until(lambda: fleet.is_right)
    gone = fleet.members[2]
    gone.generation = None
    await until(lambda: not fleet.shown)
    overview = fleet.attendees[1].overview()
    assert overview is not None
    assert overview.as_of_ms is None
    await until(lambda: partitions_ready(fleet.attendees[1]) == PARTITIONS - 1)

    # Orders start anew, as the successor's partition is an empty one here.
    for member, partitions in zip(fleet.members, ([1, 2], [0, 3], []), strict=True):
        member.take_over(2, *partitions)
    fleet.bought = 0
    fleet.buy(9)
    await until(lambda: fleet.is_right)


async def test_the_owner_of_partition_0_says_how_many_are_ready_before_it_is_itself(
    fleet: Fleet,
) -> None:
    for member in fleet.members[::2]:
        member.take_over(2, *member.engine.ready_partitions)
    restoring = fleet.members[1]
    restoring.take_over(2)
    for partition in (0, 3):
        restoring.engine.assign(partition)
    await until(lambda: partitions_ready(fleet.attendees[1]) == 2)
    overview = fleet.attendees[1].overview()
    assert overview is not None
    assert overview.totals is None


async def test_one_that_woke_up_in_an_old_generation_is_not_counted(fleet: Fleet) -> None:
    fleet.buy(20)
    await until(lambda: fleet.is_right)
    sleeper = fleet.members[2]
    for member, partitions in zip(fleet.members[:2], ([1, 2], [0, 3]), strict=True):
        member.take_over(2, *partitions)
    # It still says that it covers partition 2 in generation 1, with orders in it.
    assert sleeper.standing() is not None
    assert sleeper.engine.ready_partitions == {2}
    first, second = fleet.members[:2]
    for number in range(9):
        (first if home(number) in (1, 2) else second).buy(number)
    await until(lambda: fleet.shown == [alone(9)])
    for _ in range(20):
        await asyncio.sleep(0.005)
        assert fleet.shown == [alone(9)]


async def test_the_one_who_speaks_changes_with_partition_0(fleet: Fleet) -> None:
    fleet.buy(10)
    await until(lambda: fleet.is_right)
    for member, partitions in zip(fleet.members, ([0, 1], [3], [2]), strict=True):
        member.take_over(2, *partitions)
    assert not fleet.shown
    fleet.bought = 0
    fleet.buy(12)
    await until(lambda: fleet.is_right)
    assert [attendee.overview() is None for attendee in fleet.attendees] == [False, True, True]


async def test_without_the_place_there_are_no_gauges_until_it_is_back(
    fleet: Fleet, server: MemoryServer, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.buy(10)
    await until(lambda: fleet.is_right)
    with caplog.at_level(logging.INFO, "stream.worker.meeting"):
        server.stop()
        await until(lambda: not fleet.shown)
        assert partitions_ready(fleet.attendees[1]) == 0
        fleet.buy(10)
        await asyncio.sleep(0.05)
        assert not fleet.shown
        server.start()
        await until(lambda: fleet.is_right)
    said = [record.getMessage() for record in caplog.records]
    # Each of the three says it once, however often it tried.
    assert said.count("no business gauges until Redis answers: stopped") == 3
    assert said.count("Redis answers again") == 3


async def test_what_nobody_can_read_changes_nothing_and_is_told_once(
    fleet: Fleet, server: MemoryServer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        await MemoryPlace(server).post("app:meeting", b"nonsense")
    fleet.buy(10)
    await until(lambda: fleet.is_right)
    warnings = [record for record in caplog.records if "cannot be read" in record.getMessage()]
    assert len(warnings) == 3


async def test_a_failure_of_its_own_is_not_taken_for_the_places(server: MemoryServer) -> None:
    class Broken(Member):
        def standing(self) -> Standing | None:
            raise KeyError("a bug")

    member = Broken("w0")
    attendee = Attendee(
        name="w0", app_id="app", config=CONFIG, place=MemoryPlace(server), counts=member
    )
    with pytest.raises(ExceptionGroup) as failed:
        await attendee.attend()
    assert failed.group_contains(KeyError)


def partitions_ready(attendee: Attendee) -> int | None:
    overview = attendee.overview()
    return None if overview is None else overview.partitions_ready


@pytest.mark.parametrize("steps", range(6))
async def test_it_ends_also_when_the_place_goes_away_at_the_same_time(
    fleet: Fleet, server: MemoryServer, steps: int
) -> None:
    await until(lambda: partitions_ready(fleet.attendees[1]) == PARTITIONS)
    late = Member("late")
    late.take_over(9, 0)
    attendee = Attendee(
        name="late", app_id="app", config=CONFIG, place=MemoryPlace(server), counts=late
    )
    task = asyncio.create_task(attendee.attend())
    await asyncio.sleep(0.03)
    server.stop()
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done
    assert task.cancelled()
