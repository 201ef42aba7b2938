"""Names of windows and durations."""

from __future__ import annotations

import pytest

from stream.domain.windows import (
    CalendarUnit,
    CalendarWindow,
    RollingWindow,
    parse_duration_ms,
    parse_window,
)

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [("15m", 900_000), ("1h", HOUR_MS), ("30d", 720 * HOUR_MS), (" 2w ", 336 * HOUR_MS)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, duration_ms: int) -> None:
    assert parse_duration_ms(text) == duration_ms


@pytest.mark.parametrize(
    "text", ["", "0d", "d", "30", "-1d", "1.5h", "1 d", "30D", "٣d", "1000000d", "1d1h"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration_ms(text)


def test_a_rolling_window_keeps_its_name_and_counts_buckets() -> None:
    assert parse_window("7d", HOUR_MS) == RollingWindow("7d", 168)
    assert parse_window(" 1w", HOUR_MS) == RollingWindow("1w", 168)


@pytest.mark.parametrize("unit", list(CalendarUnit))
def test_a_calendar_unit_is_a_window(unit: CalendarUnit) -> None:
    assert parse_window(unit.value, HOUR_MS) == CalendarWindow(unit.value, unit)


def test_a_window_is_a_whole_number_of_buckets() -> None:
    with pytest.raises(ValueError, match="90m is not a whole number of buckets"):
        parse_window("90m", HOUR_MS)


@pytest.mark.parametrize("text", ["decade", "", "Month", "0d"])
def test_an_unknown_window_names_what_may_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="write a duration like 30d, or day, week, month"):
        parse_window(text, HOUR_MS)
