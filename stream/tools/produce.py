"""Sends JSON lines to the topics by type, keyed by customer, until all are acknowledged."""

from __future__ import annotations

import gc
import time
from argparse import ArgumentTypeError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.tools.console import CommandError, byte_progress, say
from stream.tools.event_address import Addresses
from stream.tools.event_files import STDIN, EventFile, disordered
from stream.tools.record_producer import RecordProducer

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Iterator, Mapping

    from stream.settings import KafkaConnection, Settings

DEFAULT_TOPICS = ("purchases", "signups", "returns")


class EventProducer(RecordProducer):
    """Sends events to their topics; leaving the block waits for every acknowledgement.

    Raises:
        CommandError: on entering, when the broker or a topic is missing; later, when an event
            was not acknowledged.
    """

    def __init__(
        self,
        kafka: KafkaConnection,
        topics: tuple[str, str, str] = DEFAULT_TOPICS,
        addresses: Addresses | None = None,
    ) -> None:
        super().__init__(kafka, topics)
        self._topics = topics
        self._address = (addresses or Addresses()).of

    def send(self, line: bytes) -> None:
        """Hand over one event; blocks while too many are unacknowledged."""
        index, key = self._address(line)
        topic = self._topics[index]
        partition = None if key is None else self.partition_of(topic, key)
        self.send_record(topic, key, line, partition=partition)


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
    kafka: KafkaConnection,
    lines: Iterable[bytes],
    topics: tuple[str, str, str] = DEFAULT_TOPICS,
    addresses: Addresses | None = None,
) -> Produced:
    """Send every line, and wait until all are acknowledged.

    Raises:
        CommandError: when the broker or a topic is missing, or an event was not acknowledged.
    """
    start = time.perf_counter()
    with _garbage_collection_paused(), EventProducer(kafka, topics, addresses) as producer:
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
    addresses = Addresses(settings.dialects.event_names)
    with byte_progress() as progress:
        lines: Iterator[bytes] = (line for file in files for line in file.lines(progress))
        if args.shuffle or args.repeat_share:
            lines = disordered(
                lines, shuffle=args.shuffle, repeat_share=args.repeat_share, seed=args.seed
            )
        produced = produce_lines(settings.kafka, lines, settings.source_topics, addresses)
    say(str(produced))
    return 0
