"""Documents as the platforms' own guides show them, with made-up contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]


def segment(event: str, **properties: object) -> Document:
    """A ``track`` call as it arrives from Segment or RudderStack."""
    return {
        "anonymousId": "f2a9e3b0-5c0d-4a55-9f0e-3f1d0c2b7a11",
        "channel": "mobile",
        "context": {
            "ip": "203.0.113.7",
            "library": {"name": "analytics-ios", "version": "4.1.6"},
            "locale": "de-AT",
            "location": {"city": "Graz", "country": "Austria"},
            "campaign": {"name": "spring", "medium": "email", "source": "letter"},
            "traits": {"plan": "gold", "address": {"country": "AT"}},
        },
        "event": event,
        "integrations": {"All": True},
        "messageId": "ajs-8a7d3f",
        "originalTimestamp": "2025-03-05T09:00:00.120Z",
        "properties": properties,
        "receivedAt": "2025-03-05T09:00:01.300Z",
        "sentAt": "2025-03-05T09:00:01.010Z",
        "timestamp": "2025-03-05T09:00:00.350Z",
        "type": "track",
        "userId": "u-17",
        "version": 2,
    }


def segment_order(**changed: object) -> Document:
    """Order Completed, with two products."""
    properties = {
        "checkout_id": "ck-88",
        "order_id": "5031-A",
        "affiliation": "Web Store",
        "total": 41.5,
        "revenue": 36.0,
        "shipping": 3.5,
        "tax": 2,
        "discount": 1.5,
        "coupon": "SPRING",
        "currency": "EUR",
        "products": [
            {"product_id": "p1", "sku": "45-32", "name": "Board game", "price": 19, "quantity": 1},
            {"product_id": "p2", "sku": "46-11", "name": "Card deck", "price": 8.5, "quantity": 2},
        ],
    }
    return segment("Order Completed", **{**properties, **changed})


def cloud_event(event_type: str, data: object, **changed: object) -> Document:
    """A CloudEvent in structured mode."""
    return {
        "specversion": "1.0",
        "type": event_type,
        "source": "/shops/north",
        "id": "A234-1234",
        "time": "2025-03-05T10:00:00Z",
        "subject": "orders/1",
        "datacontenttype": "application/json",
        "data": data,
        **changed,
    }


def _money(amount: str, currency: str = "USD") -> Document:
    both = {"amount": amount, "currency_code": currency}
    return {"shop_money": both, "presentment_money": both}


def shopify_order(**changed: object) -> Document:
    """An order as ``orders/create`` carries it."""
    return {
        "id": 820982911946154508,
        "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
        "cancel_reason": None,
        "cancelled_at": None,
        "created_at": "2025-03-05T10:15:00-05:00",
        "currency": "USD",
        "current_total_price": "398.00",
        "customer_locale": "en",
        "discount_codes": [{"code": "WELCOME", "amount": "10.00", "type": "fixed_amount"}],
        "email": "someone@example.com",
        "financial_status": "paid",
        "fulfillment_status": None,
        "name": "#9999",
        "note_attributes": [{"name": "variant", "value": "B"}, {"name": "gift", "value": "yes"}],
        "number": 234,
        "order_number": 1234,
        "processed_at": "2025-03-05T10:14:30-05:00",
        "source_name": "web",
        "tags": "tag1, tag2",
        "test": False,
        "total_price": "408.00",
        "total_price_set": _money("408.00"),
        "updated_at": "2025-03-05T10:15:00-05:00",
        "user_id": None,
        "billing_address": {"first_name": "A", "country": "Canada", "country_code": "CA"},
        "shipping_address": {"first_name": "A", "country": "United States", "country_code": "US"},
        "customer": {
            "id": 115310627314723954,
            "email": "someone@example.com",
            "created_at": "2025-01-01T00:00:00-05:00",
            "admin_graphql_api_id": "gid://shopify/Customer/115310627314723954",
            "default_address": {"country": "Mexico", "country_code": "MX"},
        },
        "line_items": [
            {"id": 866550311766439020, "price": "199.00", "quantity": 2, "sku": "IPOD-1"},
            {"id": 141249953214522974, "price": "10.00", "quantity": 1, "sku": "CASE-2"},
        ],
        "refunds": [],
        "shipping_lines": [{"code": "standard", "price": "10.00"}],
        **changed,
    }


def shopify_refund(**changed: object) -> Document:
    """A refund as ``refunds/create`` carries it, and as it stands in its order."""
    return {
        "id": 890088186047892319,
        "order_id": 820982911946154508,
        "admin_graphql_api_id": "gid://shopify/Refund/890088186047892319",
        "created_at": "2025-03-09T08:00:00-05:00",
        "processed_at": "2025-03-09T08:00:00-05:00",
        "note": "Things were damaged",
        "user_id": 548380009,
        "restock": True,
        "duties": [],
        "refund_line_items": [
            {
                "id": 487817672276298627,
                "quantity": 2,
                "line_item_id": 866550311766439020,
                "subtotal": 398.0,
                "total_tax": 0.0,
                "subtotal_set": _money("398.00"),
            }
        ],
        "transactions": [
            {
                "id": 245135271310201194,
                "kind": "refund",
                "status": "success",
                "amount": "300.10",
                "currency": "USD",
                "gateway": "shopify_payments",
            },
            {
                "id": 245135271310201195,
                "kind": "refund",
                "status": "success",
                "amount": "97.90",
                "currency": "USD",
                "gateway": "gift_card",
            },
            {
                "id": 245135271310201196,
                "kind": "refund",
                "status": "failure",
                "amount": "97.90",
                "currency": "USD",
                "gateway": "gift_card",
            },
        ],
        "order_adjustments": [],
        **changed,
    }


def shopify_customer(**changed: object) -> Document:
    """A customer as ``customers/create`` carries it."""
    return {
        "id": 706405506930370084,
        "admin_graphql_api_id": "gid://shopify/Customer/706405506930370084",
        "email": "bob@example.com",
        "created_at": "2025-03-01T12:00:00-05:00",
        "updated_at": "2025-03-01T12:00:00-05:00",
        "first_name": "Bob",
        "orders_count": 0,
        "state": "enabled",
        "total_spent": "0.00",
        "verified_email": True,
        "default_address": {"country": "Canada", "country_code": "CA"},
        **changed,
    }


def woo_order(**changed: object) -> Document:
    """An order as WooCommerce's REST API version 3 gives it."""
    return {
        "id": 727,
        "parent_id": 0,
        "number": "727",
        "order_key": "wc_order_58d2d042d1d",
        "created_via": "checkout",
        "version": "9.1.0",
        "status": "processing",
        "currency": "EUR",
        "date_created": "2025-03-05T16:28:02",
        "date_created_gmt": "2025-03-05T15:28:02",
        "date_modified": "2025-03-06T16:28:08",
        "date_modified_gmt": "2025-03-06T15:28:08",
        "discount_total": "0.00",
        "shipping_total": "10.00",
        "total": "29.35",
        "total_tax": "1.35",
        "customer_id": 26,
        "billing": {"first_name": "J", "country": "DE", "email": "j@example.com"},
        "shipping": {"first_name": "J", "country": "", "postcode": "94103"},
        "payment_method": "bacs",
        "date_paid_gmt": "2025-03-05T15:28:08",
        "meta_data": [
            {"id": 1, "key": "_wc_order_attribution_source_type", "value": "organic"},
            {"id": 2, "key": "_some_list", "value": [1, 2]},
        ],
        "line_items": [
            {"id": 315, "name": "Hoodie", "product_id": 93, "quantity": 2, "total": "6.00"},
            {"id": 316, "name": "Cap", "product_id": 22, "quantity": 1, "total": "12.00"},
        ],
        "coupon_lines": [{"id": 1, "code": "ten", "discount": "1.00"}],
        "refunds": [],
        "_links": {"self": [{"href": "https://shop.example.com/wp-json/wc/v3/orders/727"}]},
        **changed,
    }


def woo_customer(**changed: object) -> Document:
    """A customer as WooCommerce's REST API version 3 gives it."""
    return {
        "id": 25,
        "date_created": "2025-03-01T18:09:28",
        "date_created_gmt": "2025-03-01T17:09:28",
        "date_modified_gmt": "2025-03-01T17:09:40",
        "email": "john@example.com",
        "first_name": "John",
        "role": "customer",
        "username": "john",
        "billing": {"first_name": "John", "country": "AT"},
        "shipping": {"first_name": "John", "country": "CH"},
        "is_paying_customer": False,
        "avatar_url": "https://example.com/a.png",
        "meta_data": [],
        "_links": {"self": [{"href": "https://shop.example.com/wp-json/wc/v3/customers/25"}]},
        **changed,
    }


def ga4_request(*events: Document, **changed: object) -> Document:
    """A request of the Measurement Protocol."""
    return {
        "client_id": "1234567.7654321",
        "user_id": "u-17",
        "timestamp_micros": "1741170000123456",
        "user_properties": {"tier": {"value": "gold"}},
        "user_location": {"city": "Graz", "country_id": "AT"},
        "non_personalized_ads": False,
        "events": list(events),
        **changed,
    }


def ga4_purchase(**changed: object) -> Document:
    """The recommended event ``purchase``."""
    return {
        "name": "purchase",
        "params": {
            "transaction_id": "T_12345",
            "value": 30.03,
            "tax": 4.9,
            "shipping": 5.99,
            "currency": "USD",
            "coupon": "SUMMER_FUN",
            "items": [
                {"item_id": "SKU_1", "item_name": "Tee", "price": 10.01, "quantity": 2},
                {"item_id": "SKU_2", "item_name": "Mug", "price": 10.01},
            ],
            **changed,
        },
    }


def ga4_row(event_name: str, params: Mapping[str, object], **changed: object) -> Document:
    """A row of the BigQuery export, as ``bq extract`` writes it: 64-bit integers are texts."""
    return {
        "event_date": "20250305",
        "event_timestamp": "1741170000123456",
        "event_name": event_name,
        "event_params": [{"key": key, "value": value} for key, value in params.items()],
        "user_id": "u-17",
        "user_pseudo_id": "1234567.7654321",
        "user_properties": [{"key": "tier", "value": {"string_value": "gold"}}],
        "device": {"category": "mobile"},
        "geo": {"continent": "Europe", "country": "Austria"},
        "traffic_source": {"name": "(direct)", "medium": "organic", "source": "search"},
        "platform": "WEB",
        "ecommerce": {
            "total_item_quantity": "3",
            "purchase_revenue": 30.03,
            "transaction_id": "T_12345",
        },
        "items": [{"item_id": "SKU_1", "quantity": "3"}],
        **changed,
    }
