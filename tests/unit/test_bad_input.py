"""Bad records: each is one dead letter with its reason, and the good ones beside it count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.events import Outcome
from tests.support.engines import (
    DAY_MS,
    HOUR_MS,
    NOW_MS,
    PURCHASES,
    Log,
    encoded,
    engine_config,
    named_sums,
    ready_engine,
)
from tests.support.naive import Event, NaiveConfig

if TYPE_CHECKING:
    from stream.engine import Engine

NAIVE = NaiveConfig(("7d", "month"), ("channel", "country"), "UTC", HOUR_MS)
CONFIG = engine_config(NAIVE, horizon_ms=800 * DAY_MS)
PURCHASE: Event = {
    "type": "purchase",
    "customer_id": "ann",
    "occurred_at": NOW_MS,
    "order_id": "o",
    "amount": "12.34",
    "currency": "EUR",
    "units": 2,
    "store": "north",
    "attributes": {"channel": "web"},
}
SIGNUP: Event = {"type": "signup", "customer_id": "ann", "occurred_at": NOW_MS}
RETURN: Event = {
    "type": "return",
    "customer_id": "ann",
    "occurred_at": NOW_MS,
    "return_id": "r",
    "amount": 5,
    "currency": "EUR",
}
CANCELLATION: Event = {
    "type": "cancellation",
    "customer_id": "ann",
    "occurred_at": NOW_MS,
    "order_id": "o",
}
HUGE = "9" * 5000


def _with(base: Event = PURCHASE, **fields: object) -> bytes:
    return encoded({**base, **fields})


def _without(field: str, base: Event = PURCHASE) -> bytes:
    return encoded({name: value for name, value in base.items() if name != field})


def _raw(field: str, written: str, base: Event = PURCHASE) -> bytes:
    """The event with a field's JSON written by hand."""
    return encoded({**base, field: "@@"}).replace(b'"@@"', written.encode())


BAD: dict[str, tuple[bytes | None, str]] = {
    # Not one JSON object.
    "no value": (None, "empty"),
    "empty": (b"", "not_json"),
    "blank": (b"  \n", "not_json"),
    "text": (b"hello", "not_json"),
    "cut short": (encoded(PURCHASE)[:-5], "not_json"),
    "two objects": (encoded(PURCHASE) * 2, "not_json"),
    "two lines": (encoded(PURCHASE) + b"\n" + encoded(PURCHASE), "not_json"),
    "byte order mark": (b"\xef\xbb\xbf" + encoded(PURCHASE), "not_json"),
    "UTF-16": (encoded(PURCHASE).decode().encode("utf-16"), "not_json"),
    "binary": (bytes(range(256)), "not_json"),
    "single quotes": (encoded(PURCHASE).replace(b'"', b"'"), "not_json"),
    "a trailing comma": (encoded(PURCHASE)[:-1] + b",}", "not_json"),
    "100,000 open brackets": (b"[" * 100_000, "not_an_object"),
    "100,000 open objects": (b'{"a":' * 100_000, "not_json"),
    "a deep unknown field": (_raw("more", "[" * 100_000 + "]" * 100_000), "not_json"),
    "null": (b"null", "not_an_object"),
    "a number": (b"5", "not_an_object"),
    "a string": (b'"purchase"', "not_an_object"),
    "an array": (b"[" + encoded(PURCHASE) + b"]", "not_an_object"),
    "an empty array": (b"[]", "not_an_object"),
    "an empty object": (b"{}", "missing_field"),
    # Type.
    "no type": (_without("type"), "missing_field"),
    "an unknown type": (_with(type="refund"), "bad_type"),
    "a type that looks like a path": (_with(type="`$.evil.label`"), "bad_type"),
    "a type that looks like an error": (_with(type="missing required field"), "bad_type"),
    "a type in capitals": (_with(type="Purchase"), "bad_type"),
    "type null": (_with(type=None), "bad_type"),
    "type a number": (_with(type=1), "bad_type"),
    "type an array": (_with(type=["purchase"]), "bad_type"),
    # Time.
    "no time": (_without("occurred_at"), "missing_field"),
    "time null": (_with(occurred_at=None), "bad_occurred_at"),
    "time a boolean": (_with(occurred_at=True), "bad_occurred_at"),
    "time an object": (_with(occurred_at={}), "bad_occurred_at"),
    "time of no form": (_with(occurred_at="yesterday"), "bad_occurred_at"),
    "time without offset": (_with(occurred_at="2024-01-01T00:00:00"), "bad_occurred_at"),
    "a date": (_with(occurred_at="2024-01-01"), "bad_occurred_at"),
    "a leap second": (_with(occurred_at="2016-12-31T23:59:60Z"), "bad_occurred_at"),
    "month 13": (_with(occurred_at="2024-13-01T00:00:00Z"), "bad_occurred_at"),
    "February 30": (_with(occurred_at="2024-02-30T00:00:00Z"), "bad_occurred_at"),
    "hour 24": (_with(occurred_at="2024-02-28T24:00:00Z"), "bad_occurred_at"),
    "before 1970": (_with(occurred_at="1969-12-31T23:59:59Z"), "bad_occurred_at"),
    "a negative time": (_with(occurred_at=-1), "bad_occurred_at"),
    "a number in quotes": (_with(occurred_at=str(NOW_MS)), "bad_occurred_at"),
    "time NaN": (_raw("occurred_at", "NaN"), "not_json"),
    "time Infinity": (_raw("occurred_at", "-Infinity"), "not_json"),
    "time 1e400": (_raw("occurred_at", "1e400"), "bad_occurred_at"),
    "time 1e300": (_raw("occurred_at", "1e300"), "bad_occurred_at"),
    "time of 400 digits": (_raw("occurred_at", "9" * 400), "bad_occurred_at"),
    "time of 5000 digits": (_raw("occurred_at", HUGE), "bad_occurred_at"),
    "the year 9999": (_with(occurred_at="9999-12-31T23:59:59Z"), "in_future"),
    "over a day ahead": (_with(occurred_at=NOW_MS + DAY_MS + 1), "in_future"),
    "beyond the horizon": (_with(occurred_at=NOW_MS - 800 * DAY_MS - 1), "too_late"),
    "the epoch": (_with(occurred_at=0), "too_late"),
    # Customer.
    "a signup by nobody": (_without("customer_id", SIGNUP), "missing_field"),
    "a return by nobody": (_with(RETURN, customer_id=None), "missing_field"),
    "a cancellation by nobody": (_without("customer_id", CANCELLATION), "missing_field"),
    "an empty customer": (_with(customer_id=""), "bad_customer_id"),
    "a customer as a number": (_with(customer_id=17850), "bad_customer_id"),
    "a customer of 257 characters": (_with(customer_id="x" * 257), "bad_customer_id"),
    "NUL in a customer": (_with(customer_id="a\0b"), "bad_customer_id"),
    "a lone surrogate": (_raw("customer_id", '"\\ud800"'), "not_json"),
    # Ids.
    "no order id": (_without("order_id"), "missing_field"),
    "order id null": (_with(order_id=None), "missing_field"),
    "an empty order id": (_with(order_id=""), "bad_order_id"),
    "order id a fraction": (_with(order_id=1.5), "bad_order_id"),
    "order id a boolean": (_with(order_id=True), "bad_order_id"),
    "order id an array": (_with(order_id=[1]), "bad_order_id"),
    "an order id of 257 characters": (_with(order_id="x" * 257), "bad_order_id"),
    "an order id of 257 digits": (_raw("order_id", "9" * 257), "bad_order_id"),
    "an order id of 5000 digits": (_raw("order_id", HUGE), "bad_order_id"),
    "NUL in an order id": (_with(order_id="\0"), "bad_order_id"),
    "NUL in a guest's order id": (_with(customer_id=None, order_id="\0"), "bad_order_id"),
    "a cancellation of nothing": (_without("order_id", CANCELLATION), "missing_field"),
    "no return id": (_without("return_id", RETURN), "missing_field"),
    "an empty return id": (_with(RETURN, return_id=""), "bad_return_id"),
    # Money.
    "no amount": (_without("amount"), "missing_field"),
    "no currency": (_without("currency"), "missing_field"),
    "a return without amount": (_without("amount", RETURN), "missing_field"),
    "amount a boolean": (_with(amount=False), "bad_amount"),
    "a negative amount": (_with(amount="-1.00"), "bad_amount"),
    "a negative number": (_with(amount=-0.01), "bad_amount"),
    "an exponent": (_with(amount="1e5"), "bad_amount"),
    "a sign": (_with(amount="+1"), "bad_amount"),
    "a space": (_with(amount=" 1"), "bad_amount"),
    "an underscore": (_with(amount="1_0"), "bad_amount"),
    "no whole part": (_with(amount=".5"), "bad_amount"),
    "no fraction": (_with(amount="5."), "bad_amount"),
    "two points": (_with(amount="1.2.3"), "bad_amount"),
    "a comma": (_with(amount="12,34"), "bad_amount"),
    "two commas": (_with(amount="1,2,3"), "bad_amount"),
    "an empty amount": (_with(amount=""), "bad_amount"),
    "amount nan": (_with(amount="nan"), "bad_amount"),
    "Arabic digits": (_with(amount="١٢"), "bad_amount"),
    "a tenth of a penny": (_with(amount="12.345", currency="GBP"), "bad_amount"),
    "half a yen": (_with(amount="12.5", currency="JPY"), "bad_amount"),
    "a thousand billion and a cent": (_with(amount="1000000000000.01"), "bad_amount"),
    "an amount of 400 digits": (_raw("amount", "9" * 400), "bad_amount"),
    "an amount of 5000 digits": (_raw("amount", HUGE), "bad_amount"),
    "amount 1e400": (_raw("amount", "1e400"), "bad_amount"),
    "amount NaN": (_raw("amount", "NaN"), "not_json"),
    "a huge amount of four digits": (_with(amount="9" * 15, currency="CLF"), "bad_amount"),
    "a currency in small letters": (_with(currency="eur"), "bad_currency"),
    "an unknown currency": (_with(currency="BTC"), "bad_currency"),
    "a currency's sign": (_with(currency="€"), "bad_currency"),
    "currency a number": (_with(currency=978), "bad_currency"),
    # Units.
    "half a unit": (_with(units=2.5), "bad_units"),
    "units in quotes": (_with(units="2"), "bad_units"),
    "negative units": (_with(units=-1), "bad_units"),
    "2^32 units": (_with(units=2**32), "bad_units"),
    "units a boolean": (_with(units=True), "bad_units"),
    "units of 400 digits": (_raw("units", "9" * 400), "bad_units"),
    "units of 5000 digits": (_raw("units", HUGE), "bad_units"),
    "units 1e300": (_raw("units", "1e300"), "bad_units"),
    # Store and attributes.
    "an empty store": (_with(store=""), "bad_store"),
    "a store of 129 characters": (_with(store="x" * 129), "bad_store"),
    "NUL in a store": (_with(store="a\0"), "bad_store"),
    "store a number": (_with(store=1), "bad_store"),
    "attributes an array": (_with(attributes=["web"]), "bad_attributes"),
    "attributes a string": (_with(attributes="web"), "bad_attributes"),
    "an attribute of another type": (_with(attributes={"channel": 1}), "bad_attributes"),
    "an attribute of attributes": (_with(attributes={"country": {}}), "bad_attributes"),
    "an attribute of 129 characters": (_with(attributes={"country": "x" * 129}), "bad_attributes"),
    "a bad attribute of a signup": (_with(SIGNUP, attributes={"channel": 1}), "bad_attributes"),
    # Long texts, everywhere.
    "a megabyte of type": (_with(type="x" * 10**6), "bad_type"),
    "a megabyte of time": (_with(occurred_at="2" * 10**6), "bad_occurred_at"),
    "a megabyte of customer": (_with(customer_id="x" * 10**6), "bad_customer_id"),
    "a megabyte of order id": (_with(order_id="x" * 10**6), "bad_order_id"),
    "a megabyte of return id": (_with(RETURN, return_id="x" * 10**6), "bad_return_id"),
    "a megabyte of amount": (_with(amount="1" * 10**6), "bad_amount"),
    "a megabyte of currency": (_with(currency="E" * 10**6), "bad_currency"),
    "a megabyte of units": (_with(units="1" * 10**6), "bad_units"),
    "a megabyte of store": (_with(store="x" * 10**6), "bad_store"),
    "a megabyte of attribute": (_with(attributes={"channel": "x" * 10**6}), "bad_attributes"),
    # Not UTF-8 where it is looked at.
    "Latin-1 in a customer": (_raw("customer_id", '"@"').replace(b"@", b"\xe9"), "not_json"),
    "Latin-1 in an order id": (_raw("order_id", '"@"').replace(b"@", b"\xe9"), "not_json"),
    "half a character": (_raw("store", '"@"').replace(b"@", b"\xc3"), "not_json"),
}

UNUSUAL: dict[str, bytes] = {
    "units 2.0": _with(units=2.0),
    "units 1e2": _raw("units", "1e2"),
    "no units": _with(units=0),
    "2^32 - 1 units": _with(units=2**32 - 1),
    "nulls": _with(units=None, store=None, attributes=None, return_id=None),
    "a guest": _with(customer_id=None),
    "a customer of 256 characters": _with(customer_id="é" * 256),
    "an order id of 256 digits": _raw("order_id", "9" * 256),
    "a negative order id": _with(order_id=-5),
    "an amount of zero": _with(amount=0),
    "a thousandth of a dinar": _with(amount="0.001", currency="KWD"),
    "zeros past the cent": _with(amount="12.3400"),
    "a day ahead": _with(occurred_at=NOW_MS + DAY_MS),
    "exactly at the horizon": _with(occurred_at=NOW_MS - 800 * DAY_MS),
    "attributes nobody asked for": _with(attributes={"tags": [1, {}], "channel": None}),
    "an unknown field of a megabyte": _with(more="x" * 10**6),
    "unknown fields of any type": _with(a=None, b=[[]], c={"d": 1}, event_id=5),
    "a field twice": encoded(PURCHASE)[:-1] + b',"units":3}',
    "white space": b" \n" + encoded(PURCHASE) + b"\n ",
    "a signup with an id of another type": _with(SIGNUP, order_id=5, amount=1),
}


def _good(number: int) -> bytes:
    return _with(customer_id=f"good{number}", order_id=f"{number}", occurred_at=NOW_MS - number)


def _log(engine: Engine | None = None) -> Log:
    """A log whose clock stands at NOW_MS."""
    log = Log(engine or ready_engine(CONFIG))
    log.send_raw(PURCHASES, [_with(customer_id="first")])
    log.outcomes.clear()
    return log


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_record_is_one_dead_letter_and_its_neighbours_count(
    value: bytes | None, reason: str
) -> None:
    log = _log()
    log.send_raw(PURCHASES, [_good(1), value, _good(2)])
    assert [(letter.index, letter.reason) for letter in log.dead_letters] == [(1, reason)]
    letter = log.dead_letters[0]
    late = reason == "too_late"
    assert letter.outcome is (Outcome.TOO_LATE if late else Outcome.REJECTED)
    assert 0 < len(letter.detail) <= 200
    assert "\n" not in letter.detail
    assert log.outcomes[Outcome.APPLIED] == 2
    without = _log()
    without.send_raw(PURCHASES, [_good(1), _good(2)])
    assert named_sums(log.engine) == named_sums(without.engine)


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_record_alone_changes_nothing(value: bytes | None, reason: str) -> None:
    log = _log()
    before, customers = named_sums(log.engine), log.engine.customers
    log.engine.take_changes(0)
    log.send_raw(PURCHASES, [value])
    assert [letter.reason for letter in log.dead_letters] == [reason]
    assert named_sums(log.engine) == before
    assert log.engine.customers == customers
    assert log.engine.take_changes(0).keys == []


@pytest.mark.parametrize("value", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_an_unusual_record_counts(value: bytes) -> None:
    log = _log()
    log.send_raw(PURCHASES, [_good(1), value, _good(2)])
    assert log.dead_letters == []
    assert log.outcomes[Outcome.APPLIED] + log.outcomes[Outcome.GUEST] == 3


def test_all_bad_records_in_one_chunk_are_told_apart() -> None:
    log = _log()
    values: list[bytes | None] = []
    expected: dict[int, str] = {}
    for number, (value, reason) in enumerate(BAD.values()):
        values.append(_good(number))
        expected[len(values)] = reason
        values.append(value)
    log.send_raw(PURCHASES, values)
    assert {letter.index: letter.reason for letter in log.dead_letters} == expected
    assert len(log.dead_letters) == len(BAD) > 100
    assert log.outcomes[Outcome.APPLIED] == len(BAD)


def test_customer_ids_do_not_stand_in_the_details() -> None:
    log = _log()
    log.send_raw(
        PURCHASES,
        [encoded({**PURCHASE, "customer_id": "secret-ann", field: {}}) for field in PURCHASE],
    )
    assert len(log.dead_letters) == len(PURCHASE) - 1
    assert not any("secret-ann" in letter.detail for letter in log.dead_letters)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(("12.34", "EUR", "purchase", "return", "2024-01-01T00:00:00Z", 1e12)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
BASES = st.sampled_from((PURCHASE, SIGNUP, RETURN, CANCELLATION))
MUTATED = st.builds(
    lambda base, fields: encoded({**base, **fields}),
    BASES,
    st.dictionaries(st.sampled_from((*PURCHASE, "return_id", "more")), JSON, max_size=3),
)


def _broken(value: bytes, place: int, byte: int) -> bytes:
    place %= len(value)
    return value[:place] + bytes([byte]) + value[place + 1 :]


RECORDS = (
    MUTATED
    | BASES.map(encoded)
    | st.binary(max_size=20)
    | st.builds(_broken, MUTATED, st.integers(0, 300), st.integers(0, 255))
    | st.builds(lambda value, cut: value[:cut], MUTATED, st.integers(0, 300))
    | st.none()
)


@given(st.lists(RECORDS, max_size=12))
def test_whatever_the_bytes_every_record_has_one_outcome(values: list[bytes | None]) -> None:
    log = _log()
    applied = log.send_raw(PURCHASES, values)
    refused = {letter.index for letter in applied.dead_letters}
    assert len(refused) == len(applied.dead_letters)
    assert sum(applied.outcomes.values()) == len(values)
    # What is refused in company is refused alone, for the same reason.
    for letter in applied.dead_letters:
        alone = _log().send_raw(PURCHASES, [values[letter.index]])
        if letter.outcome is Outcome.REJECTED:
            assert [(one.reason, one.detail) for one in alone.dead_letters] == [
                (letter.reason, letter.detail)
            ]
    for place in set(range(len(values))) - refused:
        assert _log().send_raw(PURCHASES, [values[place]]).dead_letters == []


@given(st.lists(RECORDS, max_size=6))
def test_what_decodes_as_an_event_is_json_by_the_standard_library_too(
    values: list[bytes | None],
) -> None:
    log = _log()
    applied = log.send_raw(PURCHASES, values)
    refused = {letter.index for letter in applied.dead_letters}
    for place, value in enumerate(values):
        if place not in refused:
            assert value is not None
            event = json.loads(value.decode("utf-8", errors="replace"))
            assert event["type"] in ("purchase", "signup", "return", "cancellation")
