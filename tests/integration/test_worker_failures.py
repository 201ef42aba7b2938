"""What a worker does when it must not go on, and when others take its place."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer

from tests.integration.stream_harness import (
    PARTITIONS,
    Stream,
    partition_of,
    purchases,
    record_of,
    send_record,
)
from tests.integration.worker_harness import Worker
from tests.support.kafka_server import free_ports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka_server import KafkaServer

#: A worker whose engine fails on the chunk that holds a certain order.
FAILING_WORKER = """
import sys
from stream.engine import Engine
from stream.faust_app.worker import run_worker
from stream.settings import load_settings

apply = Engine.apply

def fail(self, topic, partition, offsets, keys, values, now_ms, **more):
    if any(b"order-150" in value for value in values):
        raise KeyError("customer-30", values[0])
    return apply(self, topic, partition, offsets, keys, values, now_ms, **more)

Engine.apply = fail
sys.exit(run_worker(load_settings()))
"""


def test_a_bug_in_the_engine_ends_the_worker_before_offsets_move(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address)
    stream.send(stream.settings.topic_purchases, purchases(200))
    with Worker(stream.environ, tmp_path, command=("-c", FAILING_WORKER)) as worker:
        assert worker.wait_for_exit() == 1
        partition = partition_of("customer-30")
        assert "the worker ends: applying" in worker.last_log_line
        assert f"{stream.settings.topic_purchases}[{partition}]" in worker.last_log_line
        assert "KeyError" in worker.last_log_line
        assert "customer-" not in worker.log

    # The chunk was not applied; had its offsets been committed, its orders were lost.
    with Worker(stream.environ, tmp_path) as successor:
        successor.wait_until_ready().wait_for_orders(200)


def test_without_a_broker_the_worker_says_so_in_one_line(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Worker({"RETENTION_BROKER": f"127.0.0.1:{port}"}, tmp_path) as worker:
        assert worker.wait_for_exit() == 1
        assert f"127.0.0.1:{port}" in worker.last_log_line
        assert "RETENTION_BROKER" in worker.last_log_line
        assert "Traceback" not in worker.log


# Groups and sessions are the real broker's to prove; the embedded one waits out every session.
@pytest.mark.kafka
def test_a_second_worker_takes_its_share_and_the_first_keeps_the_rest(
    kafka_server: KafkaServer, tmp_path: Path
) -> None:
    stream = Stream(kafka_server.address)
    topic = stream.settings.topic_purchases
    stream.send(topic, purchases(300))
    with Worker(stream.environ, tmp_path) as first:
        first.wait_until_ready().wait_for_events(300)
        before = first.business()
        with Worker(stream.environ, tmp_path) as second:
            second.wait_until_ready()
            first.wait_until_ready()
            shares = [worker.gauge("retention_partitions_ready") for worker in (first, second)]
            assert sum(shares) == PARTITIONS
            assert min(shares) > 0
            # What the first kept it did not restore a second time.
            assert first.log.count("restored") == 1
            assert f"{shares[0]:.0f} assigned, 0 of them new" in first.log
            stream.send(topic, purchases(300, first=300))
            second.wait_for_events(1)
            second.kill()
        first.wait_until_owning(PARTITIONS)
        first.wait_for_orders(600)
        assert set(before) <= set(first.business())

    with Worker(stream.environ, tmp_path) as successor:
        successor.wait_until_owning(PARTITIONS)
        successor.wait_for_orders(600)


@pytest.mark.kafka
def test_a_worker_that_was_paused_does_not_write_over_its_successor(
    kafka_server: KafkaServer, tmp_path: Path
) -> None:
    # Long enough that it is paused before it commits, short enough that it tries once awake.
    stream = Stream(kafka_server.address, RETENTION_COMMIT_INTERVAL_SECONDS="20")
    topic = stream.settings.topic_purchases
    with Worker(stream.environ, tmp_path) as paused:
        paused.wait_until_ready()
        stream.send(topic, purchases(300))
        paused.wait_for_events(300)
        os.kill(paused.pid, signal.SIGSTOP)
        with Worker(stream.environ, tmp_path) as successor:
            successor.wait_until_owning(PARTITIONS)
            stream.send(topic, purchases(300, first=300))
            successor.wait_for_orders(600)
            successor.wait_until_committed()
            os.kill(paused.pid, signal.SIGCONT)
            # Awake, it finds out that it lost its partitions, and joins as a new member.
            time.sleep(5.0)
            successor.kill()
        assert "not flushing" in paused.log
        paused.wait_until_owning(PARTITIONS)
        paused.wait_for_orders(600)
        assert paused.terminate() == 0

    with Worker(stream.environ, tmp_path) as last:
        last.wait_until_owning(PARTITIONS)
        last.wait_for_orders(600)


@pytest.mark.kafka
def test_only_committed_transactions_of_a_producer_count(
    kafka_server: KafkaServer, tmp_path: Path
) -> None:
    stream = Stream(kafka_server.address)
    producer = KafkaProducer(
        bootstrap_servers=kafka_server.address, transactional_id=stream.settings.app_id
    )
    try:
        producer.init_transactions()
        for number, order in enumerate(purchases(30)):
            producer.begin_transaction()
            send_record(producer, stream.settings.topic_purchases, record_of(order))
            if number % 3 == 0:
                producer.abort_transaction()
            else:
                producer.commit_transaction()
    finally:
        producer.close()
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_orders(20)
        worker.wait_until_committed()
        assert worker.terminate() == 0
    with Worker(stream.environ, tmp_path) as successor:
        successor.wait_until_ready().wait_until_committed()
        assert successor.outcomes() == {}
