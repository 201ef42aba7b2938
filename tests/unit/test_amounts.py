"""A column of amounts is what its amounts are one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.domain.money import MAX_MINOR_UNITS, minor_units
from stream.wire.amounts import minor_units_column

DIGITS = st.sampled_from((0, 2, 3, 4))
DECIMALS = st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True)
NEAR_LIMITS = st.sampled_from(
    (
        "999999999999999",
        "99999999999999.9",
        "9999999999999.99",
        "999999999999.999",
        "10000000000000",
        "10000000000001",
        "0.00000000000001",
        "0.1",
        "0.29",
        "1.005",
        "1.0049999999999",
        "4503599627370.5",
    )
)
PLAIN = DECIMALS | NEAR_LIMITS
JUNK = st.text("0123456789.,-+e _xN", max_size=17) | st.text(max_size=4)
NUMBERS = st.floats() | st.integers(-10, 10**16) | st.integers()


def _one_by_one(amounts: list[str | float], digits: list[int]) -> tuple[list[int], list[int]]:
    held = [minor_units(amount, places) for amount, places in zip(amounts, digits, strict=True)]
    bad = [place for place, minor in enumerate(held) if minor is None]
    return [minor or 0 for minor in held], bad


def _assert_same(rows: list[tuple[str | float, int]]) -> None:
    amounts, digits = [amount for amount, _ in rows], [places for _, places in rows]
    minor, bad = minor_units_column(amounts, np.array(digits, np.int64))
    assert (minor.tolist(), bad) == _one_by_one(amounts, digits)


@given(st.lists(st.tuples(PLAIN, DIGITS), min_size=1, max_size=30))
@example([("999999999999999", 4)])
@example([("00012.50", 2), ("1", 0)])
def test_a_column_of_plain_decimals_is_that_of_each(rows: list[tuple[str | float, int]]) -> None:
    _assert_same(rows)


@given(st.lists(st.tuples(PLAIN | JUNK, DIGITS), min_size=1, max_size=12))
@example([("1.2.3", 2), ("5", 2)])
@example([("1", 2), ("", 2)])
@example([("1,2", 2), ("3", 2)])
@example([("5.", 2), (".5", 2)])
def test_a_column_with_junk_in_it_is_that_of_each(rows: list[tuple[str | float, int]]) -> None:
    _assert_same(rows)


@given(st.lists(st.tuples(PLAIN | JUNK | NUMBERS, DIGITS), min_size=1, max_size=12))
@example([(float("nan"), 2), (float("inf"), 2), (10**4000, 2)])
def test_a_column_of_numbers_and_texts_is_that_of_each(
    rows: list[tuple[str | float, int]],
) -> None:
    _assert_same(rows)


@pytest.mark.parametrize("digits", [0, 2, 3, 4])
def test_every_amount_of_up_to_fifteen_characters_is_exact(digits: int) -> None:
    random = np.random.default_rng(digits)
    for length in range(1, 16):
        # No leading zero: one amount with one sends its whole column the slow way.
        whole = [
            str(random.integers(1, 10)) + "".join(random.choice(list("0123456789"), length - 1))
            for _ in range(200)
        ]
        for point in range(1, length - 1):
            cut = [f"{text[:point]}.{text[point + 1 :]}" for text in whole]
            minor, bad = minor_units_column(cut, np.full(200, digits, np.int64))
            assert (minor.tolist(), bad) == _one_by_one([*cut], [digits] * 200)
            assert minor.max() <= MAX_MINOR_UNITS
