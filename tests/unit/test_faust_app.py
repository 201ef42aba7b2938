from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from faust.types import TP

from stream.engine import Engine
from stream.faust_app.agents import _consume_with
from stream.faust_app.app import CHUNKS_WAITING, RetentionApp, create_app
from stream.faust_app.chunk import Chunk, SourcePartition
from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.table import CustomersTable
from stream.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SETTINGS = load_settings(
    {"RETENTION_PARTITIONS": "4", "RETENTION_BROKER": "a:1,b:2", "RETENTION_APP_ID": "shop"}
)
TOPICS = (*SETTINGS.source_topics, SETTINGS.topic_rerouted, SETTINGS.changelog_topic)


@pytest.fixture
async def app() -> RetentionApp:
    return create_app(SETTINGS, Engine(SETTINGS.engine_config()))


def partitions(*numbers: int) -> set[TP]:
    return {TP(topic, number) for topic in TOPICS for number in numbers}


def generation(app: RetentionApp, number: int, assigned: set[TP]) -> tuple[set[TP], set[TP]]:
    app.consumer_generation_id = number
    return app._update_assignment(assigned)


async def test_the_changelog_is_the_topic_of_the_settings(app: RetentionApp) -> None:
    table: CustomersTable = app.tables["customers"]
    assert table.changelog_topic_name == SETTINGS.changelog_topic == app.customers_changelog
    assert app.tables.changelog_topics == {SETTINGS.changelog_topic}


async def test_every_source_and_the_rerouted_topic_have_an_agent(app: RetentionApp) -> None:
    topics = {name for agent in app.agents.values() for name in agent.get_topic_names()}
    assert topics == {*SETTINGS.source_topics, SETTINGS.topic_rerouted}


async def test_every_bootstrap_server_is_used(app: RetentionApp) -> None:
    assert [(url.host, url.port) for url in app.conf.broker] == [("a", 1), ("b", 2)]


async def test_faust_neither_serves_nor_creates_topics_nor_keeps_standbys(
    app: RetentionApp,
) -> None:
    assert not app.conf.web_enabled
    assert not app.conf.topic_allow_declare
    assert app.conf.topic_disable_leader
    assert app.conf.table_standby_replicas == 0
    assert not app.conf.stream_wait_empty


async def test_a_full_queue_makes_the_fetcher_wait_and_never_drops_a_partition(
    app: RetentionApp,
) -> None:
    queue = app.FlowControlQueue(maxsize=4096)

    def pressure() -> None:
        raise AssertionError("Faust would leave this partition out of its fetches")

    for _ in range(CHUNKS_WAITING):
        assert not queue.full()
        queue.put_nowait_enhanced("chunk", on_pressure_high=pressure, on_pressure_drop=pressure)
    assert queue.full()


async def test_partitions_kept_over_a_rebalance_neither_leave_nor_come(app: RetentionApp) -> None:
    assert generation(app, 1, partitions(0, 1)) == (set(), partitions(0, 1))
    assert generation(app, 2, partitions(1, 2)) == (partitions(0), partitions(2))


async def test_after_a_missed_generation_nothing_counts_as_kept(app: RetentionApp) -> None:
    generation(app, 1, partitions(0, 1))
    assert generation(app, 3, partitions(1, 2)) == (partitions(0, 1), partitions(1, 2))


async def test_the_first_generation_may_be_number_0(app: RetentionApp) -> None:
    generation(app, 0, partitions(0))
    assert generation(app, 1, partitions(0, 1)) == (set(), partitions(1))


async def test_shards_follow_the_partitions(app: RetentionApp) -> None:
    table: Any = app.tables["customers"]
    await table.on_rebalance(partitions(0, 1), set(), partitions(0, 1), 1)
    for partition in (0, 1):
        app.engine.finish_restore(partition)
    assert app.engine.ready_partitions == {0, 1}
    # In both sets: it may have had another owner in between.
    await table.on_rebalance(partitions(1, 2), partitions(0, 1), partitions(1, 2), 3)
    assert app.engine.ready_partitions == set()
    app.engine.finish_restore(1)
    app.engine.finish_restore(2)
    assert app.engine.ready_partitions == {1, 2}


async def test_topics_with_different_partitions_are_refused(app: RetentionApp) -> None:
    table: Any = app.tables["customers"]
    assigned = partitions(0, 1) - {TP(SETTINGS.topic_returns, 1)}
    with pytest.raises(BrokenWorldError, match=f"topic {SETTINGS.topic_returns} has other"):
        await table.on_rebalance(assigned, set(), assigned, 1)


async def test_an_agent_that_fails_burns_the_fuse_and_takes_nothing_more(app: RetentionApp) -> None:
    source = SourcePartition("purchases", 0)
    asked = []

    async def chunks() -> AsyncIterator[Chunk]:
        for start in (7, 8):
            asked.append(start)
            yield Chunk.of(source, start, start + 1, [])

    await _consume_with(app)(chunks())
    assert app.fuse.reason is not None
    assert app.fuse.reason.startswith("applying purchases[0] from offset 7: ")
    assert asked == [7]


async def test_chunks_that_come_again_after_a_late_one_are_delivered(app: RetentionApp) -> None:
    consumer: Any = app.consumer
    delivered = []
    fetcher = SimpleNamespace(_stopped=asyncio.Event())

    async def getmany(**_: float) -> AsyncIterator[tuple[TP, Any]]:
        for offset in (67_987, 60_000):
            yield TP("purchases", 0), SimpleNamespace(offset=offset, topic="purchases")
        fetcher._stopped.set()

    async def callback(message: SimpleNamespace) -> None:
        delivered.append(message.offset)

    consumer.getmany, consumer.callback = getmany, callback
    await consumer._drain_messages(fetcher)
    consumer._thread.thread_loop.close()
    assert delivered == [67_987, 60_000]


async def test_a_burnt_fuse_stops_every_commit(app: RetentionApp) -> None:
    app.intake.seek({SourcePartition("purchases", 0): 0})
    app.intake.apply(Chunk.of(SourcePartition("purchases", 0), 0, 1, []))
    app.fuse.burn(BrokenWorldError("over"), "testing")
    consumer: Any = app.consumer
    # Without the fuse this would ask a coordinator, through a thread that is not running.
    assert await consumer.force_commit() is False
    consumer._thread.thread_loop.close()
    assert app.intake.has_uncommitted
