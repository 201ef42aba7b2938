"""Telling dialects apart, and translating chunks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.config import TOPIC_DIALECTS, Dialect
from stream.domain.events import Outcome
from stream.wire.dialects.canonical import DialectConfig
from stream.wire.dialects.detect import by_shape
from stream.wire.dialects.translator import RawHeaders, Translator
from tests.support.dialect_documents import (
    Document,
    cloud_event,
    ga4_purchase,
    ga4_request,
    ga4_row,
    segment,
    segment_order,
    shopify_customer,
    shopify_order,
    shopify_refund,
    woo_customer,
    woo_order,
)
from tests.support.translation import TRANSLATOR

PURCHASE = {
    "type": "purchase",
    "customer_id": "c-1",
    "occurred_at": "2025-03-05T10:00:00Z",
    "order_id": "o-1",
    "amount": "12.50",
    "currency": "EUR",
}
DOCUMENTS: list[tuple[Document, Dialect | None]] = [
    (segment_order(), "segment"),
    (segment("Product Viewed"), "segment"),
    (segment("x") | {"type": "page", "userId": None}, "segment"),
    (cloud_event("com.example.purchase", PURCHASE), "cloudevents"),
    (cloud_event("purchase", PURCHASE), "cloudevents"),
    (shopify_order(), "shopify"),
    (shopify_refund(), "shopify"),
    (shopify_customer(), "shopify"),
    (woo_order(), "woocommerce"),
    (woo_customer(), "woocommerce"),
    (ga4_request(ga4_purchase()), "ga4"),
    (ga4_row("purchase", {}), "ga4"),
    (PURCHASE, None),
    ({"type": "purchase"}, None),
    ({"type": "refund", "userId": 1}, None),
    ({"type": "track"}, None),
    ({"events": []}, None),
    ({}, None),
]


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(("document", "dialect"), DOCUMENTS)
def test_every_document_is_known_by_its_shape(document: Document, dialect: Dialect | None) -> None:
    assert by_shape(encoded(document)) == dialect


@pytest.mark.parametrize("value", [b"", b"hello", b"[1]", b'"text"', b"\xff{}", b"[" * 100_000])
def test_what_is_no_object_is_of_no_dialect(value: bytes) -> None:
    assert by_shape(value) is None
    assert TRANSLATOR.translate(value) is None


def test_escaped_slashes_are_slashes() -> None:
    value = encoded(shopify_customer()).replace(b"/", rb"\/")
    assert by_shape(value) == "shopify"


def test_a_chunk_may_mix_everything_and_keeps_its_places() -> None:
    refunded = shopify_order(refunds=[shopify_refund()])
    records: list[bytes | None] = [
        encoded(PURCHASE),
        encoded(segment_order()),
        None,
        encoded(segment("Product Viewed")),
        encoded(refunded),
        b"{broken",
        encoded(woo_order()),
    ]
    translation = TRANSLATOR.translate_chunk(records)
    assert translation.places == [0, 1, 2, 4, 4, 5, 6]
    assert translation.values[0] is records[0]
    assert translation.values[2] is None
    assert translation.values[5] == b"{broken"
    types = [json.loads(translation.values[at] or b"")["type"] for at in (1, 3, 4, 6)]
    assert types == ["purchase", "purchase", "return", "purchase"]
    (letter,) = translation.refused
    assert (letter.index, letter.outcome, letter.reason) == (3, Outcome.REJECTED, "not_used")


def test_headers_are_asked_for_by_place_and_read_in_any_case() -> None:
    headers: list[RawHeaders] = [
        [("X-Shopify-Topic", b"orders/create"), ("X-Shopify-Shop-Domain", b"north.example")],
        [],
        [("CE_SpecVersion", b"1.0"), ("ce_type", b"a.signup"), ("ce_none", None)],
    ]
    signup = {"customer_id": "c-1", "occurred_at": 1741170000}
    records = [encoded(shopify_order()), encoded(PURCHASE), encoded(signup)]
    translation = TRANSLATOR.translate_chunk(records, headers.__getitem__)
    first, second, third = (json.loads(value or b"") for value in translation.values)
    assert first["store"] == "north.example"
    assert second == PURCHASE
    assert third["type"] == "signup"


def test_what_reads_as_a_canonical_event_is_never_translated() -> None:
    says_signup: RawHeaders = [("ce_specversion", b"1.0"), ("ce_type", b"x.signup")]
    inside_out = PURCHASE | {"specversion": "1.0", "data": {"type": "signup"}}
    records: list[bytes | None] = [encoded(PURCHASE), encoded(inside_out)]
    for setting in TOPIC_DIALECTS:
        translation = TRANSLATOR.translate_chunk(records, lambda _: says_signup, setting)
        assert translation.values == records


def test_a_topic_of_one_dialect_takes_that_one_and_canonical_events() -> None:
    records = [encoded(segment_order()), encoded(PURCHASE), encoded(woo_order()), b"{"]
    translation = TRANSLATOR.translate_chunk(records, setting="segment")
    assert translation.places == [0, 1, 3]
    (letter,) = translation.refused
    assert (letter.index, letter.reason) == (2, "other_dialect")


def test_a_canonical_topic_translates_nothing() -> None:
    records: list[bytes | None] = [encoded(segment_order()), None]
    translation = TRANSLATOR.translate_chunk(records, setting="canonical")
    assert translation.values == records
    assert translation.refused == []


@pytest.mark.parametrize("setting", TOPIC_DIALECTS)
@pytest.mark.parametrize(("document", "dialect"), DOCUMENTS)
def test_a_topic_set_to_a_dialect_says_the_same_as_auto(
    document: Document, dialect: Dialect | None, setting: str
) -> None:
    if setting == dialect:
        value = encoded(document)
        assert TRANSLATOR.translate(value, setting=dialect) == TRANSLATOR.translate(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(DOCUMENTS), st.data())
def test_no_damage_to_a_document_raises(
    chosen: tuple[Document, Dialect | None], data: st.DataObject
) -> None:
    document = dict(chosen[0])
    for _ in range(data.draw(st.integers(1, 3))):
        if document:
            field = data.draw(st.sampled_from(sorted(document)))
            document[field] = data.draw(JSON)
    found = Translator(DialectConfig(("channel", "country"))).translate(encoded(document))
    assert found is None or isinstance(found, list | tuple)


@given(st.sampled_from(DOCUMENTS), st.data())
def test_every_event_of_a_record_is_of_one_customer_and_store(
    chosen: tuple[Document, Dialect | None], data: st.DataObject
) -> None:
    document = dict(chosen[0])
    if document:
        document[data.draw(st.sampled_from(sorted(document)))] = data.draw(JSON)
    found = TRANSLATOR.translate(encoded(document))
    if isinstance(found, list):
        events = [json.loads(event) for event in found]
        assert len({json.dumps([e.get("customer_id"), e.get("store")]) for e in events}) <= 1
        guests = [event for event in events if event.get("customer_id") is None]
        assert len(guests) <= 1
