"""Google Analytics 4's requests and exported rows."""

from __future__ import annotations

import pytest

from tests.support.dialect_documents import ga4_purchase, ga4_request, ga4_row
from tests.support.translation import event_of, events_of, refusal

TIME_MS = 1741170000123
REFUND = {
    "name": "refund",
    "params": {"transaction_id": "T_12345", "value": 10.01, "currency": "USD", "items": [{}]},
}


def test_a_purchase_in_a_request() -> None:
    assert event_of(ga4_request(ga4_purchase())) == {
        "type": "purchase",
        "customer_id": "u-17",
        "occurred_at": TIME_MS,
        "order_id": "T_12345",
        "amount": 30.03,
        "currency": "USD",
        "units": 3,
        "attributes": {"coupon": "SUMMER_FUN", "tier": "gold", "country": "AT"},
    }


def test_a_refund_is_known_by_its_order_and_instant() -> None:
    event = event_of(ga4_request(REFUND))
    assert event == {
        "type": "return",
        "customer_id": "u-17",
        "occurred_at": TIME_MS,
        "order_id": "T_12345",
        "return_id": "T_12345@1741170000123456",
        "amount": 10.01,
        "currency": "USD",
        "units": 1,
        "attributes": {"tier": "gold", "country": "AT"},
    }
    later = event_of(ga4_request(REFUND, timestamp_micros=1741170000999999))
    assert later["return_id"] != event["return_id"]
    own = {"name": "refund", "params": {**REFUND["params"], "refund_id": "R1"}}  # type: ignore[dict-item]
    assert event_of(ga4_request(own))["return_id"] == "R1"


def test_one_request_gives_several_events_and_ignores_the_rest() -> None:
    own_time = {"name": "sign_up", "timestamp_micros": 1741160000000000}
    page = {"name": "page_view", "params": {"page_title": "x"}}
    events = events_of(ga4_request(page, own_time, ga4_purchase(), REFUND))
    assert [event["type"] for event in events] == ["signup", "purchase", "return"]
    assert [event["occurred_at"] for event in events] == [1741160000000, TIME_MS, TIME_MS]


def test_a_request_without_user_is_a_guests_and_has_room_for_one_order() -> None:
    assert "customer_id" not in event_of(ga4_request(ga4_purchase(), user_id=None))
    two = ga4_request(ga4_purchase(), ga4_purchase(transaction_id="T_2"), user_id=None)
    assert refusal(two).reason == "bad_document"


def test_a_request_of_other_events_is_not_used() -> None:
    assert refusal(ga4_request({"name": "page_view"})).reason == "not_used"
    assert refusal(ga4_row("page_view", {})).reason == "not_used"


def test_a_request_that_tells_no_time_is_refused() -> None:
    refused = refusal(ga4_request(ga4_purchase(), timestamp_micros=None))
    assert refused.reason == "missing_field"
    assert "occurred_at" in refused.detail


def test_a_row_of_the_export() -> None:
    params = {
        "transaction_id": {"string_value": "T_12345"},
        "currency": {"string_value": "USD"},
        "value": {"double_value": 30.03},
        "variant": {"int_value": "2"},
    }
    assert event_of(ga4_row("purchase", params)) == {
        "type": "purchase",
        "customer_id": "u-17",
        "occurred_at": TIME_MS,
        "order_id": "T_12345",
        "amount": 30.03,
        "currency": "USD",
        "units": 3,
        "attributes": {"variant": "2", "tier": "gold", "country": "Austria", "channel": "organic"},
    }


def test_a_rows_missing_parameters_are_taken_from_its_totals() -> None:
    currency = {"currency": {"string_value": "USD"}}
    event = event_of(ga4_row("purchase", currency, items=[]))
    assert (event["order_id"], event["amount"], event["units"]) == ("T_12345", 30.03, 3)


def test_what_the_export_calls_not_set_is_missing() -> None:
    unset = {"transaction_id": "(not set)", "purchase_revenue": 1}
    row = ga4_row("purchase", {"currency": {"string_value": "USD"}}, ecommerce=unset)
    assert refusal(row).reason == "missing_field"


def test_a_refund_and_a_signup_in_rows() -> None:
    params = {"currency": {"string_value": "USD"}, "value": {"int_value": "5"}}
    returned = event_of(ga4_row("refund", params))
    assert (returned["type"], returned["amount"]) == ("return", "5")
    assert event_of(ga4_row("sign_up", {}))["type"] == "signup"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"value": "free"}, "bad_amount"),
        ({"currency": "$"}, "bad_currency"),
        ({"transaction_id": None}, "missing_field"),
        ({"items": 3}, "bad_document"),
    ],
)
def test_a_bad_purchase_is_refused(changed: dict[str, object], reason: str) -> None:
    assert refusal(ga4_request(ga4_purchase(**changed))).reason == reason
