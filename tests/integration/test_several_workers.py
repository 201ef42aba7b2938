"""Several workers over one Kafka and one Redis: one shows what all count, or nobody does."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.integration.stream_harness import PARTITIONS, Stream, purchases, record_of
from tests.integration.worker_harness import Worker
from tests.support.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.kafka_server import KafkaServer
    from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@pytest.fixture
def stream(kafka_server: KafkaServer, redis_server: RedisServer) -> Stream:
    return Stream(kafka_server.address, RETENTION_REDIS_URL=redis_server.url)


@pytest.fixture
def fleet(stream: Stream) -> Fleet:
    return Fleet(stream)


@pytest.fixture
def start(stream: Stream, fleet: Fleet, tmp_path: Path) -> Iterator[Callable[[int], list[Worker]]]:
    """Start so many workers more and wait until each is ready."""
    with ExitStack() as stack:

        def start(count: int) -> list[Worker]:
            started = [stack.enter_context(Worker(stream.environ, tmp_path)) for _ in range(count)]
            fleet.workers += started
            for worker in started:
                worker.wait_until_ready()
            return started

        yield start


def send(fleet: Fleet, count: int) -> None:
    """The next so many orders, an hour apart."""
    fleet.send([record_of(order) for order in purchases(count, first=fleet.sent)])


def owned(worker: Worker) -> int:
    """Partitions that are ready on this very worker."""
    _, body = worker.get("/readyz")
    ready: int = json.loads(body)["partitions_ready"]
    return ready


def speaker(fleet: Fleet) -> Worker:
    """The one worker that shows business gauges."""
    (found,) = [
        worker for worker in fleet.workers if worker.exit_code is None and worker.business()
    ]
    return found


def test_two_workers_show_together_what_one_would(
    fleet: Fleet, start: Callable[[int], list[Worker]]
) -> None:
    send(fleet, 300)
    workers = start(2)
    fleet.watch_until_all_is_counted()
    assert sorted(map(owned, workers)) == [1, PARTITIONS - 1]
    for _ in range(5):
        send(fleet, 20)
        fleet.watch_until_all_is_counted()
    one = speaker(fleet)
    (other,) = set(workers) - {one}
    assert one.gauge("retention_partitions_ready") == PARTITIONS
    shown_by_other = {name for name, _, _ in other.samples()}
    assert not {"retention_as_of_timestamp_seconds", "retention_position_events"} & shown_by_other
    # The past is of all, too, and ends with what is shown now.
    asked = "/api/v1/history?metric=retention_orders&window=30d&step=1h"
    status, body = one.get(asked)
    assert status == 200
    (series,) = json.loads(body)["series"]
    assert len(series["values"]) == 90
    assert series["values"][-1] == one.gauge("retention_orders", **series["labels"])
    assert [after - before for before, after in pairwise(series["values"])] == [1] * 89
    assert other.get(asked)[0] == 503
    # Of a customer both tell the same, wherever its partition is.
    for number in range(0, 400, 50):
        (event,) = purchases(1, first=number)
        about = [w.get(f"/api/v1/customers/default/{event['customer_id']}") for w in workers]
        assert about[0] == about[1]
        status, body = about[0]
        assert status == 200
        assert json.loads(body)["orders"]
    assert [w.get("/api/v1/customers/default/nobody")[0] for w in workers] == [404, 404]
    # Operational counters stay with each worker.
    counted = [sum(worker.outcomes().values()) for worker in workers]
    assert sum(counted) >= 400
    assert min(counted) > 0
    assert one.terminate() == 0
    fleet.watch_until_all_is_counted()
    assert speaker(fleet) is other


def test_workers_that_are_killed_and_join_move_no_gauge(
    fleet: Fleet, start: Callable[[int], list[Worker]]
) -> None:
    send(fleet, 300)
    start(3)
    fleet.watch_until_all_is_counted()
    # First one that only counts, then the one that speaks.
    silent = next(worker for worker in fleet.workers if worker is not speaker(fleet))
    for victim in (silent, speaker(fleet)):
        victim.kill()
        fleet.watch_until_absent()
        send(fleet, 50)
        fleet.watch_until_all_is_counted()
    start(2)
    send(fleet, 50)
    fleet.watch_until_all_is_counted()
    assert sorted(owned(w) for w in fleet.workers if w.exit_code is None) == [1, 1, 1]


def test_without_redis_there_are_no_gauges_and_with_an_empty_one_all_are_back(
    fleet: Fleet, start: Callable[[int], list[Worker]], redis_server: RedisServer
) -> None:
    redis_server.kill()
    send(fleet, 100)
    workers = start(2)
    assert fleet.scrape() == []
    redis_server.start()
    fleet.watch_until_all_is_counted()
    for _ in range(2):
        redis_server.kill()
        send(fleet, 50)
        fleet.watch_until_absent()
        time.sleep(2.0)
        assert fleet.scrape() == []
        redis_server.start()
        fleet.watch_until_all_is_counted()
    for worker in workers:
        assert worker.log.count("no business gauges until Redis answers") == 3
        assert worker.log.count("Redis answers again") == 3
        assert worker.get("/readyz")[0] == 200


def test_a_speaker_that_was_paused_does_not_speak_when_it_wakes_up(
    fleet: Fleet, start: Callable[[int], list[Worker]]
) -> None:
    send(fleet, 200)
    (paused,) = start(1)
    fleet.watch_until_all_is_counted()
    # It owned everything, so it could add up all by itself.
    os.kill(paused.pid, signal.SIGSTOP)
    fleet.workers.clear()
    start(1)
    send(fleet, 200)
    fleet.watch_until_all_is_counted()
    os.kill(paused.pid, signal.SIGCONT)
    fleet.workers.append(paused)
    until = time.monotonic() + 5.0
    fleet.watch(lambda shown: time.monotonic() > until or len(shown) > 1, "run for a while")
    assert len(fleet.scrape()) <= 1
    fleet.watch_until_all_is_counted()
    send(fleet, 50)
    fleet.watch_until_all_is_counted()
    assert sorted(map(owned, fleet.workers)) == [1, PARTITIONS - 1]
