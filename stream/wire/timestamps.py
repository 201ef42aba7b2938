"""Event times on the wire → whole milliseconds since the epoch.

RFC 3339 with an offset (fractions cut to milliseconds), or a number: epoch seconds, above 1e11
milliseconds. Times before 1970 are refused: in a shop's events they are mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from stream.domain.arrays import I64

_NUMBER_IS_MS_ABOVE = 1e11
_LAST_MS = 253_402_300_799_999  # the end of year 9999
_CLOCK = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})", re.ASCII
)
_CLOCK_LENGTH = 19  # 2011-12-09T12:50:00
_REST = re.compile(r"(\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))", re.ASCII)
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_MARKS = [4, 7, 10, 13, 16]
_MARK_BYTES = np.frombuffer(b"--T::", np.uint8)
_MILLISECONDS_LENGTH = 5  # .942Z
_LONGEST_REST = 40  # any fraction that a clock can give, and an offset
_DOT_AND_Z = np.frombuffer(b".Z", np.uint8)

Letters: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def parse_time_ms(value: str | float) -> int | None:
    """One event time; None when it is not one."""
    if isinstance(value, str):
        return _parse_text(value)
    ms = value if abs(value) > _NUMBER_IS_MS_ABOVE else value * 1000
    return round(ms) if 0 <= ms <= _LAST_MS else None


def parse_times_ms(values: Sequence[str | float]) -> tuple[I64, list[int]]:
    """A column of event times.

    Returns:
        Milliseconds (0 where unusable), and the places that are unusable.
    """
    if set(map(type, values)) == {str}:
        times = _parse_texts(values)  # type: ignore[arg-type] # all str
        if times is not None:
            return times, []
    parsed = [parse_time_ms(value) for value in values]
    bad = [place for place, ms in enumerate(parsed) if ms is None]
    return np.array([0 if ms is None else ms for ms in parsed], np.int64), bad


def _parse_text(text: str) -> int | None:
    match = _CLOCK.fullmatch(text[:_CLOCK_LENGTH])
    rest_ms = _rest_ms(text[_CLOCK_LENGTH:])
    if match is None or rest_ms is None:
        return None
    try:
        instant = datetime(*map(int, match.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
    ms = int(instant.timestamp()) * 1000 + rest_ms
    return ms if 0 <= ms <= _LAST_MS else None


def _rest_ms(text: str) -> int | None:
    """What follows the seconds, fraction and offset, as milliseconds to add for UTC."""
    # The cache must not keep a sender's megabytes.
    return _known_rest_ms(text) if len(text) <= _LONGEST_REST else None


@lru_cache(maxsize=4096)
def _known_rest_ms(text: str) -> int | None:
    match = _REST.fullmatch(text)
    if match is None:
        return None
    fraction, sign, hours, minutes = match.groups()
    fraction_ms = int(fraction[1:4].ljust(3, "0")) if fraction else 0
    if sign is None:
        return fraction_ms
    if int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004 - a day's hours, an hour's minutes
        return None
    offset_ms = (int(hours) * 60 + int(minutes)) * 60_000
    return fraction_ms - offset_ms if sign == "+" else fraction_ms + offset_ms


def _parse_texts(texts: Sequence[str]) -> I64 | None:
    """Many RFC 3339 times at once; None when any is none, or is written unusually."""
    lengths = set(map(len, texts))
    joined = "".join(texts)
    if len(lengths) == 1 and min(lengths) > _CLOCK_LENGTH and joined.isascii():
        letters = np.frombuffer(joined.encode(), np.uint8).reshape(len(texts), -1)
        clocks = _parse_clocks(letters[:, :_CLOCK_LENGTH])
        rest_ms = _parse_rests(letters[:, _CLOCK_LENGTH:], texts)
    else:
        heads = "".join([text[:_CLOCK_LENGTH] for text in texts])
        if not heads.isascii() or len(heads) != _CLOCK_LENGTH * len(texts):
            return None
        letters = np.frombuffer(heads.encode(), np.uint8).reshape(len(texts), -1)
        clocks = _parse_clocks(letters)
        rest_ms = _parse_rests(None, texts)
    if clocks is None or rest_ms is None:
        return None
    times: I64 = clocks + rest_ms
    return times if ((times >= 0) & (times <= _LAST_MS)).all() else None


def _parse_rests(letters: Letters | None, texts: Sequence[str]) -> I64 | int | None:
    """What follows the seconds, as milliseconds to add; ``letters`` when all are of one length."""
    if letters is not None:
        if (letters == letters[0]).all():
            return _rest_ms(texts[0][_CLOCK_LENGTH:])
        if letters.shape[1] == _MILLISECONDS_LENGTH and (letters[:, [0, 4]] == _DOT_AND_Z).all():
            digits = letters[:, 1:4] - np.uint8(ord("0"))
            if (digits <= 9).all():  # noqa: PLR2004 - decimal
                thousandths: I64 = digits @ np.array([100, 10, 1])
                return thousandths
    rests = [text[_CLOCK_LENGTH:] for text in texts]
    rest_ms = {rest: _rest_ms(rest) for rest in set(rests)}
    if None in rest_ms.values():
        return None
    return np.array(list(map(rest_ms.__getitem__, rests)), np.int64)


def _parse_clocks(letters: Letters) -> I64 | None:
    """Many ``YYYY-MM-DDTHH:MM:SS`` at once; None when any is of another form or no such time."""
    digits = letters[:, _DIGITS] - np.uint8(ord("0"))
    if (digits > 9).any() or (letters[:, _MARKS] != _MARK_BYTES).any():  # noqa: PLR2004 - decimal
        return None
    tens = digits[:, 0::2].astype(np.int64) * 10 + digits[:, 1::2]
    century, year, month, day, hour, minute, second = tens.T
    years = century * 100 + year
    months = ((years - 1970) * 12 + month - 1).astype("datetime64[M]")
    month_start = months.astype("datetime64[D]").astype(np.int64)
    month_days = (months + 1).astype("datetime64[D]").astype(np.int64) - month_start
    valid = (years >= 1970) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= month_days)  # noqa: PLR2004
    valid &= (hour <= 23) & (minute <= 59) & (second <= 59)  # noqa: PLR2004 - a clock's limits
    if not valid.all():
        return None
    days = month_start + day - 1
    result: I64 = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000
    return result
