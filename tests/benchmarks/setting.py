"""What every throughput run shares: the broker, the events, and how a process is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from kafka import KafkaConsumer, TopicPartition

from stream.settings import Settings, load_settings
from stream.tools.embedded_broker import EmbeddedBroker
from stream.tools.ports import usable_port
from stream.tools.produce import EventProducer
from stream.tools.shop_bulk import bulk_events
from stream.tools.topics import ensure_topics

PARTITIONS = 8
SEED = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """One run over all events."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


@contextmanager
def filled_broker(events: int, customers: int) -> Iterator[tuple[Settings, dict[str, str]]]:
    """An embedded broker that holds the events, and the settings to read them."""
    with EmbeddedBroker() as broker:
        environ = {
            "RETENTION_BROKER": broker.address,
            "RETENTION_APP_ID": "bench",
            "RETENTION_CLOCK": "event",
            "RETENTION_WINDOWS": "7d,30d,90d,365d",
            "RETENTION_PARTITIONS": str(PARTITIONS),
            "RETENTION_WEB_PORT": str(usable_port(0)),
        }
        settings = load_settings(environ)
        ensure_topics(settings)
        with EventProducer(settings.kafka, settings.source_topics) as producer:
            for delivery in bulk_events(customers=customers, events=events, seed=SEED):
                producer.send(delivery.line)
        yield settings, environ


def committed_events(consumer: KafkaConsumer, settings: Settings) -> int:
    """How many records the group of ``consumer`` has committed, over all source partitions."""
    return sum(
        consumer.committed(TopicPartition(topic, partition)) or 0
        for topic in settings.source_topics
        for partition in range(settings.partitions)
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
