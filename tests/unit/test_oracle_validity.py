"""Which events are usable, and what their values mean."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stream.tools.oracle import recompute
from tests.support.event_lines import (
    DAY_MS,
    NOW_MS,
    cancellation,
    day_ms,
    gauges_of,
    parameters,
    product_return,
    purchase,
    signup,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.event_lines import Event

AS_OF_60 = parameters("30d", as_of_day=60, dimensions=("channel",))


def without(event: Event, field: str) -> Event:
    return {name: value for name, value in event.items() if name != field}


def line(**fields: object) -> Event:
    """A purchase on day 50 with these fields in place of its own."""
    return purchase("c", 50, **fields)


def text_line(field: str, json_text: str) -> str:
    """The same with a field's JSON written out."""
    return json.dumps(line(**{field: "HERE"})).replace('"HERE"', json_text)


USABLE: list[Event | str] = [
    line(occurred_at="2024-02-20T00:00:00Z"),
    line(occurred_at="2024-02-20t01:02:03.123456789z"),
    line(occurred_at="2024-02-20 01:02:03-11:30"),
    line(occurred_at=day_ms(50) / 1000),
    line(occurred_at=day_ms(50) // 1000),
    line(occurred_at=NOW_MS + DAY_MS),
    line(order_id=12345678901234567890123),
    line(order_id=-5),
    line(order_id="x" * 256),
    line(order_id="é" * 256),
    line(amount="0"),
    line(amount="12.3"),
    line(amount="12.3400"),
    line(amount=12.34),
    line(amount=0.1 + 0.2),
    line(amount="1000", currency="JPY"),
    line(amount="1.00", currency="JPY"),
    line(amount="1.234", currency="KWD"),
    line(amount="1.2345", currency="CLF"),
    line(amount="1000000000000.00"),
    text_line("amount", "1e2"),
    line(units=0),
    line(units=3.0),
    text_line("units", "1e2"),
    line(units=2**32 - 1),
    line(units=None),
    line(store="s" * 128),
    line(store=None),
    line(attributes={}),
    line(attributes=None),
    line(attributes={"channel": "web", "note": None, "empty": "", "long": "x" * 128}),
    line(attributes={"not a dimension": True, "nor this": "x" * 1000}),
    line(customer_id=None),
    line(customer_id="x" * 256),
    line(unknown_field={"any": ["thing"]}),
    without(line(), "customer_id"),
    signup("c", 50),
    signup("c", 51, amount="not looked at", order_id=None),
    product_return("c", 50, order_id=None),
    product_return("c", 50, order_id="x" * 257, return_id=8),
    product_return("c", 50, order_id="1", return_id=7),
    cancellation("c", 77, 50),
    "  " + json.dumps(line()) + "\t\r",
    json.dumps(line()).replace(", ", ",\t"),
    json.dumps(line()).replace('"type": "purchase"', '"type": "nothing", "type": "purchase"'),
]

REJECTED: list[Event | str] = [
    "not JSON",
    "[]",
    '"purchase"',
    "{}",
    json.dumps(line())[:-1] + ",}",
    json.dumps(line()) + "}",
    "\ufeff" + json.dumps(line()),
    text_line("extra", "NaN"),
    text_line("extra", "01"),
    text_line("customer_id", '"\\ud800"'),
    text_line("type", '"purchase", "type": "nothing"'),
    line(type="order"),
    line(type=None),
    line(type=["purchase"]),
    without(line(), "type"),
    without(line(), "occurred_at"),
    line(occurred_at=None),
    line(occurred_at=True),
    line(occurred_at="yesterday"),
    line(occurred_at="2024-02-20"),
    line(occurred_at="2024-02-20T00:00:00"),
    line(occurred_at="2024-02-30T00:00:00Z"),
    line(occurred_at="2024-02-20T24:00:00Z"),
    line(occurred_at="2024-02-20T00:00:60Z"),
    line(occurred_at="2024-02-20T00:00:00+24:00"),
    line(occurred_at="2024-02-20T00:00:00+0100"),
    line(occurred_at="2024-02-20T00:00:00.Z"),
    line(occurred_at="2024-02-20T00:00:00Z "),
    line(occurred_at=str(day_ms(50))),
    line(occurred_at=-1),
    line(occurred_at="1969-12-31T23:59:59Z"),
    text_line("occurred_at", "1e400"),
    line(occurred_at=NOW_MS + DAY_MS + 1),
    without(line(), "order_id"),
    line(order_id=""),
    line(order_id=None),
    line(order_id=1.0),
    line(order_id=True),
    line(order_id="x" * 257),
    line(order_id="a\0b"),
    product_return("c", 50, return_id="a\0b"),
    line(amount="-1"),
    line(amount="+1"),
    line(amount="1."),
    line(amount=".5"),
    line(amount="1e2"),
    line(amount=" 1"),
    line(amount="1,00"),
    line(amount=""),
    line(amount="\u0661"),
    line(amount="12.345"),
    line(amount="1.5", currency="JPY"),
    line(amount=-0.01),
    line(amount=True),
    line(amount=None),
    line(amount="1000000000000.01"),
    line(amount=1e300),
    without(line(), "amount"),
    without(line(), "currency"),
    line(currency="eur"),
    line(currency="XYZ"),
    line(currency="XAU"),
    line(currency=978),
    line(units=-1),
    line(units=2**32),
    line(units=1.5),
    line(units="1"),
    line(units=True),
    line(store=""),
    line(store="s" * 129),
    line(store=1),
    line(store="a\0b"),
    line(attributes=[]),
    line(attributes="web"),
    line(attributes={"channel": 1}),
    line(attributes={"channel": {"deep": "x"}}),
    line(attributes={"channel": "x" * 129}),
    line(customer_id=""),
    line(customer_id=7),
    line(customer_id="x" * 257),
    line(customer_id="a\0b"),
    without(signup("c", 50), "customer_id"),
    signup("c", 50, customer_id=None),
    signup("c", 50, attributes={"channel": 1}),
    without(product_return("c", 50), "customer_id"),
    without(product_return("c", 50), "return_id"),
    without(product_return("c", 50), "amount"),
    without(product_return("c", 50), "currency"),
    product_return("c", 50, units=-1),
    product_return("c", 50, order_id=1.5),
    signup("c", 50, units="1"),
    signup("c", 50, currency=978),
    product_return("c", 50, attributes=[]),
    line(amount="0" * 19),
    without(cancellation("c", "1", 50), "order_id"),
    without(cancellation("c", "1", 50), "customer_id"),
]


def misjudged(tmp_path: Path, events: list[Event | str], wanted: set[str]) -> list[Event | str]:
    """The events that become something else; one by one only when there are any."""
    given = parameters("30d", as_of_day=60, horizon_days=10_000, dimensions=("channel",))

    def right(several: list[Event | str]) -> bool:
        judged = gauges_of(tmp_path, several, given).outcomes
        return judged.keys() <= wanted and sum(judged.values()) == len(several)

    return [] if right(events) else [event for event in events if not right([event])] or events


def test_every_usable_form_of_an_event_is_used(tmp_path: Path) -> None:
    assert misjudged(tmp_path, USABLE, {"applied", "guest"}) == []


def test_an_unusable_event_is_rejected(tmp_path: Path) -> None:
    assert misjudged(tmp_path, REJECTED, {"rejected"}) == []


def test_rejected_events_are_counted_and_nothing_else_of_them_is(tmp_path: Path) -> None:
    events = [purchase("other", 50), *REJECTED, "", "  "]
    gauges = gauges_of(tmp_path, events, AS_OF_60)
    assert gauges.outcomes == {"applied": 1, "rejected": len(REJECTED)}
    assert gauges.recomputed.events == 1 + len(REJECTED)
    assert gauges.value("orders", "30d") == 1


def test_a_line_that_is_not_utf_8_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(json.dumps(line()).encode().replace(b'"c"', b'"\xff"') + b"\n")
    assert recompute([path], AS_OF_60).outcomes["rejected"] == 1


def test_amounts_are_held_in_minor_units(tmp_path: Path) -> None:
    cases: list[tuple[object, str, float]] = [
        (0.125, "EUR", 0.12),  # half to even
        (0.375, "EUR", 0.38),
        (2.675, "EUR", 2.68),  # at its shortest decimal form, not at its binary value
        (0.12500000000000003, "EUR", 0.13),
        (19.989999999999998, "EUR", 19.99),
        (2.5, "JPY", 2),
        (3.5, "JPY", 4),
        (1e-7, "EUR", 0),
        (1.2345, "KWD", 1.234),
        (5, "EUR", 5),
        ("007.10", "EUR", 7.1),
    ]
    events = [
        line(amount=amount, currency=currency, store=str(number))
        for number, (amount, currency, _) in enumerate(cases)
    ]
    gauges = gauges_of(tmp_path, events, AS_OF_60)
    for number, (amount, currency, major) in enumerate(cases):
        held = gauges.value("revenue", "30d", kind="gross", currency=currency, store=str(number))
        assert held == major, amount


@pytest.mark.parametrize(
    ("occurred_at", "ms"),
    [
        ("2024-02-20T00:00:00.9999Z", 1708387200999),
        ("2024-02-20T00:00:00.5Z", 1708387200500),
        ("2024-02-20T01:30:00+01:30", 1708387200000),
        ("2024-02-19T23:30:00-00:30", 1708387200000),
        (1708387200.0005, 1708387200000),  # half a millisecond to the even one
        (1708387200.0016, 1708387200002),
        (1708387200000.5, 1708387200000),
        (1708387200001.5, 1708387200002),
        (100_000_000_000, 100_000_000_000_000),  # not above 1e11: seconds, in the year 5138
    ],
)
def test_event_times_are_whole_milliseconds(tmp_path: Path, occurred_at: object, ms: int) -> None:
    given = replace(parameters("30d"), now_ms=10**14)
    gauges = gauges_of(tmp_path, [line(occurred_at=occurred_at)], given)
    assert gauges.recomputed.as_of_ms == ms
