"""Records in any dialect → canonical event JSON, in bulk."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import msgspec

from stream.domain.config import Dialect, TopicDialect
from stream.domain.events import DeadLetter, Outcome
from stream.wire.checks import Problem, event_decoder, problem, undecodable
from stream.wire.dialects.canonical import (
    BAD_DOCUMENT,
    NO_HEADERS,
    DialectConfig,
    Headers,
    Translated,
)
from stream.wire.dialects.cloudevents import CloudEvents
from stream.wire.dialects.detect import CANONICAL_TYPES, by_headers, by_shape
from stream.wire.dialects.ga4 import Ga4
from stream.wire.dialects.segment import Segment
from stream.wire.dialects.shopify import Shopify
from stream.wire.dialects.woocommerce import WooCommerce

#: The reason of a record in another dialect than its topic's.
OTHER_DIALECT = "other_dialect"

RawHeaders: TypeAlias = Sequence[tuple[str, bytes | None]]
#: Gives the headers of the record at a place of a chunk.
HeadersOf: TypeAlias = Callable[[int], RawHeaders]


class _Type(msgspec.Struct, gc=False):
    type: msgspec.Raw = msgspec.Raw()


class _Dialect(Protocol):
    def translate(self, value: bytes, headers: Headers) -> Translated: ...


class Translation(NamedTuple):
    """Canonical event JSON, and what could not be translated.

    ``places`` gives the place of the record each value came from, ascending; a record of several
    events stands there several times. Records of no dialect pass as they are: the canonical
    decoder says what they are, or what is wrong with them.
    """

    values: list[bytes | None]
    places: list[int]
    refused: list[DeadLetter]
    #: Records in a dialect.
    recognised: int


class Translator:
    """Translates with one configuration."""

    def __init__(self, config: DialectConfig) -> None:
        self._dialects: Mapping[Dialect, _Dialect] = {
            "segment": Segment(config),
            "shopify": Shopify(config),
            "woocommerce": WooCommerce(config),
            "ga4": Ga4(config),
            "cloudevents": CloudEvents(config, self._inside),
        }
        self._encode = msgspec.json.Encoder().encode
        self._dimensions = len(config.dimensions)
        self._decode_type = msgspec.json.Decoder(_Type).decode
        self._decode_canonical = event_decoder(config.dimensions).decode

    def translate_chunk(
        self,
        values: Sequence[bytes | None],
        headers: HeadersOf | None = None,
        setting: TopicDialect = "auto",
        only: Container[int] | None = None,
    ) -> Translation:
        """Translate the values of a chunk.

        Args:
            values: the records' values.
            headers: gives the headers of the record at a place.
            setting: the topic's; with one dialect named, records in another are refused.
            only: the places to look at; records elsewhere pass as they are.
        """
        translated: list[bytes | None] = []
        places: list[int] = []
        refused: list[DeadLetter] = []
        recognised = 0
        for place, value in enumerate(values):
            found = None
            if value is not None and (only is None or place in only):
                known = NO_HEADERS if headers is None else lower_case(headers(place))
                found = self.translate(value, known, setting)
            if found is None:
                translated.append(value)
                places.append(place)
                continue
            recognised += 1
            if isinstance(found, Problem):
                refused.append(DeadLetter(place, Outcome.REJECTED, *found))
            else:
                translated += found
                places += [place] * len(found)
        return Translation(translated, places, refused, recognised)

    def translate(
        self, value: bytes, headers: Headers = NO_HEADERS, setting: TopicDialect = "auto"
    ) -> list[bytes] | Problem | None:
        """The canonical events of one record, or why there are none; None when in no dialect."""
        if setting == "canonical":
            return None
        dialect = by_headers(headers) if headers else None
        named = dialect is not None
        if dialect is None:
            dialect = by_shape(value)
        if dialect is None:
            return None
        # These two may enclose anything; in the others no document is a canonical event too.
        if (named or dialect == "cloudevents") and self._is_canonical(value):
            return None
        if setting not in ("auto", dialect):
            return Problem(OTHER_DIALECT, f"is in {dialect}, and its topic is set to {setting}")
        found = self._translated(dialect, value, headers)
        if isinstance(found, Problem):
            return found
        return [event if isinstance(event, bytes) else self._encode(event) for event in found]

    def _is_canonical(self, value: bytes) -> bool:
        """Whether a record is good as it is, whatever its headers say."""
        try:
            if bytes(self._decode_type(value).type) not in CANONICAL_TYPES:
                return False
            return problem(self._decode_canonical(value), self._dimensions) is None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False

    def _translated(self, dialect: Dialect, value: bytes, headers: Headers) -> Translated:
        try:
            return self._dialects[dialect].translate(value, headers)
        except msgspec.ValidationError as error:
            return Problem(BAD_DOCUMENT, f"{dialect}: {undecodable(error).detail}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return undecodable(error)

    def _inside(self, data: bytes, headers: Headers) -> Translated | None:
        """Data of a CloudEvent; its own headers said what it is already."""
        rest = {name: text for name, text in headers.items() if not name.startswith("ce_")}
        dialect = by_headers(rest) or by_shape(data)
        if dialect == "cloudevents":
            return Problem(BAD_DOCUMENT, "a CloudEvent inside a CloudEvent")
        return None if dialect is None else self._translated(dialect, data, rest)


def lower_case(headers: RawHeaders) -> Headers:
    """Headers by their names in lower case; of several of a name the last."""
    if not headers:
        return NO_HEADERS
    return {
        name.lower(): value.decode("utf-8", "replace")
        for name, value in headers
        if value is not None
    }
