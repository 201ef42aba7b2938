"""Changes of customers' stages as events: CloudEvents 1.0, JSON, structured.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, and its formats/json-format.md
and bindings/kafka-protocol-binding.md.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec
import numpy as np
import xxhash

from stream import kernel
from stream.domain.arrays import I64, U8, starts_of_groups
from stream.domain.calendar import END_OF_TIME_MS
from stream.domain.customers import Customers
from stream.domain.events import routing_id, store_of
from stream.domain.lifecycle import STAGE_NAMES
from stream.domain.stage_changes import StageChanges
from stream.wire.record_bodies import BODY_MAX_BYTES, Body, header_block, plain_bodies

#: Of every record on the topic, as Kafka's binding asks for it.
HEADERS: tuple[tuple[str, bytes], ...] = (
    ("content-type", b"application/cloudevents+json; charset=UTF-8"),
)
_HEADER_BLOCK = header_block(HEADERS)
EVENT_TYPE = "retention-stream.customer.stage-changed"

_STAGES_JSON = tuple(f'"{name}"' if name else "null" for name in STAGE_NAMES)
#: By numbers of the stages before and after.
_STEPS = np.array(
    [
        [f'"from":{before},"to":{after},"change":' for after in _STAGES_JSON]
        for before in _STAGES_JSON
    ],
    np.object_,
)
_BEGIN = f'{{"specversion":"1.0","datacontenttype":"application/json","type":"{EVENT_TYPE}",'
_DAY_MS = 86_400_000
_BLANK = b'"0000-00-00T00:00:00.000Z"'


def _characters(count: int, unit: str, cut: slice) -> U8:
    """A part of the texts of so many days or seconds from 1970 on, as rows of ASCII characters."""
    instants = np.arange(count).astype(f"datetime64[{unit}]")
    texts = np.datetime_as_string(instants).astype("S19").view(np.uint8).reshape(count, -1)
    return texts[:, cut].copy()


# Every date there can be, and every second of a day.
_DATES = _characters(END_OF_TIME_MS // _DAY_MS, "D", slice(10))
_TIMES = _characters(86_400, "s", slice(11, 19))
_THREE_DIGITS = np.array([list(b"%03d" % number) for number in range(1000)], np.uint8)


def stage_events(
    customers: Customers,
    changes: StageChanges,
    compiled: kernel.Kernel | None = kernel.compiled,
) -> list[Body]:
    """The records that tell of changes: keyed by the customer's id, in their order.

    Of who was erased nothing is told. An event's ``id`` is made of its customer and of the how
    manieth change of it this is, so that one that is written twice has the same.

    Args:
        customers: whose they are.
        changes: what to tell.
        compiled: the kernel; None for the reference alone.
    """
    keys = customers.keys_of(changes.rows[starts_of_groups(changes.rows)])
    write = _stage_events if compiled is None else compiled.stage_events
    return [Body(*body) for body in write(keys, changes, _HEADER_BLOCK, BODY_MAX_BYTES)]


def _stage_events(
    keys: list[bytes], changes: StageChanges, headers: bytes, max_bytes: int
) -> list[tuple[bytes, int]]:
    ids, events = _ids_and_events(keys, changes)
    return plain_bodies([*ids], [*events], [headers] * len(ids), max_bytes)


def _ids_and_events(keys: list[bytes], changes: StageChanges) -> tuple[list[bytes], list[bytes]]:
    owners = np.cumsum(starts_of_groups(changes.rows)) - 1
    named = np.array([not _is_nameless(key) for key in keys], np.bool_)[owners]
    if not named.all():
        changes = StageChanges(*(column[named] for column in changes))
        owners = owners[named]
    count = len(owners)
    if count == 0:
        return [], []
    stores: dict[bytes, tuple[str, str]] = {}
    around = {owner: _around(keys[owner], stores) for owner in np.unique(owners).tolist()}
    whose = [around[owner] for owner in owners.tolist()]
    times = _instants(np.concatenate([changes.time_ms, changes.last_order_ms]))
    lasts = times[count:]
    for at in np.flatnonzero(changes.orders == 0).tolist():
        lasts[at] = "null"
    # Far quicker than an encoder that is given a dict for each.
    events = [
        f'{begin}{step}{number},"orders":{orders},"last_order_at":{last}'
        f'{end}{number}","time":{time}}}'.encode()
        for (_, begin, end), step, number, orders, last, time in zip(
            whose,
            _STEPS[changes.from_stages, changes.to_stages].tolist(),
            changes.numbers.tolist(),
            changes.orders.tolist(),
            lasts,
            times[:count],
            strict=True,
        )
    ]
    return [customer for customer, _, _ in whose], events


def _is_nameless(key: bytes) -> bool:
    """Whether a key is that of no customer: of one who was erased, for example."""
    return key[key.index(0) + 1 :][:1] == b"\0"


def _around(key: bytes, stores: dict[bytes, tuple[str, str]]) -> tuple[bytes, str, str]:
    """A customer's id, and what its events have in common: up to the change, and to its number."""
    prefix = key[: key.index(0) + 1]
    if prefix not in stores:
        store = store_of(prefix)
        stores[prefix] = (
            _BEGIN + f'"source":"/stores/{quote(store, safe="")}","subject":',
            f',"data":{{"store":{_text(store)},"customer_id":',
        )
    begin, middle = stores[prefix]
    customer = routing_id(key)
    name = _text(customer.decode())
    end = f'}},"id":"{xxhash.xxh3_128_hexdigest(key)}-'
    return customer, f"{begin}{name}{middle}{name},", end


def _text(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _instants(time_ms: I64) -> list[str]:
    """Times as RFC 3339 in UTC, to the millisecond, as JSON; quicker than numpy's own way."""
    days = time_ms // _DAY_MS
    ms = (time_ms - days * _DAY_MS).astype(np.int32)
    seconds = ms // 1000
    table = np.empty((len(time_ms), len(_BLANK)), np.uint8)
    table[:] = np.frombuffer(_BLANK, np.uint8)
    table[:, 1:11] = _DATES[days]
    table[:, 12:20] = _TIMES[seconds]
    table[:, 21:24] = _THREE_DIGITS[ms - seconds * 1000]
    text = table.tobytes().decode("ascii")
    return [text[at : at + len(_BLANK)] for at in range(0, len(text), len(_BLANK))]
