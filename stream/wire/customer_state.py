"""Customers' states as changelog records, and back.

One record a customer: the key is the customer's key, the value a header (version, number of
entries, what was told of its lifecycle, per topic the offset last applied) and the entries as
they stand in memory. Beside them each partition has two records of its own: the table of value
codes that the entries use, and the greatest event times seen. Codes are only ever added, so the
table's latest record reads every entry before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, NamedTuple, TypeVar

import msgspec
import numpy as np

from stream.domain.arrays import I64, NEVER_MS, Records, concatenated_ranges
from stream.domain.calendar import END_OF_TIME_MS
from stream.domain.customers import TOLD_TYPE, Customers
from stream.domain.entries import entry_type
from stream.wire.state_checks import are_customer_keys, are_entries, are_told

T = TypeVar("T")

VERSION = 2
# No customer's key: keys are UTF-8 text.
CODES_KEY = b"\xffcodes"
CLOCK_KEY = b"\xffclock"


class StateError(Exception):
    """A changelog that this program cannot read; the message says what to do."""


class Changes(NamedTuple):
    """Changelog records of one partition, in the order to write them."""

    keys: list[bytes]
    values: list[bytes | None]


@dataclass(frozen=True, slots=True)
class _Codes:
    """The value of the codes record."""

    version: int
    dimensions: tuple[str, ...]
    topics: int
    texts: list[str]


@dataclass(frozen=True, slots=True)
class _Clock:
    """The value of the clock record."""

    latest_ms: Annotated[int, msgspec.Meta(ge=NEVER_MS, lt=END_OF_TIME_MS)]
    #: The same of the first source topic alone.
    purchases_ms: Annotated[int, msgspec.Meta(ge=NEVER_MS, lt=END_OF_TIME_MS)]


def header_type(topics: int) -> np.dtype[np.void]:
    """The record in front of a customer's entries."""
    return np.dtype(
        [
            ("version", "u1"),
            ("padding", "u1", (3,)),
            ("count", "<u4"),
            ("told", TOLD_TYPE),
            ("applied", "<i8", (topics,)),
        ]
    )


class StateCodec:
    """Encodes and decodes the states of one configuration of dimensions and topics."""

    def __init__(self, dimensions: tuple[str, ...], topics: int) -> None:
        self._dimensions = dimensions
        self._topics = topics
        self._header = header_type(topics)
        self._entry = entry_type(len(dimensions))

    def encode(self, customers: Customers, rows: I64) -> Changes:
        """The records of some customers."""
        entries, lengths = customers.ledger.gather(rows)
        headers = np.zeros(len(rows), self._header)
        headers["version"] = VERSION
        headers["count"] = lengths
        headers["told"] = customers.told[rows]
        headers["applied"] = customers.applied[rows]
        head, body = headers.tobytes(), entries.tobytes()
        size, step = self._header.itemsize, self._entry.itemsize
        bounds = [0, *(np.cumsum(lengths) * step).tolist()]
        values: list[bytes | None] = [
            head[at : at + size] + body[begin:end]
            for at, (begin, end) in zip(range(0, len(head), size), pairwise(bounds), strict=True)
        ]
        keys = list(customers.index)
        return Changes([keys[row] for row in rows.tolist()], values)

    def encode_codes(self, customers: Customers) -> bytes:
        """The value of the codes record."""
        texts = customers.codes.texts
        return msgspec.json.encode(_Codes(VERSION, self._dimensions, self._topics, texts))

    def encode_clock(self, customers: Customers) -> bytes:
        """The value of the clock record."""
        return msgspec.json.encode(_Clock(customers.latest_ms, customers.purchases_ms))

    def load(self, customers: Customers, records: Mapping[bytes, bytes]) -> None:
        """Fill an empty partition from the latest value of every key.

        Raises:
            StateError: when the records were written by something else.
        """
        states = dict(records)
        self._load_codes(customers, states.pop(CODES_KEY, None))
        clock = states.pop(CLOCK_KEY, None)
        if clock is not None:
            seen = _decoded(clock, _Clock)
            customers.latest_ms, customers.purchases_ms = seen.latest_ms, seen.purchases_ms
        if states:
            headers, lengths, entries = self._split(list(states.values()))
            codes = len(customers.codes.texts)
            told = headers["told"]
            if not (
                are_customer_keys(states)
                and are_entries(entries, lengths, codes)
                and are_told(told)
            ):
                raise _foreign()
            customers.load(list(states), headers["applied"], told, lengths, entries)

    def _load_codes(self, customers: Customers, value: bytes | None) -> None:
        if value is None:
            return
        codes = _decoded(value, _Codes)
        if codes.version != VERSION:
            raise StateError(
                f"the changelog has version {codes.version}, this program reads {VERSION}: "
                "start it under a new RETENTION_APP_ID to replay the topics"
            )
        if codes.dimensions != self._dimensions or codes.topics != self._topics:
            raise StateError(
                "the changelog was written with "
                f"RETENTION_DIMENSIONS={','.join(codes.dimensions)}: "
                "set that again, or start under a new RETENTION_APP_ID to replay the topics"
            )
        if codes.texts[:1] != [""]:
            raise _foreign()
        customers.codes.load(codes.texts)

    def _split(self, values: list[bytes]) -> tuple[Records, I64, Records]:
        size, step = self._header.itemsize, self._entry.itemsize
        lengths = np.array(list(map(len, values)), np.int64)
        data = np.frombuffer(b"".join(values), np.uint8)
        if (lengths < size).any():
            raise StateError("a changelog record is cut short: restore the topic from a backup")
        starts = np.cumsum(lengths) - lengths
        sizes = np.full(len(values), size, np.int64)
        headers = data[concatenated_ranges(starts, sizes)].view(self._header)
        counts = headers["count"].astype(np.int64)
        if (headers["version"] != VERSION).any() or (lengths != size + counts * step).any():
            raise _foreign()
        entries = data[concatenated_ranges(starts + size, counts * step)].view(self._entry)
        return headers, counts, entries


def _foreign() -> StateError:
    return StateError(
        "the changelog holds records of another program or version: "
        "start under a new RETENTION_APP_ID to replay the topics"
    )


def _decoded(value: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(value, type=kind)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise _foreign() from error
