"""A worker from start to stop, over each broker in turn."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING

from tests.integration.stream_harness import (
    PARTITIONS,
    Record,
    Stream,
    partition_of,
    purchases,
)
from tests.integration.worker_harness import Worker

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_700_000_000


def test_events_of_all_topics_reach_the_gauges(broker_address: str, tmp_path: Path) -> None:
    stream = Stream(broker_address)
    topics = stream.settings
    stream.send(topics.topic_purchases, purchases(200))
    signups = [
        {"type": "signup", "customer_id": f"customer-{n}", "occurred_at": NOW} for n in range(40)
    ]
    stream.send(topics.topic_signups, signups)
    back = {
        "type": "return",
        "customer_id": "customer-1",
        "occurred_at": NOW + 600_000,
        "return_id": "r1",
        "amount": "5.00",
        "currency": "EUR",
    }
    cancelled = {
        "type": "cancellation",
        "customer_id": "customer-0",
        "occurred_at": NOW,
        "order_id": "order-0",
    }
    stream.send(topics.topic_returns, [back, cancelled])

    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(242)

        whole = {"dimension": "all", "segment": "all", "window": "30d"}
        assert worker.gauge("retention_orders", **whole) == 199
        assert worker.gauge("retention_signups", status="total", **whole) == 40
        assert worker.gauge("retention_units", kind="returned", **whole) == 1
        assert worker.gauge("retention_customers", status="active", **whole) == 40
        assert worker.outcomes() == {
            (topics.topic_purchases, "applied"): 200,
            (topics.topic_signups, "applied"): 40,
            (topics.topic_returns, "applied"): 2,
        }
        assert {v for n, _, v in worker.samples() if n == "retention_lag_events"} == {0}


def test_sigterm_commits_and_exits_with_0_within_10_seconds(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address, RETENTION_COMMIT_INTERVAL_SECONDS="600")
    stream.send(stream.settings.topic_purchases, purchases(200))
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(200)
        asked_at = time.monotonic()
        assert worker.terminate() == 0
        assert time.monotonic() - asked_at < 10
        assert "stopped" in worker.last_log_line

    # The commit interval never passed, so nothing but the stop can have committed.
    with Worker(stream.environ, tmp_path) as successor:
        successor.wait_until_ready().wait_until_committed()
        assert successor.outcomes() == {}


def test_sigterm_before_the_worker_is_ready_ends_it_as_cleanly(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address)
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_serving()
        assert worker.get("/readyz")[0] == 503
        assert worker.get("/metrics")[0] == 200
        asked_at = time.monotonic()
        assert worker.terminate() == 0
        assert time.monotonic() - asked_at < 10


def test_sigterm_does_not_wait_for_who_has_the_page_open(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address)
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready()
        with urllib.request.urlopen(f"http://127.0.0.1:{worker.port}/api/v1/events") as events:
            assert events.readline().startswith(b"retry: ")
            asked_at = time.monotonic()
            assert worker.terminate() == 0
            assert time.monotonic() - asked_at < 10
            assert b"event: health" in events.read()  # to its end


def test_a_port_that_is_taken_is_named_in_one_line(broker_address: str, tmp_path: Path) -> None:
    stream = Stream(broker_address)
    with Worker(stream.environ, tmp_path) as first:
        first.wait_until_serving()
        with Worker(stream.environ, tmp_path, port=first.port) as second:
            assert second.wait_for_exit() == 2
            assert "RETENTION_WEB_PORT" in second.last_log_line
            assert "Traceback" not in second.log


def test_totals_are_the_same_after_a_clean_restart(broker_address: str, tmp_path: Path) -> None:
    stream = Stream(broker_address)
    stream.send(stream.settings.topic_purchases, purchases(500))
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(500)
        before = worker.business()
        assert worker.terminate() == 0

    with Worker(stream.environ, tmp_path) as successor:
        successor.wait_until_ready()
        assert successor.business() == before
        stream.send(stream.settings.topic_purchases, purchases(100, first=500))
        successor.wait_for_events(100)
        assert successor.outcomes() == {(stream.settings.topic_purchases, "applied"): 100}


def test_totals_are_the_same_after_kill_9_before_anything_was_committed(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address, RETENTION_COMMIT_INTERVAL_SECONDS="600")
    stream.send(stream.settings.topic_purchases, purchases(500))
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(500)
        before = worker.business()
        worker.kill()

    with Worker(stream.environ, tmp_path) as successor:
        successor.wait_until_ready().wait_for_events(500)
        assert successor.business() == before


def test_totals_are_the_same_after_kill_9_between_two_commits(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address)
    topic = stream.settings.topic_purchases
    stream.send(topic, purchases(500))
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(500).wait_until_committed()
        stream.send(topic, purchases(500, first=500))
        worker.wait_for_events(1000)
        before = worker.business()
        worker.kill()

    with Worker(stream.environ, tmp_path) as successor:
        # What was committed is not read again; of the rest, all or nothing may have been.
        successor.wait_until_ready()
        successor.wait_until_committed()
        assert successor.business() == before
        assert sum(successor.outcomes().values()) <= 500


def test_a_bad_event_becomes_a_dead_letter_with_its_key_value_and_headers(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address)
    topics = stream.settings
    bad = Record(1, b"some-key", b"not json", [("trace", b"abc")])
    stream.send_raw(topics.topic_signups, [bad])
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(1)
        (letter,) = stream.read(topics.topic_dead_letters, 1)
        assert worker.outcomes() == {(topics.topic_signups, "rejected"): 1}
        reasons = {
            labels["reason"]: value
            for name, labels, value in worker.samples()
            if name == "retention_dead_letters_total"
        }

    assert (letter.key, letter.value) == (b"some-key", b"not json")
    headers = dict(letter.headers)
    assert headers.pop("dl-detail")
    assert reasons == {headers.pop("dl-reason").decode(): 1}
    assert headers == {
        "trace": b"abc",
        "dl-topic": topics.topic_signups.encode(),
        "dl-partition": b"1",
        "dl-offset": b"0",
    }


def test_an_event_in_the_wrong_partition_is_sent_on_and_counted_once(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address)
    topics = stream.settings
    (placed,) = purchases(1)
    home = partition_of("customer-0")
    stream.send(topics.topic_purchases, [placed])
    stray = Record(
        (home + 1) % PARTITIONS,
        b"whatever",
        json.dumps(purchases(1, 1, 7)[0]).encode(),
        [("a", b"b")],
    )
    stream.send_raw(topics.topic_purchases, [stray])
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(3)
        assert worker.outcomes() == {
            (topics.topic_purchases, "applied"): 1,
            (topics.topic_purchases, "rerouted"): 1,
            (topics.topic_rerouted, "applied"): 1,
        }
        whole = {"dimension": "all", "segment": "all", "window": "30d"}
        assert worker.gauge("retention_customers", status="active", **whole) == 1
        assert worker.gauge("retention_orders", **whole) == 2

    (forwarded,) = stream.read(topics.topic_rerouted, 1)
    assert forwarded == Record(home, b"customer-0", stray.value, [("a", b"b")])
