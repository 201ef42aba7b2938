"""The windows a metric is taken over: rolling lengths of time, and calendar periods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

MS_PER_UNIT = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


class CalendarUnit(Enum):
    """The periods of a calendar window; the value is the window's name."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """The ``length_buckets`` buckets that end with the bucket of "as of"."""

    name: str
    length_buckets: int


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """The calendar period that contains "as of", to date."""

    name: str
    unit: CalendarUnit


Window = RollingWindow | CalendarWindow


def parse_duration_ms(text: str) -> int:
    """Milliseconds of a duration such as ``15m``, ``1h``, ``30d`` or ``2w``.

    Raises:
        ValueError: when the text is not a whole number above 0 and a unit.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write a number and m, h, d or w, like 30d")
    return int(match[1]) * MS_PER_UNIT[match[2]]


def parse_window(text: str, bucket_ms: int) -> Window:
    """A window by its name: a duration (rolling) or a calendar unit.

    Raises:
        ValueError: when it is neither, or not a whole number of buckets.
    """
    name = text.strip()
    if name in {unit.value for unit in CalendarUnit}:
        return CalendarWindow(name, CalendarUnit(name))
    try:
        length_ms = parse_duration_ms(name)
    except ValueError:
        units = ", ".join(unit.value for unit in CalendarUnit)
        raise ValueError(
            f"{text!r} is not a window: write a duration like 30d, or {units}"
        ) from None
    if length_ms % bucket_ms:
        raise ValueError(f"window {name} is not a whole number of buckets")
    return RollingWindow(name, length_ms // bucket_ms)
