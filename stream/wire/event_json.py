"""Event JSON (SPEC: "Events in") → columns, a whole chunk at a time.

Decoding is strict and typed; columns are checked and converted at once. Only when a chunk holds
an event that does not pass is it gone through event by event, to name the culprits. What is
refused is a value, never an exception: a dead letter with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import xxhash

from stream.domain.arrays import I64, U64, Records
from stream.domain.entries import (
    CANCELLATION,
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
    encoded_store,
    guest_key,
)
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

_KINDS = {"purchase": ORDER, "signup": SIGNUP, "return": RETURN, "cancellation": CANCELLATION}


class _Refused(Exception):
    """Some event of a chunk does not pass; which one is for the slow check to say."""


class EventDecoder:
    """Chunks of event JSON → :class:`EventBatch` and dead letters."""

    def __init__(self, dimensions: tuple[str, ...]) -> None:
        self._dimensions = len(dimensions)
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
        except _Refused:
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
            _Refused: when an event does not pass.
        """
        entries = np.zeros(len(events), self._entry_type)
        batch = EventBatch(
            np.array(index, np.int64), [], entries, [[] for _ in range(self._dimensions)]
        )
        if not events:
            return batch
        types = [event.type for event in events]
        entries["time_ms"] = _passed(parse_times_ms([event.occurred_at for event in events]))
        entries["kind"] = kinds = np.array([_KINDS[name] for name in types], np.uint8)
        entries["flags"][kinds == ORDER] = PLACED
        ids = [_id_text(event) for event in events]
        entries["id_hash"] = _hashes(ids)
        with_money = np.flatnonzero((kinds == ORDER) | (kinds == RETURN))
        _set_money(entries, events, with_money)
        batch.keys = _keys(events, ids, entries)
        for dimension in range(self._dimensions):
            batch.values[dimension] = _value_column(events, f"value{dimension}")
        # Signups have no id, and their type does not say so by accident.
        entries["id_hash"][kinds == SIGNUP] = 0
        return batch


def _passed(parsed: tuple[I64, list[int]]) -> I64:
    values, bad = parsed
    if bad:
        raise _Refused
    return values


def _id_text(event: EventJson) -> str:
    kind = event.type
    if kind == "signup":
        return ""
    text = event.return_id if kind == "return" else event.order_id
    if text.__class__ is not str:
        if text is None:
            raise _Refused
        text = str(text)
    if not 0 < len(text) <= MAX_ID_LENGTH or "\0" in text:  # type: ignore[arg-type,operator]
        raise _Refused
    return text  # type: ignore[return-value]


def _hashes(ids: list[str]) -> U64:
    return np.array(list(map(xxhash.xxh3_64_intdigest, map(str.encode, ids))), np.uint64)


def _set_money(entries: Records, events: list[EventJson], places: I64) -> None:
    if len(places) == 0:
        return
    some = events if len(places) == len(events) else [events[place] for place in places.tolist()]
    currencies = [event.currency for event in some]
    exponents, numbers = {}, {}
    for code in set(currencies):
        digits = None if code is None else exponent(code)
        if code is None or digits is None:
            raise _Refused
        exponents[code], numbers[code] = digits, currency_number(code)
    amounts = [event.amount for event in some]
    if None in amounts:
        raise _Refused
    digits_column = _mapped(currencies, exponents)
    entries["currency"][places] = _mapped(currencies, numbers)
    entries["amount_minor_units"][places] = _passed(
        minor_units_column(amounts, digits_column)  # type: ignore[arg-type] # no None is left
    )
    try:
        units = np.array([1 if event.units is None else event.units for event in some], np.float64)
    except OverflowError:
        raise _Refused from None
    if not ((units >= 0) & (units <= MAX_UNITS) & (units == np.floor(units))).all():
        raise _Refused
    entries["units"][places] = units


def _mapped(codes: list[str | None], numbers: dict[str, int]) -> I64:
    if len(numbers) == 1:
        return np.full(len(codes), next(iter(numbers.values())), np.int64)
    return np.array([numbers[code] for code in codes], np.int64)  # type: ignore[index]


def _keys(events: list[EventJson], ids: list[str], entries: Records) -> list[bytes]:
    stores = [event.store for event in events]
    prefixes = {}
    for store in set(stores):
        name = DEFAULT_STORE if store is None else store
        if not 0 < len(name) <= MAX_NAME_LENGTH or "\0" in name:
            raise _Refused
        prefixes[store] = encoded_store(name) + b"\0"
    customers = [event.customer_id for event in events]
    if None in customers:
        return _keys_with_guests(events, ids, entries, prefixes)
    lengths = set(map(len, customers))  # type: ignore[arg-type]
    if min(lengths) < 1 or max(lengths) > MAX_ID_LENGTH or "\0" in "".join(customers):  # type: ignore[arg-type]
        raise _Refused
    if len(prefixes) == 1:
        prefix = next(iter(prefixes.values()))
        return [prefix + customer.encode() for customer in customers]  # type: ignore[union-attr]
    return [
        prefixes[store] + customer.encode()  # type: ignore[union-attr]
        for store, customer in zip(stores, customers, strict=True)
    ]


def _keys_with_guests(
    events: list[EventJson], ids: list[str], entries: Records, prefixes: dict[str | None, bytes]
) -> list[bytes]:
    keys = []
    for place, event in enumerate(events):
        if event.customer_id is not None:
            if not 0 < len(event.customer_id) <= MAX_ID_LENGTH or "\0" in event.customer_id:
                raise _Refused
            keys.append(prefixes[event.store] + event.customer_id.encode())
        elif event.type == "purchase":
            entries["kind"][place] = GUEST_ORDER
            entries["flags"][place] = 0
            keys.append(guest_key(event.store or DEFAULT_STORE, ids[place]))
        else:
            raise _Refused
    return keys


def _value_column(events: list[EventJson], field: str) -> list[str]:
    column = [
        (getattr(event.attributes, field) or "") if event.attributes is not None else ""
        for event in events
    ]
    if max(map(len, set(column))) > MAX_NAME_LENGTH:
        raise _Refused
    return column
