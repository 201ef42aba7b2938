"""Google Analytics 4: Measurement Protocol requests, and rows of its BigQuery export as JSON.

Format: Google, "Measurement Protocol (Google Analytics 4)" with the recommended events
``purchase``, ``refund`` and ``sign_up``, and "BigQuery Export schema".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stream.domain.config import EventType
from stream.wire.checks import Problem
from stream.wire.dialects.canonical import (
    BAD_DOCUMENT,
    Canonical,
    DialectConfig,
    Headers,
    Scalar,
    Translated,
    not_used,
)
from stream.wire.dialects.fields import (
    carrying,
    customer,
    epoch_ms,
    first,
    put,
    units,
    with_fields,
)

NAMES: Mapping[str, EventType] = {"purchase": "purchase", "refund": "return", "sign_up": "signup"}
#: What the export writes for a parameter that was not sent.
_NOT_SET = "(not set)"


class _Item(msgspec.Struct, gc=False):
    quantity: Scalar = None


class _Params(msgspec.Struct, gc=False):
    transaction_id: Scalar = None
    refund_id: Scalar = None
    value: Scalar = None
    currency: Scalar = None
    store: Scalar = None
    items: list[_Item] | None = None


class _Event(msgspec.Struct, gc=False):
    name: str
    params: _Params | None = None
    timestamp_micros: Scalar = None


class _UserLocation(msgspec.Struct, gc=False):
    country_id: Scalar = None


class _PropertyValue(msgspec.Struct, gc=False):
    value: Scalar = None


class _Request(msgspec.Struct, gc=False):
    """A request of the Measurement Protocol: up to 25 events of one user."""

    events: list[_Event]
    user_id: Scalar = None
    timestamp_micros: Scalar = None
    user_properties: dict[str, _PropertyValue] | None = None
    user_location: _UserLocation | None = None


class _Value(msgspec.Struct, gc=False):
    string_value: Scalar = None
    int_value: Scalar = None
    float_value: Scalar = None
    double_value: Scalar = None


class _Pair(msgspec.Struct, gc=False):
    key: str
    value: _Value


class _Ecommerce(msgspec.Struct, gc=False):
    transaction_id: Scalar = None
    purchase_revenue: Scalar = None
    refund_value: Scalar = None
    total_item_quantity: Scalar = None


class _Geo(msgspec.Struct, gc=False):
    country: Scalar = None


class _TrafficSource(msgspec.Struct, gc=False):
    medium: Scalar = None


class _Row(msgspec.Struct, gc=False):
    """A row of the BigQuery export: one event."""

    event_name: str
    event_timestamp: Scalar = None
    event_params: list[_Pair] | None = None
    user_id: Scalar = None
    user_properties: list[_Pair] | None = None
    ecommerce: _Ecommerce | None = None
    items: list[_Item] | None = None
    geo: _Geo | None = None
    traffic_source: _TrafficSource | None = None


class _Shape(msgspec.Struct, gc=False):
    event_name: Any = None


class Ga4:
    """Translates requests and rows."""

    def __init__(self, config: DialectConfig) -> None:
        self._names = config.event_types(NAMES)
        self._dimensions = config.dimensions
        params, self._in_params = carrying(_Params, config.dimensions)
        event = with_fields(_Event, {"params": params | None})
        request = with_fields(_Request, {"events": list[event]})  # type: ignore[valid-type] # made
        self._decode_request = msgspec.json.Decoder(request).decode
        self._decode_row = msgspec.json.Decoder(_Row).decode
        self._decode_shape = msgspec.json.Decoder(_Shape).decode

    def translate(self, value: bytes, headers: Headers) -> Translated:  # noqa: ARG002 - has none
        """The events of one request, or of one exported row.

        Raises:
            msgspec.ValidationError: when a field has the wrong shape.
        """
        if self._decode_shape(value).event_name is None:
            return self._of_request(self._decode_request(value))
        return self._of_row(self._decode_row(value))

    def _of_request(self, request: _Request) -> Translated:
        found = []
        for event in request.events:
            event_type = self._names.get(event.name.casefold())
            if event_type is not None:
                micros = first(event.timestamp_micros, request.timestamp_micros)
                params = event.params or _Params()
                made = _canonical(event_type, request.user_id, micros, params)
                made.attributes = self._request_attributes(request, event)
                found.append(made)
        if not found:
            return not_used(f"a request with {len(request.events)} other events")
        if len(found) > 1 and found[0].customer_id is None:
            # Each guest order has a partition of its own, but the request has only one.
            return Problem(BAD_DOCUMENT, "several events without a user_id in one request")
        return found

    def _of_row(self, row: _Row) -> Translated:
        event_type = self._names.get(row.event_name.casefold())
        if event_type is None:
            return not_used(f"the event {row.event_name!r}")
        sent = _values(row.event_params)
        totals = row.ecommerce or _Ecommerce()
        total = totals.purchase_revenue if event_type == "purchase" else totals.refund_value
        params = _Params(
            transaction_id=first(_set(totals.transaction_id), _set(sent.get("transaction_id"))),
            refund_id=_set(sent.get("refund_id")),
            value=first(sent.get("value"), total),
            currency=sent.get("currency"),
            store=_set(sent.get("store")),
            items=row.items,
        )
        event = _canonical(event_type, row.user_id, row.event_timestamp, params)
        if event.units is None and event_type != "signup":
            event.units = (
                units([totals.total_item_quantity]) if totals.total_item_quantity else None
            )
        found: dict[str, str] = {}
        for name in self._dimensions:
            put(found, name, sent.get(name))
        users = _values(row.user_properties)
        for name in self._dimensions:
            put(found, name, users.get(name))
        if "country" in self._dimensions and row.geo is not None:
            put(found, "country", row.geo.country)
        if "channel" in self._dimensions and row.traffic_source is not None:
            put(found, "channel", row.traffic_source.medium)
        event.attributes = found
        return [event]

    def _request_attributes(self, request: _Request, event: _Event) -> dict[str, str]:
        found: dict[str, str] = {}
        self._in_params.of(event.params, found)
        for name, held in (request.user_properties or {}).items():
            if name in self._dimensions:
                put(found, name, held.value)
        if "country" in self._dimensions and request.user_location is not None:
            put(found, "country", request.user_location.country_id)
        return found


def _canonical(
    event_type: EventType, user_id: Scalar, micros: Scalar, params: _Params
) -> Canonical:
    event = Canonical(
        event_type,
        customer_id=customer(user_id),
        occurred_at=epoch_ms(micros),
        store=params.store,
    )
    if event_type != "signup":
        event.order_id = params.transaction_id
    if event_type in ("purchase", "return"):
        event.amount = params.value
        event.currency = params.currency
        event.units = units([item.quantity for item in params.items or ()])
    if event_type == "return":
        # A refund has no id of its own: the order and the instant stand for one.
        event.return_id = first(params.refund_id, f"{params.transaction_id}@{micros}")
    return event


def _values(pairs: list[_Pair] | None) -> dict[str, Scalar]:
    """Parameters as the export lists them, by name."""
    return {
        pair.key: first(
            pair.value.string_value,
            pair.value.int_value,
            pair.value.double_value,
            pair.value.float_value,
        )
        for pair in pairs or ()
    }


def _set(value: Scalar) -> Scalar:
    return None if value == _NOT_SET else value
