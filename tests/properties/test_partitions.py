"""Customers may live anywhere: partitions and workers add up, come and go without a trace."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from stream.domain.events import Outcome
from stream.engine import Engine
from stream.wire.partitioning import partitions_of
from tests.properties.histories import History, histories
from tests.support.engines import (
    REROUTED,
    Log,
    encoded,
    engine_config,
    gauges,
    gauges_of,
    named_sums,
    ready_engine,
    run,
)
from tests.support.naive import Event, differences

if TYPE_CHECKING:
    from random import Random

PARTITIONS = 4


def _home(event: Event) -> int:
    key = event.get("customer_id")
    return int(partitions_of([str(event["order_id"] if key is None else key).encode()], 4)[0])


def _by_partition(history: History) -> dict[int, list[Event]]:
    homes: dict[int, list[Event]] = defaultdict(list)
    for event in history.events:
        homes[_home(event)].append(event)
    return homes


@given(histories(), st.lists(st.integers(0, 2), min_size=PARTITIONS, max_size=PARTITIONS))
def test_totals_of_several_workers_add_up_to_those_of_one(
    history: History, worker_of: list[int]
) -> None:
    config = engine_config(history.config, partitions=PARTITIONS)
    workers = [Engine(config) for _ in range(3)]
    for partition, worker in enumerate(worker_of):
        workers[worker].assign(partition)
        workers[worker].finish_restore(partition)
    for partition, events in _by_partition(history).items():
        Log(workers[worker_of[partition]], partition).send(events)
    alone = run(history.events, engine_config(history.config))
    for as_of_ms in history.moments():
        totals = workers[0].totals(as_of_ms)
        for worker_engine in workers[1:]:
            totals.add(worker_engine.totals(as_of_ms))
        assert differences(gauges_of(alone, as_of_ms), gauges(totals)) == []


@given(histories(), st.sets(st.integers(0, PARTITIONS - 1)))
def test_a_revoked_partition_leaves_nothing_behind(history: History, revoked: set[int]) -> None:
    config = engine_config(history.config, partitions=PARTITIONS)
    engine, without = ready_engine(config), ready_engine(config)
    for partition, events in _by_partition(history).items():
        Log(engine, partition).send(events, chunk=3)
        if partition not in revoked:
            Log(without, partition).send(events)
    for partition in revoked:
        engine.revoke(partition)
    assert engine.ready_partitions == frozenset(range(PARTITIONS)) - revoked
    assert named_sums(engine) == named_sums(without)
    if len(revoked) == PARTITIONS:
        assert engine._tallies.dense() == {}


@given(histories(), st.randoms(use_true_random=False))
def test_events_sent_to_any_partition_find_home_and_count_once(
    history: History, random: Random
) -> None:
    engine = ready_engine(engine_config(history.config, partitions=PARTITIONS))
    logs = [Log(engine, partition) for partition in range(PARTITIONS)]
    forwarded = 0
    for event in history.events:
        log = logs[random.randrange(PARTITIONS)]
        topic = {"purchase": "purchases", "signup": "signups"}.get(str(event["type"]), "returns")
        for stray in log.send_raw(topic, [encoded(event)]).strays:
            assert stray.partition == _home(event)
            assert stray.key.decode() == str(event["customer_id"] or event["order_id"])
            logs[stray.partition].send_raw(REROUTED, [encoded(event)])
            forwarded += 1
    alone = run(history.events, engine_config(history.config))
    assert named_sums(engine) == named_sums(alone)
    assert sum(log.outcomes[Outcome.REROUTED] for log in logs) == forwarded
    assert forwarded == sum(log.offsets[REROUTED] for log in logs)
