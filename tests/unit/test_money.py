"""Currencies and amounts in minor units."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.money import (
    _EXPONENTS,
    MAX_MINOR_UNITS,
    currency_code,
    currency_number,
    exponent,
    minor_units,
)


@pytest.mark.parametrize(
    ("code", "digits"),
    [("EUR", 2), ("USD", 2), ("GBP", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("CLF", 4)],
)
def test_a_currency_has_the_digits_of_iso_4217(code: str, digits: int) -> None:
    assert exponent(code) == digits


@pytest.mark.parametrize("code", ["", "eur", "EURO", "EU", "XXX", "É", "€", "ZZZ", "EUR "])
def test_what_is_no_currency_has_no_digits(code: str) -> None:
    assert exponent(code) is None


def test_every_currency_has_a_number_of_its_own_and_back() -> None:
    numbers = {code: currency_number(code) for code in _EXPONENTS}
    assert len(set(numbers.values())) == len(numbers) > 150
    assert {code: currency_code(number) for code, number in numbers.items()} == {
        code: code for code in numbers
    }
    assert (currency_number("AAA"), currency_number("ZZZ")) == (1, 17_576)


@pytest.mark.parametrize(
    ("amount", "digits", "minor"),
    [
        ("12.34", 2, 1234),
        ("12.3", 2, 1230),
        ("12", 2, 1200),
        ("0", 2, 0),
        ("0.00", 0, 0),
        ("012.50", 2, 1250),
        ("12.34000", 2, 1234),
        ("12.0", 0, 12),
        ("1.234", 3, 1234),
        (f"{MAX_MINOR_UNITS // 100}.00", 2, MAX_MINOR_UNITS),
        (f"{MAX_MINOR_UNITS}", 0, MAX_MINOR_UNITS),
        (12.34, 2, 1234),
        (19.989999999999998, 2, 1999),
        (0.005, 2, 0),
        (0.015, 2, 2),
        (0.025, 2, 2),
        (1e-320, 2, 0),
        (-0.0, 2, 0),
        (1e2, 2, 10_000),
        (7, 2, 700),
        (MAX_MINOR_UNITS // 100, 2, MAX_MINOR_UNITS),
        (2.5, 0, 2),
        (3.5, 0, 4),
    ],
)
def test_an_amount_is_held_in_minor_units(amount: str | float, digits: int, minor: int) -> None:
    assert minor_units(amount, digits) == minor


@pytest.mark.parametrize(
    ("amount", "digits"),
    [
        ("", 2),
        (".5", 2),
        ("5.", 2),
        (".", 2),
        ("1.2.3", 2),
        ("1e5", 2),
        ("+1", 2),
        ("-1", 2),
        ("-0", 2),
        (" 1", 2),
        ("1 ", 2),
        ("1\n", 2),
        ("1_0", 2),
        ("1,5", 2),
        ("0x10", 2),
        ("NaN", 2),
        ("inf", 2),
        ("١٢", 2),
        ("12.345", 2),
        ("12.1", 0),
        (f"{MAX_MINOR_UNITS // 100}.01", 2),
        (f"{MAX_MINOR_UNITS + 1}", 0),
        ("1" * 19, 2),
        ("0." + "0" * 33, 2),
        (-0.01, 2),
        (-1, 2),
        (MAX_MINOR_UNITS // 100 + 1, 2),
        (1e300, 2),
        (10**4000, 2),
        (float("inf"), 2),
        (float("nan"), 2),
    ],
)
def test_an_amount_that_cannot_be_held_exactly_is_none(amount: str | float, digits: int) -> None:
    assert minor_units(amount, digits) is None


@given(st.floats(0, 1e12), st.sampled_from((0, 2, 3, 4)))
def test_a_number_is_rounded_half_even_from_its_shortest_decimal(
    amount: float, digits: int
) -> None:
    exact = (Decimal(repr(amount)) * 10**digits).quantize(Decimal(1), ROUND_HALF_EVEN)
    expected = int(exact) if exact <= MAX_MINOR_UNITS else None
    assert minor_units(amount, digits) == expected


@given(st.integers(0, MAX_MINOR_UNITS), st.sampled_from((0, 2, 3, 4)))
def test_minor_units_written_as_a_decimal_come_back(minor: int, digits: int) -> None:
    written = str(Decimal(minor).scaleb(-digits).quantize(Decimal(1).scaleb(-digits)))
    assert minor_units(written, digits) == minor
