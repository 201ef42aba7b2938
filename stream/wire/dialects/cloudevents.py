"""CloudEvents 1.0: an envelope round a canonical event or a document of another dialect.

Format: CNCF, "CloudEvents 1.0.2: JSON event format" (structured mode) and "Kafka protocol
binding" (binary mode: the attributes are headers with the prefix ``ce_``, the value is the data).
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping

import msgspec

from stream.domain.config import EVENT_TYPES, EventType
from stream.wire.checks import Problem
from stream.wire.dialects.canonical import (
    BAD_DOCUMENT,
    DialectConfig,
    Headers,
    Scalar,
    Translated,
    not_used,
)

NAMES: Mapping[str, EventType] = {name: name for name in EVENT_TYPES}
VERSION_HEADER = "ce_specversion"
_VERSION = re.compile(r"\.?v[0-9]+(\.[0-9]+)*$", re.IGNORECASE)

#: Translates data of another dialect; None when it is of none.
Inner = Callable[[bytes, Headers], Translated | None]


class _Envelope(msgspec.Struct, gc=False):
    type: str
    time: Scalar = None
    data: msgspec.Raw = msgspec.Raw()
    data_base64: str | None = None


class CloudEvents:
    """Opens envelopes, and hands what is inside to the other dialects."""

    def __init__(self, config: DialectConfig, inner: Inner) -> None:
        self._names = config.event_types(NAMES)
        self._inner = inner
        self._decode = msgspec.json.Decoder(_Envelope).decode
        self._decode_data = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

    def translate(self, value: bytes, headers: Headers) -> Translated:
        """The events of one envelope.

        Raises:
            msgspec.ValidationError: when a field has the wrong shape.
        """
        if VERSION_HEADER in headers:
            time = headers.get("ce_time")
            return self._of_data(headers.get("ce_type", ""), time, value, headers)
        envelope = self._decode(value)
        data = bytes(envelope.data)
        if not data and envelope.data_base64 is not None:
            try:
                data = b64decode(envelope.data_base64, validate=True)
            except ValueError:
                return Problem(BAD_DOCUMENT, "data_base64 is not base64")
        if not data:
            return not_used(f"a CloudEvent of type {envelope.type!r} without data")
        return self._of_data(envelope.type, envelope.time, data, headers)

    def _of_data(self, name: str, time: Scalar, data: bytes, headers: Headers) -> Translated:
        inner = self._inner(data, headers)
        if inner is not None:
            return inner
        event = self._decode_data(data)
        event_type = self._event_type(name)
        if event_type is not None:
            event["type"] = msgspec.Raw(f'"{event_type}"'.encode())
        elif bytes(event.get("type", b"")).strip(b'"').decode() not in EVENT_TYPES:
            return not_used(f"a CloudEvent of type {name!r}")
        if time is not None:
            event.setdefault("occurred_at", msgspec.Raw(msgspec.json.encode(time)))
        return [msgspec.json.encode(event)]

    def _event_type(self, name: str) -> EventType | None:
        """By the whole name, else by its last part: ``com.example.shop.purchase.v2``."""
        folded = name.casefold()
        known = self._names.get(folded)
        if known is not None:
            return known
        return self._names.get(_VERSION.sub("", folded).rpartition(".")[2])
