"""Shopify's webhooks of orders, refunds and customers.

Format: Shopify, "Admin REST API: Order, Refund, Customer", whose JSON the webhooks carry. An
order's document is the whole order each time, so it gives the order and all its refunds again
and again; their ids make all but the first duplicates.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from stream.wire.checks import Problem
from stream.wire.dialects.canonical import (
    Canonical,
    DialectConfig,
    Headers,
    Scalar,
    Translated,
    not_used,
)
from stream.wire.dialects.fields import customer, first, first_text, money, put, units

TOPIC_HEADER = "x-shopify-topic"
SHOP_HEADER = "x-shopify-shop-domain"
#: Transactions of a refund that moved no money.
_WITHOUT_MONEY = ("failure", "error")


class _Address(msgspec.Struct, gc=False):
    country_code: Scalar = None


class _Customer(msgspec.Struct, gc=False):
    id: Scalar = None
    created_at: Scalar = None
    default_address: _Address | None = None


class _Line(msgspec.Struct, gc=False):
    quantity: Scalar = None


class _Transaction(msgspec.Struct, gc=False):
    kind: Scalar = None
    status: Scalar = None
    amount: Scalar = None
    currency: Scalar = None


class _Refund(msgspec.Struct, gc=False):
    id: Scalar = None
    order_id: Scalar = None
    created_at: Scalar = None
    processed_at: Scalar = None
    currency: Scalar = None
    refund_line_items: list[_Line] | None = None
    transactions: list[_Transaction] | None = None
    #: Not Shopify's: whoever forwards the webhook may add whose order it was.
    customer: _Customer | None = None


class _Code(msgspec.Struct, gc=False):
    code: Scalar = None


class _Note(msgspec.Struct, gc=False):
    name: Scalar = None
    value: Scalar = None


class _Order(msgspec.Struct, gc=False):
    id: Scalar = None
    customer: _Customer | None = None
    created_at: Scalar = None
    processed_at: Scalar = None
    cancelled_at: Scalar = None
    test: Scalar = None
    total_price: Scalar = None
    currency: Scalar = None
    source_name: Scalar = None
    shipping_address: _Address | None = None
    billing_address: _Address | None = None
    discount_codes: list[_Code] | None = None
    note_attributes: list[_Note] | None = None
    line_items: list[_Line] | None = None
    refunds: list[_Refund] | None = None


class _Shape(msgspec.Struct, gc=False):
    id: Scalar = None
    admin_graphql_api_id: Scalar = None
    line_items: msgspec.Raw = msgspec.Raw()
    total_price: Scalar = None
    refund_line_items: msgspec.Raw = msgspec.Raw()


class Shopify:
    """Translates webhooks' documents."""

    def __init__(self, config: DialectConfig) -> None:
        self._dimensions = frozenset(config.dimensions)
        self._decode_shape = msgspec.json.Decoder(_Shape).decode
        self._decode_order = msgspec.json.Decoder(_Order).decode
        self._decode_refund = msgspec.json.Decoder(_Refund).decode
        self._decode_customer = msgspec.json.Decoder(_Customer).decode

    def translate(self, value: bytes, headers: Headers) -> Translated:
        """The events of one document.

        Raises:
            msgspec.ValidationError: when a field has the wrong shape.
        """
        kind = _kind(self._decode_shape(value), headers)
        store = headers.get(SHOP_HEADER)
        if kind == "Order":
            return self._of_order(self._decode_order(value), store)
        if kind == "Refund":
            refund = self._decode_refund(value)
            if refund.customer is None or refund.customer.id is None:
                return Problem(
                    "missing_field",
                    "a Shopify refund names no customer: send orders/updated, which has the "
                    "order's refunds, or add customer.id",
                )
            return [_return(refund, customer(refund.customer.id), store, refund.currency)]
        if kind == "Customer":
            return [self._signup(self._decode_customer(value), store)]
        return not_used(f"a Shopify {kind!r}")

    def _of_order(self, order: _Order, store: str | None) -> Translated:
        if order.test is True:
            return not_used("a test order")
        buyer = None if order.customer is None else customer(order.customer.id)
        if order.cancelled_at is not None:
            # As if never placed, so its refunds give nothing back either.
            return [
                Canonical(
                    "cancellation",
                    customer_id=buyer,
                    occurred_at=order.cancelled_at,
                    order_id=order.id,
                    store=store,
                )
            ]
        purchase = Canonical(
            "purchase",
            customer_id=buyer,
            occurred_at=first(order.processed_at, order.created_at),
            order_id=order.id,
            amount=order.total_price,
            currency=order.currency,
            units=units([line.quantity for line in order.line_items or ()]),
            store=store,
            attributes=self._attributes(order),
        )
        # A guest's returns have no one to belong to.
        refunds = (order.refunds or ()) if buyer is not None else ()
        return [purchase, *(_return(refund, buyer, store, order.currency) for refund in refunds)]

    def _attributes(self, order: _Order) -> dict[str, str] | None:
        if not self._dimensions:
            return None
        found: dict[str, str] = {}
        for note in order.note_attributes or ():
            if isinstance(note.name, str) and note.name in self._dimensions:
                put(found, note.name, note.value)
        if "channel" in self._dimensions:
            put(found, "channel", order.source_name)
        if "country" in self._dimensions:
            home = None if order.customer is None else order.customer.default_address
            put(found, "country", _country(order.shipping_address, order.billing_address, home))
        if "coupon" in self._dimensions and order.discount_codes:
            put(found, "coupon", order.discount_codes[0].code)
        return found

    def _signup(self, person: _Customer, store: str | None) -> Canonical:
        found: dict[str, str] = {}
        if "country" in self._dimensions:
            put(found, "country", _country(person.default_address))
        return Canonical(
            "signup",
            customer_id=customer(person.id),
            occurred_at=person.created_at,
            store=store,
            attributes=found,
        )


def _kind(shape: _Shape, headers: Headers) -> str:
    """What the document is of: Order, Refund, Customer, or something else by its name."""
    resource, _, action = headers.get(TOPIC_HEADER, "").partition("/")
    if resource:
        # What is deleted says its id alone; an edit is told in another form.
        whole = action not in ("delete", "edited", "redact")
        known = {"orders": "Order", "refunds": "Refund", "customers": "Customer"}.get(resource)
        return known if known and whole else f"{resource}/{action}"
    if isinstance(shape.admin_graphql_api_id, str):
        return shape.admin_graphql_api_id.removeprefix("gid://shopify/").partition("/")[0]
    if bytes(shape.refund_line_items):
        return "Refund"
    return "Order" if shape.total_price is not None and bytes(shape.line_items) else "document"


def _return(refund: _Refund, buyer: Scalar, store: str | None, currency: Scalar) -> Canonical:
    paid_back = [
        paid
        for paid in refund.transactions or ()
        if paid.kind == "refund" and paid.status not in _WITHOUT_MONEY
    ]
    return Canonical(
        "return",
        customer_id=buyer,
        occurred_at=first(refund.processed_at, refund.created_at),
        order_id=refund.order_id,
        return_id=refund.id,
        amount=money(paid.amount for paid in paid_back),
        currency=first(*(paid.currency for paid in paid_back), currency),
        # Money alone may be given back, as for a late parcel.
        units=units([line.quantity for line in refund.refund_line_items or ()]) or 0,
        store=store,
    )


def _country(*addresses: _Address | None) -> Scalar:
    return first_text(*_codes(addresses))


def _codes(addresses: Iterable[_Address | None]) -> Iterable[Scalar]:
    return (None if address is None else address.country_code for address in addresses)
