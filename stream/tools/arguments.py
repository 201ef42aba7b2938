"""Values on the command line that several commands take."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime


def moment_ms(text: str) -> int:
    """Milliseconds since the epoch of RFC 3339 with an offset, or of seconds since 1970.

    Raises:
        ArgumentTypeError: when the text is neither.
    """
    try:
        return round(float(text) * 1000)
    except (ValueError, OverflowError):
        pass  # not a number: then it is a date and time
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} is not a moment: write 2011-12-09T12:50:00Z")
    return round(moment.timestamp() * 1000)
