"""The text of one setting into its value; ``ValueError`` says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

from stream.domain.segment_names import OTHER, UNKNOWN
from stream.domain.windows import Window, parse_window


def windows(text: str, bucket_ms: int) -> tuple[Window, ...]:
    """Rolling and calendar windows, comma separated."""
    parsed = tuple(parse_window(part, bucket_ms) for part in text.split(",") if part.strip())
    if not parsed:
        raise ValueError("name at least one window, like 30d")
    names = [window.name for window in parsed]
    if len(set(names)) < len(names):
        raise ValueError("a window is named twice")
    return parsed


def dimensions(text: str) -> tuple[str, ...]:
    """Names of attributes, comma separated; none is fine."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if name == "all" or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
            raise ValueError(f"{name!r} cannot be a dimension: use letters, digits and _")
    if len(set(names)) < len(names):
        raise ValueError("a dimension is named twice")
    if len(names) > 8:  # noqa: PLR2004 - each one costs memory and time for every event
        raise ValueError("at most 8 dimensions")
    return names


def experiment_dimension(text: str, dimensions: tuple[str, ...]) -> str | None:
    """One of the configured dimensions; None when empty."""
    name = text.strip()
    if name and name not in dimensions:
        raise ValueError(f"{name!r} is not in RETENTION_DIMENSIONS")
    return name or None


def control_variant(text: str) -> str:
    """A segment that events name, and not one that holds what is left over."""
    name = not_empty(text)
    if name in (UNKNOWN, OTHER):
        raise ValueError(f"{name!r} is no variant: name the one the others are compared with")
    return name


def timezone(text: str) -> str:
    """An IANA name."""
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{text!r} is not an IANA time zone, like Europe/London") from None


def topic_name(text: str) -> str:
    """What Kafka takes as a name."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", text):
        raise ValueError(f"{text!r} is not a topic name: use letters, digits, '.', '_' and '-'")
    return text


def not_empty(text: str) -> str:
    """Any text with something in it."""
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


def one_of(*choices: str) -> Callable[[str], str]:
    """One of these words, in any case; lower case comes out."""

    def parse(text: str) -> str:
        if text.strip().lower() not in choices:
            raise ValueError(f"{text!r} is not one of {', '.join(choices)}")
        return text.strip().lower()

    return parse


def integer(low: int, high: int) -> Callable[[str], int]:
    """A whole number from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text.strip()) or not low <= int(text) <= high:
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def seconds(low: float, high: float) -> Callable[[str], float]:
    """A number of seconds from ``low`` to ``high``."""

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number of seconds") from None
        if not low <= number <= high:
            raise ValueError(f"{text!r} is not between {low:g} and {high:g} seconds")
        return number

    return parse


def optional_path(text: str) -> str | None:
    """A path; None when empty."""
    return text.strip() or None
