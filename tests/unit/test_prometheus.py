from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from stream.domain.catalogue import CATALOGUE
from stream.domain.events import Outcome
from stream.publish.prometheus import Exposition, accepts_openmetrics
from tests.support.worker import NOW_MS, Worker, new_engine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric

type_of_prometheus_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,*/*;q=0.1"
)


class Scrape:
    """What a scrape said, by name and labels."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self.values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }
        self.names = {name for name, _ in self.values}

    def value(self, name: str, **labels: str) -> float | None:
        return self.values.get((name, frozenset(labels.items())))


def scrape(worker: Worker) -> Scrape:
    body, _ = Exposition(worker).scrape()
    return Scrape(parse_text(body.decode()))


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_business_gauges_are_absent_until_every_partition_is_ready(worker: Worker) -> None:
    worker.partitions_expected = 2
    worker.restore()
    worker.purchase("ann", "1")

    partly = scrape(worker)
    worker.partitions_expected = 1
    wholly = scrape(worker)

    assert not partly.names & set(CATALOGUE)
    assert (
        partly.value("retention_partitions_ready"),
        partly.value("retention_as_of_timestamp_seconds"),
    ) == (1, NOW_MS / 1000)
    assert wholly.names & set(CATALOGUE)


def test_business_gauges_carry_the_engines_numbers(worker: Worker) -> None:
    worker.restore()
    worker.purchase("ann", "1", attributes={"channel": 'the "web"\\\n'})
    worker.purchase("ann", "2")
    worker.purchase("bob", "3")

    seen = scrape(worker)

    whole = {"store": "default", "dimension": "all", "segment": "all", "window": "7d"}
    assert seen.value("retention_orders", **whole) == 3
    assert seen.value("retention_customers", status="active", **whole) == 2
    assert seen.value("retention_repeat_purchase_ratio", **whole) == 0.5
    web = {"store": "default", "dimension": "channel", "segment": 'the "web"\\\n'}
    assert seen.value("retention_orders", window="7d", **web) == 2


def test_positions_are_those_of_the_gauges_in_the_same_scrape(worker: Worker) -> None:
    worker.partitions_expected = 2
    worker.restore()
    worker.purchase("ann", "1")
    worker.purchase("ann", "2")
    partly = scrape(worker)
    worker.partitions_expected = 1
    wholly = scrape(worker)

    assert "retention_position_events" not in partly.names
    found = {
        topic: wholly.value("retention_position_events", topic=topic, partition="0")
        for topic in worker.engine.config.topics
    }
    assert found == {"purchases": 2, "signups": 0, "returns": 0, "retention-rerouted": 0}


def test_a_worker_for_which_another_speaks_shows_only_itself(worker: Worker) -> None:
    worker.restore()
    worker.purchase("ann", "1")
    worker.another_speaks = True

    seen = scrape(worker)

    assert not seen.names & set(CATALOGUE)
    of_all = {"retention_partitions_ready", "retention_partitions_expected"}
    of_all |= {"retention_as_of_timestamp_seconds", "retention_position_events"}
    assert not seen.names & of_all
    assert {"retention_events_total", "retention_build_info"} <= seen.names


def test_nothing_is_as_of_an_instant_before_the_first_event_in_event_time() -> None:
    worker = Worker(engine=new_engine("event"))
    worker.restore()

    before = scrape(worker)
    worker.purchase("ann", "1")
    after = scrape(worker)

    assert not before.names & set(CATALOGUE)
    assert before.value("retention_as_of_timestamp_seconds") is None
    assert after.value("retention_as_of_timestamp_seconds") == (NOW_MS - 3_600_000) / 1000


def test_every_outcome_of_every_topic_is_there_from_the_start_as_zero(worker: Worker) -> None:
    seen = scrape(worker)

    for topic in ("purchases", "signups", "returns", "retention-rerouted"):
        for outcome in Outcome:
            labels = {"topic": topic, "outcome": outcome.value}
            assert seen.value("retention_events_total", **labels) == 0


def test_the_workers_own_metrics_are_there_whatever_is_ready() -> None:
    worker = Worker(
        partitions_expected=8,
        outcomes={("purchases", "applied"): 2**40 + 1, ("returns", "rejected"): 2},
        dead_letters={"bad_amount": 2},
        lag_events={("purchases", 3): 17},
        last_event_ms=NOW_MS - 500,
    )

    seen = scrape(worker)

    assert seen.value("retention_events_total", topic="purchases", outcome="applied") == 2**40 + 1
    assert seen.value("retention_events_total", topic="returns", outcome="rejected") == 2
    assert seen.value("retention_dead_letters_total", reason="bad_amount") == 2
    assert seen.value("retention_lag_events", topic="purchases", partition="3") == 17
    assert seen.value("retention_last_event_timestamp_seconds") == NOW_MS / 1000 - 0.5
    assert seen.value("retention_partitions_ready") == 0
    assert seen.value("retention_partitions_expected") == 8
    assert {"retention_build_info", "retention_scrape_duration_seconds"} <= seen.names


def test_openmetrics_has_the_same_numbers(worker: Worker) -> None:
    worker.restore()
    worker.purchase("ann", "1")
    exposition = Exposition(worker)

    text, text_type = exposition.scrape("text/plain")
    body, openmetrics_type = exposition.scrape(type_of_prometheus_3)

    assert text_type.startswith("text/plain; version=0.0.4")
    assert openmetrics_type.startswith("application/openmetrics-text; version=1.0.0")
    plain = Scrape(parse_text(text.decode()))
    open_metrics = Scrape(
        parse_openmetrics(body.decode())  # type: ignore[no-untyped-call] # theirs
    )
    ours = {key for key in plain.values if key[0].startswith("retention_")}
    timed = {("retention_scrape_duration_seconds", frozenset[tuple[str, str]]())}
    assert len(ours) > 30
    assert {key: plain.values[key] for key in ours - timed} == {
        key: open_metrics.values[key] for key in ours - timed
    }


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (type_of_prometheus_3, True),
        ("application/openmetrics-text", True),
        ("text/html, Application/OpenMetrics-Text; q=0.5; version=1.0.0", True),
        ("application/openmetrics-text;version=9.9", False),
        ("application/openmetrics-text;version=new", False),
        ("text/plain;version=0.0.4", False),
        ("*/*", False),
        ("", False),
        (";,;;version", False),
    ],
)
def test_openmetrics_is_written_for_who_can_read_this_version_of_it(
    accept: str, *, wanted: bool
) -> None:
    assert accepts_openmetrics(accept) is wanted
