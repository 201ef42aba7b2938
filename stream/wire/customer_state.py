"""Customers' states as changelog records, and back.

One record a customer: the key is the customer's key, the value a header (version, number of
entries, what was told of its lifecycle, per topic the offset last applied) and the entries as
they stand in memory. Beside them each partition has two records of its own: the table of value
codes that the entries use, and the greatest event times seen. Codes are only ever added, so the
table's latest record reads every entry before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, NamedTuple, TypeVar

import msgspec
import numpy as np

from stream.domain.arrays import I64, NEVER_MS, Records
from stream.domain.calendar import END_OF_TIME_MS
from stream.domain.customers import TOLD_TYPE, Customers
from stream.domain.entries import entry_type
from stream.domain.erasure import Move, Moves, Stage
from stream.domain.key_column import KeyColumn
from stream.domain.pseudonyms import Pseudonyms
from stream.kernel import LatestRecords
from stream.wire.moving_records import MARK_AT, moving_in, with_moving
from stream.wire.state_checks import are_entries, are_told

T = TypeVar("T")

VERSION = 2
# No customers' keys, which are UTF-8 text: ``LatestRecords`` keeps them apart.
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
    #: Of the key of pseudonyms; empty: ids are kept.
    pseudonyms: str = ""


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
            # 1: entries of erased customers stand behind its own, see `moving_records`.
            ("moving", "u1"),
            ("padding", "u1", (2,)),
            ("count", "<u4"),
            ("told", TOLD_TYPE),
            ("applied", "<i8", (topics,)),
        ]
    )


class StateCodec:
    """Encodes and decodes the states of one configuration of dimensions and topics."""

    def __init__(
        self, dimensions: tuple[str, ...], topics: int, pseudonyms: Pseudonyms | None = None
    ) -> None:
        self._pseudonyms = "" if pseudonyms is None else pseudonyms.check
        self._dimensions = dimensions
        self._topics = topics
        self._header = header_type(topics)
        self._entry = entry_type(len(dimensions))

    @property
    def has_pseudonyms(self) -> bool:
        """Whether customers' ids are kept as pseudonyms."""
        return bool(self._pseudonyms)

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
        return Changes(customers.keys_of(rows), values)

    def encode_codes(self, customers: Customers) -> bytes:
        """The value of the codes record."""
        texts = customers.codes.texts
        codes = _Codes(VERSION, self._dimensions, self._topics, texts, self._pseudonyms)
        return msgspec.json.encode(codes)

    def has_codes(self, records: LatestRecords) -> bool:
        """Whether the table of value codes is among these records."""
        return CODES_KEY in records.others()

    def encode_clock(self, customers: Customers) -> bytes:
        """The value of the clock record."""
        return msgspec.json.encode(_Clock(customers.latest_ms, customers.purchases_ms))

    def encode_moving(self, customers: Customers, value: bytes, anonymous: Sequence[int]) -> bytes:
        """A customer's record with anonymous rows that have none of their own yet."""
        moving = self.encode(customers, np.array(anonymous, np.int64))
        values = [each for each in moving.values if each is not None]
        return with_moving(value, zip(moving.keys, values, strict=True))

    def load(self, customers: Customers, records: LatestRecords) -> Moves:
        """Fill an empty partition from the latest value of every key.

        Returns:
            The moves of erased customers that are not at their end in these records.

        Raises:
            StateError: when the records were written by something else.
        """
        others = records.others()
        codes_record = others.pop(CODES_KEY, None)
        self._load_codes(customers, codes_record)
        clock = others.pop(CLOCK_KEY, None)
        if clock is not None:
            seen = _decoded(clock, _Clock)
            customers.latest_ms, customers.purchases_ms = seen.latest_ms, seen.purchases_ms
        if others:
            raise _foreign()
        if not len(records):
            return Moves()
        if codes_record is None and self._pseudonyms:
            raise _other_key()
        headers, entries = self._split(records)
        moving: list[tuple[bytes, bytes]] = []
        if headers["moving"].any():
            moving, apart = self._moving(records, headers)
            records.take(list(apart), list(apart.values()))
            headers, entries = self._split(records)
        told, lengths = headers["told"], headers["count"].astype(np.int64)
        keys, codes = records.keys(), len(customers.codes.texts)
        # A store's name, a NUL and an id; whether the name is UTF-8 is seen further below.
        if not (keys.have_nuls() and are_entries(entries, lengths, codes) and are_told(told)):
            raise _foreign()
        try:
            customers.load(keys, headers["applied"], told, lengths, entries)
        except UnicodeDecodeError:  # of a store's name
            raise _foreign() from None
        return _moves(customers, moving, np.flatnonzero(lengths == 0))

    def _moving(
        self, records: LatestRecords, headers: Records
    ) -> tuple[list[tuple[bytes, bytes]], dict[bytes, bytes]]:
        """What is on its way in these records.

        Returns:
            Keys of erased customers, each with that of an anonymous row; and the keys and values
            of those anonymous rows that have no record of their own yet.
        """
        pairs, apart = [], {}
        for row in np.flatnonzero(headers["moving"]).tolist():
            customer, whole = records.at(row)
            own = self._header.itemsize + int(headers["count"][row]) * self._entry.itemsize
            try:
                found = list(moving_in(customer, whole[own:]))
            except ValueError:
                raise _foreign() from None
            for key, value in found:
                pairs.append((customer, key))
                if records.get(key) is None:
                    apart[key] = value
        if any(len(value) <= MARK_AT or value[MARK_AT] for value in apart.values()):
            raise _foreign()
        return pairs, apart

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
        if codes.pseudonyms != self._pseudonyms:
            raise _other_key()
        if codes.texts[:1] != [""]:
            raise _foreign()
        customers.codes.load(codes.texts)

    def _split(self, records: LatestRecords) -> tuple[Records, Records]:
        """All headers, and all entries; what is on its way is left out."""
        header, entry = self._header, self._entry
        count_at = header.fields["count"][1]  # type: ignore[index] # it has fields
        try:
            heads, bodies, sizes = records.parts(header.itemsize, count_at, entry.itemsize)
        except ValueError:
            raise StateError(
                "a changelog record is cut short: restore the topic from a backup"
            ) from None
        headers = heads.view(header)
        moving = headers["moving"]
        if (headers["version"] != VERSION).any() or (moving > 1).any():
            raise _foreign()
        rest = sizes - header.itemsize - headers["count"].astype(np.int64) * entry.itemsize
        if ((rest != 0) & (moving == 0)).any():
            raise _foreign()
        return headers, bodies.view(entry)


def _other_key() -> StateError:
    return StateError(
        "the changelog was written with another RETENTION_ID_KEY, or with none: set that again, "
        "or start under a new RETENTION_APP_ID to replay the topics"
    )


def _moves(
    customers: Customers, moving: Iterable[tuple[bytes, bytes]], without_entries: I64
) -> Moves:
    """Moves as they stand in records, whose offsets may not be committed."""
    rows = customers.find(KeyColumn.of(key for pair in moving for key in pair)).reshape(-1, 2)
    moves = [Move(customer, anonymous, Stage.WRITTEN) for customer, anonymous in rows.tolist()]
    known = {move.customer for move in moves}
    moves += [
        Move(row, None, Stage.WRITTEN) for row in without_entries.tolist() if row not in known
    ]
    return Moves(moves)


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
