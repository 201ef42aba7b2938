"""Rules for one event: the slow check names what the fast one refuses, and only that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.wire.checks import event_decoder, problem, undecodable
from stream.wire.event_json import EventDecoder
from tests.support.engines import encoded

if TYPE_CHECKING:
    from tests.support.naive import Event

DIMENSIONS = ("channel",)
ODD_TEXT = st.sampled_from(("", "x", "\0", "x" * 128, "x" * 129, "x" * 257))
#: Fields of the right type, and all too often of the wrong value.
EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(("purchase", "signup", "return", "cancellation")),
        "occurred_at": st.sampled_from((5, 1e12, "1970-01-01T00:00:00Z", "", -1, 1e300, 10**17)),
    },
    optional={
        "customer_id": ODD_TEXT | st.none(),
        "order_id": ODD_TEXT | st.none() | st.sampled_from((5, 10**256, 10**300)),
        "return_id": ODD_TEXT | st.none(),
        "amount": st.sampled_from(("1", "1.2.3", "", "1,2", 1, 0.5, -1, 1e300, 10**17, None)),
        "currency": st.sampled_from(("EUR", "JPY", "eur", "", None)),
        "units": st.sampled_from((0, 1, 1.0, 1.5, -1, 2**32, 1e300, 10**300, None)),
        "store": ODD_TEXT | st.none(),
        "attributes": st.none() | st.fixed_dictionaries({}, optional={"channel": ODD_TEXT}),
    },
)


@given(st.lists(EVENTS, min_size=1, max_size=5))
def test_a_chunk_refuses_exactly_the_events_with_a_problem(events: list[Event]) -> None:
    decode = event_decoder(DIMENSIONS).decode
    problems = {}
    for place, event in enumerate(events):
        found = problem(decode(encoded(event)), len(DIMENSIONS))
        if found is not None:
            problems[place] = (found.reason, found.detail)
    batch, letters = EventDecoder(DIMENSIONS).decode([encoded(event) for event in events])
    assert {letter.index: (letter.reason, letter.detail) for letter in letters} == problems
    assert batch.index.tolist() == [n for n in range(len(events)) if n not in problems]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", "not_json"),
        (b"[]", "not_an_object"),
        (b"{}", "missing_field"),
        (b'{"type": "purchase"}', "missing_field"),
        (b'{"type": 5}', "bad_type"),
        (b'{"type": "signup", "occurred_at": []}', "bad_occurred_at"),
        (b'{"type": "signup", "occurred_at": 1, "attributes": 5}', "bad_attributes"),
        (b'{"type": "signup", "occurred_at": 1, "attributes": {"channel": 5}}', "bad_attributes"),
    ],
)
def test_what_does_not_decode_has_a_reason_that_names_the_field(value: bytes, reason: str) -> None:
    with pytest.raises(msgspec.DecodeError) as caught:
        event_decoder(DIMENSIONS).decode(value)
    assert undecodable(caught.value).reason == reason


def test_details_are_one_short_line() -> None:
    detail = undecodable(ValueError("one\n two\t" + "x" * 1000)).detail
    assert detail.startswith("one two x")
    assert len(detail) == 200
