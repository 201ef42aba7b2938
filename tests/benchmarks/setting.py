"""What every throughput run shares: the brokers, the events, and what is measured of a process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
from kafka import KafkaConsumer, TopicPartition

from stream.settings import KafkaConnection, Settings, load_settings
from stream.tools.embedded_broker import EmbeddedBroker
from stream.tools.kafka_clients import kafka_admin
from stream.tools.ports import usable_port
from stream.tools.produce import produce_lines
from stream.tools.topics import ensure_topics
from tests.support.kafka_server import KafkaServer

PARTITIONS = 8
SEED = 1

BrokerKind = Literal["kafka", "embedded"]
BROKERS: dict[BrokerKind, str] = {"kafka": "Apache Kafka", "embedded": "the embedded broker"}


@dataclass(frozen=True, slots=True)
class Measured:
    """One run over all events."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


@contextmanager
def running_broker(kind: BrokerKind, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """A broker with nothing in it; its address. ``settings`` are Kafka's own."""
    if kind == "embedded":
        with EmbeddedBroker() as broker:
            yield broker.address
    else:
        with (
            tempfile.TemporaryDirectory(prefix="bench-kafka-") as folder,
            KafkaServer(
                Path(folder) / "kafka",
                settings=settings,
                heap_mb=1024,
                java_options=("-XX:+UseG1GC",),
            ) as it,
        ):
            yield it.address


def worker_settings(broker: str, **more: str) -> tuple[Settings, dict[str, str]]:
    """Settings of our worker, and the environment that makes them; its topics are created."""
    environ = {
        "RETENTION_BROKER": broker,
        "RETENTION_APP_ID": "bench",
        "RETENTION_CLOCK": "event",
        "RETENTION_WINDOWS": "7d,30d,90d,365d",
        "RETENTION_PARTITIONS": str(PARTITIONS),
        "RETENTION_WEB_PORT": str(usable_port(0)),
        **more,
    }
    settings = load_settings(environ)
    ensure_topics(settings)
    return settings, environ


def fill_topic(broker: str, topic: str, lines: Iterable[bytes]) -> None:
    """Create a topic and put all events, keyed by customer, into it; peers read a single one."""
    kafka = KafkaConnection(broker)
    with kafka_admin(kafka) as admin:
        # Said, because Quix Streams asks for it and the embedded broker tells only what was set.
        configs = {"retention.ms": "604800000"}
        admin.create_topics({topic: {"num_partitions": PARTITIONS, "configs": configs}})
        admin.wait_for_topics([topic])
    produce_lines(kafka, lines, (topic, topic, topic))


def committed_events(consumer: KafkaConsumer, settings: Settings) -> int:
    """How many records the group of ``consumer`` has committed, over all source partitions."""
    return sum(
        committed_records(consumer, topic, settings.partitions) for topic in settings.source_topics
    )


def committed_records(consumer: KafkaConsumer, topic: str, partitions: int = PARTITIONS) -> int:
    """How many records of a topic the group of ``consumer`` has committed."""
    return sum(
        consumer.committed(TopicPartition(topic, partition)) or 0 for partition in range(partitions)
    )


def watched(process: psutil.Process, done: Callable[[], bool], started: float) -> Measured:
    """Wait until a process has done its work; its time, CPU and peak memory.

    Raises:
        RuntimeError: when the process ends before.
    """
    before = process.cpu_times()
    peak = 0
    at_end = before
    while not done():
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            raise RuntimeError("the measured process ended before its work was done")
        peak = max(peak, process.memory_info().rss)
        time.sleep(0.05)
        at_end = process.cpu_times()
    wall = time.perf_counter() - started
    cpu = at_end.user + at_end.system - before.user - before.system
    return Measured(wall, cpu, max(peak, process.memory_info().rss))
