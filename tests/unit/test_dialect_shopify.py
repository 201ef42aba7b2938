"""Shopify's webhooks."""

from __future__ import annotations

import pytest

from tests.support.dialect_documents import shopify_customer, shopify_order, shopify_refund
from tests.support.translation import event_of, events_of, refusal

ORDER_ID = 820982911946154508
BUYER = "115310627314723954"
ATTRIBUTES = {"variant": "B", "channel": "web", "country": "US", "coupon": "WELCOME"}


def test_an_order_is_a_purchase() -> None:
    assert event_of(shopify_order()) == {
        "type": "purchase",
        "customer_id": BUYER,
        "occurred_at": "2025-03-05T10:14:30-05:00",
        "order_id": ORDER_ID,
        "amount": "408.00",
        "currency": "USD",
        "units": 3,
        "attributes": ATTRIBUTES,
    }


def test_an_order_gives_its_refunds_too() -> None:
    refunds = [shopify_refund(), shopify_refund(id=5, transactions=[], refund_line_items=[])]
    events = events_of(shopify_order(refunds=refunds))
    assert [event["type"] for event in events] == ["purchase", "return", "return"]
    assert events[1] == {
        "type": "return",
        "customer_id": BUYER,
        "occurred_at": "2025-03-09T08:00:00-05:00",
        "order_id": ORDER_ID,
        "return_id": 890088186047892319,
        "amount": "398.00",
        "currency": "USD",
        "units": 2,
    }
    # Nothing moved: no money, no goods, in the order's currency.
    assert (events[2]["amount"], events[2]["currency"], events[2]["units"]) == ("0", "USD", 0)


def test_a_cancelled_order_is_its_cancellation_alone() -> None:
    cancelled = shopify_order(cancelled_at="2025-03-06T07:00:00-05:00", refunds=[shopify_refund()])
    assert event_of(cancelled) == {
        "type": "cancellation",
        "customer_id": BUYER,
        "occurred_at": "2025-03-06T07:00:00-05:00",
        "order_id": ORDER_ID,
    }


def test_the_same_order_gives_the_same_ids_whatever_the_webhook() -> None:
    created = events_of(shopify_order(), {"x-shopify-topic": "orders/create"})
    paid = events_of(shopify_order(total_price="9.00"), {"x-shopify-topic": "orders/paid"})
    assert [event["order_id"] for event in created] == [event["order_id"] for event in paid]


def test_a_guests_order_leaves_its_refunds_out() -> None:
    event = event_of(shopify_order(customer=None, refunds=[shopify_refund()]))
    assert (event["type"], "customer_id" in event) == ("purchase", False)
    assert refusal(shopify_order(customer=None, cancelled_at="2025-03-06T07:00:00Z")).reason == (
        "missing_field"
    )


def test_a_refund_alone_needs_to_be_told_whose_it_is() -> None:
    refused = refusal(shopify_refund())
    assert refused.reason == "missing_field"
    assert "orders/updated" in refused.detail
    event = event_of(shopify_refund(customer={"id": 115310627314723954}))
    assert (event["type"], event["customer_id"], event["amount"]) == ("return", BUYER, "398.00")
    in_order = events_of(shopify_order(refunds=[shopify_refund()]))[1]
    assert event == in_order


def test_a_customer_is_a_signup() -> None:
    assert event_of(shopify_customer()) == {
        "type": "signup",
        "customer_id": "706405506930370084",
        "occurred_at": "2025-03-01T12:00:00-05:00",
        "attributes": {"country": "CA"},
    }


def test_store_is_the_shops_domain_of_the_header() -> None:
    headers = {"x-shopify-shop-domain": "north.example", "x-shopify-topic": "orders/create"}
    assert event_of(shopify_order(), headers)["store"] == "north.example"
    events = events_of(shopify_order(refunds=[shopify_refund()]), headers)
    assert {event["store"] for event in events} == {"north.example"}


def test_the_topic_in_the_header_decides_where_the_shape_does_not() -> None:
    order = shopify_order()
    del order["admin_graphql_api_id"], order["order_number"]
    assert event_of(order, {"x-shopify-topic": "orders/updated"})["type"] == "purchase"
    customer = shopify_customer()
    del customer["admin_graphql_api_id"]
    assert event_of(customer, {"x-shopify-topic": "customers/create"})["type"] == "signup"


def test_older_documents_are_known_by_their_shape() -> None:
    order = shopify_order()
    del order["admin_graphql_api_id"]
    assert event_of(order)["type"] == "purchase"
    refund = shopify_refund(customer={"id": 1})
    del refund["admin_graphql_api_id"]
    assert event_of(refund)["type"] == "return"


@pytest.mark.parametrize(
    "topic", ["products/update", "orders/delete", "orders/edited", "customers/redact", "app/x"]
)
def test_other_topics_are_not_used(topic: str) -> None:
    assert refusal({"id": 1}, {"x-shopify-topic": topic}).reason == "not_used"


def test_other_documents_and_test_orders_are_not_used() -> None:
    draft = shopify_order(admin_graphql_api_id="gid://shopify/DraftOrder/1")
    assert refusal(draft).reason == "not_used"
    assert refusal(shopify_order(test=True)).reason == "not_used"


def test_country_falls_back_to_billing_and_to_the_customers_own() -> None:
    billed = shopify_order(shipping_address=None)
    assert event_of(billed)["attributes"] == {**ATTRIBUTES, "country": "CA"}
    neither = shopify_order(shipping_address=None, billing_address=None)
    assert event_of(neither)["attributes"] == {**ATTRIBUTES, "country": "MX"}


def test_an_imported_order_without_processing_time_takes_its_creation() -> None:
    event = event_of(shopify_order(processed_at=None))
    assert event["occurred_at"] == "2025-03-05T10:15:00-05:00"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"total_price": "4,08"}, "bad_amount"),
        ({"currency": None}, "missing_field"),
        ({"line_items": "many"}, "bad_document"),
        ({"processed_at": "2025-03-05 10:14"}, "bad_occurred_at"),
        ({"refunds": [shopify_refund(id=None)]}, "missing_field"),
    ],
)
def test_a_bad_order_is_refused(changed: dict[str, object], reason: str) -> None:
    assert refusal(shopify_order(**changed)).reason == reason
