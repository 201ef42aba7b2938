"""WooCommerce's orders and customers."""

from __future__ import annotations

import pytest

from stream.wire.dialects.canonical import DialectConfig
from stream.wire.dialects.translator import Translator
from tests.support.dialect_documents import woo_customer, woo_order
from tests.support.translation import event_of, events_of, refusal

STORE = "shop.example.com"


def test_an_order_is_a_purchase() -> None:
    assert event_of(woo_order()) == {
        "type": "purchase",
        "customer_id": "26",
        "occurred_at": "2025-03-05T15:28:02Z",
        "order_id": 727,
        "amount": "29.35",
        "currency": "EUR",
        "units": 3,
        "store": STORE,
        "attributes": {"channel": "checkout", "country": "DE", "coupon": "ten"},
    }


def test_metadata_gives_attributes_by_their_keys() -> None:
    translator = Translator(DialectConfig(("_wc_order_attribution_source_type", "_some_list")))
    (event,) = events_of(woo_order(), translator=translator)
    assert event["attributes"] == {"_wc_order_attribution_source_type": "organic"}


@pytest.mark.parametrize("status", ["completed", "on-hold", "refunded", "packed"])
def test_placed_orders_count(status: str) -> None:
    assert event_of(woo_order(status=status))["type"] == "purchase"


@pytest.mark.parametrize("status", ["pending", "failed", "checkout-draft", "trash"])
def test_orders_not_placed_are_not_used(status: str) -> None:
    assert refusal(woo_order(status=status)).reason == "not_used"


def test_refunds_in_an_order_are_returns() -> None:
    refunds = [
        {"id": 726, "reason": "", "total": "-10.00"},
        {"id": 728, "reason": "", "total": "-1.00"},
    ]
    purchase, *returns = events_of(woo_order(refunds=refunds))
    assert purchase["type"] == "purchase"
    assert returns[0] == {
        "type": "return",
        "customer_id": "26",
        "occurred_at": "2025-03-06T15:28:08Z",
        "order_id": 727,
        "return_id": 726,
        "amount": "10.00",
        "currency": "EUR",
        "units": 0,
        "store": STORE,
    }
    assert returns[1]["return_id"] == 728


def test_a_refund_of_all_the_money_takes_all_units_back() -> None:
    refunds = [{"id": 726, "reason": "", "total": "-29.35"}]
    _, returned = events_of(woo_order(status="refunded", refunds=refunds))
    assert (returned["amount"], returned["units"]) == ("29.35", 3)


def test_a_cancelled_order_is_its_cancellation_alone() -> None:
    cancelled = woo_order(status="cancelled", refunds=[{"id": 726, "total": "-10.00"}])
    assert event_of(cancelled) == {
        "type": "cancellation",
        "customer_id": "26",
        "occurred_at": "2025-03-06T15:28:08Z",
        "order_id": 727,
        "store": STORE,
    }


def test_customer_zero_is_a_guest() -> None:
    event = event_of(woo_order(customer_id=0, refunds=[{"id": 726, "total": "-10.00"}]))
    assert (event["type"], "customer_id" in event) == ("purchase", False)


def test_a_customer_is_a_signup() -> None:
    assert event_of(woo_customer()) == {
        "type": "signup",
        "customer_id": "25",
        "occurred_at": "2025-03-01T17:09:28Z",
        "store": STORE,
        "attributes": {"country": "CH"},
    }


def test_the_webhooks_source_names_the_store_first() -> None:
    headers = {
        "x-wc-webhook-source": "https://north.example/",
        "x-wc-webhook-topic": "order.created",
    }
    assert event_of(woo_order(), headers)["store"] == "north.example"


def test_deleted_orders_and_products_are_not_used() -> None:
    assert refusal({"id": 727}, {"x-wc-webhook-topic": "order.deleted"}).reason == "not_used"
    assert refusal({"id": 727}, {"x-wc-webhook-topic": "product.updated"}).reason == "not_used"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"total": "free"}, "bad_amount"),
        ({"currency": "EURO"}, "bad_currency"),
        ({"line_items": {}}, "bad_document"),
        ({"date_created_gmt": "yesterday"}, "bad_occurred_at"),
    ],
)
def test_a_bad_order_is_refused(changed: dict[str, object], reason: str) -> None:
    assert refusal(woo_order(**changed)).reason == reason
