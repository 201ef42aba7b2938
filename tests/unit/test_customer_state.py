"""Changelog records: written, read again, and refused when they are not ours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from stream.domain.events import Outcome
from stream.engine import Engine
from stream.wire.customer_state import CLOCK_KEY, CODES_KEY, StateError
from tests.support.engines import (
    HOUR_MS,
    NOW_MS,
    PURCHASES,
    encoded,
    engine_config,
    named_sums,
    run,
)
from tests.support.naive import Event, NaiveConfig

if TYPE_CHECKING:
    from stream.domain.config import EngineConfig

CONFIG = engine_config(NaiveConfig(("7d",), ("channel", "country"), "UTC", HOUR_MS))


def _purchase(customer: str | None, number: int, **fields: object) -> Event:
    return {
        "type": "purchase",
        "customer_id": customer,
        "occurred_at": NOW_MS - number * HOUR_MS,
        "order_id": number,
        "amount": "1.00",
        "currency": "EUR",
        **fields,
    }


EVENTS: list[Event] = [
    _purchase("ann", 3, attributes={"channel": "web"}),
    _purchase("ann", 1, units=2**32 - 1, amount="9999999999.99"),
    _purchase("bøb", 2, store="nørth", attributes={"country": "DE"}),
    _purchase(None, 4),
    {"type": "cancellation", "customer_id": "ann", "order_id": 3, "occurred_at": NOW_MS},
    {"type": "signup", "customer_id": "cleo", "occurred_at": NOW_MS - 5},
]


def _records(config: EngineConfig = CONFIG) -> dict[bytes, bytes | None]:
    changes = run(EVENTS, config).take_changes(0, NOW_MS)
    return dict(zip(changes.keys, changes.values, strict=True))


def _restored(records: dict[bytes, bytes | None], config: EngineConfig = CONFIG) -> Engine:
    engine = Engine(config)
    engine.assign(0)
    engine.restore(0, list(records), list(records.values()))
    engine.finish_restore(0)
    return engine


@pytest.mark.parametrize("dimensions", [(), ("channel",), ("country", "channel", "none")])
def test_what_is_written_is_read_again(dimensions: tuple[str, ...]) -> None:
    config = replace(CONFIG, dimensions=dimensions)
    engine = _restored(_records(config), config)
    assert named_sums(engine) == named_sums(run(EVENTS, config))
    assert engine.latest_event_ms == NOW_MS
    assert engine.customers == 4


def test_an_order_known_before_a_restart_is_a_duplicate_after_it() -> None:
    engine = _restored(_records())
    again = encoded(_purchase("ann", 1, occurred_at=NOW_MS + HOUR_MS))
    applied = engine.apply(PURCHASES, 0, [1000], [None], [again], NOW_MS)
    assert applied.outcomes[Outcome.DUPLICATE] == 1
    assert named_sums(engine) == named_sums(run(EVENTS, CONFIG))


def test_a_partition_writes_a_record_a_customer_and_two_of_its_own() -> None:
    keys = set(_records())
    assert keys >= {CODES_KEY, CLOCK_KEY}
    assert len(keys - {CODES_KEY, CLOCK_KEY}) == 4


def test_codes_come_before_the_states_that_use_them() -> None:
    assert next(iter(_records())) == CODES_KEY


def test_an_empty_changelog_is_an_empty_partition() -> None:
    engine = _restored({})
    assert engine.customers == 0
    assert engine.latest_event_ms is None


def test_a_tombstone_deletes_a_customer() -> None:
    records = _records()
    gone = next(key for key in records if key.endswith(b"ann"))
    engine = _restored({**records, gone: None})
    assert engine.customers == 3
    everything = _restored(records)
    assert named_sums(engine) != named_sums(everything)


ERASURE: Event = {"type": "erasure", "customer_id": "ann", "occurred_at": NOW_MS}


def _half_moved() -> dict[bytes, bytes | None]:
    """Records with an erased customer whose entries are on their way."""
    changes = run([*EVENTS, ERASURE], CONFIG).take_changes(0, NOW_MS)
    records = dict(zip(changes.keys, changes.values, strict=True))
    assert [key for key, value in records.items() if value is not None and value[1] == 1] == [
        b"\0ann"
    ]
    return records


def test_entries_on_their_way_are_read_again() -> None:
    engine = _restored(_half_moved())
    assert named_sums(engine) == named_sums(run(EVENTS, CONFIG))
    assert engine.customer("default", "ann", NOW_MS) is None
    assert engine.owes_changes(0)


@pytest.mark.parametrize("cut", [1, 40, 60, -1])
def test_entries_on_their_way_that_are_cut_short_are_refused(cut: int) -> None:
    records = _half_moved()
    value = records[b"\0ann"]
    assert value is not None
    own = len(value) - len(b"".join(_parts(value)))
    records[b"\0ann"] = value[: own + cut] if cut > 0 else value[:cut]
    with pytest.raises(StateError):
        _restored(records)


@pytest.mark.parametrize("mark", [2, 255])
def test_a_mark_that_nobody_writes_is_refused(mark: int) -> None:
    records = _half_moved()
    value = records[b"\0ann"]
    assert value is not None
    records[b"\0ann"] = value[:1] + bytes([mark]) + value[2:]
    with pytest.raises(StateError):
        _restored(records)


def test_a_record_that_is_marked_inside_another_is_refused() -> None:
    records = _half_moved()
    value = records[b"\0ann"]
    assert value is not None
    (name, inner) = _parts(value)[1::2]
    assert name.startswith(b"\0\0")
    marked = inner[:1] + b"\1" + inner[2:]
    records[b"\0ann"] = value.replace(inner, marked)
    with pytest.raises(StateError):
        _restored(records)


def _parts(value: bytes) -> list[bytes]:
    """What stands behind the customer's own, which has no entries: lengths, key and value."""
    header = 8 + 16 + 8 * len(CONFIG.topics)
    name_length = int.from_bytes(value[header : header + 4], "little")
    at = header + 4 + name_length
    return [value[header : header + 4], value[header + 4 : at], value[at : at + 8], value[at + 8 :]]


def test_other_dimensions_are_refused_with_the_way_out() -> None:
    config = replace(CONFIG, dimensions=("channel",))
    with pytest.raises(StateError, match="RETENTION_DIMENSIONS=channel,country: set that again"):
        _restored(_records(), config)


def test_another_number_of_topics_is_refused() -> None:
    config = replace(CONFIG, topics=("purchases", "retention-rerouted"))
    with pytest.raises(StateError):
        _restored(_records(), config)


def test_another_version_is_refused_with_the_way_out() -> None:
    records = _records()
    codes = msgspec.json.decode(records[CODES_KEY] or b"")
    records[CODES_KEY] = msgspec.json.encode({**codes, "version": 99})
    with pytest.raises(StateError, match=r"version 99.*RETENTION_APP_ID"):
        _restored(records)


@pytest.mark.parametrize("damage", ["short", "long", "empty", "version"])
def test_a_damaged_record_is_refused(damage: str) -> None:
    records = _records()
    key = next(key for key in records if key.endswith(b"ann"))
    value = records[key] or b""
    records[key] = {
        "short": value[:-8],
        "long": value + b"12345678",
        "empty": b"",
        "version": b"\x63" + value[1:],
    }[damage]
    with pytest.raises(StateError):
        _restored(records)


@pytest.mark.parametrize("key", [b"", b"ann", b"\xfe", b"\xff\xfe\0ann"])
def test_a_key_that_is_no_customers_is_refused(key: bytes) -> None:
    records = _records()
    records[key] = next(value for key, value in records.items() if key.endswith(b"ann"))
    with pytest.raises(StateError, match="another program"):
        _restored(records)
