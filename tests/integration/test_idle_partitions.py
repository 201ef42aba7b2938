"""Partitions that nobody writes to for longer than the brokers remember who writes there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.stream_harness import PARTITIONS, Stream, purchases
from tests.integration.worker_harness import Worker
from tests.support.kafka_server import KafkaServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.kafka

REMEMBERED_SECONDS = 4
#: What a week and a day are in the broker's own settings, as seconds.
FORGETFUL = {
    "transactional.id.expiration.ms": str(REMEMBERED_SECONDS * 1000),
    "transaction.remove.expired.transaction.cleanup.interval.ms": "500",
    "producer.id.expiration.ms": "1000",
    "producer.id.expiration.check.interval.ms": "200",
}
RENEWING_WORKER = """
import sys
from stream.faust_app import transport
from stream.faust_app.worker import run_worker
from stream.settings import load_settings

transport.RENEW_EVERY_SECONDS = {seconds}
sys.exit(run_worker(load_settings()))
"""


@pytest.fixture(scope="module")
def forgetful_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    with KafkaServer(tmp_path_factory.mktemp("kafka"), settings=FORGETFUL) as server:
        yield server


def test_a_worker_writes_on_after_longer_than_the_brokers_remember_it(
    forgetful_kafka: KafkaServer, tmp_path: Path
) -> None:
    stream = Stream(forgetful_kafka.address)
    command = ("-c", RENEWING_WORKER.format(seconds=1))
    with Worker(stream.environ, tmp_path, command=command) as worker:
        worker.wait_until_owning(PARTITIONS)
        stream.send(stream.settings.topic_purchases, purchases(60))
        worker.wait_for_orders(60).wait_until_committed()
        time.sleep(2.5 * REMEMBERED_SECONDS)
        stream.send(stream.settings.topic_purchases, purchases(60, first=60))
        worker.wait_for_orders(120)
        assert worker.terminate() == 0
    with Worker(stream.environ, tmp_path) as successor:
        successor.wait_until_owning(PARTITIONS).wait_for_orders(120)
        assert successor.outcomes() == {}


def test_without_renewing_the_brokers_would_refuse_it(
    forgetful_kafka: KafkaServer, tmp_path: Path
) -> None:
    stream = Stream(forgetful_kafka.address)
    command = ("-c", RENEWING_WORKER.format(seconds=3_600))
    with Worker(stream.environ, tmp_path, command=command) as worker:
        worker.wait_until_owning(PARTITIONS)
        time.sleep(2.5 * REMEMBERED_SECONDS)
        stream.send(stream.settings.topic_purchases, purchases(60))
        assert worker.wait_for_exit() == 1
        assert "InvalidProducerIdMapping" in worker.log
