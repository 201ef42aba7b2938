"""Records in any dialect → canonical event JSON, in bulk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from stream.domain.events import DeadLetter, Outcome
from stream.wire.checks import Problem, undecodable
from stream.wire.dialects.canonical import (
    BAD_DOCUMENT,
    NO_HEADERS,
    DialectConfig,
    Headers,
    Translated,
)
from stream.wire.dialects.cloudevents import CloudEvents
from stream.wire.dialects.detect import DIALECTS, Dialect, dialect_of
from stream.wire.dialects.ga4 import Ga4
from stream.wire.dialects.segment import Segment
from stream.wire.dialects.shopify import Shopify
from stream.wire.dialects.woocommerce import WooCommerce

#: What a topic's setting may say: told apart record by record, no dialect at all, or one only.
Setting: TypeAlias = Literal["auto", "canonical"] | Dialect
SETTINGS: tuple[Setting, ...] = ("auto", "canonical", *DIALECTS)
#: The reason of a record in another dialect than its topic's.
OTHER_DIALECT = "other_dialect"

RawHeaders: TypeAlias = Sequence[tuple[str, bytes | None]]


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

    def translate_chunk(
        self,
        values: Sequence[bytes | None],
        headers: Callable[[int], RawHeaders] | None = None,
        setting: Setting = "auto",
    ) -> Translation:
        """Translate the values of a chunk.

        Args:
            values: the records' values.
            headers: gives the headers of the record at a place.
            setting: the topic's; with one dialect named, records in another are refused.
        """
        translated: list[bytes | None] = []
        places: list[int] = []
        refused: list[DeadLetter] = []
        for place, value in enumerate(values):
            known = lower_case(headers(place)) if headers is not None else NO_HEADERS
            found = None if value is None else self.translate(value, known, setting)
            if found is None:
                translated.append(value)
                places.append(place)
            elif isinstance(found, Problem):
                refused.append(DeadLetter(place, Outcome.REJECTED, *found))
            else:
                translated += found
                places += [place] * len(found)
        return Translation(translated, places, refused)

    def translate(
        self, value: bytes, headers: Headers = NO_HEADERS, setting: Setting = "auto"
    ) -> list[bytes] | Problem | None:
        """The canonical events of one record, or why there are none; None when in no dialect."""
        if setting == "canonical":
            return None
        dialect = dialect_of(value, headers)
        if dialect is None:
            return None
        if setting not in ("auto", dialect):
            return Problem(OTHER_DIALECT, f"is in {dialect}, and its topic is set to {setting}")
        found = self._translated(dialect, value, headers)
        if isinstance(found, Problem):
            return found
        return [event if isinstance(event, bytes) else self._encode(event) for event in found]

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
        dialect = dialect_of(data, rest)
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
