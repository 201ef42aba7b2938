"""Money: ISO 4217 codes, and amounts held exactly in minor units.

Codes and minor units: ISO 4217:2015 with its amendments to 2025, list one.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal

_TWO_DECIMALS = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL
GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR
LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB
PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP
SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL
"""
_EXPONENTS = dict.fromkeys(_TWO_DECIMALS.split(), 2)
_EXPONENTS |= dict.fromkeys(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ],
    0,
)
_EXPONENTS |= dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
_EXPONENTS |= dict.fromkeys(["CLF", "UYW"], 4)

#: Largest amount of one event: a trillion euros, of which 92,000 add up inside 64 bits.
MAX_MINOR_UNITS = 10**14

#: The largest :func:`currency_number`, of ZZZ.
LARGEST_CURRENCY = 26**3

_PLAIN_DECIMAL = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,32}))?", re.ASCII)


def currencies() -> list[tuple[str, int, int]]:
    """Every currency: code, number, and digits after the point."""
    return [(code, currency_number(code), digits) for code, digits in _EXPONENTS.items()]


def exponent(currency: str) -> int | None:
    """Digits after the point of a currency's major unit; None for an unknown code."""
    return _EXPONENTS.get(currency)


def currency_number(currency: str) -> int:
    """A code as a number from 1 to 17,576, stable for ever: what state and tallies hold."""
    first, second, third = (ord(letter) - ord("A") for letter in currency)
    return 1 + (first * 26 + second) * 26 + third


def currency_code(number: int) -> str:
    """The code of :func:`currency_number`."""
    first, rest = divmod(number - 1, 26 * 26)
    return "".join(chr(ord("A") + digit) for digit in (first, *divmod(rest, 26)))


#: The :func:`currency_number` of every code there is.
CURRENCY_NUMBERS = frozenset(map(currency_number, _EXPONENTS))


def minor_units(amount: str | float, currency_exponent: int) -> int | None:
    """An amount in minor units; None when it cannot be held.

    A decimal string must be exact in minor units. A JSON number is taken at its shortest
    decimal form and rounded half to even: producers that computed in floats send
    ``19.989999999999998`` and mean 19.99.
    """
    if isinstance(amount, str):
        match = _PLAIN_DECIMAL.fullmatch(amount)
        if match is None:
            return None
        whole, fraction = match[1], match[2] or ""
        if fraction[currency_exponent:].strip("0"):
            return None
        minor = int(whole + fraction[:currency_exponent].ljust(currency_exponent, "0"))
    else:
        if not 0 <= amount <= MAX_MINOR_UNITS:
            return None
        scaled = Decimal(repr(amount)).scaleb(currency_exponent)
        if not 0 <= scaled <= MAX_MINOR_UNITS:
            return None
        minor = int(scaled.to_integral_value(ROUND_HALF_EVEN))
    return minor if minor <= MAX_MINOR_UNITS else None
