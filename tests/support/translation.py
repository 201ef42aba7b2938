"""Documents through the translator, read as the worker reads what comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from stream.wire.checks import Problem, event_decoder, problem, undecodable
from stream.wire.dialects.canonical import DialectConfig
from stream.wire.dialects.translator import Translator
from tests.support.dialect_documents import Document
from tests.support.naive import Event

DIMENSIONS = ("channel", "country", "coupon", "variant", "plan", "tier", "campaign")
DECODER = event_decoder(DIMENSIONS)
TRANSLATOR = Translator(DialectConfig(DIMENSIONS))


def refusal(
    document: object, headers: Mapping[str, str] | None = None, translator: Translator = TRANSLATOR
) -> Problem:
    """Why a document is refused, by its dialect or by the rules of canonical events."""
    found = translator.translate(_bytes(document), headers or {})
    assert found is not None, "of no dialect"
    if isinstance(found, Problem):
        return found
    (refused,) = filter(None, map(_canonical_problem, found))
    return refused


def events_of(
    document: object, headers: Mapping[str, str] | None = None, translator: Translator = TRANSLATOR
) -> list[Event]:
    """The canonical events of a document, each of them good."""
    found = translator.translate(_bytes(document), headers or {})
    assert isinstance(found, list), found
    assert list(filter(None, map(_canonical_problem, found))) == []
    return [json.loads(event) for event in found]


def event_of(document: Document, headers: Mapping[str, str] | None = None) -> Event:
    """The only canonical event of a document."""
    (event,) = events_of(document, headers)
    return event


def _canonical_problem(event: bytes) -> Problem | None:
    try:
        return problem(DECODER.decode(event), len(DIMENSIONS))
    except msgspec.DecodeError as error:
        return undecodable(error)


def _bytes(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()
