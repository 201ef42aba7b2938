"""A broker that goes away, and one that takes no writes for a while."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource

from tests.chaos.feeder import Feeder
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import assert_reckoning
from tests.chaos.sizes import ENVIRON, SENDING_SECONDS, WORKERS
from tests.chaos.workload import DATA, MIXED_CLIENTS, lines_of, placed
from tests.integration.stream_harness import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.settings import Settings
    from tests.chaos.sizes import Size
    from tests.support.kafka_server import KafkaServer
    from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(3600)]
REFUSING_SECONDS = 10.0


# Kafka's client leaves a socket open for each attempt to reach a broker that is not there.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket")
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("how", ["in order", "kill -9"])
def test_a_restarted_broker_changes_no_gauge(
    own_kafka: KafkaServer,
    redis_server: RedisServer,
    size: Size,
    tmp_path: Path,
    how: str,
    data: str,
) -> None:
    rng = random.Random(12)
    stream = Stream(own_kafka.address, **ENVIRON, RETENTION_REDIS_URL=redis_server.url)
    lines = lines_of(data, size.events, seed=7, bad_share=0.002)
    records = placed(lines, stream.settings, MIXED_CLIENTS, seed=8)
    with (
        Fleet(stream.environ, tmp_path, WORKERS) as fleet,
        Feeder(stream.settings.broker, records, seconds=size.seconds) as feeder,
    ):
        for _ in range(size.outages):
            fleet.rest(rng.uniform(0.3, 0.7) * size.seconds / size.outages)
            if how == "kill -9":
                own_kafka.kill()
            else:
                own_kafka.stop()
            fleet.rest(rng.uniform(1.0, 5.0))
            own_kafka.start()
            fleet.rest(rng.uniform(0.3, 0.7) * size.seconds / size.outages)
        fleet.until(lambda: feeder.done, "everything sent", SENDING_SECONDS)
        assert_reckoning(stream, fleet, records, tmp_path)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("topic", ["customers", "dead letters"])
def test_a_broker_that_refuses_writes_changes_no_gauge(
    stream: Stream, size: Size, tmp_path: Path, topic: str, data: str
) -> None:
    settings = stream.settings
    refused = settings.changelog_topic if topic == "customers" else settings.topic_dead_letters
    lines = lines_of(data, size.events, seed=9, bad_share=0.01)
    records = placed(lines, settings, MIXED_CLIENTS, seed=10)
    with (
        Fleet(stream.environ, tmp_path, WORKERS) as fleet,
        Feeder(settings.broker, records, seconds=size.seconds) as feeder,
    ):
        for _ in range(size.outages):
            fleet.rest(size.seconds / size.outages / 2)
            with _refusing(settings, refused):
                fleet.rest(REFUSING_SECONDS)
        fleet.until(lambda: feeder.done, "everything sent", SENDING_SECONDS)
        assert_reckoning(stream, fleet, records, tmp_path)


@contextmanager
def _refusing(settings: Settings, topic: str) -> Iterator[None]:
    """One replica, and two asked for: the broker answers every write with a refusal."""
    admin = KafkaAdminClient(bootstrap_servers=settings.broker)
    try:
        _require_replicas(admin, topic, 2)
        yield
        _require_replicas(admin, topic, 1)
    finally:
        admin.close()


def _require_replicas(admin: KafkaAdminClient, topic: str, count: int) -> None:
    admin.alter_configs(
        [ConfigResource("topic", topic, configs={"min.insync.replicas": str(count)})]
    )
