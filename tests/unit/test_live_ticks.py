from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.domain.metrics import samples
from stream.publish.live.looks import Looks
from stream.publish.live.ticks import Scene, health, numbers
from tests.support.worker import NOW_MS, Worker

if TYPE_CHECKING:
    from stream.domain.totals import Totals

DAY_MS = 86_400_000
WEEK = Scene("shop", "7d")


@pytest.fixture
def worker() -> Worker:
    worker = Worker()
    worker.restore()
    return worker


def buy(worker: Worker, customer: str, order: str, days_ago: float, **fields: object) -> None:
    at = {"occurred_at": (NOW_MS - days_ago * DAY_MS) / 1000}
    worker.purchase(customer, order, **({"store": "shop"} | at | fields))


def totals_of(worker: Worker) -> Totals:
    overview = worker.overview()
    assert overview is not None
    assert overview.totals is not None
    return overview.totals


def test_numbers_are_those_of_the_metrics(worker: Worker) -> None:
    for customer in range(30):
        buy(worker, f"{customer}", "early", 9, attributes={"channel": "web"})
        buy(worker, f"{customer}", "late", 1 + customer % 3 * 3, currency="JPY", amount="5")
        buy(worker, f"{customer}", "other", 1, store="another")
    totals = totals_of(worker)
    expected: dict[str, dict[str, float]] = {"7d": {}, "prev_7d": {}}
    for sample in samples(totals):
        labels = dict(sample.labels)
        place = {label: labels.pop(label, "") for label in ("store", "dimension", "window")}
        if place["store"] == "shop" and place["dimension"] == "all" and place["window"] in expected:
            labels.pop("segment")
            expected[place["window"]][":".join([sample.name, *labels.values()])] = sample.value

    told = numbers(totals, WEEK)

    assert told["now"] == expected["7d"]
    assert told["before"] == expected["prev_7d"]
    assert len(expected["7d"]) > len(expected["prev_7d"]) > 15


def test_numbers_say_whether_the_window_is_mature(worker: Worker) -> None:
    buy(worker, "ann", "1", 2)
    assert numbers(totals_of(worker), WEEK)["mature"] is False
    buy(worker, "ann", "2", 40)
    assert numbers(totals_of(worker), WEEK)["mature"] is True


def test_a_store_or_window_that_is_not_there_has_no_numbers(worker: Worker) -> None:
    buy(worker, "ann", "1", 2)

    for scene in (Scene("nowhere", "7d"), Scene("shop", "no window")):
        told = numbers(totals_of(worker), scene)
        assert (told["now"], told["before"], told["mature"]) == ({}, {}, None)


def test_health_adds_up_what_is_still_to_be_read_of_each_topic(worker: Worker) -> None:
    worker.lag_events = {("purchases", 0): 3, ("purchases", 1): 4, ("returns", 0): 0}
    worker.outcomes = {("purchases", "applied"): 10, ("purchases", "rejected"): 2}
    worker.dead_letters = {"not_json": 2}

    told = health(worker, worker.overview())

    assert told["lag_events"] == {"purchases": 7, "returns": 0}
    assert told["outcomes"] == {"purchases": {"applied": 10, "rejected": 2}}
    assert told["dead_letters"] == {"not_json": 2}
    assert told["as_of"] == "2023-11-14T22:13:20.000Z"


def test_a_worker_that_does_not_speak_tells_only_of_itself(worker: Worker) -> None:
    worker.another_speaks = True

    told = health(worker, worker.overview())

    assert (told["speaks"], told["as_of"], told["partitions_ready"]) == (False, None, None)
    assert told["partitions_here"] == 1


def test_who_looks_twice_within_the_interval_sees_the_same(worker: Worker) -> None:
    looks = Looks(worker, interval_seconds=3600)
    first = looks.latest(WEEK)
    buy(worker, "ann", "1", 2)

    assert looks.latest(WEEK) == first
    assert Looks(worker, interval_seconds=3600).latest(WEEK) != first


def test_there_are_no_numbers_while_a_partition_is_missing() -> None:
    assert set(Looks(Worker()).latest(WEEK)) == {"health"}
