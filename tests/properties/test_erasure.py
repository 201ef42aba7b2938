"""Erasing customers at any moment, with crashes at any moment: totals stay, ids go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream import kernel
from stream.domain.config import EngineConfig
from stream.domain.events import Outcome
from stream.engine import Engine
from tests.properties.histories import History, histories
from tests.support.engines import (
    NOW_MS,
    TOPIC_OF,
    encoded,
    engine_config,
    gauges_of,
    named_sums,
    ready_engine,
    run,
)
from tests.support.naive import Event, NaiveConfig, differences, naive_gauges
from tests.support.naive.facts import _with_erasures

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Ids that no other bytes of a record are by chance.
IDS = {"ann": "ann@example.org", "bob": "bob@example.org", "dän": "dän@example.org"}
STEPS = ("go on", "go on", "go on", "go on", "flush", "flush", "half a flush", "crash", "compact")
LATE_MS = 2_000_000_000_000


@st.composite
def erasing_histories(draw: st.DrawFn) -> History:
    """Histories in which some customers are erased, and may come back."""
    history = draw(histories())
    events: list[Event] = []
    for event in history.events:
        event_of = dict(event)
        if event.get("customer_id") is not None:
            event_of["customer_id"] = IDS[str(event["customer_id"])]
        events.append(event_of)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(events)))
        # Of somebody who was there before, mostly.
        of: Event = events[place - 1] if place else {}
        erasure: Event = {
            "type": "erasure",
            "customer_id": of.get("customer_id") or IDS["ann"],
            "store": of.get("store"),
            "occurred_at": of.get("occurred_at", history.middle_ms),
        }
        events.insert(place, erasure)
    return History(events, history.config, history.middle_ms)


def others_of(events: Sequence[Event]) -> list[Event]:
    """The same without erasures; who came back is another customer, by a name of its own."""
    return [
        {**event, "customer_id": str(event["customer_id"]).replace("\0", " again ")}
        if event.get("customer_id") is not None
        else event
        for event in _with_erasures(events)
    ]


@dataclass(slots=True)
class Worker:
    """A worker of one partition on a broker without transactions: half a flush may be there."""

    config: EngineConfig
    events: list[Event]
    compiled: kernel.Kernel | None
    engine: Engine = field(init=False)
    changelog: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    #: By topic the committed position; and the place in the history that goes with it.
    committed: dict[str, int] = field(default_factory=dict)
    committed_at: int = 0
    at: int = 0

    def __post_init__(self) -> None:
        self.step("crash")

    def step(self, name: str, share: float = 1) -> None:
        if name == "go on" and self.at < len(self.events):
            event = self.events[self.at]
            topic = TOPIC_OF[str(event["type"])]
            self.engine.apply(topic, 0, [3 * self.at], [None], [encoded(event)], LATE_MS)
            self.at += 1
        elif name == "flush":
            self._write(1)
            self.committed = dict.fromkeys(self.config.topics, 3 * self.at)
            self.committed_at = self.at
            self.engine.note_committed(0, self.committed)
        elif name == "half a flush":
            # What was given out cannot be taken back, so the worker ends.
            self._write(share)
            self.step("crash")
        elif name == "compact":
            self.changelog = list(self.latest().items())
        elif name == "crash":
            self.engine = Engine(self.config, self.compiled)
            self.engine.assign(0)
            keys, values = [key for key, _ in self.changelog], [v for _, v in self.changelog]
            self.engine.restore(0, keys, values)
            self.engine.finish_restore(0)
            self.at = self.committed_at

    def latest(self) -> dict[bytes, bytes | None]:
        return {key: value for key, value in dict(self.changelog).items() if value is not None}

    def finish(self) -> None:
        while self.at < len(self.events):
            self.step("go on")

    def _write(self, share: float) -> None:
        changes = self.engine.take_changes(0, NOW_MS)
        records = list(zip(changes.keys, changes.values, strict=True))
        self.changelog += records[: round(share * len(records))]


steps = st.lists(st.tuples(st.sampled_from(STEPS), st.floats(0, 1)), max_size=40)


@given(erasing_histories(), steps, st.sampled_from((None, kernel.compiled)))
def test_erasures_and_crashes_at_any_moment_change_no_gauge_and_leave_no_id(
    history: History, some: list[tuple[str, float]], compiled: kernel.Kernel | None
) -> None:
    worker = Worker(engine_config(history.config), history.events, compiled)
    for name, share in some:
        worker.step(name, share)
    worker.finish()
    others = others_of(history.events)
    expected = run(others, worker.config)
    assert named_sums(worker.engine) == named_sums(expected)
    for as_of_ms in history.moments()[::4]:
        found = gauges_of(worker.engine, as_of_ms)
        assert differences(gauges_of(expected, as_of_ms), found) == []
        assert differences(naive_gauges(history.events, history.config, as_of_ms), found) == []
    # Three flushes: after a crash the first one makes sure that the erasure is committed.
    for _ in range(3):
        worker.step("flush")
    assert not worker.engine.owes_changes(0)
    held = b"\0".join([*worker.latest(), *filter(None, worker.latest().values())])
    for customer_id in IDS.values():
        erased = _erased(history.events, customer_id)
        if erased:
            assert customer_id.encode() not in held
            customers = worker.engine._shards[0].customers
            keys = customers.keys_of(np.arange(len(customers)))
            assert not any(customer_id.encode() in key for key in keys)
            for store in ("default", "north"):
                assert worker.engine.customer(store, customer_id, LATE_MS) is None
    before = named_sums(worker.engine)
    worker.step("crash")
    assert named_sums(worker.engine) == before


def _erased(events: Sequence[Event], customer_id: str) -> bool:
    """Whether an erasure is the last that comes of a customer, in each store it was in."""
    last: dict[str, str] = {}
    for event in events:
        if event.get("customer_id") == customer_id:
            last[str(event.get("store") or "default")] = str(event["type"])
    return bool(last) and set(last.values()) == {"erasure"}


@given(erasing_histories())
def test_events_in_one_chunk_are_erased_in_their_order(history: History) -> None:
    config = engine_config(history.config)
    together = run(history.events, config, one_topic=True)
    assert named_sums(together) == named_sums(
        run(others_of(history.events), config, one_topic=True)
    )


def test_an_erasure_read_again_does_nothing() -> None:
    purchase = {
        "type": "purchase",
        "customer_id": "ann",
        "order_id": "1",
        "occurred_at": 1_700_000_000,
        "amount": 1,
        "currency": "EUR",
    }
    erasure = {"type": "erasure", "customer_id": "ann", "occurred_at": 1_700_000_100}
    engine = ready_engine(engine_config(NaiveConfig(("30d",), (), "UTC", 3_600_000)))
    engine.apply("returns", 0, [7], [None], [encoded(erasure)], LATE_MS)
    engine.apply("purchases", 0, [0], [None], [encoded(purchase)], LATE_MS)
    engine.apply("returns", 0, [8], [None], [encoded(erasure)], LATE_MS)
    engine.apply("purchases", 0, [1], [None], [encoded({**purchase, "order_id": "2"})], LATE_MS)
    again = engine.apply("returns", 0, [8], [None], [encoded(erasure)], LATE_MS)
    assert again.outcomes[Outcome.REPLAYED] == 1
    view = engine.customer("default", "ann", LATE_MS)
    assert view is not None
    assert len(view.orders) == 1
