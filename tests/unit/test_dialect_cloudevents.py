"""CloudEvents round canonical events and round other dialects."""

from __future__ import annotations

import base64
import json

import pytest

from stream.wire.dialects.canonical import DialectConfig
from stream.wire.dialects.translator import Translator
from tests.support.dialect_documents import cloud_event, segment_order, shopify_order
from tests.support.naive import Event
from tests.support.translation import event_of, events_of, refusal

PURCHASE: Event = {
    "customer_id": "c-1",
    "order_id": "o-1",
    "amount": "12.50",
    "currency": "EUR",
    "attributes": {"channel": "web"},
}
HEADERS = {
    "ce_specversion": "1.0",
    "ce_type": "com.example.purchase",
    "ce_source": "/shops/north",
    "ce_id": "A-1",
    "ce_time": "2025-03-05T10:00:00Z",
    "content-type": "application/json",
}


@pytest.mark.parametrize(
    "name", ["purchase", "com.example.shop.purchase", "com.example.Purchase.v2", "purchase.v1.0"]
)
def test_the_last_part_of_the_type_says_what_happened(name: str) -> None:
    event = event_of(cloud_event(name, PURCHASE))
    assert event == {**PURCHASE, "type": "purchase", "occurred_at": "2025-03-05T10:00:00Z"}


def test_a_time_in_the_data_wins_over_the_envelopes() -> None:
    event = event_of(cloud_event("shop.purchase", {**PURCHASE, "occurred_at": 1741170000}))
    assert event["occurred_at"] == 1741170000


def test_a_type_in_the_data_counts_when_the_envelopes_says_nothing() -> None:
    event = event_of(cloud_event("com.example.order.changed", {**PURCHASE, "type": "purchase"}))
    assert event["type"] == "purchase"
    assert refusal(cloud_event("com.example.order.changed", PURCHASE)).reason == "not_used"


def test_a_configured_name_is_used_too() -> None:
    config = DialectConfig((), (("com.example.order.placed", "purchase"),))
    document = cloud_event("com.example.order.placed", PURCHASE)
    (event,) = events_of(document, translator=Translator(config))
    assert event["type"] == "purchase"


def test_binary_mode_has_its_attributes_in_headers() -> None:
    assert event_of(dict(PURCHASE), HEADERS) == {
        **PURCHASE,
        "type": "purchase",
        "occurred_at": "2025-03-05T10:00:00Z",
    }


@pytest.mark.parametrize("inner", [segment_order(), shopify_order()], ids=["segment", "shopify"])
def test_another_dialect_inside_is_translated_by_its_own_rules(inner: dict[str, object]) -> None:
    assert events_of(cloud_event("anything", inner)) == events_of(inner)
    assert events_of(inner, HEADERS) == events_of(inner)


def test_headers_of_the_inner_dialect_are_heard() -> None:
    headers = {**HEADERS, "x-shopify-topic": "orders/create", "x-shopify-shop-domain": "north"}
    assert event_of(shopify_order(), headers)["store"] == "north"


def test_data_may_be_base64() -> None:
    packed = base64.b64encode(json.dumps(PURCHASE).encode()).decode()
    document = cloud_event("purchase", None, data_base64=packed)
    del document["data"]
    assert event_of(document)["order_id"] == "o-1"
    document["data_base64"] = "not base64!"
    assert refusal(document).reason == "bad_document"


def test_envelopes_without_use_are_refused() -> None:
    empty = cloud_event("purchase", None)
    del empty["data"]
    assert refusal(empty).reason == "not_used"
    assert refusal(cloud_event("purchase", "text")).reason == "bad_document"
    assert refusal(cloud_event("purchase", cloud_event("purchase", PURCHASE))).reason == (
        "bad_document"
    )
    assert refusal(b"{", HEADERS).reason == "not_json"


def test_the_rules_of_canonical_events_hold_inside() -> None:
    bad = cloud_event("purchase", {**PURCHASE, "amount": "-1"})
    assert refusal(bad).reason == "bad_amount"
