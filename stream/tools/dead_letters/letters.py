"""Dead letters, and the marks of those that were sent again, as records of their topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec
import xxhash

if TYPE_CHECKING:
    from collections.abc import Sequence

    Header = tuple[str, bytes]

PREFIX = "dl-"
#: On an event that was sent again: which dead letter it was.
RESENT_FROM = "dl-resent-from"
#: On a mark: how many letters it is about.
MARK = "dl-marks-resent"


class Record(Protocol):
    """What is read of a record of the topic."""

    @property
    def partition(self) -> int:
        """Its partition."""

    @property
    def offset(self) -> int:
        """Its offset there."""

    @property
    def timestamp(self) -> int:
        """When it was written, in milliseconds since the epoch."""

    @property
    def key(self) -> bytes | None:
        """Its key."""

    @property
    def value(self) -> bytes | None:
        """Its value."""

    @property
    def headers(self) -> Sequence[Header]:
        """Its headers."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An event that could not be used.

    Attributes:
        partition: of the letter, in the topic of dead letters; so is ``offset``.
        timestamp_ms: when it was turned away.
        topic: where the event stood; so are ``topic_partition`` and ``topic_offset``.
        headers: the event's own.
        resent_from: the name of the letter it already was, when it was sent again and turned
            away once more.
    """

    partition: int
    offset: int
    timestamp_ms: int
    topic: str
    topic_partition: int
    topic_offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
    resent_from: str | None

    @property
    def name(self) -> str:
        """By which people and files refer to it."""
        return f"{self.partition}-{self.offset}"

    @property
    def fingerprint(self) -> int:
        """The same for the same event at the same place, and for nothing else.

        After a crash of the worker a letter may have been written twice. The content counts,
        too: where topics were made anew, places come again.
        """
        where = f"{self.topic}\0{self.topic_partition}\0{self.topic_offset}\0".encode()
        return xxhash.xxh3_64_intdigest(where + (self.value or b""))


def letter_of(record: Record) -> Letter | None:
    """The letter in a record; None when it is none of ours."""
    told = {name: value for name, value in record.headers if name.startswith(PREFIX)}
    try:
        return Letter(
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp,
            topic=told["dl-topic"].decode(),
            topic_partition=int(told["dl-partition"]),
            topic_offset=int(told["dl-offset"]),
            reason=told["dl-reason"].decode(),
            detail=told["dl-detail"].decode(),
            key=record.key,
            value=record.value,
            headers=tuple(header for header in record.headers if not header[0].startswith(PREFIX)),
            resent_from=told[RESENT_FROM].decode() if RESENT_FROM in told else None,
        )
    except (KeyError, ValueError):
        return None


def mark_of(letters: Sequence[Letter]) -> tuple[bytes, list[Header]]:
    """Value and headers of the record that remembers that these were sent again."""
    fingerprints = [f"{letter.fingerprint:016x}" for letter in letters]
    return msgspec.json.encode(fingerprints), [(MARK, b"%d" % len(letters))]


def marked_in(record: Record) -> list[int]:
    """The fingerprints a mark is about; none when the record is no mark."""
    if MARK not in {name for name, _ in record.headers} or record.value is None:
        return []
    try:
        return [int(text, 16) for text in msgspec.json.decode(record.value, type=list[str])]
    except (msgspec.MsgspecError, ValueError):
        return []
