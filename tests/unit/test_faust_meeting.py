"""What a worker says of its own partitions, and when it keeps silent."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import (
    CoordinatorNotAvailableError,
    IllegalGenerationError,
    NoError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from faust.types import TP

from stream.engine import Engine
from stream.faust_app.app import RetentionApp, create_app
from stream.faust_app.chunk import Chunk, SourcePartition
from stream.faust_app.consumer_thread import ChunkConsumerThread
from stream.faust_app.own_counts import OwnCounts
from stream.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

SETTINGS = load_settings({"RETENTION_PARTITIONS": "4", "RETENTION_APP_ID": "shop"})
SOURCES = (*SETTINGS.source_topics, SETTINGS.topic_rerouted)
TOPICS = (*SOURCES, SETTINGS.changelog_topic)
GENERATION = 3
SESSION_SECONDS = 10.0


@pytest.fixture
async def app() -> RetentionApp:
    return create_app(SETTINGS, Engine(SETTINGS.engine_config()))


@pytest.fixture
def counts(app: RetentionApp) -> OwnCounts:
    counts = OwnCounts(app, "w1")
    counts.member_until = time.monotonic() + 60
    return counts


async def assign(app: RetentionApp, *partitions: int, generation: int = GENERATION) -> None:
    """The group gives these partitions; the way it goes through Faust."""
    assigned = {TP(topic, number) for topic in TOPICS for number in partitions}
    app.consumer_generation_id = generation
    gone, come = app._update_assignment(assigned)
    table: Any = app.tables["customers"]
    await table.on_rebalance(assigned, gone, come, generation)


def restore(app: RetentionApp, *partitions: int) -> None:
    for partition in partitions:
        app.engine.finish_restore(partition)


def seek(app: RetentionApp, partitions: Iterable[int], position: int = 5) -> None:
    app.intake.seek(
        {SourcePartition(t, number): position for t in SOURCES for number in partitions}
    )


async def test_it_speaks_of_what_is_restored_and_has_a_position(
    app: RetentionApp, counts: OwnCounts
) -> None:
    assert counts.standing() is None
    await assign(app, 0, 2)
    before = counts.standing()
    assert before is not None
    assert before.partitions == frozenset()
    assert counts.share(1) is None
    restore(app, 0, 2)
    # Up to where they count is known only when the committed offsets are.
    half_way = counts.standing()
    assert half_way is not None
    assert half_way.partitions == frozenset()
    assert counts.share(1) is None
    seek(app, (0, 2))
    app.intake.apply(Chunk.of(SourcePartition("returns", 2), 5, 9, []))
    after = counts.standing()
    assert after is not None
    assert (after.worker, after.generation) == ("w1", GENERATION)
    assert after.partitions == {0, 2}
    assert after.positions == {(t, p): 5 for t in SOURCES for p in (0, 2)} | {("returns", 2): 9}
    share = counts.share(1_700_000_000_000)
    assert share is not None
    assert share[0] == after
    assert share[1].as_of_ms == 1_700_000_000_000


async def test_no_totals_that_hold_more_than_they_say(app: RetentionApp, counts: OwnCounts) -> None:
    await assign(app, 0, 2)
    restore(app, 0)
    seek(app, (0,))
    assert counts.share(1) is not None
    restore(app, 2)
    standing = counts.standing()
    assert standing is not None
    assert standing.partitions == {0}
    assert counts.share(1) is None


async def test_what_left_is_not_spoken_of_from_that_moment_on(
    app: RetentionApp, counts: OwnCounts
) -> None:
    await assign(app, 0, 2)
    restore(app, 0, 2)
    seek(app, (0, 2))
    # The consumer's thread has joined already, the shards have not followed.
    app.consumer_generation_id = GENERATION + 1
    assert counts.standing() is None
    assert counts.share(1) is None
    await assign(app, 2, 3, generation=GENERATION + 1)
    standing = counts.standing()
    assert standing is not None
    assert standing.generation == GENERATION + 1
    assert standing.partitions == {2}
    assert standing.positions == {(topic, 2): 5 for topic in SOURCES}


async def test_the_owner_of_partition_0_speaks_also_before_it_is_restored(
    app: RetentionApp, counts: OwnCounts
) -> None:
    assert not counts.speaks()
    await assign(app, 1, 2)
    assert not counts.speaks()
    await assign(app, 0, 2, generation=GENERATION + 1)
    assert counts.speaks()
    app.consumer_generation_id += 1
    assert not counts.speaks()


async def test_it_is_silent_without_proof_of_membership(
    app: RetentionApp, counts: OwnCounts
) -> None:
    await assign(app, 0)
    restore(app, 0)
    seek(app, (0,))
    assert counts.standing() is not None
    counts.member_until = time.monotonic() - 0.001
    assert counts.standing() is None
    assert not counts.speaks()
    counts.member_until = time.monotonic() + 60
    assert counts.standing() is not None
    app.fuse.burn(RuntimeError(), "testing")
    assert counts.standing() is None


class Coordinator:
    """Answers a heartbeat, or fails to."""

    group_id, member_id, generation = "shop", "member-1", GENERATION

    def __init__(self, answer: type[Exception]) -> None:
        self.answer = answer

    async def _send_req(self, request: Any) -> SimpleNamespace:  # noqa: ANN401 - aiokafka is untyped
        assert (request._group, request._generation_id) == ("shop", GENERATION)
        if self.answer is CoordinatorNotAvailableError:
            raise self.answer
        return SimpleNamespace(error_code=self.answer.errno)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (NoError, "a session"),
        (RebalanceInProgressError, "a session"),
        (IllegalGenerationError, "no more"),
        (UnknownMemberIdError, "no more"),
        (CoordinatorNotAvailableError, "unknown"),
    ],
)
async def test_the_coordinator_says_for_how_long_nobody_else_owns_its_partitions(
    answer: type[Exception], expected: str
) -> None:
    coordinator = Coordinator(answer)
    thread = thread_of(coordinator)
    asked_at = time.monotonic()
    until = await ChunkConsumerThread._member_until(thread)
    if expected == "unknown":
        assert until is None
    elif expected == "no more":
        assert until == 0
    else:
        assert until is not None
        assert 0 <= until - SESSION_SECONDS - asked_at < 1


async def test_a_member_of_another_generation_need_not_ask() -> None:
    thread = thread_of(Coordinator(NoError))
    thread.app.consumer_generation_id = GENERATION + 1
    assert await ChunkConsumerThread._member_until(thread) == 0


def thread_of(coordinator: Coordinator) -> Any:  # noqa: ANN401 - stands for a class of Faust
    """As much of a consumer's thread as the question needs."""
    return SimpleNamespace(
        _ensure_consumer=lambda: SimpleNamespace(_coordinator=coordinator),
        app=SimpleNamespace(
            consumer_generation_id=GENERATION,
            conf=SimpleNamespace(broker_session_timeout=SESSION_SECONDS),
        ),
    )
