"""WooCommerce's orders and customers, as its REST API and webhooks give them.

Format: WooCommerce, "REST API Reference v3: Order, Customer" and "Webhooks". The document is the
whole order each time it changes; its id and those of its refunds make repetitions duplicates.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from stream.wire.dialects.canonical import (
    Canonical,
    DialectConfig,
    Headers,
    Scalar,
    Translated,
    not_used,
)
from stream.wire.dialects.fields import customer, first_text, put, units

TOPIC_HEADER = "x-wc-webhook-topic"
SOURCE_HEADER = "x-wc-webhook-source"
#: Orders not placed, or not yet: WooCommerce's own reports leave them out too.
NOT_PLACED = frozenset(
    ["pending", "failed", "checkout-draft", "auto-draft", "draft", "new", "trash"]
)


class _Address(msgspec.Struct, gc=False):
    country: Scalar = None


class _Line(msgspec.Struct, gc=False):
    quantity: Scalar = None


class _Coupon(msgspec.Struct, gc=False):
    code: Scalar = None


class _Meta(msgspec.Struct, gc=False):
    key: Scalar = None
    value: object = None


class _Refund(msgspec.Struct, gc=False):
    id: Scalar = None
    total: Scalar = None


class _Link(msgspec.Struct, gc=False):
    href: str = ""


class _Links(msgspec.Struct, gc=False):
    self: list[_Link] = []


class _Document(msgspec.Struct, gc=False):
    """An order, or a customer, which has no status."""

    id: Scalar = None
    date_created_gmt: Scalar = None
    date_modified_gmt: Scalar = None
    status: str | None = None
    currency: Scalar = None
    total: Scalar = None
    customer_id: Scalar = None
    created_via: Scalar = None
    billing: _Address | None = None
    shipping: _Address | None = None
    line_items: list[_Line] | None = None
    coupon_lines: list[_Coupon] | None = None
    meta_data: list[_Meta] | None = None
    refunds: list[_Refund] | None = None
    links: _Links | None = msgspec.field(default=None, name="_links")


class WooCommerce:
    """Translates orders and customers."""

    def __init__(self, config: DialectConfig) -> None:
        self._dimensions = frozenset(config.dimensions)
        self._decode = msgspec.json.Decoder(_Document).decode

    def translate(self, value: bytes, headers: Headers) -> Translated:
        """The events of one document.

        Raises:
            msgspec.ValidationError: when a field has the wrong shape.
        """
        document = self._decode(value)
        topic = headers.get(TOPIC_HEADER, "")
        resource, _, action = topic.partition(".")
        if action == "deleted" or resource not in ("", "order", "customer"):
            return not_used(f"a WooCommerce {topic!r}")
        store = _store(document, headers)
        if document.status is None:
            return [self._signup(document, store)]
        if document.status in NOT_PLACED:
            return not_used(f"an order with the status {document.status!r}")
        buyer = None if document.customer_id in (0, "0") else customer(document.customer_id)
        if document.status == "cancelled":
            return [
                Canonical(
                    "cancellation",
                    customer_id=buyer,
                    occurred_at=_utc(document.date_modified_gmt),
                    order_id=document.id,
                    store=store,
                )
            ]
        purchase = Canonical(
            "purchase",
            customer_id=buyer,
            occurred_at=_utc(document.date_created_gmt),
            order_id=document.id,
            amount=document.total,
            currency=document.currency,
            units=units([line.quantity for line in document.line_items or ()]),
            store=store,
            attributes=self._attributes(document),
        )
        # A guest's returns have no one to belong to.
        refunds = (document.refunds or ()) if buyer is not None else ()
        return [purchase, *(_return(refund, purchase, document) for refund in refunds)]

    def _signup(self, document: _Document, store: Scalar) -> Canonical:
        return Canonical(
            "signup",
            customer_id=customer(document.id),
            occurred_at=_utc(document.date_created_gmt),
            store=store,
            attributes=self._attributes(document),
        )

    def _attributes(self, document: _Document) -> dict[str, str] | None:
        if not self._dimensions:
            return None
        found: dict[str, str] = {}
        for meta in document.meta_data or ():
            if isinstance(meta.key, str) and meta.key in self._dimensions:
                put(found, meta.key, meta.value)
        if "channel" in self._dimensions:
            put(found, "channel", document.created_via)
        if "country" in self._dimensions:
            addresses = (document.shipping, document.billing)
            put(found, "country", first_text(*(some.country for some in addresses if some)))
        if "coupon" in self._dimensions and document.coupon_lines:
            put(found, "coupon", document.coupon_lines[0].code)
        return found


def _return(refund: _Refund, order: Canonical, document: _Document) -> Canonical:
    total = refund.total
    amount = total.removeprefix("-") if isinstance(total, str) else total
    # Units are told of no refund; one that gives all the money back takes all of them back.
    whole = amount == order.amount
    return Canonical(
        "return",
        customer_id=order.customer_id,
        occurred_at=_utc(document.date_modified_gmt),
        order_id=order.order_id,
        return_id=refund.id,
        amount=amount,
        currency=order.currency,
        units=order.units if whole else 0,
        store=order.store,
    )


def _utc(time: Scalar) -> Scalar:
    """A time that its field's name says is in UTC, with the offset it leaves out."""
    return f"{time}Z" if isinstance(time, str) and not time.endswith("Z") else time


def _store(document: _Document, headers: Headers) -> str | None:
    """The shop's host, by the webhook's header or the document's link to itself."""
    links = document.links.self if document.links else []
    address = headers.get(SOURCE_HEADER) or (links[0].href if links else "")
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
