"""Workers as processes of their own, over topics of their own, and what goes in and out."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from stream.settings import DEFAULTS, Settings, load_settings
from stream.tools.child_process import ChildProcess
from stream.tools.topics import ensure_topics
from stream.wire.partitioning import partitions_of
from tests.support.kafka_server import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

PARTITIONS = 3
WORKER_COMMAND = ("-m", "stream", "worker")
#: The embedded broker lets a join wait for a dead member for almost twice its session.
READY_TIMEOUT_SECONDS = 60.0
SETTLE_TIMEOUT_SECONDS = 30.0

Labels = tuple[tuple[str, str], ...]


class Record(NamedTuple):
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Stream:
    """Topics of its own on a broker, with what a test sends and reads."""

    def __init__(self, broker: str, **settings: str) -> None:
        run = uuid.uuid4().hex[:8]
        self.environ = {
            "RETENTION_BROKER": broker,
            "RETENTION_PARTITIONS": str(PARTITIONS),
            "RETENTION_CLOCK": "event",
            "RETENTION_WINDOWS": "30d,month",
            "RETENTION_DIMENSIONS": "channel",
            "RETENTION_COMMIT_INTERVAL_SECONDS": "0.5",
            "RETENTION_APP_ID": f"app-{run}",
            "RETENTION_TOPIC_PURCHASES": f"purchases-{run}",
            "RETENTION_TOPIC_SIGNUPS": f"signups-{run}",
            "RETENTION_TOPIC_RETURNS": f"returns-{run}",
            "RETENTION_TOPIC_REROUTED": f"rerouted-{run}",
            "RETENTION_TOPIC_DEAD_LETTERS": f"dead-letters-{run}",
            **settings,
        }
        self.settings: Settings = load_settings(self.environ)
        ensure_topics(self.settings)

    def send(self, topic: str, events: Iterable[Mapping[str, Any]]) -> None:
        """Send events, keyed and placed by their customer as producers do."""
        self.send_raw(topic, [record_of(event) for event in events])

    def send_raw(self, topic: str, records: Iterable[Record]) -> None:
        producer = KafkaProducer(bootstrap_servers=self.settings.broker, acks="all")
        try:
            for record in records:
                send_record(producer, topic, record)
            producer.flush()
        finally:
            producer.close()

    def read(self, topic: str, count: int) -> list[Record]:
        """The first ``count`` records of a topic; fails when there are fewer."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.settings.broker,
            auto_offset_reset="earliest",
            consumer_timeout_ms=10_000,
        )
        try:
            consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
            found = [next(consumer) for _ in range(count)]
        finally:
            consumer.close()
        return [Record(r.partition, r.key, r.value, r.headers) for r in found]


class Worker:
    """One worker process; leaving the block kills it if it still runs."""

    def __init__(
        self,
        environ: Mapping[str, str],
        log_folder: Path,
        *,
        command: Sequence[str] = WORKER_COMMAND,
        port: int | None = None,
    ) -> None:
        self.port = port or free_ports(1)[0]
        chosen = {**environ, "RETENTION_WEB_PORT": str(self.port)}
        # Of this program's settings the worker sees only those chosen here.
        unset = [f"--unset={name}" for name in DEFAULTS if name not in chosen]
        assignments = [f"{name}={value}" for name, value in chosen.items()]
        self._process = ChildProcess(
            "worker",
            ["env", *unset, *assignments, sys.executable, *command],
            log_folder / f"worker-{uuid.uuid4().hex[:8]}.log",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_value is not None:
            sys.stderr.write(self.log)
        self.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.exit_code

    @property
    def log(self) -> str:
        return self._process.log_path.read_text(encoding="utf-8")

    @property
    def last_log_line(self) -> str:
        return self._process.last_lines(1)[0]

    def kill(self) -> None:
        self._process.stop(signal.SIGKILL)

    def terminate(self) -> int | None:
        """SIGTERM; the exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait_for_exit()

    def wait_for_exit(self) -> int | None:
        self._until(lambda: self.exit_code is not None, "end", alive=False)
        return self.exit_code

    def wait_until_serving(self) -> Self:
        self._until(lambda: self.get("/healthz")[0] == 200, "serve HTTP")
        return self

    def wait_until_ready(self) -> Self:
        self._until(lambda: self.get("/readyz")[0] == 200, "be ready", READY_TIMEOUT_SECONDS)
        return self

    def wait_for_events(self, count: int) -> Self:
        """Wait until that many records were read since this worker's start."""
        self._until(lambda: sum(self.outcomes().values()) >= count, f"read {count} events")
        return self

    def wait_until_owning(self, partitions: int) -> Self:
        """Wait until that many partitions are restored and counted here."""
        self._until(
            lambda: (
                ("retention_partitions_ready", {}, float(partitions)) in self.samples()
                and self.get("/readyz")[0] == 200
            ),
            f"own {partitions} partitions",
            READY_TIMEOUT_SECONDS,
        )
        return self

    def wait_for_orders(self, count: int) -> Self:
        """Wait until the longest rolling window counts so many orders."""
        whole = {"store": "default", "dimension": "all", "segment": "all", "window": "30d"}
        self._until(
            lambda: ("retention_orders", whole, float(count)) in self.samples(),
            f"count {count} orders",
        )
        return self

    def wait_until_committed(self) -> Self:
        """Wait for a flush that began after now: one interval and what it takes."""
        time.sleep(2.0)
        return self

    def outcomes(self) -> dict[tuple[str, str], int]:
        """Events by (topic, outcome), without the zeros."""
        return {
            (labels["topic"], labels["outcome"]): int(value)
            for name, labels, value in self.samples()
            if name == "retention_events_total" and value
        }

    def business(self) -> dict[tuple[str, Labels], float]:
        """Every business gauge: what must be the same whatever happened in between."""
        return {
            (name, tuple(sorted(labels.items()))): value
            for name, labels, value in self.samples()
            if "store" in labels
        }

    def gauge(self, name: str, **labels: str) -> float:
        found = [v for n, have, v in self.samples() if n == name and labels.items() <= have.items()]
        assert len(found) == 1, f"{name}{labels}: {found}"
        return found[0]

    def samples(self) -> list[tuple[str, dict[str, str], float]]:
        status, body = self.get("/metrics")
        if status != 200:
            return []
        return [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(body)
            for sample in family.samples
        ]

    def get(self, path: str) -> tuple[int | None, str]:
        """Status and body; no status when nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return None, ""

    def _until(
        self,
        condition: Callable[[], bool],
        what: str,
        timeout_seconds: float = SETTLE_TIMEOUT_SECONDS,
        *,
        alive: bool = True,
    ) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not condition():
            if alive and self.exit_code is not None:
                raise AssertionError(f"the worker ended instead of coming to {what}: {self.log}")
            if time.monotonic() > deadline:
                raise AssertionError(f"the worker did not {what} in {timeout_seconds} s")
            time.sleep(0.05)


def send_record(producer: KafkaProducer, topic: str, record: Record) -> None:
    producer.send(
        topic,
        key=record.key,
        value=record.value,
        headers=record.headers,
        partition=record.partition,
    )


def record_of(event: Mapping[str, Any]) -> Record:
    """The event as a record, keyed and placed by its customer."""
    customer_id = str(event["customer_id"])
    return Record(partition_of(customer_id), customer_id.encode(), json.dumps(event).encode(), [])


def partition_of(customer_id: str) -> int:
    """Where a customer's events belong."""
    return int(partitions_of([customer_id.encode()], PARTITIONS)[0])


def purchases(count: int, customers: int = 40, first: int = 0) -> list[dict[str, Any]]:
    """Orders a day apart for each customer in turn; ``first`` numbers the first order."""
    return [
        {
            "type": "purchase",
            "customer_id": f"customer-{number % customers}",
            "occurred_at": 1_700_000_000 + number * 3_600,
            "order_id": f"order-{number}",
            "amount": f"{number % 90}.25",
            "currency": "EUR",
            "attributes": {"channel": "web" if number % 3 else "app"},
        }
        for number in range(first, first + count)
    ]
