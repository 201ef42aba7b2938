"""Segment's and RudderStack's track calls."""

from __future__ import annotations

import pytest

from stream.wire.dialects.canonical import DialectConfig
from stream.wire.dialects.translator import Translator
from tests.support.dialect_documents import segment, segment_order
from tests.support.translation import DIMENSIONS, event_of, events_of, refusal


def test_order_completed_is_a_purchase() -> None:
    assert event_of(segment_order()) == {
        "type": "purchase",
        "customer_id": "u-17",
        "occurred_at": "2025-03-05T09:00:00.350Z",
        "order_id": "5031-A",
        "amount": 41.5,
        "currency": "EUR",
        "units": 3,
        "attributes": {
            "coupon": "SPRING",
            "plan": "gold",
            "country": "Austria",
            "campaign": "spring",
            "channel": "mobile",
        },
    }


def test_amount_is_the_total_else_the_revenue_else_the_value() -> None:
    assert event_of(segment_order(total=None))["amount"] == 36.0
    assert event_of(segment_order(total=None, revenue=None, value="7.10"))["amount"] == "7.10"
    assert event_of(segment_order(total=0))["amount"] == 0
    assert refusal(segment_order(total=None, revenue=None)).reason == "missing_field"


def test_a_propertys_name_is_an_attributes_name_and_wins_over_the_context() -> None:
    attributes = event_of(segment_order(country="AT", variant=2, tier="x" * 129))["attributes"]
    assert isinstance(attributes, dict)
    assert (attributes["country"], attributes["variant"]) == ("AT", "2")
    assert "tier" not in attributes


def test_a_dimension_may_bear_the_name_of_a_field_that_is_read_anyway() -> None:
    translator = Translator(DialectConfig(("currency", "order_id")))
    (event,) = events_of(segment_order(), translator=translator)
    assert event["attributes"] == {"currency": "EUR", "order_id": "5031-A"}
    assert event["currency"] == "EUR"


def test_order_refunded_is_a_return_known_by_its_own_id_else_by_the_messages() -> None:
    refund = {"order_id": "5031-A", "total": 8.5, "currency": "EUR"}
    event = event_of(segment("Order Refunded", **refund, products=[{"quantity": 1}]))
    assert event == {
        "type": "return",
        "customer_id": "u-17",
        "occurred_at": "2025-03-05T09:00:00.350Z",
        "order_id": "5031-A",
        "return_id": "ajs-8a7d3f",
        "amount": 8.5,
        "currency": "EUR",
        "units": 1,
    }
    assert event_of(segment("Order Refunded", **refund, refund_id="r-3"))["return_id"] == "r-3"


def test_order_cancelled_and_signed_up() -> None:
    time = "2025-03-05T09:00:00.350Z"
    assert event_of(segment("Order Cancelled", order_id=77, total=5, currency="EUR")) == {
        "type": "cancellation",
        "customer_id": "u-17",
        "occurred_at": time,
        "order_id": 77,
    }
    signup = event_of(segment("Signed Up", type="organic", order_id="?"))
    assert (signup["type"], signup["occurred_at"], "order_id" in signup) == ("signup", time, False)


@pytest.mark.parametrize("absent", [{"userId": None}, {"userId": ""}])
def test_an_order_without_a_user_is_a_guests(absent: dict[str, object]) -> None:
    assert "customer_id" not in event_of(segment_order() | absent)
    assert refusal(segment("Signed Up") | absent).reason == "missing_field"


def test_a_numeric_user_id_is_its_digits() -> None:
    assert event_of(segment_order() | {"userId": 17})["customer_id"] == "17"


def test_time_is_the_first_that_is_told() -> None:
    message = segment_order()
    for field in ("timestamp", "originalTimestamp", "sentAt", "receivedAt"):
        assert event_of(message)["occurred_at"] == message[field]
        del message[field]
    refused = refusal(message)
    assert refused.reason == "missing_field"
    assert "occurred_at" in refused.detail


def test_store_is_the_property_of_that_name() -> None:
    assert event_of(segment_order(store="north"))["store"] == "north"


def test_other_calls_and_events_are_not_used() -> None:
    page = segment("Order Completed") | {"type": "page"}
    assert refusal(page).reason == "not_used"
    viewed = refusal(segment("Product Viewed", product_id="p1"))
    assert viewed.reason == "not_used"
    assert "Product Viewed" in viewed.detail


def test_names_are_told_apart_without_regard_to_capitals() -> None:
    assert event_of(segment_order() | {"event": "order completed"})["type"] == "purchase"


def test_a_configured_name_is_used_too() -> None:
    config = DialectConfig(DIMENSIONS, (("Completed Checkout", "purchase"),))
    named = segment_order() | {"event": "completed checkout"}
    assert refusal(named).reason == "not_used"
    (event,) = events_of(named, translator=Translator(config))
    assert event["order_id"] == "5031-A"
    (event,) = events_of(segment_order(), translator=Translator(config))
    assert event["order_id"] == "5031-A"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"total": "$41.50"}, "bad_amount"),
        ({"total": -1}, "bad_amount"),
        ({"total": {"amount": 1}}, "bad_document"),
        ({"currency": "eur"}, "bad_currency"),
        ({"order_id": None}, "missing_field"),
        ({"products": {"quantity": 1}}, "bad_document"),
        ({"products": [{"quantity": 1.5}]}, "bad_units"),
    ],
)
def test_a_bad_property_is_told_by_the_canonical_reason(
    changed: dict[str, object], reason: str
) -> None:
    assert refusal(segment_order(**changed)).reason == reason
