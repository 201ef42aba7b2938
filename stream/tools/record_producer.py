"""Sends records until all are acknowledged, or says in one line why not."""

from __future__ import annotations

from collections import Counter, deque
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.partitioner import murmur2

from stream.tools.console import CommandError
from stream.tools.kafka_clients import (
    BOOTSTRAP_TIMEOUT_MS,
    kafka_admin,
    kafka_failure,
    reaching_kafka,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from kafka.producer.future import FutureRecordMetadata

    from stream.settings import KafkaConnection

ACKNOWLEDGE_TIMEOUT_SECONDS = 60.0
# Measured against the embedded broker: larger batches and lz4 are no faster, the client is the
# limit. More in flight costs memory; less makes the client wait.
BATCH_BYTES = 64 * 1024
LINGER_MS = 20
MAX_UNACKNOWLEDGED = 20_000


class RecordProducer:
    """Sends records to topics that exist; leaving the block waits for every acknowledgement.

    Raises:
        CommandError: on entering, when the broker or one of the topics is missing; later, when
            a record was not acknowledged.
    """

    def __init__(self, kafka: KafkaConnection, topics: Sequence[str]) -> None:
        self._kafka = kafka
        self._unacknowledged: deque[FutureRecordMetadata] = deque()
        self._partition_counts: dict[str, int] = dict.fromkeys(topics, 0)
        #: records handed over so far, by topic
        self.sent: Counter[str] = Counter()

    def __enter__(self) -> Self:
        _require_topics(self._kafka, self._partition_counts)
        with reaching_kafka(self._kafka):
            self._producer = KafkaProducer(
                **self._kafka.client_options(),
                bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS,
                acks="all",
                enable_idempotence=True,
                allow_auto_create_topics=False,
                batch_size=BATCH_BYTES,
                linger_ms=LINGER_MS,
                metrics_enabled=False,
            )
            for topic in self._partition_counts:
                self._partition_counts[topic] = len(self._producer.partitions_for(topic))
        return self

    def partition_count(self, topic: str) -> int:
        """How many partitions one of the topics has."""
        return self._partition_counts[topic]

    def partition_of(self, topic: str, key: bytes) -> int:
        """Where the default partitioner puts a key, remembered: its hash is pure Python."""
        return _hash(key) % self._partition_counts[topic]

    def send_record(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Hand over one record; blocks while too many are unacknowledged.

        Raises:
            CommandError: when Kafka refuses it, or one before it was not acknowledged.
        """
        try:
            self._unacknowledged.append(
                self._producer.send(topic, value, key, list(headers), partition)
            )
        except KafkaError as error:
            raise kafka_failure(self._kafka, error) from error
        if len(self._unacknowledged) > MAX_UNACKNOWLEDGED:
            self._await(MAX_UNACKNOWLEDGED // 2)
        self.sent[topic] += 1

    def flush(self) -> None:
        """Wait until everything handed over is acknowledged."""
        self._await(len(self._unacknowledged))

    def _await(self, count: int) -> None:
        try:
            for _ in range(count):
                future = self._unacknowledged[0]
                if not future.succeeded():
                    future.get(ACKNOWLEDGE_TIMEOUT_SECONDS)
                self._unacknowledged.popleft()
        except KafkaError as error:
            raise kafka_failure(self._kafka, error) from error

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if exc_type is None:
                self.flush()
        finally:
            if self._unacknowledged:
                # Closing alone would wait for them once more, and again when garbage-collected.
                self._producer._sender.force_close()  # noqa: SLF001 - nothing public gives up
            self._producer.close()


@lru_cache(maxsize=1 << 18)
def _hash(key: bytes) -> int:
    positive: int = murmur2(key) & 0x7FFFFFFF
    return positive


def _require_topics(kafka: KafkaConnection, topics: Iterable[str]) -> None:
    # Asked first, because some brokers create a topic when a producer names it.
    with kafka_admin(kafka) as admin:
        missing = set(topics) - set(admin.list_topics())
    if missing:
        raise CommandError(
            f"no topic {', '.join(sorted(missing))} on {kafka.bootstrap_servers}; "
            "run: retention-stream topics"
        )
