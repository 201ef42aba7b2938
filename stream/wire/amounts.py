"""A column of amounts → minor units, exactly, mostly without a Python step per amount."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from stream.domain.arrays import I64
from stream.domain.money import MAX_MINOR_UNITS, minor_units

_PLAIN = str.maketrans("", "", "0123456789.,")
#: Up to here a decimal has at most 14 digits and a point, or 15 digits: a double holds it to
#: better than one part in 4e15, while a digit too many moves it by one part in 1e14 at least.
_EXACT_LENGTH = 15
_TOLERANCE = 2e-15
_SCALES = 10.0 ** np.arange(5)
_DECIMALS = msgspec.json.Decoder(list[float])


def minor_units_column(
    amounts: Sequence[str | float | None], exponents: I64
) -> tuple[I64, list[int]]:
    """Amounts in minor units.

    Args:
        amounts: decimal strings or JSON numbers; None is unusable.
        exponents: digits after the point, per amount.

    Returns:
        Minor units (0 where unusable), and the places that are unusable.
    """
    joined = None
    if set(map(type, amounts)) == {str}:
        joined = _joined_short_decimals(amounts)  # type: ignore[arg-type] # all str
    if joined is None:
        return _one_by_one(amounts, exponents, range(len(amounts)))
    # Plain decimals in a row are JSON, and JSON is the fastest to parse; it refuses two points
    # in a number, and leading zeros.
    try:
        numbers = _DECIMALS.decode(f"[{joined}]")
    except msgspec.DecodeError:
        return _one_by_one(amounts, exponents, range(len(amounts)))
    scaled = np.array(numbers) * _SCALES[exponents]
    rounded = np.rint(scaled)
    doubtful = np.abs(scaled - rounded) > scaled * _TOLERANCE
    doubtful |= rounded > MAX_MINOR_UNITS
    places = np.flatnonzero(doubtful).tolist()
    minor = np.where(doubtful, 0, rounded).astype(np.int64)
    if not places:
        return minor, []
    exact, bad = _one_by_one(amounts, exponents, places)
    minor[places] = exact[places]
    return minor, bad


def _joined_short_decimals(amounts: Sequence[str]) -> str | None:
    """The amounts with commas between, or None when one is not a short plain decimal."""
    if max(map(len, amounts)) > _EXACT_LENGTH:
        return None
    joined = ",".join(amounts)
    fenced = f",{joined},"
    if fenced.translate(_PLAIN) or fenced.count(",") != len(amounts) + 1:
        return None
    # A point needs a digit on both sides.
    return None if ",." in fenced or ".," in fenced or ",," in fenced else joined


def _one_by_one(
    amounts: Sequence[str | float | None], exponents: I64, places: range | list[int]
) -> tuple[I64, list[int]]:
    minor = np.zeros(len(amounts), np.int64)
    bad = []
    for place in places:
        amount = amounts[place]
        held = None if amount is None else minor_units(amount, int(exponents[place]))
        if held is None:
            bad.append(place)
        else:
            minor[place] = held
    return minor, bad
