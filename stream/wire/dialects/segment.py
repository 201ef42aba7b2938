"""Segment's and RudderStack's ``track`` envelope with the events of the e-commerce spec.

Format: Segment, "Spec: Track" and "V2 Ecommerce events" (Order Completed, Order Refunded, Order
Cancelled) and "B2B SaaS events" (Signed Up); RudderStack, "Event specification", is the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stream.domain.config import EventType
from stream.wire.dialects.canonical import (
    Canonical,
    DialectConfig,
    Headers,
    Scalar,
    Translated,
    not_used,
)
from stream.wire.dialects.fields import carrying, customer, first, put, units, with_fields

NAMES: Mapping[str, EventType] = {
    "Order Completed": "purchase",
    "Order Refunded": "return",
    "Order Cancelled": "cancellation",
    "Signed Up": "signup",
}


class _Product(msgspec.Struct, gc=False):
    quantity: Scalar = None


class _Location(msgspec.Struct, gc=False):
    country: Scalar = None


class _Campaign(msgspec.Struct, gc=False):
    name: Scalar = None


class _Traits(msgspec.Struct, gc=False):
    """Of the user; only the configured dimensions are read."""


class _Context(msgspec.Struct, gc=False):
    location: _Location | None = None
    campaign: _Campaign | None = None
    traits: _Traits | None = None


class _Properties(msgspec.Struct, gc=False):
    order_id: Scalar = None
    refund_id: Scalar = None
    return_id: Scalar = None
    total: Scalar = None
    revenue: Scalar = None
    value: Scalar = None
    currency: Scalar = None
    store: Scalar = None
    products: list[_Product] | None = None


class _Message(msgspec.Struct, gc=False, rename="camel"):
    type: str
    event: str | None = None
    user_id: Scalar = None
    message_id: Scalar = None
    timestamp: Scalar = None
    original_timestamp: Scalar = None
    sent_at: Scalar = None
    received_at: Scalar = None
    channel: Scalar = None
    properties: _Properties | None = None
    context: _Context | None = None


_NO_PROPERTIES = _Properties()


class Segment:
    """Translates messages; only ``track`` calls of events with known names are used."""

    def __init__(self, config: DialectConfig) -> None:
        self._names = config.event_types(NAMES)
        self._dimensions = frozenset(config.dimensions)
        properties, self._in_properties = carrying(_Properties, config.dimensions)
        traits, self._in_traits = carrying(_Traits, config.dimensions)
        context = with_fields(_Context, {"traits": traits | None})
        message = with_fields(
            _Message, {"properties": properties | None, "context": context | None}
        )
        self._decode = msgspec.json.Decoder(message).decode

    def translate(self, value: bytes, headers: Headers) -> Translated:  # noqa: ARG002 - has none
        """The event of one message.

        Raises:
            msgspec.ValidationError: when a field has the wrong shape.
        """
        message = self._decode(value)
        if message.type != "track" or message.event is None:
            return not_used(f"a call of {message.type!r}")
        event_type = self._names.get(message.event.casefold())
        if event_type is None:
            return not_used(f"the event {message.event!r}")
        properties = message.properties or _NO_PROPERTIES
        event = Canonical(
            event_type,
            customer_id=customer(message.user_id),
            occurred_at=first(
                message.timestamp,
                message.original_timestamp,
                message.sent_at,
                message.received_at,
            ),
            store=properties.store,
        )
        if event_type != "signup":
            event.order_id = properties.order_id
        if event_type in ("purchase", "return"):
            event.amount = first(properties.total, properties.revenue, properties.value)
            event.currency = properties.currency
            event.units = units([product.quantity for product in properties.products or ()])
        if event_type == "return":
            # Two refunds of one order are two returns; a repeated delivery keeps its message id.
            event.return_id = first(
                properties.return_id, properties.refund_id, message.message_id, properties.order_id
            )
        if self._dimensions and event_type in ("purchase", "signup"):
            event.attributes = self._attributes(message)
        return [event]

    def _attributes(self, message: _Message) -> dict[str, str]:
        found: dict[str, str] = {}
        self._in_properties.of(message.properties, found)
        context = message.context
        if context is not None:
            self._in_traits.of(context.traits, found)
            if context.location is not None and "country" in self._dimensions:
                put(found, "country", context.location.country)
            if context.campaign is not None and "campaign" in self._dimensions:
                put(found, "campaign", context.campaign.name)
        if "channel" in self._dimensions:
            put(found, "channel", message.channel)
        return found
