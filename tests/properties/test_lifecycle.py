"""What is told of customers' lifecycles, against a walk from order to order.

In order, whatever the flushes, restarts and scrapes: exactly the walk's changes, each once. In any
order, with cancellations: after each flush the last told stage is the walk's, and what was told
hangs together.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from stream.domain.arrays import NEVER_MS
from stream.domain.config import EngineConfig
from stream.domain.lifecycle_rules import LifecycleRules
from stream.engine import Engine
from tests.support.batches import keys_and_values
from tests.support.engines import (
    HOUR_MS,
    PURCHASES,
    RETURNS,
    encoded,
    engine_config,
    ready_engine,
)
from tests.support.naive import Event, NaiveConfig, time_ms
from tests.support.naive.stages import NaiveRules, lifecycle, stage_at

DAY_MS = 24 * HOUR_MS
START_MS = 1_700_000_000_000 // HOUR_MS * HOUR_MS
END_MS = START_MS + 400 * DAY_MS
CUSTOMERS = ("ann", "bob", "cleo")

RULES = st.builds(
    NaiveRules,
    st.sampled_from((1, 3, 30)).map(lambda days: days * DAY_MS),
    st.sampled_from((Fraction(1), Fraction(3, 2), Fraction("2.25"))),
    st.sampled_from((HOUR_MS, 2 * DAY_MS)),
    st.sampled_from((2, 5, 45)).map(lambda days: days * DAY_MS),
    st.sampled_from((7, 20, 365)).map(lambda days: days * DAY_MS),
)


class Told(NamedTuple):
    """One event of the topic."""

    time_ms: int
    before: str | None
    after: str | None
    number: int
    orders: int


@dataclass
class Worker:
    """A worker of one partition that flushes, crashes and is asked for its gauges."""

    rules: NaiveRules
    clock: Literal["wall", "event"] = "event"
    engine: Engine = field(init=False)
    offsets: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    changelog: dict[bytes, bytes | None] = field(default_factory=dict)
    told: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = ready_engine(self.config)

    @property
    def config(self) -> EngineConfig:
        rules = self.rules
        naive = NaiveConfig(("7d",), (), "UTC", HOUR_MS)
        return replace(
            engine_config(naive),
            clock=self.clock,
            lifecycle=LifecycleRules(
                rules.new_for_ms,
                int(rules.factor * 100),
                rules.at_least_ms,
                rules.typical_ms,
                rules.lapsed_after_ms,
            ),
        )

    def send(self, *events: Event) -> None:
        for event in events:
            topic = RETURNS if event["type"] == "cancellation" else PURCHASES
            offset = self.offsets[topic]
            self.offsets[topic] += 1
            applied = self.engine.apply(topic, 0, [offset], [None], [encoded(event)], END_MS)
            assert not applied.dead_letters

    def flush(self, now_ms: int = 0) -> None:
        changes = self.engine.take_changes(0, now_ms)
        self.changelog.update(zip(changes.keys, changes.values, strict=True))
        events = self.engine.take_stage_events(0)
        for key, value in keys_and_values(events):
            assert key is not None
            assert value is not None
            event: dict[str, Any] = json.loads(value)
            data = event["data"]
            assert key.decode() == event["subject"] == data["customer_id"]
            change = (data["from"], data["to"], data["change"], data["orders"])
            self.told[key.decode()].append(Told(time_ms(event["time"]), *change))
            self.ids.append(event["id"])

    def restart(self) -> None:
        """Start again from what was flushed; everything was."""
        self.engine = Engine(self.config)
        self.engine.assign(0)
        self.engine.restore(0, list(self.changelog), list(self.changelog.values()))
        self.engine.finish_restore(0)

    def gauges(self, as_of_ms: int) -> list[int]:
        return self.engine.totals(as_of_ms).stages.get("default", [0] * 6)


def _purchase(customer: str, number: int, at_ms: int) -> Event:
    return {
        "type": "purchase",
        "customer_id": customer,
        "order_id": f"{customer}{number}",
        "occurred_at": at_ms,
        "amount": "1.00",
        "currency": "EUR",
    }


def _guest(at_ms: int) -> Event:
    """It moves the clock of the partition, and nobody's stage."""
    return {**_purchase("", 0, at_ms), "customer_id": None, "order_id": f"guest {at_ms}"}


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.one_of(
            st.integers(0, 60).map(lambda days: days * DAY_MS),
            st.integers(0, 1500).map(lambda hours: hours * HOUR_MS),
        ),
    ),
    max_size=25,
)
STEPS = st.lists(st.sampled_from(("", "", "flush", "restart", "scrape")), min_size=25, max_size=25)


def _walked(events: list[Event], rules: NaiveRules, bound_ms: int) -> dict[str, list[Told]]:
    times: defaultdict[str, list[int]] = defaultdict(list)
    for event in events:
        if event["customer_id"] is not None:
            times[str(event["customer_id"])].append(int(str(event["occurred_at"])))
    return {
        customer: [
            Told(
                change.time_ms,
                change.before,
                change.after,
                number,
                sum(at <= change.time_ms for at in some),
            )
            for number, change in enumerate(lifecycle(sorted(some), rules), start=1)
            if change.time_ms < bound_ms
        ]
        for customer, some in times.items()
    }


def _without_orders(told: dict[str, list[Told]]) -> dict[str, list[Told]]:
    return {who: [each._replace(orders=0) for each in some] for who, some in told.items()}


@given(RULES, ORDERS, STEPS)
def test_in_order_each_change_is_told_once_whatever_the_flushes_and_restarts(
    rules: NaiveRules, orders: list[tuple[str, int]], steps: list[str]
) -> None:
    orders = sorted(orders, key=lambda order: order[1])
    events = [_purchase(who, n, START_MS + at) for n, (who, at) in enumerate(orders)]
    worker = Worker(rules)
    for event, step in zip(events, steps, strict=False):
        worker.send(event)
        if step in ("flush", "restart"):
            worker.flush()
        if step == "restart":
            worker.restart()
        if step == "scrape":
            worker.gauges(int(str(event["occurred_at"])) + DAY_MS)
    worker.send(_guest(END_MS))
    worker.flush()
    walked = _walked(events, rules, END_MS)
    # Of two orders at one instant it is the second that has all of them before it.
    assert _without_orders(worker.told) == _without_orders(walked)
    assert len(set(worker.ids)) == len(worker.ids)
    worker.restart()
    worker.flush()
    assert _without_orders(worker.told) == _without_orders(walked)


@given(RULES, ORDERS, STEPS, st.sets(st.integers(0, 24), max_size=6))
def test_in_any_order_the_last_told_stage_is_what_the_orders_say(
    rules: NaiveRules, orders: list[tuple[str, int]], steps: list[str], cancelled: set[int]
) -> None:
    worker = Worker(rules)
    kept: dict[str, list[int]] = defaultdict(list)
    bound_ms = NEVER_MS
    numbered = list(enumerate(orders))
    for (number, (who, at)), step in zip(numbered, steps, strict=False):
        at_ms = START_MS + at
        worker.send(_purchase(who, number, at_ms))
        bound_ms = max(bound_ms, at_ms)
        kept[who].append(at_ms)
        if number in cancelled:
            cancellation = {"type": "cancellation", "occurred_at": at_ms}
            worker.send({**cancellation, "customer_id": who, "order_id": f"{who}{number}"})
            kept[who].remove(at_ms)
        if step == "":
            continue
        worker.flush()
        for customer, times in kept.items():
            told = worker.told[customer]
            expected = stage_at(sorted(times), bound_ms - 1, rules)
            assert (told[-1].after if told else None) == expected
            assert [each.number for each in told] == list(range(1, len(told) + 1))
            chain = [None, *(each.after for each in told)]
            assert [each.before for each in told] == chain[:-1]
            assert all(each.before != each.after for each in told)
        if step == "restart":
            worker.restart()
    assert len(set(worker.ids)) == len(worker.ids)


@given(RULES, ORDERS, st.lists(st.integers(0, 400), min_size=1, max_size=8))
def test_gauges_are_what_the_orders_say_at_any_instant(
    rules: NaiveRules, orders: list[tuple[str, int]], days: list[int]
) -> None:
    worker = Worker(rules, clock="wall")
    times: dict[str, list[int]] = defaultdict(list)
    for number, (who, at) in enumerate(orders):
        worker.send(_purchase(who, number, START_MS + at))
        times[who].append(START_MS + at)
    for day in days:
        as_of_ms = START_MS + day * DAY_MS + 1
        worker.flush(as_of_ms - 40 * DAY_MS)
        end_ms = (as_of_ms // HOUR_MS + 1) * HOUR_MS - 1
        found = [stage_at(sorted(some), end_ms, rules) for some in times.values()]
        assert worker.gauges(as_of_ms) == [
            found.count(stage)
            for stage in ("new", "active", "repeat", "at_risk", "lapsed", "reactivated")
        ]


@given(RULES, ORDERS, st.lists(st.integers(1, 100), min_size=1, max_size=12))
def test_time_alone_tells_each_change_once(
    rules: NaiveRules, orders: list[tuple[str, int]], steps_days: list[int]
) -> None:
    events = [_purchase(who, n, START_MS + at) for n, (who, at) in enumerate(orders)]
    worker = Worker(rules, clock="wall")
    worker.send(*events)
    # As after every chunk; from here on nothing comes but time.
    worker.flush(START_MS)
    now_ms = START_MS
    for step in steps_days:
        now_ms += step * DAY_MS
        if worker.engine.has_due(0, now_ms):
            worker.flush(now_ms)
        assert not worker.engine.has_due(0, now_ms)
        expected = _walked(events, rules, now_ms)
        told = {who: worker.told[who] for who in expected}
        assert _without_orders(told) == _without_orders(expected)
