"""Event JSON into columns."""

from __future__ import annotations

import numpy as np
import pytest
import xxhash

from stream.domain.entries import CANCELLATION, GUEST_ORDER, ORDER, PLACED, RETURN, SIGNUP
from stream.domain.events import customer_key, guest_key
from stream.domain.money import currency_number
from stream.wire.event_json import EventDecoder
from tests.support.engines import encoded
from tests.support.kernels import texts_of
from tests.support.naive import Event

PURCHASE: Event = {
    "type": "purchase",
    "customer_id": "ann",
    "occurred_at": 5,
    "order_id": "o",
    "amount": "1.50",
    "currency": "EUR",
}
EVENTS: list[Event] = [
    {**PURCHASE, "units": 3, "attributes": {"channel": "web", "country": "DE"}},
    {"type": "signup", "customer_id": "ann", "occurred_at": "1970-01-01T00:00:06Z"},
    {**PURCHASE, "type": "return", "return_id": 7, "amount": 2.5, "currency": "JPY"},
    {**PURCHASE, "type": "cancellation", "store": "north", "order_id": 12},
    {**PURCHASE, "customer_id": None, "store": "north", "attributes": {"country": ""}},
]


def test_every_field_stands_in_its_column() -> None:
    batch, letters = EventDecoder(("channel", "country")).decode([encoded(e) for e in EVENTS])
    assert letters == []
    assert batch.index.tolist() == [0, 1, 2, 3, 4]
    entries = batch.entries
    assert entries["time_ms"].tolist() == [5000, 6000, 5000, 5000, 5000]
    assert entries["kind"].tolist() == [ORDER, SIGNUP, RETURN, CANCELLATION, GUEST_ORDER]
    assert entries["flags"].tolist() == [PLACED, 0, 0, 0, 0]
    assert entries["amount_minor_units"].tolist() == [150, 0, 2, 0, 150]
    euro, yen = currency_number("EUR"), currency_number("JPY")
    assert entries["currency"].tolist() == [euro, 0, yen, 0, euro]
    assert entries["units"].tolist() == [3, 0, 1, 0, 1]
    assert list(batch.keys) == [
        customer_key("default", "ann"),
        customer_key("default", "ann"),
        customer_key("default", "ann"),
        customer_key("north", "ann"),
        guest_key("north", "o"),
    ]
    channels, countries = map(texts_of, batch.values)
    assert channels == ["web", "", "", "", ""]
    assert countries == ["DE", "", "", "", ""]


def test_ids_are_hashed_as_their_text() -> None:
    numbers = ["1", "00", "é", "x" * 256, str(2**64), "-3"]
    values = [encoded({**PURCHASE, "order_id": number}) for number in numbers]
    values += [encoded({**PURCHASE, "order_id": number}) for number in (1, 2**64, -3)]
    batch, letters = EventDecoder(()).decode(values)
    assert letters == []
    texts = [*numbers, "1", str(2**64), "-3"]
    hashes = [xxhash.xxh3_64_intdigest(text.encode()) for text in texts]
    assert batch.entries["id_hash"].tolist() == hashes


def test_a_signup_has_no_id_whatever_it_came_with() -> None:
    signup = {**EVENTS[1], "order_id": "o", "return_id": "r"}
    batch, _ = EventDecoder(()).decode([encoded(signup)])
    assert batch.entries["id_hash"].tolist() == [0]


@pytest.mark.parametrize("kind", ["return", "cancellation"])
def test_what_comes_with_a_return_or_cancellation_is_no_segment(kind: str) -> None:
    event = {**PURCHASE, "type": kind, "return_id": "r", "attributes": {"channel": "web"}}
    batch, letters = EventDecoder(("channel",)).decode([encoded(event)])
    assert letters == []
    assert texts_of(batch.values[0]) == [""]


def test_the_default_store_is_the_same_named_or_not() -> None:
    values = [encoded({**PURCHASE, "store": store}) for store in (None, "default")]
    batch, _ = EventDecoder(()).decode(values)
    assert batch.keys[0] == batch.keys[1]


def test_no_two_stores_or_customers_share_a_key() -> None:
    names = ("a", "ab", "b", "default")
    keys = {customer_key(store, customer) for store in names for customer in names}
    keys |= {guest_key(store, order) for store in names for order in names}
    assert len(keys) == 2 * len(names) ** 2


def test_an_empty_chunk_is_an_empty_batch() -> None:
    batch, letters = EventDecoder(("channel",)).decode([])
    assert (len(batch.entries), len(batch.keys), letters) == (0, 0, [])
    assert list(map(texts_of, batch.values)) == [[]]


def test_a_chunk_of_bad_records_only_is_an_empty_batch() -> None:
    batch, letters = EventDecoder(("channel",)).decode([b"x", None, encoded({})])
    assert len(batch.entries) == 0
    assert [letter.index for letter in letters] == [0, 1, 2]


def test_bad_records_leave_the_others_at_their_places() -> None:
    values = [b"", encoded(EVENTS[0]), encoded({**PURCHASE, "amount": "x"}), encoded(EVENTS[1])]
    batch, letters = EventDecoder(("channel",)).decode(values)
    assert batch.index.tolist() == [1, 3]
    assert batch.entries["kind"].tolist() == [ORDER, SIGNUP]
    assert texts_of(batch.values[0]) == ["web", ""]
    assert sorted(letter.index for letter in letters) == [0, 2]


def test_events_taken_from_a_batch_keep_their_columns_together() -> None:
    batch, _ = EventDecoder(("channel",)).decode([encoded(event) for event in EVENTS])
    some = batch.take(np.array([4, 0], np.int64))
    assert some.index.tolist() == [4, 0]
    assert list(some.keys) == [batch.keys[4], batch.keys[0]]
    assert some.entries["kind"].tolist() == [GUEST_ORDER, ORDER]
    assert texts_of(some.values[0]) == ["", "web"]


def test_a_dimension_may_have_any_name() -> None:
    decoder = EventDecoder(("value1", "value0", "class"))
    attributes = {"value0": "a", "value1": "b", "class": "c"}
    batch, letters = decoder.decode([encoded({**PURCHASE, "attributes": attributes})])
    assert letters == []
    assert list(map(texts_of, batch.values)) == [["b"], ["a"], ["c"]]
