"""Workers that meet in memory: each an engine with its partitions, as the group gave them."""

from __future__ import annotations

import asyncio
import functools
import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from stream.engine import Engine
from stream.meeting import attendee as attendee_module
from stream.meeting import rounds
from stream.meeting.attendee import Attendee
from stream.meeting.messages import Standing
from stream.meeting.overview import covered_partitions
from stream.settings import load_settings
from stream.wire.partitioning import partitions_of
from tests.support.engines import gauges

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    import pytest

    from stream.domain.lookup import CustomerView
    from stream.domain.reading import Scope
    from stream.domain.totals import Totals
    from stream.meeting.place import Place
    from tests.support.naive import Gauges

NOW_MS = 1_700_000_000_000
PARTITIONS = 4
ENVIRON = {"RETENTION_PARTITIONS": "4", "RETENTION_CLOCK": "event", "RETENTION_WINDOWS": "7d,month"}
CONFIG = load_settings(ENVIRON).engine_config()


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pace, a hundred times faster."""
    monkeypatch.setattr(attendee_module, "ROUND_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(attendee_module, "RETRY_SECONDS", 0.005)
    monkeypatch.setattr(rounds, "ROUND_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(rounds, "FRESH_SECONDS", 0.3)


class Member:
    """A worker as the meeting sees it; fits the protocol Counts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.engine = Engine(CONFIG)
        self.generation: int | None = None
        self.positions: dict[tuple[str, int], int] = {}
        self.asked = 0

    def take_over(self, generation: int, *partitions: int) -> None:
        """Own these partitions, empty ones, and no others."""
        for partition in self.engine.ready_partitions:
            self.engine.revoke(partition)
        self.generation = generation
        self.positions = {(topic, p): 0 for topic in CONFIG.topics for p in partitions}
        for partition in partitions:
            self.engine.assign(partition)
            self.engine.finish_restore(partition)

    def buy(self, number: int) -> None:
        """An order arrives in its partition; ``number`` numbers customer, order and hour."""
        partition = home(number)
        event = {
            "type": "purchase",
            "customer_id": f"customer-{number}",
            "order_id": str(number),
            "occurred_at": NOW_MS + number * 3_600_000,
            "amount": "2.50",
            "currency": "EUR",
        }
        at = self.positions["purchases", partition]
        value = json.dumps(event).encode()
        self.engine.apply("purchases", partition, [at], [None], [value], NOW_MS * 2)
        self.positions["purchases", partition] += 1

    def now_ms(self) -> int:
        return NOW_MS

    def standing(self) -> Standing | None:
        if self.generation is None:
            return None
        covered = covered_partitions(self.engine, self.positions)
        latest_ms = self.engine.latest_event_ms
        return Standing(self.name, self.generation, covered, dict(self.positions), latest_ms)

    def speaks(self) -> bool:
        return self.generation is not None and 0 in self.engine.owned_partitions

    def share(self, as_of_ms: int) -> tuple[Standing, Totals] | None:
        self.asked += 1
        standing = self.standing()
        return None if standing is None else (standing, self.engine.totals(as_of_ms))

    def past(self, at_ms: Sequence[int], scope: Scope) -> tuple[Standing, list[Totals]] | None:
        standing = self.standing()
        if standing is None:
            return None
        return standing, [self.engine.totals(at, scope) for at in at_ms]

    def customer(
        self, partition: int, store: str, kept_id: str, seen_ms: int | None
    ) -> tuple[Standing, CustomerView | None] | None:
        standing = self.standing()
        if standing is None or partition not in standing.partitions:
            return None
        assert seen_ms is not None
        return standing, self.engine.kept_customer(partition, store, kept_id, seen_ms)

    def same_moment(self, one_ms: int, other_ms: int) -> bool:
        return self.engine.same_moment(one_ms, other_ms)


def home(number: int) -> int:
    return int(partitions_of([f"customer-{number}".encode()], PARTITIONS)[0])


@asynccontextmanager
async def attending(place: Place, member: Member) -> AsyncIterator[Attendee]:
    attendee = Attendee(
        name=member.name,
        app_id="app",
        config=member.engine.config,
        place=place,
        counts=member,
    )
    task = asyncio.create_task(attendee.attend())
    try:
        yield attendee
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


def totals_of(attendee: Attendee) -> Gauges | None:
    overview = attendee.overview()
    return None if overview is None or overview.totals is None else gauges(overview.totals)


@functools.cache
def alone(count: int) -> Gauges:
    """What one worker counts after that many orders."""
    member = Member("alone")
    member.take_over(0, *range(PARTITIONS))
    for number in range(count):
        member.buy(number)
    assert member.engine.latest_event_ms is not None
    return gauges(member.engine.totals(member.engine.latest_event_ms))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - it asks things that tell nobody of a change
            await asyncio.sleep(0.002)


class Fleet:
    """Three members with their attendees."""

    def __init__(self, members: list[Member], attendees: list[Attendee]) -> None:
        self.members = members
        self.attendees = attendees
        self.bought = 0

    def buy(self, count: int) -> None:
        for number in range(self.bought, self.bought + count):
            owner = next(m for m in self.members if home(number) in m.engine.ready_partitions)
            owner.buy(number)
        self.bought += count

    @property
    def shown(self) -> list[Gauges]:
        return [found for found in map(totals_of, self.attendees) if found is not None]

    @property
    def is_right(self) -> bool:
        return self.shown == [alone(self.bought)]


@asynccontextmanager
async def gathered(place: Callable[[], Place]) -> AsyncIterator[Fleet]:
    """Three members that share the partitions, with their attendees."""
    members = [Member(f"w{number}") for number in range(3)]
    async with AsyncExitStack() as stack:
        attendees = [await stack.enter_async_context(attending(place(), m)) for m in members]
        members[0].take_over(1, 1)
        members[1].take_over(1, 0, 3)
        members[2].take_over(1, 2)
        yield Fleet(members, attendees)
