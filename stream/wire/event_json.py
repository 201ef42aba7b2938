"""Event JSON (SPEC: "Events in") → columns, a whole chunk at a time.

Decoding is strict and typed; columns are checked and converted at once. Only when a chunk holds
an event that does not pass is it gone through event by event, to name the culprits. What is
refused is a value, never an exception: a dead letter with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import attrgetter
from types import NoneType
from typing import Any, NamedTuple

import msgspec
import numpy as np
import xxhash

from stream.domain.arrays import F64, I64, U8, Bools, Records
from stream.domain.entries import (
    CANCELLATION,
    ERASURE,
    GUEST_ORDER,
    ORDER,
    PLACED,
    RETURN,
    SIGNUP,
    entry_type,
)
from stream.domain.events import (
    DEFAULT_STORE,
    DeadLetter,
    EventBatch,
    Outcome,
    TextColumn,
    encoded_store,
)
from stream.domain.key_column import KeyColumn
from stream.domain.money import currency_number, exponent
from stream.wire.amounts import minor_units_column
from stream.wire.checks import (
    MAX_ID_LENGTH,
    MAX_NAME_LENGTH,
    MAX_UNITS,
    EventJson,
    event_decoder,
    problem,
    undecodable,
)
from stream.wire.timestamps import parse_times_ms

_KINDS = {
    "purchase": ORDER,
    "signup": SIGNUP,
    "return": RETURN,
    "cancellation": CANCELLATION,
    "erasure": ERASURE,
}


class _RefusedError(Exception):
    """Some event of a chunk does not pass; which one is for the slow check to say."""


class EventDecoder:
    """Chunks of event JSON → :class:`EventBatch` and dead letters."""

    def __init__(self, dimensions: tuple[str, ...]) -> None:
        self._dimensions = len(dimensions)
        self._value_fields = [f"value{number}" for number in range(len(dimensions))]
        self._entry_type = entry_type(len(dimensions))
        self._decode = event_decoder(dimensions).decode

    def decode(self, values: Sequence[bytes | None]) -> tuple[EventBatch, list[DeadLetter]]:
        """Decode the values of a chunk; each becomes an event or a dead letter."""
        letters: list[DeadLetter] = []
        index: list[int] | range = range(len(values))
        try:
            events = list(map(self._decode, values))  # type: ignore[arg-type] # None raises too
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError):
            events, index = self._decode_one_by_one(values, letters)
        try:
            batch = self._batch(events, index)
        except _RefusedError:
            passed = []
            for place, event in zip(index, events, strict=True):
                refused = problem(event, self._dimensions)
                if refused is None:
                    passed.append((place, event))
                else:
                    letters.append(DeadLetter(place, Outcome.REJECTED, *refused))
            batch = self._batch([event for _, event in passed], [place for place, _ in passed])
        return batch, letters

    def _decode_one_by_one(
        self, values: Sequence[bytes | None], letters: list[DeadLetter]
    ) -> tuple[list[EventJson], list[int]]:
        events, index = [], []
        for place, value in enumerate(values):
            if value is None:
                letters.append(DeadLetter(place, Outcome.REJECTED, "empty", "no value"))
                continue
            try:
                events.append(self._decode(value))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                letters.append(DeadLetter(place, Outcome.REJECTED, *undecodable(error)))
            else:
                index.append(place)
        return events, index

    def _batch(self, events: list[EventJson], index: Sequence[int]) -> EventBatch:
        """Columns of events.

        Raises:
            _RefusedError: when an event does not pass.
        """
        entries = np.zeros(len(events), self._entry_type)
        places = np.fromiter(index, np.int64, len(events))
        if not events:
            nothing = [TextColumn.of([])] * self._dimensions
            return EventBatch(places, KeyColumn.of([]), entries, nothing)
        columns = _Columns.of(events)
        entries["time_ms"] = _passed(parse_times_ms(columns.occurred_at))
        kind = set(columns.type)
        if len(kind) == 1:
            entries["kind"] = _KINDS[kind.pop()]
        else:
            entries["kind"] = list(map(_KINDS.__getitem__, columns.type))
        kinds = entries["kind"].copy()
        entries["flags"] = np.where(kinds == ORDER, PLACED, 0)
        ids = _ids(columns, kinds)
        entries["id_hash"] = list(map(xxhash.xxh3_64_intdigest, map(str.encode, ids)))
        # A signup has no id, whatever field it came with, and an erasure neither.
        entries["id_hash"][_without_id(kinds)] = 0
        _set_money(entries, columns, kinds)
        keys = _keys(columns, ids, entries)
        values = self._values(columns.attributes)
        carriers = (kinds == ORDER) | (kinds == SIGNUP)
        if not carriers.all():
            # What comes with a return or a cancellation says nothing of the customer's segment.
            chosen = carriers.tolist()
            values = [
                [text if carrier else None for text, carrier in zip(column, chosen, strict=True)]
                for column in values
            ]
        return EventBatch(places, KeyColumn.of(keys), entries, list(map(TextColumn.of, values)))

    def _values(self, attributes: list[Any]) -> list[list[str | None]]:
        """Per dimension the text each event carries, None or "" for none."""
        missing = NoneType in set(map(type, attributes))
        columns: list[list[str | None]] = []
        for field in self._value_fields:
            if missing:
                column = [None if some is None else getattr(some, field) for some in attributes]
            else:
                column = list(map(attrgetter(field), attributes))
            if max((len(text) for text in set(column) if text), default=0) > MAX_NAME_LENGTH:
                raise _RefusedError
            columns.append(column)
        return columns


class _Columns(NamedTuple):
    """The fields of a chunk's events, field by field."""

    type: list[str]
    occurred_at: list[str | float]
    customer_id: list[str | None]
    order_id: list[str | int | None]
    return_id: list[str | int | None]
    amount: list[str | float | None]
    currency: list[str | None]
    units: list[float | None]
    store: list[str | None]
    attributes: list[Any]

    @classmethod
    def of(cls, events: list[EventJson]) -> _Columns:
        """A comprehension a field: the fastest way out of objects there is in Python."""
        return cls(
            [event.type for event in events],
            [event.occurred_at for event in events],
            [event.customer_id for event in events],
            [event.order_id for event in events],
            [event.return_id for event in events],
            [event.amount for event in events],
            [event.currency for event in events],
            [event.units for event in events],
            [event.store for event in events],
            [event.attributes for event in events],
        )


def _passed(parsed: tuple[I64, list[int]]) -> I64:
    values, bad = parsed
    if bad:
        raise _RefusedError
    return values


def _ids(columns: _Columns, kinds: U8) -> Sequence[str]:
    """The id of each event: of its order, or of the return; "" for what has none."""
    if (kinds == ORDER).all():
        ids: Sequence[str | int | None] = columns.order_id
    else:
        ids = [
            "" if is_without else return_id if kind == RETURN else order_id
            for is_without, kind, order_id, return_id in zip(
                _without_id(kinds).tolist(),
                kinds.tolist(),
                columns.order_id,
                columns.return_id,
                strict=True,
            )
        ]
    try:
        lengths = set(map(len, ids))  # type: ignore[arg-type] # what is no text raises
    except TypeError:
        if None in ids:
            raise _RefusedError from None
        try:
            ids = list(map(str, ids))
        except ValueError:  # an integer of thousands of digits
            raise _RefusedError from None
        lengths = set(map(len, ids))  # type: ignore[arg-type] # made str above
    if max(lengths) > MAX_ID_LENGTH or "\0" in "".join(ids):  # type: ignore[arg-type] # all str
        raise _RefusedError
    if 0 in lengths and any(not text for text in compress(ids, ~_without_id(kinds))):
        raise _RefusedError
    return ids  # type: ignore[return-value] # all str


def _without_id(kinds: U8) -> Bools:
    without: Bools = (kinds == SIGNUP) | (kinds == ERASURE)
    return without


def _set_money(entries: Records, columns: _Columns, kinds: U8) -> None:
    amounts, currencies, units = columns.amount, columns.currency, columns.units
    with_money = (kinds == ORDER) | (kinds == RETURN)
    places: slice | I64 = slice(None)
    if not with_money.all():
        places = np.flatnonzero(with_money)
        if len(places) == 0:
            return
        amounts = list(compress(amounts, with_money))
        currencies = list(compress(currencies, with_money))
        units = list(compress(units, with_money))
    exponents, numbers = {}, {}
    for code in set(currencies):
        digits = None if code is None else exponent(code)
        if code is None or digits is None:
            raise _RefusedError
        exponents[code], numbers[code] = digits, currency_number(code)
    entries["currency"][places] = _mapped(currencies, numbers)
    entries["amount_minor_units"][places] = _passed(
        minor_units_column(amounts, _mapped(currencies, exponents))
    )
    entries["units"][places] = _units(units)


def _units(column: list[float | None]) -> F64:
    if None in set(column):
        column = [1 if units is None else units for units in column]
    try:
        units = np.fromiter(column, np.float64, len(column))
    except OverflowError:
        raise _RefusedError from None
    if not ((units >= 0) & (units <= MAX_UNITS) & (units == np.floor(units))).all():
        raise _RefusedError
    return units


def _mapped(codes: list[str | None], numbers: dict[str, int]) -> I64:
    if len(numbers) == 1:
        return np.full(len(codes), next(iter(numbers.values())), np.int64)
    return np.array([numbers[code or ""] for code in codes], np.int64)


def _keys(columns: _Columns, ids: Sequence[str], entries: Records) -> list[bytes]:
    """The key of each event's customer; sets the kind of guests' orders."""
    prefixes: dict[str | None, bytes] = {}
    for store in set(columns.store):
        name = DEFAULT_STORE if store is None else store
        if not 0 < len(name) <= MAX_NAME_LENGTH or "\0" in name:
            raise _RefusedError
        prefixes[store] = encoded_store(name) + b"\0"
    customers = columns.customer_id
    try:
        lengths = set(map(len, customers))  # type: ignore[arg-type] # None raises
    except TypeError:
        customers = _with_guests(columns, ids, entries)
    else:
        if min(lengths) < 1 or max(lengths) > MAX_ID_LENGTH or "\0" in "".join(customers):  # type: ignore[arg-type]
            raise _RefusedError
    if len(prefixes) == 1:
        prefix = next(iter(prefixes.values()))
        return [prefix + customer.encode() for customer in customers]  # type: ignore[union-attr]
    return [
        prefixes[store] + customer.encode()  # type: ignore[union-attr]
        for store, customer in zip(columns.store, customers, strict=True)
    ]


def _with_guests(columns: _Columns, ids: Sequence[str], entries: Records) -> list[str | None]:
    """Customer ids, and for guests' orders a NUL and the order id: see ``guest_key``."""
    customers: list[str | None] = []
    for place, customer in enumerate(columns.customer_id):
        if customer is None:
            if columns.type[place] != "purchase":
                raise _RefusedError
            entries["kind"][place] = GUEST_ORDER
            entries["flags"][place] = 0
            customers.append("\0" + ids[place])
        elif 0 < len(customer) <= MAX_ID_LENGTH and "\0" not in customer:
            customers.append(customer)
        else:
            raise _RefusedError
    return customers
