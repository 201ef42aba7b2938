"""The settings of customers' lifecycles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stream.domain.lifecycle_rules import LifecycleRules
from stream.domain.windows import parse_duration_ms

if TYPE_CHECKING:
    from stream.settings.reader import SettingReader

#: In place of the longest rolling window where there is none.
YEAR_MS = 365 * 86_400_000
_HUNDREDTHS = (100, 5000)


def load_lifecycle(reader: SettingReader, longest_window_ms: int) -> LifecycleRules:
    """When time changes a customer's stage.

    Args:
        reader: of the settings.
        longest_window_ms: the longest rolling window; 0 when there is none.

    Raises:
        SettingError: for the first setting that cannot be used.
    """
    read = reader.read

    def lapsed(text: str) -> int:
        return parse_duration_ms(text) if text.strip() else longest_window_ms or YEAR_MS

    return LifecycleRules(
        new_ms=read("RETENTION_STAGE_NEW_FOR", parse_duration_ms),
        at_risk_factor_hundredths=read("RETENTION_STAGE_AT_RISK_FACTOR", _hundredths),
        at_risk_least_ms=read("RETENTION_STAGE_AT_RISK_AT_LEAST", parse_duration_ms),
        typical_interval_ms=read("RETENTION_STAGE_TYPICAL_INTERVAL", parse_duration_ms),
        lapsed_ms=read("RETENTION_STAGE_LAPSED_AFTER", lapsed),
    )


def _hundredths(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,2})(?:\.([0-9]{1,2}))?", text.strip())
    number = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else 0
    low, high = _HUNDREDTHS
    if not low <= number <= high:
        raise ValueError(f"{text!r} is not a number from 1 to 50 with at most two decimals")
    return number
