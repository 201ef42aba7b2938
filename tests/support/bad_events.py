"""130 kinds of records that cannot be used, each with its reason, and unusual ones that can."""

from __future__ import annotations

from tests.support.engines import DAY_MS, NOW_MS, encoded
from tests.support.naive import Event

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


def with_fields(base: Event = PURCHASE, **fields: object) -> bytes:
    return encoded({**base, **fields})


def without_field(field: str, base: Event = PURCHASE) -> bytes:
    return encoded({name: value for name, value in base.items() if name != field})


def written_by_hand(field: str, written: str, base: Event = PURCHASE) -> bytes:
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
    "a deep unknown field": (written_by_hand("more", "[" * 100_000 + "]" * 100_000), "not_json"),
    "null": (b"null", "not_an_object"),
    "a number": (b"5", "not_an_object"),
    "a string": (b'"purchase"', "not_an_object"),
    "an array": (b"[" + encoded(PURCHASE) + b"]", "not_an_object"),
    "an empty array": (b"[]", "not_an_object"),
    "an empty object": (b"{}", "missing_field"),
    # Type.
    "no type": (without_field("type"), "missing_field"),
    "an unknown type": (with_fields(type="refund"), "bad_type"),
    "a type that looks like a path": (with_fields(type="`$.evil.label`"), "bad_type"),
    "a type that looks like an error": (with_fields(type="missing required field"), "bad_type"),
    "a type in capitals": (with_fields(type="Purchase"), "bad_type"),
    "type null": (with_fields(type=None), "bad_type"),
    "type a number": (with_fields(type=1), "bad_type"),
    "type an array": (with_fields(type=["purchase"]), "bad_type"),
    # Time.
    "no time": (without_field("occurred_at"), "missing_field"),
    "time null": (with_fields(occurred_at=None), "bad_occurred_at"),
    "time a boolean": (with_fields(occurred_at=True), "bad_occurred_at"),
    "time an object": (with_fields(occurred_at={}), "bad_occurred_at"),
    "time of no form": (with_fields(occurred_at="yesterday"), "bad_occurred_at"),
    "time without offset": (with_fields(occurred_at="2024-01-01T00:00:00"), "bad_occurred_at"),
    "a date": (with_fields(occurred_at="2024-01-01"), "bad_occurred_at"),
    "a leap second": (with_fields(occurred_at="2016-12-31T23:59:60Z"), "bad_occurred_at"),
    "month 13": (with_fields(occurred_at="2024-13-01T00:00:00Z"), "bad_occurred_at"),
    "February 30": (with_fields(occurred_at="2024-02-30T00:00:00Z"), "bad_occurred_at"),
    "hour 24": (with_fields(occurred_at="2024-02-28T24:00:00Z"), "bad_occurred_at"),
    "before 1970": (with_fields(occurred_at="1969-12-31T23:59:59Z"), "bad_occurred_at"),
    "a negative time": (with_fields(occurred_at=-1), "bad_occurred_at"),
    "a number in quotes": (with_fields(occurred_at=str(NOW_MS)), "bad_occurred_at"),
    "time NaN": (written_by_hand("occurred_at", "NaN"), "not_json"),
    "time Infinity": (written_by_hand("occurred_at", "-Infinity"), "not_json"),
    "time 1e400": (written_by_hand("occurred_at", "1e400"), "bad_occurred_at"),
    "time 1e300": (written_by_hand("occurred_at", "1e300"), "bad_occurred_at"),
    "time of 400 digits": (written_by_hand("occurred_at", "9" * 400), "bad_occurred_at"),
    "time of 5000 digits": (written_by_hand("occurred_at", HUGE), "bad_occurred_at"),
    "the year 9999": (with_fields(occurred_at="9999-12-31T23:59:59Z"), "in_future"),
    "over a day ahead": (with_fields(occurred_at=NOW_MS + DAY_MS + 1), "in_future"),
    "beyond the horizon": (with_fields(occurred_at=NOW_MS - 800 * DAY_MS - 1), "too_late"),
    "the epoch": (with_fields(occurred_at=0), "too_late"),
    # Customer.
    "a signup by nobody": (without_field("customer_id", SIGNUP), "missing_field"),
    "a return by nobody": (with_fields(RETURN, customer_id=None), "missing_field"),
    "a cancellation by nobody": (without_field("customer_id", CANCELLATION), "missing_field"),
    "an empty customer": (with_fields(customer_id=""), "bad_customer_id"),
    "a customer as a number": (with_fields(customer_id=17850), "bad_customer_id"),
    "a customer of 257 characters": (with_fields(customer_id="x" * 257), "bad_customer_id"),
    "NUL in a customer": (with_fields(customer_id="a\0b"), "bad_customer_id"),
    "a lone surrogate": (written_by_hand("customer_id", '"\\ud800"'), "not_json"),
    # Ids.
    "no order id": (without_field("order_id"), "missing_field"),
    "order id null": (with_fields(order_id=None), "missing_field"),
    "an empty order id": (with_fields(order_id=""), "bad_order_id"),
    "order id a fraction": (with_fields(order_id=1.5), "bad_order_id"),
    "order id a boolean": (with_fields(order_id=True), "bad_order_id"),
    "order id an array": (with_fields(order_id=[1]), "bad_order_id"),
    "an order id of 257 characters": (with_fields(order_id="x" * 257), "bad_order_id"),
    "an order id of 257 digits": (written_by_hand("order_id", "9" * 257), "bad_order_id"),
    "an order id of 5000 digits": (written_by_hand("order_id", HUGE), "bad_order_id"),
    "NUL in an order id": (with_fields(order_id="\0"), "bad_order_id"),
    "NUL in a guest's order id": (with_fields(customer_id=None, order_id="\0"), "bad_order_id"),
    "a cancellation of nothing": (without_field("order_id", CANCELLATION), "missing_field"),
    "no return id": (without_field("return_id", RETURN), "missing_field"),
    "an empty return id": (with_fields(RETURN, return_id=""), "bad_return_id"),
    # Money.
    "no amount": (without_field("amount"), "missing_field"),
    "no currency": (without_field("currency"), "missing_field"),
    "a return without amount": (without_field("amount", RETURN), "missing_field"),
    "amount a boolean": (with_fields(amount=False), "bad_amount"),
    "a negative amount": (with_fields(amount="-1.00"), "bad_amount"),
    "a negative number": (with_fields(amount=-0.01), "bad_amount"),
    "an exponent": (with_fields(amount="1e5"), "bad_amount"),
    "a sign": (with_fields(amount="+1"), "bad_amount"),
    "a space": (with_fields(amount=" 1"), "bad_amount"),
    "an underscore": (with_fields(amount="1_0"), "bad_amount"),
    "no whole part": (with_fields(amount=".5"), "bad_amount"),
    "no fraction": (with_fields(amount="5."), "bad_amount"),
    "two points": (with_fields(amount="1.2.3"), "bad_amount"),
    "a comma": (with_fields(amount="12,34"), "bad_amount"),
    "two commas": (with_fields(amount="1,2,3"), "bad_amount"),
    "an empty amount": (with_fields(amount=""), "bad_amount"),
    "amount nan": (with_fields(amount="nan"), "bad_amount"),
    "Arabic digits": (with_fields(amount="١٢"), "bad_amount"),
    "a tenth of a penny": (with_fields(amount="12.345", currency="GBP"), "bad_amount"),
    "half a yen": (with_fields(amount="12.5", currency="JPY"), "bad_amount"),
    "a thousand billion and a cent": (with_fields(amount="1000000000000.01"), "bad_amount"),
    "an amount of 400 digits": (written_by_hand("amount", "9" * 400), "bad_amount"),
    "an amount of 5000 digits": (written_by_hand("amount", HUGE), "bad_amount"),
    "amount 1e400": (written_by_hand("amount", "1e400"), "bad_amount"),
    "amount NaN": (written_by_hand("amount", "NaN"), "not_json"),
    "a huge amount of four digits": (with_fields(amount="9" * 15, currency="CLF"), "bad_amount"),
    "a currency in small letters": (with_fields(currency="eur"), "bad_currency"),
    "an unknown currency": (with_fields(currency="BTC"), "bad_currency"),
    "a currency's sign": (with_fields(currency="€"), "bad_currency"),
    "currency a number": (with_fields(currency=978), "bad_currency"),
    # Units.
    "half a unit": (with_fields(units=2.5), "bad_units"),
    "units in quotes": (with_fields(units="2"), "bad_units"),
    "negative units": (with_fields(units=-1), "bad_units"),
    "2^32 units": (with_fields(units=2**32), "bad_units"),
    "units a boolean": (with_fields(units=True), "bad_units"),
    "units of 400 digits": (written_by_hand("units", "9" * 400), "bad_units"),
    "units of 5000 digits": (written_by_hand("units", HUGE), "bad_units"),
    "units 1e300": (written_by_hand("units", "1e300"), "bad_units"),
    # Store and attributes.
    "an empty store": (with_fields(store=""), "bad_store"),
    "a store of 129 characters": (with_fields(store="x" * 129), "bad_store"),
    "NUL in a store": (with_fields(store="a\0"), "bad_store"),
    "store a number": (with_fields(store=1), "bad_store"),
    "attributes an array": (with_fields(attributes=["web"]), "bad_attributes"),
    "attributes a string": (with_fields(attributes="web"), "bad_attributes"),
    "an attribute of another type": (with_fields(attributes={"channel": 1}), "bad_attributes"),
    "an attribute of attributes": (with_fields(attributes={"country": {}}), "bad_attributes"),
    "an attribute of 129 characters": (
        with_fields(attributes={"country": "x" * 129}),
        "bad_attributes",
    ),
    "a bad attribute of a signup": (
        with_fields(SIGNUP, attributes={"channel": 1}),
        "bad_attributes",
    ),
    # Long texts, everywhere.
    "a megabyte of type": (with_fields(type="x" * 10**6), "bad_type"),
    "a megabyte of time": (with_fields(occurred_at="2" * 10**6), "bad_occurred_at"),
    "a megabyte of customer": (with_fields(customer_id="x" * 10**6), "bad_customer_id"),
    "a megabyte of order id": (with_fields(order_id="x" * 10**6), "bad_order_id"),
    "a megabyte of return id": (with_fields(RETURN, return_id="x" * 10**6), "bad_return_id"),
    "a megabyte of amount": (with_fields(amount="1" * 10**6), "bad_amount"),
    "a megabyte of currency": (with_fields(currency="E" * 10**6), "bad_currency"),
    "a megabyte of units": (with_fields(units="1" * 10**6), "bad_units"),
    "a megabyte of store": (with_fields(store="x" * 10**6), "bad_store"),
    "a megabyte of attribute": (with_fields(attributes={"channel": "x" * 10**6}), "bad_attributes"),
    # Not UTF-8 where it is looked at.
    "Latin-1 in a customer": (
        written_by_hand("customer_id", '"@"').replace(b"@", b"\xe9"),
        "not_json",
    ),
    "Latin-1 in an order id": (
        written_by_hand("order_id", '"@"').replace(b"@", b"\xe9"),
        "not_json",
    ),
    "half a character": (written_by_hand("store", '"@"').replace(b"@", b"\xc3"), "not_json"),
}

UNUSUAL: dict[str, bytes] = {
    "units 2.0": with_fields(units=2.0),
    "units 1e2": written_by_hand("units", "1e2"),
    "no units": with_fields(units=0),
    "2^32 - 1 units": with_fields(units=2**32 - 1),
    "nulls": with_fields(units=None, store=None, attributes=None, return_id=None),
    "a guest": with_fields(customer_id=None),
    "a customer of 256 characters": with_fields(customer_id="é" * 256),
    "an order id of 256 digits": written_by_hand("order_id", "9" * 256),
    "a negative order id": with_fields(order_id=-5),
    "an amount of zero": with_fields(amount=0),
    "a thousandth of a dinar": with_fields(amount="0.001", currency="KWD"),
    "zeros past the cent": with_fields(amount="12.3400"),
    "a day ahead": with_fields(occurred_at=NOW_MS + DAY_MS),
    "exactly at the horizon": with_fields(occurred_at=NOW_MS - 800 * DAY_MS),
    "attributes nobody asked for": with_fields(attributes={"tags": [1, {}], "channel": None}),
    "an unknown field of a megabyte": with_fields(more="x" * 10**6),
    "unknown fields of any type": with_fields(a=None, b=[[]], c={"d": 1}, event_id=5),
    "a field twice": encoded(PURCHASE)[:-1] + b',"units":3}',
    "white space": b" \n" + encoded(PURCHASE) + b"\n ",
    "a signup with an id of another type": with_fields(SIGNUP, order_id=5, amount=1),
}
