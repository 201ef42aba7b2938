"""The decoder and the state codec meet bytes that nobody meant for them."""

from __future__ import annotations

import json
from itertools import chain
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.engine import Engine
from stream.wire.customer_state import CLOCK_KEY, CODES_KEY, StateError
from tests.fuzz.checks import check_decoder, check_engine, check_state
from tests.fuzz.seeds import CONFIG, EVENTS, LINES, changelog

Records: TypeAlias = dict[bytes, bytes]

STATE = changelog()
FIELDS = sorted(set(chain.from_iterable(EVENTS)))
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -1, 2**63, 2**64, 1e308])
TEXTS = st.text() | st.sampled_from(["", "\0", "EUR", "purchase", "1.", "2026-02-30T25:00:00Z"])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def changed_events(draw: st.DrawFn) -> bytes:
    """An event with some fields replaced by anything."""
    event = dict(draw(st.sampled_from(EVENTS)))
    event |= draw(st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=2))
    return json.dumps(event).encode()


@st.composite
def damaged(draw: st.DrawFn, whole: list[bytes]) -> bytes:
    """Bytes that were right once: cut, spliced, or with some bytes replaced."""
    data = draw(st.sampled_from(whole))
    begin = draw(st.integers(0, len(data)))
    end = draw(st.integers(begin, min(len(data), begin + 8)))
    return data[:begin] + draw(st.binary(max_size=8)) + data[end:]


VALUES = st.none() | st.sampled_from(LINES) | changed_events() | damaged(LINES) | st.binary()
STATE_KEYS = st.sampled_from([*STATE, CODES_KEY, CLOCK_KEY]) | damaged(list(STATE)) | st.binary()
STATE_VALUES = st.sampled_from(list(STATE.values())) | damaged(list(STATE.values())) | st.binary()


@given(st.lists(VALUES, max_size=6))
def test_any_values_become_events_or_dead_letters_alone_as_together(
    values: list[bytes | None],
) -> None:
    check_decoder(values)


@given(st.lists(VALUES, max_size=6))
def test_an_engine_survives_any_values(values: list[bytes | None]) -> None:
    check_engine(values)


@given(st.dictionaries(STATE_KEYS, STATE_VALUES, max_size=4))
def test_any_changelog_is_loaded_or_refused(records: Records) -> None:
    check_state(records)


@given(st.dictionaries(st.sampled_from(list(STATE)), STATE_VALUES, min_size=1, max_size=2))
def test_a_changelog_damaged_in_places_is_loaded_or_refused(records: Records) -> None:
    check_state(STATE | records)


def test_the_changelog_they_start_from_is_loaded() -> None:
    assert len(STATE) > 4
    _restore(STATE)
    check_state(STATE)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (CODES_KEY, b"not json"),
        (CODES_KEY, b"\xff"),
        (CODES_KEY, b'{"version":1}'),
        (CODES_KEY, STATE[CODES_KEY].replace(b'""', b'"none"')),
        (CLOCK_KEY, b"[]"),
        (CLOCK_KEY, b"{}"),
        (CLOCK_KEY, b'{"latest_ms":1e300}'),
        (CLOCK_KEY, b'{"latest_ms":99999999999999999999}'),
        (b"a key without a store", STATE[b"\0ann"]),
        (b"\xff\0ann", STATE[b"\0ann"]),
    ],
)
def test_a_foreign_record_is_refused(key: bytes, value: bytes) -> None:
    with pytest.raises(StateError, match="RETENTION_APP_ID"):
        _restore({**STATE, key: value})


def _restore(records: Records) -> None:
    engine = Engine(CONFIG)
    engine.assign(0)
    engine.restore(0, list(records), list(records.values()))
    engine.finish_restore(0)
