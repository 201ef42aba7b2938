"""A crash at any moment: state from the changelog, then the records since the last commit."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from stream.domain.config import EngineConfig
from stream.domain.events import Outcome
from stream.engine import Engine
from tests.properties.histories import DAY_MS, History, histories
from tests.support.engines import (
    NOW_MS,
    TOPIC_OF,
    Log,
    encoded,
    engine_config,
    gauges_of,
    named_sums,
    ready_engine,
    run,
)
from tests.support.naive import Event, differences, naive_gauges, time_ms

STEPS = ("go on", "go on", "go on", "go on", "flush", "flush and commit", "crash", "compact")


@dataclass(slots=True)
class Worker:
    """A worker of one partition with a changelog, which may crash."""

    config: EngineConfig
    events: list[Event]
    engine: Engine = field(init=False)
    changelog: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    #: Place in the history of the next event, of the last flush, and of the last commit.
    at: int = 0
    flushed: int = 0
    committed: int = 0
    replayed: int = 0
    must_replay: int = 0

    def __post_init__(self) -> None:
        self.engine = ready_engine(self.config)

    def step(self, name: str) -> None:
        if name == "go on" and self.at < len(self.events):
            event = self.events[self.at]
            topic = TOPIC_OF[str(event["type"])]
            # Offsets with gaps, as a compacted or transactional topic has them.
            applied = self.engine.apply(
                topic, 0, [3 * self.at], [None], [encoded(event)], 2_000_000_000_000
            )
            self.replayed += applied.outcomes[Outcome.REPLAYED]
            self.at += 1
        elif name.startswith("flush"):
            changes = self.engine.take_changes(0, NOW_MS)
            self.changelog.extend(zip(changes.keys, changes.values, strict=True))
            self.flushed = max(self.flushed, self.at)
            if name == "flush and commit":
                self.committed = self.at
        elif name == "compact":
            self.changelog = list(dict(self.changelog).items())
        elif name == "crash":
            self.engine = Engine(self.config)
            self.engine.assign(0)
            for first in range(0, len(self.changelog), 5):
                some = self.changelog[first : first + 5]
                self.engine.restore(0, [key for key, _ in some], [value for _, value in some])
            self.engine.finish_restore(0)
            self.at = self.committed
            self.must_replay += self.flushed - self.committed

    def finish(self) -> None:
        while self.at < len(self.events):
            self.step("go on")


@given(histories(), st.lists(st.sampled_from(STEPS), max_size=40))
def test_crashes_at_any_moment_change_no_gauge(history: History, steps: list[str]) -> None:
    worker = Worker(engine_config(history.config), history.events)
    for step in steps:
        worker.step(step)
    worker.finish()
    uninterrupted = run(history.events, worker.config)
    assert named_sums(worker.engine) == named_sums(uninterrupted)
    assert worker.engine.latest_event_ms == uninterrupted.latest_event_ms
    for as_of_ms in history.moments()[::2]:
        expected = gauges_of(uninterrupted, as_of_ms)
        assert differences(expected, gauges_of(worker.engine, as_of_ms)) == []


@given(histories(), st.lists(st.sampled_from(STEPS), max_size=40))
def test_every_record_flushed_and_not_committed_is_replayed_after_a_crash(
    history: History, steps: list[str]
) -> None:
    worker = Worker(engine_config(history.config), history.events)
    for step in steps:
        # A second crash before the flushed place is reached again would replay less.
        if step == "crash" and worker.at < worker.flushed:
            continue
        worker.step(step)
    worker.finish()
    assert worker.replayed == worker.must_replay


@given(histories(), st.integers(0, 24))
def test_a_restored_partition_is_the_one_that_was_written(history: History, split: int) -> None:
    config = engine_config(history.config)
    worker = Worker(config, history.events)
    for step in ["go on"] * split + ["flush and commit"]:
        worker.step(step)
    before = named_sums(worker.engine)
    rows = len(worker.engine._shards[0].customers)
    worker.step("crash")
    assert named_sums(worker.engine) == before
    assert worker.engine.customers == rows
    again = worker.engine.take_changes(0, NOW_MS)
    assert (again.keys, again.values) == ([], [])


def _in_time(events: list[Event], horizon_ms: int) -> list[Event]:
    """The events not older than the horizon when they came; later times move the horizon."""
    usable: list[Event] = []
    as_of_ms: int | None = None
    for event in events:
        moment_ms = time_ms(event["occurred_at"])
        if as_of_ms is None or moment_ms >= as_of_ms - horizon_ms:
            usable.append(event)
            as_of_ms = max(moment_ms, as_of_ms or moment_ms)
    return usable


@given(histories(clear_zone=True), st.sampled_from((1, 2, 100)), st.data())
def test_events_beyond_the_horizon_are_too_late_and_all_others_count(
    history: History, chunk: int, data: st.DataObject
) -> None:
    horizon_ms = data.draw(st.sampled_from((0, DAY_MS, 8 * DAY_MS, 40 * DAY_MS)))
    engine = ready_engine(engine_config(history.config, horizon_ms=horizon_ms))
    log = Log(engine)
    log.send(history.events, chunk)
    usable = _in_time(history.events, horizon_ms)
    assert log.outcomes[Outcome.TOO_LATE] == len(history.events) - len(usable)
    assert [letter.reason for letter in log.dead_letters] == ["too_late"] * len(log.dead_letters)
    for as_of_ms in history.moments()[::3]:
        expected = naive_gauges(usable, history.config, as_of_ms)
        assert differences(expected, gauges_of(engine, as_of_ms)) == []


@given(histories(clear_zone=True), st.lists(st.sampled_from(STEPS), max_size=30))
def test_crashes_do_not_change_what_is_too_late(history: History, steps: list[str]) -> None:
    worker = Worker(engine_config(history.config, horizon_ms=2 * DAY_MS), history.events)
    for step in steps:
        worker.step(step)
    worker.finish()
    uninterrupted = run(history.events, worker.config)
    assert named_sums(worker.engine) == named_sums(uninterrupted)
