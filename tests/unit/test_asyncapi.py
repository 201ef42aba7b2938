"""The AsyncAPI document: its schemas and the decoder take and refuse the same events."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from jsonschema import Draft7Validator

from stream.settings import load_settings
from tests.support.bad_events import BAD, UNUSUAL

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = cast(
    "dict[str, Any]", yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
)
SCHEMAS = DOCUMENT["components"]["schemas"]
EXAMPLES = [
    line
    for block in re.findall(
        r"^```json events\n(.*?)^```$",
        (DOCS / "events.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    for line in block.splitlines()
]
TYPES = ("purchase", "signup", "return", "cancellation", "erasure")
#: Refused for what a schema cannot say, as the document's own description tells.
NOT_SAYABLE = frozenset(
    [
        # The calendar and the clock.
        "a leap second",
        "month 13",
        "February 30",
        "hour 24",
        "before 1970",
        "time 1e300",
        "time 1e400",
        "time of 400 digits",
        "the year 9999",
        "over a day ahead",
        "beyond the horizon",
        "the epoch",
        # A currency's digits, and which currencies there are.
        "a tenth of a penny",
        "half a yen",
        "a thousand billion and a cent",
        "a huge amount of four digits",
        "an unknown currency",
        # Texts that only configured dimensions bound.
        "an attribute of another type",
        "an attribute of attributes",
        "an attribute of 129 characters",
        "a megabyte of attribute",
        "a bad attribute of a signup",
        # More digits than the id's text may have.
        "an order id of 257 digits",
        # JSON twice, or odder than json.loads minds.
        "a lone surrogate",
    ]
)


def accepts(event: object) -> bool:
    """Whether the schema of the event's own type takes it."""
    event_type = event.get("type") if isinstance(event, dict) else None
    if event_type not in TYPES:
        return False
    schema = {"$ref": f"#/components/schemas/{event_type}", "components": DOCUMENT["components"]}
    return bool(Draft7Validator(schema).is_valid(event))


def parsed(value: bytes | None) -> object:
    """The JSON of a record; None when it is none."""
    try:
        return cast("object", json.loads(value.decode() if value else "null", parse_constant=int))
    except (ValueError, RecursionError):
        return None


def references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [ref for inner in part.values() for ref in references(inner)]
    return [ref for inner in part for ref in references(inner)] if isinstance(part, list) else []


def test_every_reference_leads_somewhere() -> None:
    found = references(DOCUMENT)
    assert len(found) > 35
    for reference in found:
        part: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            assert step in part, reference
            part = part[step]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[name])


def test_the_channels_are_the_topics() -> None:
    settings = load_settings({})
    addresses = {name: channel["address"] for name, channel in DOCUMENT["channels"].items()}
    assert addresses == {
        "purchases": settings.topic_purchases,
        "signups": settings.topic_signups,
        "returns": settings.topic_returns,
        "rerouted": settings.topic_rerouted,
        "deadLetters": settings.topic_dead_letters,
        "lifecycle": settings.topic_lifecycle,
    }
    read = {
        operation["channel"]["$ref"].rpartition("/")[2]
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == "receive"
    }
    assert {addresses[name] for name in read} == set(settings.engine_config().topics)


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_event_shown_is_taken(line: str) -> None:
    assert accepts(json.loads(line))


@pytest.mark.parametrize("value", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_every_unusual_event_that_counts_is_taken(value: bytes) -> None:
    assert accepts(parsed(value))


@pytest.mark.parametrize("name", BAD)
def test_what_the_worker_refuses_is_refused_wherever_a_schema_can_say_so(name: str) -> None:
    value, _ = BAD[name]
    assert accepts(parsed(value)) == (name in NOT_SAYABLE)
