"""Sending letters again: to the topic they came from, once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.tools.dead_letters.files import compact_json
from stream.tools.dead_letters.letters import RESENT_FROM, mark_of
from stream.tools.event_address import Addresses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from stream.settings import Settings
    from stream.tools.dead_letters.letters import Letter
    from stream.tools.record_producer import RecordProducer

#: Letters between two marks; after a crash so many may be sent a second time, which their ids
#: then make known as duplicates.
CHUNK_LETTERS = 1_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event on its second way."""

    letter: Letter
    topic: str
    key: bytes | None
    value: bytes
    #: Where the worker looks for the customer: that spares the event a way around.
    routing: bytes | None


class Router:
    """Where a letter's event goes.

    Args:
        settings: the names of topics.
        corrections: events by the names of their letters, to send in place of what is in them;
            None sends every letter as it is, otherwise only these letters are sent.
    """

    def __init__(self, settings: Settings, corrections: Mapping[str, bytes] | None = None) -> None:
        self._settings = settings
        self._corrections = corrections
        self._addresses = Addresses(settings.dialects.event_names)

    def route(self, letter: Letter) -> Outgoing | None:
        """Where to and with what; None when there is nothing to send."""
        value, key = letter.value, letter.key
        if self._corrections is not None:
            corrected = self._corrections.get(letter.name)
            if corrected is None:
                return None
            if value is None or corrected not in {value, compact_json(value)}:
                # It may be another customer's now.
                value, key = corrected, self._addresses.of(corrected)[1] or key
        if value is None:
            return None
        index, routing = self._addresses.of(value)
        topic = letter.topic
        if topic == self._settings.topic_rerouted:
            # Only the worker may write there; its events are some source topic's.
            topic = self._settings.source_topics[index]
        return Outgoing(letter, topic, key, value, routing or key)


def resend(
    producer: RecordProducer,
    dead_letter_topic: str,
    events: Iterable[Outgoing],
    report: Callable[[int], None],
) -> int:
    """Send the events and remember that; how many there were.

    A mark is written when all events it is about are acknowledged. It goes into the partition of
    its letters, so that Kafka, which deletes from the oldest on, keeps it as long as them.

    Raises:
        CommandError: when one was not acknowledged. Run it again then: what is marked is not
            sent a second time.
    """
    count = 0
    for chunk in _chunks(events):
        for event in chunk:
            _send(producer, dead_letter_topic, event)
        producer.flush()
        by_partition: defaultdict[int, list[Letter]] = defaultdict(list)
        for event in chunk:
            by_partition[event.letter.partition].append(event.letter)
        for partition, letters in by_partition.items():
            value, headers = mark_of(letters)
            producer.send_record(
                dead_letter_topic, None, value, partition=partition, headers=headers
            )
        producer.flush()
        count += len(chunk)
        report(count)
    return count


def _send(producer: RecordProducer, dead_letter_topic: str, event: Outgoing) -> None:
    letter = event.letter
    if event.routing is not None:
        partition = producer.partition_of(event.topic, event.routing)
    else:
        partition = letter.topic_partition % producer.partition_count(event.topic)
    producer.send_record(
        event.topic,
        event.key,
        event.value,
        partition=partition,
        headers=[*letter.headers, (RESENT_FROM, f"{dead_letter_topic}-{letter.name}".encode())],
    )


def _chunks(events: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    chunk: list[Outgoing] = []
    for event in events:
        chunk.append(event)
        if len(chunk) == CHUNK_LETTERS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
