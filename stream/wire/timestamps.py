"""Event times on the wire → whole milliseconds since the epoch.

RFC 3339 with an offset (fractions cut to milliseconds), or a number: epoch seconds, above 1e11
milliseconds. Times before 1970 are refused: in a shop's events they are mistakes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from stream.domain.arrays import I64

_NUMBER_IS_MS_ABOVE = 1e11
_LAST_MS = 253_402_300_799_999  # the end of year 9999
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_UTC_LENGTH = 20  # 2011-12-09T12:50:00Z
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_MARKS = [4, 7, 10, 13, 16, 19]
_MARK_BYTES = np.frombuffer(b"--T::Z", np.uint8)


def parse_time_ms(value: str | float) -> int | None:
    """One event time; None when it is not one."""
    if isinstance(value, str):
        return _parse_text(value)
    ms = value if abs(value) > _NUMBER_IS_MS_ABOVE else value * 1000
    if not math.isfinite(ms) or not 0 <= ms <= _LAST_MS:
        return None
    return round(ms)


def parse_times_ms(values: Sequence[str | float]) -> tuple[I64, list[int]]:
    """A column of event times.

    Returns:
        Milliseconds (0 where unusable), and the places that are unusable.
    """
    if set(map(type, values)) == {str} and set(map(len, values)) == {_UTC_LENGTH}:  # type: ignore[arg-type]
        times = _parse_uniform("".join(values))  # type: ignore[arg-type]
        if times is not None:
            return times, []
    parsed = [parse_time_ms(value) for value in values]
    bad = [place for place, ms in enumerate(parsed) if ms is None]
    return np.array([0 if ms is None else ms for ms in parsed], np.int64), bad


def _parse_text(text: str) -> int | None:
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    offset_minutes = 0
    if match[8] not in "Zz":
        offset_hours, minutes = int(match[8][1:3]), int(match[8][4:6])
        if offset_hours > 23 or minutes > 59:  # noqa: PLR2004 - a day's hours, an hour's minutes
            return None
        offset_minutes = offset_hours * 60 + minutes
        if match[8][0] == "-":
            offset_minutes = -offset_minutes
    try:
        instant = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    fraction_ms = int((match[7] or ".0")[1:4].ljust(3, "0"))
    ms = int(instant.timestamp()) * 1000 + fraction_ms - offset_minutes * 60_000
    return ms if 0 <= ms <= _LAST_MS else None


def _parse_uniform(joined: str) -> I64 | None:
    """Many ``YYYY-MM-DDTHH:MM:SSZ`` at once; None when any is of another form or no such time."""
    if not joined.isascii():
        return None
    text = np.frombuffer(joined.encode(), np.uint8).reshape(-1, _UTC_LENGTH)
    digits = text[:, _DIGITS] - np.uint8(ord("0"))
    if (digits > 9).any() or (text[:, _MARKS] != _MARK_BYTES).any():  # noqa: PLR2004 - decimal
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
