"""Sends JSON lines to the topics by type, keyed by customer, until all are acknowledged."""

from __future__ import annotations

import gc
import time
from argparse import ArgumentTypeError
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Self

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.partitioner import murmur2

from stream.tools.console import CommandError, byte_progress, say
from stream.tools.event_files import STDIN, EventFile, disordered
from stream.tools.kafka_clients import (
    BOOTSTRAP_TIMEOUT_MS,
    kafka_admin,
    kafka_failure,
    reaching_kafka,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from kafka.producer.future import FutureRecordMetadata

    from stream.settings import KafkaConnection, Settings

DEFAULT_TOPICS = ("purchases", "signups", "returns")
ACKNOWLEDGE_TIMEOUT_SECONDS = 60.0
# Measured against the embedded broker: larger batches and lz4 are no faster, the client is the
# limit. More in flight costs memory; less makes the client wait.
BATCH_BYTES = 64 * 1024
LINGER_MS = 20
MAX_UNACKNOWLEDGED = 20_000


class _Address(msgspec.Struct, gc=False):
    type: str = ""
    customer_id: str | None = None


_DECODER = msgspec.json.Decoder(_Address)
_TOPIC_INDEX = {"purchase": 0, "signup": 1, "return": 2, "cancellation": 2}


def address(line: bytes) -> tuple[int, bytes | None]:
    """Where an event goes: the index of its topic in (purchases, signups, returns), and its key.

    What cannot be read goes to purchases without a key: the worker turns it into a dead letter,
    so that nothing is dropped on the way.
    """
    try:
        event = _DECODER.decode(line)
        key = None if event.customer_id is None else event.customer_id.encode()
    except (msgspec.MsgspecError, UnicodeError):
        return 0, None
    return _TOPIC_INDEX.get(event.type, 0), key


class EventProducer:
    """Sends events to their topics; leaving the block waits for every acknowledgement.

    Raises:
        CommandError: on entering, when the broker or a topic is missing; later, when an event
            was not acknowledged.
    """

    def __init__(
        self, kafka: KafkaConnection, topics: tuple[str, str, str] = DEFAULT_TOPICS
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._unacknowledged: deque[FutureRecordMetadata] = deque()
        #: events handed over so far, by topic
        self.sent: Counter[str] = Counter()

    def __enter__(self) -> Self:
        _require_topics(self._kafka, self._topics)
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
            self._partition_counts = [
                len(self._producer.partitions_for(topic)) for topic in self._topics
            ]
        return self

    def send(self, line: bytes) -> None:
        """Hand over one event; blocks while too many are unacknowledged."""
        index, key = address(line)
        topic = self._topics[index]
        # The same partition as the default partitioner's, remembered: its hash is pure Python.
        partition = None if key is None else _hash(key) % self._partition_counts[index]
        try:
            self._unacknowledged.append(self._producer.send(topic, line, key, partition=partition))
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


def _require_topics(kafka: KafkaConnection, topics: tuple[str, ...]) -> None:
    # Asked first, because some brokers create a topic when a producer names it.
    with kafka_admin(kafka) as admin:
        missing = set(topics) - set(admin.list_topics())
    if missing:
        raise CommandError(
            f"no topic {', '.join(sorted(missing))} on {kafka.bootstrap_servers}; "
            "run: retention-stream topics"
        )


@dataclass(frozen=True, slots=True)
class Produced:
    """What was sent, all of it acknowledged."""

    events: Mapping[str, int]
    seconds: float

    def __str__(self) -> str:
        total = sum(self.events.values())
        by_topic = ", ".join(f"{topic} {count:,}" for topic, count in self.events.items())
        rate = total / self.seconds if self.seconds else 0.0
        return f"sent {total:,} events in {self.seconds:.1f} s ({rate:,.0f}/s): {by_topic or '-'}"


def produce_lines(
    kafka: KafkaConnection, lines: Iterable[bytes], topics: tuple[str, str, str] = DEFAULT_TOPICS
) -> Produced:
    """Send every line, and wait until all are acknowledged.

    Raises:
        CommandError: when the broker or a topic is missing, or an event was not acknowledged.
    """
    start = time.perf_counter()
    with _garbage_collection_paused(), EventProducer(kafka, topics) as producer:
        for line in lines:
            producer.send(line)
    return Produced(dict(producer.sent), time.perf_counter() - start)


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    # The client keeps several objects per event until its acknowledgement; walking over them
    # again and again takes a quarter of the time, and they are freed without it.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def add_arguments(parser: ArgumentParser) -> None:
    """The files and options of ``produce``."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="JSON lines; .gz is unpacked, - reads stdin"
    )
    parser.add_argument(
        "--shuffle", action="store_true", help="send in random order (reads everything first)"
    )
    parser.add_argument(
        "--repeat-share",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help="send this share of the events twice, 0 to 1 (default: 0)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of --shuffle and --repeat-share")


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ArgumentTypeError(f"{text!r} is not a share: write a number from 0 to 1, like 0.05")
    return share


def run(settings: Settings, args: Namespace) -> int:
    """Send the files, with a progress bar; prints what was sent."""
    files = [EventFile(name) for name in args.files]
    if sum(file.name == STDIN for file in files) > 1:
        raise CommandError("stdin (-) can be sent only once")
    with byte_progress() as progress:
        lines: Iterator[bytes] = (line for file in files for line in file.lines(progress))
        if args.shuffle or args.repeat_share:
            lines = disordered(
                lines, shuffle=args.shuffle, repeat_share=args.repeat_share, seed=args.seed
            )
        produced = produce_lines(settings.kafka, lines, settings.source_topics)
    say(str(produced))
    return 0
