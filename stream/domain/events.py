"""Events as the core sees them, and what may become of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from stream.domain.arrays import I64, Records
from stream.domain.key_column import KeyColumn


class Outcome(Enum):
    """What became of a record; for each topic the counts add up to the records read."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    REPLAYED = "replayed"
    GUEST = "guest"
    REJECTED = "rejected"
    TOO_LATE = "too_late"
    REROUTED = "rerouted"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that cannot be used, by its place in the chunk it came in."""

    index: int
    outcome: Outcome
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Stray:
    """A record that belongs to another partition, where its customer's other events are."""

    index: int
    key: bytes
    partition: int


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of texts, each distinct one held once (or a few times)."""

    #: For each event the place of its text.
    places: I64
    #: The texts; the first is "", which stands for none.
    texts: list[str]

    @classmethod
    def of(cls, column: Sequence[str | None]) -> TextColumn:
        """A column given text by text; None is none."""
        numbers: dict[str | None, int] = {"": 0}
        places = [numbers.setdefault(text or "", len(numbers)) for text in column]
        return cls(np.array(places, np.int64), [text or "" for text in numbers])

    def take(self, at: I64) -> TextColumn:
        """The texts at these places of the column."""
        return TextColumn(self.places[at], self.texts)


@dataclass(slots=True)
class EventBatch:
    """Well-formed events of one chunk, in order of arrival; columns of one length."""

    #: Place of each event in its chunk.
    index: I64
    #: Whose event it is: see :func:`customer_key`.
    keys: KeyColumn
    #: Entries (see :mod:`stream.domain.entries`) but for their ``values``.
    entries: Records
    #: Per dimension the text each event carried.
    values: list[TextColumn]

    def take(self, at: I64) -> EventBatch:
        """The events at these places of the batch."""
        return EventBatch(
            self.index[at],
            self.keys.take(at),
            self.entries[at],
            [column.take(at) for column in self.values],
        )


DEFAULT_STORE = "default"


def customer_key(store: str, customer_id: str) -> bytes:
    """The key of a customer's state: store and id, with a NUL between (neither contains one)."""
    return b"%b\0%b" % (encoded_store(store), customer_id.encode())


def guest_key(store: str, order_id: str) -> bytes:
    """The key of a guest order's state; no customer's key, as ids contain no NUL."""
    return b"%b\0\0%b" % (encoded_store(store), order_id.encode())


def anonymous_key(store: str, token: str) -> bytes:
    """The key of what an erased customer did; neither a customer's nor a guest order's.

    Args:
        store: the customer's.
        token: nothing that has to do with the customer.
    """
    return b"%b\0\0\0%b" % (encoded_store(store), token.encode())


def encoded_store(store: str) -> bytes:
    """A store's name in keys; the default store, which most have alone, costs no bytes."""
    return b"" if store == DEFAULT_STORE else store.encode()


def store_of(key: bytes) -> str:
    """The store in a key."""
    return key[: key.index(0)].decode() or DEFAULT_STORE


def routing_id(key: bytes) -> bytes:
    """The part of a key whose hash chooses the partition: the customer's or guest order's id."""
    return key[key.index(0) + 1 :].lstrip(b"\0")
