"""Which dialect a document is written in, by its headers or its shape."""

from __future__ import annotations

import msgspec

from stream.domain.config import EVENT_TYPES, Dialect
from stream.wire.dialects import cloudevents, shopify, woocommerce
from stream.wire.dialects.canonical import Headers

CANONICAL_TYPES = frozenset(f'"{name}"'.encode() for name in EVENT_TYPES)
_CALLS = frozenset(
    f'"{call}"'.encode() for call in ("track", "page", "screen", "identify", "group", "alias")
)
_SHOPIFY = (b'"gid://shopify/', rb'"gid:\/\/shopify\/')
_NOTHING = msgspec.Raw()


class _Marks(msgspec.Struct, gc=False):
    """Fields that tell dialects apart; a raw value costs no more than skipping it."""

    type: msgspec.Raw = _NOTHING
    specversion: msgspec.Raw = _NOTHING
    # Segment: every call has one of these.
    userId: msgspec.Raw = _NOTHING  # noqa: N815 - the platform's spelling
    anonymousId: msgspec.Raw = _NOTHING  # noqa: N815 - likewise
    messageId: msgspec.Raw = _NOTHING  # noqa: N815 - likewise
    # Google Analytics 4: a request, a row of the export.
    events: msgspec.Raw = _NOTHING
    client_id: msgspec.Raw = _NOTHING
    app_instance_id: msgspec.Raw = _NOTHING
    user_id: msgspec.Raw = _NOTHING
    event_name: msgspec.Raw = _NOTHING
    event_timestamp: msgspec.Raw = _NOTHING
    # Shopify and WooCommerce.
    admin_graphql_api_id: msgspec.Raw = _NOTHING
    line_items: msgspec.Raw = _NOTHING
    total_price: msgspec.Raw = _NOTHING
    order_number: msgspec.Raw = _NOTHING
    refund_line_items: msgspec.Raw = _NOTHING
    date_created_gmt: msgspec.Raw = _NOTHING
    order_key: msgspec.Raw = _NOTHING
    is_paying_customer: msgspec.Raw = _NOTHING


_decode = msgspec.json.Decoder(_Marks).decode


def by_headers(headers: Headers) -> Dialect | None:
    """The dialect that a record's headers name."""
    if cloudevents.VERSION_HEADER in headers:
        return "cloudevents"
    if shopify.TOPIC_HEADER in headers:
        return "shopify"
    return "woocommerce" if woocommerce.TOPIC_HEADER in headers else None


def by_shape(value: bytes) -> Dialect | None:
    """The dialect of a document; None when it is of none, canonical or not JSON at all."""
    try:
        marks = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return _by_marks(marks)


def _by_marks(marks: _Marks) -> Dialect | None:  # noqa: PLR0911 - one return a dialect
    written_type = bytes(marks.type)
    if written_type:
        if bytes(marks.specversion):
            return "cloudevents"
        if written_type in CANONICAL_TYPES:
            return None
        if written_type in _CALLS and _any(marks.userId, marks.anonymousId, marks.messageId):
            return "segment"
    if bytes(marks.event_name) and bytes(marks.event_timestamp):
        return "ga4"
    if bytes(marks.events) and _any(marks.client_id, marks.app_instance_id, marks.user_id):
        return "ga4"
    if bytes(marks.admin_graphql_api_id).startswith(_SHOPIFY) or bytes(marks.refund_line_items):
        return "shopify"
    if bytes(marks.total_price) and bytes(marks.line_items) and bytes(marks.order_number):
        return "shopify"
    if bytes(marks.date_created_gmt) and _any(marks.order_key, marks.is_paying_customer):
        return "woocommerce"
    return None


def _any(*marks: msgspec.Raw) -> bool:
    return any(map(bytes, marks))
