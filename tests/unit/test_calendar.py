"""Local days, calendar periods and slots, against the standard library's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from stream.domain.calendar import DAY_MS, Timeline, first_day_of_period, period_of_day
from stream.domain.windows import CalendarUnit

HOUR_MS = 3_600_000
EPOCH = date(1970, 1, 1)
#: Whole hours, half and quarter hours, changes at midnight, skipped days, none at all.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Pacific/Chatham",
)


def _times_ms(zone: str) -> list[int]:
    """Every six hours for years, and close by every change of the zone's offset."""
    regular = range(1_230_000_000_000, 1_800_000_000_000, 77 * HOUR_MS)
    changes = Timeline(HOUR_MS, zone)._changes_ms.tolist()
    return sorted(
        {*regular, *(change + beside for change in changes for beside in (-1, 0, 1, HOUR_MS))}
    )


def _local_date(time_ms: int, zone: str) -> date:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return moment.astimezone(ZoneInfo(zone)).date()


@pytest.mark.parametrize("zone", ZONES)
def test_the_local_day_is_that_of_the_zone_database(zone: str) -> None:
    times = _times_ms(zone)
    days = Timeline(HOUR_MS, zone).local_day(np.array(times, np.int64)).tolist()
    assert days == [(_local_date(time_ms, zone) - EPOCH).days for time_ms in times]


@pytest.mark.parametrize("zone", ZONES)
def test_slots_never_run_backwards_and_cut_buckets_at_local_midnight(zone: str) -> None:
    timeline = Timeline(HOUR_MS, zone)
    times = np.array(_times_ms(zone), np.int64)
    slots = timeline.slot(times)
    assert (np.diff(slots) >= 0).all()
    pieces = np.stack([timeline.bucket(times), timeline.local_day(times)], axis=1)
    same_piece = (pieces[1:] == pieces[:-1]).all(axis=1)
    np.testing.assert_array_equal(np.diff(slots) == 0, same_piece)


@pytest.mark.parametrize("zone", ZONES)
def test_the_first_slot_of_a_day_is_that_of_its_first_moment(zone: str) -> None:
    timeline = Timeline(HOUR_MS, zone)
    for day in range(15_000, 15_800, 7):
        first = timeline.first_slot_of_day(day)
        inside = np.arange((day - 2) * DAY_MS, (day + 2) * DAY_MS, 900_000, dtype=np.int64)
        days, slots = timeline.local_day(inside), timeline.slot(inside)
        assert slots[days >= day].min() >= first
        assert slots[days < day].max() < first


def test_a_bucket_across_local_midnight_has_two_slots() -> None:
    timeline = Timeline(HOUR_MS, "Asia/Kolkata")
    midnight_ms = int(datetime(2024, 1, 1, 18, 30, tzinfo=UTC).timestamp()) * 1000
    bucket = midnight_ms // HOUR_MS
    assert timeline.last_slot_of_bucket(bucket) == timeline.first_slot_of_bucket(bucket) + 1
    assert timeline.slot_at(midnight_ms) == timeline.slot_at(midnight_ms - 1) + 1
    assert timeline.day_at(midnight_ms) == timeline.day_at(midnight_ms - 1) + 1


def test_buckets_may_be_longer_than_a_day() -> None:
    timeline = Timeline(14 * DAY_MS, "Europe/Berlin")
    times = np.arange(0, 100 * DAY_MS, HOUR_MS, dtype=np.int64)
    assert (np.diff(timeline.slot(times)) >= 0).all()
    assert timeline.bucket(times).max() == 7


def test_far_past_and_far_future_have_a_day() -> None:
    timeline = Timeline(HOUR_MS, "Europe/Berlin")
    assert timeline.day_at(-(1 << 60)) < 0
    assert timeline.day_at(253_402_300_799_999) == (date(9999, 12, 31) - EPOCH).days + 1


def _period_start(unit: CalendarUnit, day: date) -> date:
    match unit:
        case CalendarUnit.DAY:
            return day
        case CalendarUnit.WEEK:
            return day - timedelta(days=day.weekday())
        case CalendarUnit.MONTH:
            return day.replace(day=1)
        case CalendarUnit.QUARTER:
            return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
        case CalendarUnit.YEAR:
            return date(day.year, 1, 1)


@pytest.mark.parametrize("unit", list(CalendarUnit))
def test_periods_are_those_of_the_calendar(unit: CalendarUnit) -> None:
    days = [date(1968, 1, 1) + timedelta(days=n) for n in range(0, 40_000, 3)]
    numbers = np.array([(day - EPOCH).days for day in days], np.int64)
    periods = period_of_day(unit, numbers).tolist()
    for day, period in zip(days, periods, strict=True):
        assert first_day_of_period(unit, period) == (_period_start(unit, day) - EPOCH).days
    for (one, earlier), (other, later) in pairwise(zip(days, periods, strict=True)):
        moved = _period_start(unit, one) != _period_start(unit, other)
        assert (earlier != later) == moved


def test_periods_are_numbered_without_gaps() -> None:
    numbers = np.arange(0, 4000, dtype=np.int64)
    for unit in CalendarUnit:
        assert set(np.diff(period_of_day(unit, numbers)).tolist()) <= {0, 1}
