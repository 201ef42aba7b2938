"""Changes of stages as CloudEvents, and the page about them against the engine."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from jsonschema import Draft7Validator

from stream.domain import stages
from stream.engine import Engine
from stream.settings import load_settings
from stream.wire.stage_events import HEADERS
from tests.support.batches import keys_and_values
from tests.support.engines import NOW_MS, Log, ready_engine
from tests.support.kernels import KERNELS, use_kernel
from tests.support.naive import Event

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "lifecycle.md").read_text(encoding="utf-8")
DOCUMENT = cast(
    "dict[str, Any]", yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
)


@pytest.fixture(autouse=True, params=KERNELS)
def with_and_without_the_kernel(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_kernel(monkeypatch, request.param)


def block(info: str) -> list[Any]:
    found = re.search(rf"^```{info}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return [json.loads(line) for line in found[1].splitlines()]


def engine(*, clock: str = "event", events: str = "on") -> Engine:
    environ = {
        "RETENTION_CLOCK": clock,
        "RETENTION_PARTITIONS": "1",
        "RETENTION_STAGE_EVENTS": events,
    }
    return ready_engine(load_settings(environ).engine_config())


def purchase(customer: str | None, order: str, at: str, **fields: object) -> Event:
    return {
        "type": "purchase",
        "customer_id": customer,
        "order_id": order,
        "occurred_at": at,
        "amount": "1.00",
        "currency": "EUR",
        **fields,
    }


def told(log: Log) -> list[dict[str, Any]]:
    """What a flush tells; each must be an event as its schema has it."""
    log.engine.take_changes(0, NOW_MS)
    events = log.engine.take_stage_events(0)
    schema = {"$ref": "#/components/schemas/stageChange", "components": DOCUMENT["components"]}
    found = []
    for key, value in keys_and_values(events):
        assert key is not None
        assert value is not None
        event = json.loads(value)
        Draft7Validator(schema).validate(event)
        assert key.decode() == event["subject"]
        found.append(event)
    return found


@pytest.fixture
def log() -> Log:
    return Log(engine())


def test_the_example_of_the_page_is_what_is_told(log: Log) -> None:
    log.send(block("json lifecycle"))
    events = told(log)
    rows = re.findall(
        r"^\| (\w+) \| (\d{4}-\d\d-\d\d \d\d:\d\d) \| (\w*) ?\| (\w+) \|", PAGE, re.MULTILINE
    )
    assert [
        (
            event["subject"],
            datetime.fromisoformat(event["time"]).strftime("%Y-%m-%d %H:%M"),
            event["data"]["from"] or "",
            event["data"]["to"],
        )
        for event in sorted(events, key=lambda event: str(event["subject"]))
    ] == rows
    assert {event["data"]["to"] for event in events} == {
        "new", "active", "repeat", "at_risk", "lapsed", "reactivated",
    }  # fmt: skip
    (shown,) = block("json stage event")
    assert shown in events


def test_ids_and_stores_of_any_text_are_one_event(log: Log) -> None:
    who, store = 'zoë "Z" \\ \n ☃', "café / 2"
    log.send(
        [
            purchase(who, "1", "2024-01-01T10:00:00.007Z", store=store),
            purchase(None, "g", "2024-01-02T10:00:00Z"),
        ]
    )
    (event,) = told(log)
    assert event["subject"] == event["data"]["customer_id"] == who
    assert event["data"]["store"] == store
    assert event["source"] == "/stores/caf%C3%A9%20%2F%202"
    assert event["time"] == event["data"]["last_order_at"] == "2024-01-01T10:00:00.007Z"


@pytest.mark.parametrize(
    ("text", "written", "quoted"),
    [
        ('"', b'"\\""', "%22"),
        ("\\", b'"\\\\"', "%5C"),
        ("a/b c%2F", b'"a/b c%2F"', "a%2Fb%20c%252F"),
        ("\b\t\n\f\r", b'"\\b\\t\\n\\f\\r"', "%08%09%0A%0C%0D"),
        ("\x01\v\x1f\x7f", b'"\\u0001\\u000b\\u001f\x7f"', "%01%0B%1F%7F"),
        (
            "\x80é\u2028☃😀",
            '"\x80é\u2028☃😀"'.encode(),
            "%C2%80%C3%A9%E2%80%A8%E2%98%83%F0%9F%98%80",
        ),
        ("Az09-._~", b'"Az09-._~"', "Az09-._~"),
    ],
)
def test_ids_and_stores_are_escaped_no_more_than_they_must(
    log: Log, text: str, written: bytes, quoted: str
) -> None:
    log.send(
        [
            purchase(text, "1", "2024-01-01T10:00:00Z", store=text),
            purchase(None, "g", "2024-01-02T10:00:00Z"),
        ]
    )
    log.engine.take_changes(0, NOW_MS)
    ((key, event),) = keys_and_values(log.engine.take_stage_events(0))
    assert key == text.encode()
    assert event is not None
    assert b'"source":"/stores/%b","subject":%b,' % (quoted.encode(), written) in event
    assert b'"data":{"store":%b,"customer_id":%b,' % (written, written) in event


def test_customers_of_one_id_in_two_stores_have_events_of_their_own(log: Log) -> None:
    log.send(
        [
            purchase("ann", "1", "2024-01-01T10:00:00Z"),
            purchase("ann", "1", "2024-01-01T10:00:00Z", store="b"),
            purchase(None, "g", "2024-01-02T10:00:00Z"),
        ]
    )
    one, other = told(log)
    assert one["id"] != other["id"]
    assert {one["source"], other["source"]} == {"/stores/default", "/stores/b"}


def test_what_is_told_again_after_a_crash_has_the_same_id(log: Log) -> None:
    events = [purchase("ann", str(n), f"2024-01-0{n}T10:00:00Z") for n in (1, 2, 3)]
    log.send(events)
    again = Log(engine())
    again.send(events)
    assert told(log) == told(again)


def test_an_order_that_is_cancelled_after_it_was_told_is_taken_back(log: Log) -> None:
    log.send([purchase("ann", "1", "2024-01-01T10:00:00Z")])
    log.send([purchase(None, "g1", "2024-01-02T10:00:00Z")])
    assert [event["data"]["to"] for event in told(log)] == ["new"]
    cancelled = {"type": "cancellation", "customer_id": "ann", "order_id": "1"}
    log.send([{**cancelled, "occurred_at": "2024-01-03T10:00:00Z"}])
    (event,) = told(log)
    assert (event["data"]["from"], event["data"]["to"]) == ("new", None)
    assert (event["data"]["orders"], event["data"]["last_order_at"]) == (0, None)
    assert event["data"]["change"] == 2


def test_a_late_order_is_one_correction_with_the_time_it_is_about(log: Log) -> None:
    log.send([purchase("ann", "1", "2024-01-01T10:00:00Z")])
    log.send([purchase(None, "g1", "2024-05-01T10:00:00Z")])
    assert [event["data"]["to"] for event in told(log)] == ["new", "active", "at_risk"]
    log.send([purchase("ann", "2", "2024-03-20T10:00:00Z")])
    (event,) = told(log)
    assert (event["data"]["from"], event["data"]["to"]) == ("at_risk", "repeat")
    assert event["time"] == "2024-03-20T10:00:00.000Z"
    assert event["data"]["change"] == 4


def test_a_late_order_that_changes_nothing_tells_nothing(log: Log) -> None:
    log.send([purchase("ann", "1", "2024-01-01T10:00:00Z")])
    log.send([purchase("ann", "3", "2024-01-20T10:00:00Z")])
    log.send([purchase(None, "g1", "2024-01-21T10:00:00Z")])
    assert [event["data"]["to"] for event in told(log)] == ["new", "repeat"]
    log.send([purchase("ann", "2", "2024-01-15T10:00:00Z")])
    assert told(log) == []


def test_records_say_that_they_are_structured_cloudevents() -> None:
    assert dict(HEADERS)["content-type"].startswith(b"application/cloudevents+json")


def test_nothing_moves_time_but_the_clock() -> None:
    """Whoever reads totals of a time to come does not bring it about."""
    log = Log(engine(clock="wall"))
    day_ms = 86_400_000
    log.send([purchase("ann", "1", "2027-01-10T10:00:00Z")])
    first_ms = log.engine.latest_event_ms
    assert first_ms is not None
    assert log.engine.totals(first_ms + 300 * day_ms).stages == {"default": [0, 0, 0, 1, 0, 0]}
    log.engine.take_changes(0, first_ms + day_ms)
    ((_, value),) = keys_and_values(log.engine.take_stage_events(0))
    assert value is not None
    assert json.loads(value)["data"]["to"] == "new"
    assert not log.engine.has_due(0, first_ms + 30 * day_ms)
    assert log.engine.has_due(0, first_ms + 30 * day_ms + 1)


def test_of_an_erased_customer_nothing_more_is_told_and_its_past_still_counts(log: Log) -> None:
    log.send([purchase("ann", "1", "2024-01-01T10:00:00Z")])
    log.send([purchase(None, "g1", "2024-01-02T10:00:00Z")])
    assert [event["data"]["to"] for event in told(log)] == ["new"]
    erasure = {"type": "erasure", "customer_id": "ann", "occurred_at": "2024-01-03T10:00:00Z"}
    log.send_raw("returns", [json.dumps(erasure).encode()])
    log.send([purchase(None, "g2", "2025-06-01T10:00:00Z")])
    assert told(log) == []
    as_of_ms = log.engine.latest_event_ms
    assert as_of_ms is not None
    # An order of somebody who lapsed; nobody knows who.
    assert log.engine.totals(as_of_ms).stages["default"] == [0, 0, 0, 0, 1, 0]


def test_nothing_is_told_unasked_and_stages_are_counted_all_the_same() -> None:
    events = block("json lifecycle")
    asked, unasked = Log(engine()), Log(engine(events="off"))
    for log in (asked, unasked):
        log.send(events)
    assert told(asked) != []
    assert told(unasked) == []
    as_of_ms = asked.engine.latest_event_ms
    assert as_of_ms is not None
    assert unasked.engine.totals(as_of_ms).stages == asked.engine.totals(as_of_ms).stages


def test_time_alone_writes_nobody_when_nothing_is_told() -> None:
    log = Log(engine(clock="wall", events="off"))
    log.send([purchase("ann", "a-1", "2025-01-01T10:00:00Z")])
    assert log.engine.take_changes(0, NOW_MS).keys != []
    assert log.engine.take_changes(0, NOW_MS + 400 * 86_400_000).keys == []


def test_before_the_first_flush_scrapes_do_not_look_at_everybody_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = engine(clock="wall")
    Log(shop).send([purchase("ann", "1", "2026-02-01T00:00:00Z")])
    first = shop.totals(NOW_MS)
    monkeypatch.setattr(stages, "stages_at", lambda *_: pytest.fail("looked at orders again"))
    assert shop.totals(NOW_MS).stages == first.stages == {"default": [0, 0, 0, 1, 0, 0]}
