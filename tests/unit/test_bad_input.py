"""Bad records: each is one dead letter with its reason, and the good ones beside it count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.events import Outcome
from tests.support.bad_events import (
    BAD,
    CANCELLATION,
    PURCHASE,
    RETURN,
    SIGNUP,
    UNUSUAL,
    with_fields,
)
from tests.support.engines import (
    DAY_MS,
    HOUR_MS,
    NOW_MS,
    PURCHASES,
    Log,
    encoded,
    engine_config,
    named_sums,
    ready_engine,
)
from tests.support.kernels import KERNELS, use_kernel
from tests.support.naive import NaiveConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.engine import Engine

NAIVE = NaiveConfig(("7d", "month"), ("channel", "country"), "UTC", HOUR_MS)
CONFIG = engine_config(NAIVE, horizon_ms=800 * DAY_MS)


@pytest.fixture(params=KERNELS, autouse=True, scope="module")
def compiled(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each kernel in turn."""
    with pytest.MonkeyPatch.context() as patch:
        use_kernel(patch, request.param)
        yield


def _good(number: int) -> bytes:
    return with_fields(
        customer_id=f"good{number}", order_id=f"{number}", occurred_at=NOW_MS - number
    )


def _log(engine: Engine | None = None) -> Log:
    """A log whose clock stands at NOW_MS."""
    log = Log(engine or ready_engine(CONFIG))
    log.send_raw(PURCHASES, [with_fields(customer_id="first")])
    log.outcomes.clear()
    return log


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_record_is_one_dead_letter_and_its_neighbours_count(
    value: bytes | None, reason: str
) -> None:
    log = _log()
    log.send_raw(PURCHASES, [_good(1), value, _good(2)])
    assert [(letter.index, letter.reason) for letter in log.dead_letters] == [(1, reason)]
    letter = log.dead_letters[0]
    late = reason == "too_late"
    assert letter.outcome is (Outcome.TOO_LATE if late else Outcome.REJECTED)
    assert 0 < len(letter.detail) <= 200
    assert "\n" not in letter.detail
    assert log.outcomes[Outcome.APPLIED] == 2
    without = _log()
    without.send_raw(PURCHASES, [_good(1), _good(2)])
    assert named_sums(log.engine) == named_sums(without.engine)


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_record_alone_changes_nothing(value: bytes | None, reason: str) -> None:
    log = _log()
    before, customers = named_sums(log.engine), log.engine.customers
    log.engine.take_changes(0, NOW_MS)
    log.send_raw(PURCHASES, [value])
    assert [letter.reason for letter in log.dead_letters] == [reason]
    assert named_sums(log.engine) == before
    assert log.engine.customers == customers
    assert log.engine.take_changes(0, NOW_MS).keys == []


@pytest.mark.parametrize("value", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_an_unusual_record_counts(value: bytes) -> None:
    log = _log()
    log.send_raw(PURCHASES, [_good(1), value, _good(2)])
    assert log.dead_letters == []
    assert log.outcomes[Outcome.APPLIED] + log.outcomes[Outcome.GUEST] == 3


def test_all_bad_records_in_one_chunk_are_told_apart() -> None:
    log = _log()
    values: list[bytes | None] = []
    expected: dict[int, str] = {}
    for number, (value, reason) in enumerate(BAD.values()):
        values.append(_good(number))
        expected[len(values)] = reason
        values.append(value)
    log.send_raw(PURCHASES, values)
    assert {letter.index: letter.reason for letter in log.dead_letters} == expected
    assert len(log.dead_letters) == len(BAD) > 100
    assert log.outcomes[Outcome.APPLIED] == len(BAD)


def test_customer_ids_do_not_stand_in_the_details() -> None:
    log = _log()
    log.send_raw(
        PURCHASES,
        [encoded({**PURCHASE, "customer_id": "secret-ann", field: {}}) for field in PURCHASE],
    )
    assert len(log.dead_letters) == len(PURCHASE) - 1
    assert not any("secret-ann" in letter.detail for letter in log.dead_letters)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(("12.34", "EUR", "purchase", "return", "2024-01-01T00:00:00Z", 1e12)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
BASES = st.sampled_from((PURCHASE, SIGNUP, RETURN, CANCELLATION))
MUTATED = st.builds(
    lambda base, fields: encoded({**base, **fields}),
    BASES,
    st.dictionaries(st.sampled_from((*PURCHASE, "return_id", "more")), JSON, max_size=3),
)


def _broken(value: bytes, place: int, byte: int) -> bytes:
    place %= len(value)
    return value[:place] + bytes([byte]) + value[place + 1 :]


RECORDS = (
    MUTATED
    | BASES.map(encoded)
    | st.binary(max_size=20)
    | st.builds(_broken, MUTATED, st.integers(0, 300), st.integers(0, 255))
    | st.builds(lambda value, cut: value[:cut], MUTATED, st.integers(0, 300))
    | st.none()
)


@given(st.lists(RECORDS, max_size=12))
def test_whatever_the_bytes_every_record_has_one_outcome(values: list[bytes | None]) -> None:
    log = _log()
    applied = log.send_raw(PURCHASES, values)
    refused = {letter.index for letter in applied.dead_letters}
    assert len(refused) == len(applied.dead_letters)
    assert sum(applied.outcomes.values()) == len(values)
    # What is refused in company is refused alone, for the same reason.
    for letter in applied.dead_letters:
        alone = _log().send_raw(PURCHASES, [values[letter.index]])
        if letter.outcome is Outcome.REJECTED:
            assert [(one.reason, one.detail) for one in alone.dead_letters] == [
                (letter.reason, letter.detail)
            ]
    for place in set(range(len(values))) - refused:
        assert _log().send_raw(PURCHASES, [values[place]]).dead_letters == []


@given(st.lists(RECORDS, max_size=6))
def test_what_decodes_as_an_event_is_json_by_the_standard_library_too(
    values: list[bytes | None],
) -> None:
    log = _log()
    applied = log.send_raw(PURCHASES, values)
    refused = {letter.index for letter in applied.dead_letters}
    for place, value in enumerate(values):
        if place not in refused:
            assert value is not None
            event = json.loads(value.decode("utf-8", errors="replace"))
            assert event["type"] in ("purchase", "signup", "return", "cancellation")
