"""Event times, one by one and by the column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.wire.timestamps import parse_time_ms, parse_times_ms

LAST_MS = 253_402_300_799_999


@pytest.mark.parametrize(
    ("written", "time_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2011-12-09T12:50:00Z", 1_323_435_000_000),
        ("2011-12-09t12:50:00z", 1_323_435_000_000),
        ("2011-12-09 12:50:00Z", 1_323_435_000_000),
        ("2011-12-09T12:50:00.1Z", 1_323_435_000_100),
        ("2011-12-09T12:50:00.123999999Z", 1_323_435_000_123),
        ("2011-12-09T12:50:00+05:30", 1_323_415_200_000),
        ("2011-12-09T12:50:00-00:30", 1_323_436_800_000),
        ("2011-12-09T12:50:00-00:00", 1_323_435_000_000),
        ("1969-12-31T23:00:00-01:00", 0),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("9999-12-31T23:59:59.999Z", LAST_MS),
        (0, 0),
        (-0.0, 0),
        (1_323_435_000, 1_323_435_000_000),
        (1_323_435_000.5, 1_323_435_000_500),
        (1_323_435_000_123, 1_323_435_000_123),
        (1_323_435_000_000.5, 1_323_435_000_000),
        (1_323_435_000_001.5, 1_323_435_000_002),
        (0.0005, 0),
        (0.0015, 2),
        (1e11, 10**14),
        (1e11 + 1, 10**11 + 1),
    ],
)
def test_a_time_is_held_in_whole_milliseconds(written: str | float, time_ms: int) -> None:
    assert parse_time_ms(written) == time_ms
    times, bad = parse_times_ms([written])
    assert (times.tolist(), bad) == ([time_ms], [])


@pytest.mark.parametrize(
    "written",
    [
        "",
        "now",
        "2011-12-09",
        "2011-12-09T12:50:00",
        "2011-12-09T12:50Z",
        "2011-12-09T12:50:00.Z",
        "2011-12-09T12:50:00,5Z",
        "2011-12-09T12:50:00+0530",
        "2011-12-09T12:50:00+24:00",
        "2011-12-09T12:50:00+05:60",
        "2011-12-09T24:00:00Z",
        "2011-12-09T12:60:00Z",
        "2016-12-31T23:59:60Z",
        "2011-13-01T00:00:00Z",
        "2011-00-01T00:00:00Z",
        "2011-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2011-04-31T00:00:00Z",
        "2011-04-00T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "10000-01-01T00:00:00Z",
        "2011-12-09T12:50:00Z ",
        "2011-12-09T12:50:00Z\n",
        "٢٠١١-12-09T12:50:00Z",
        "2011/12/09T12:50:00Z",
        -1,
        -0.001,
        LAST_MS + 1,
        -(10**12),
        10**400,
        10**4000,
        1e308,
        float("inf"),
        float("nan"),
    ],
)
def test_what_is_no_time_or_before_1970_is_none(written: str | float) -> None:
    assert parse_time_ms(written) is None
    times, bad = parse_times_ms(["2011-12-09T12:50:00Z", written, 5])
    assert (times.tolist(), bad) == ([1_323_435_000_000, 0, 5000], [1])


MOMENTS = st.integers(86_400_000_000, (LAST_MS - 86_400_000) * 1000).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(MOMENTS, OFFSETS, st.sampled_from(("seconds", "milliseconds", "microseconds")))
def test_any_moment_in_any_offset_is_read_as_the_standard_library_reads_it(
    moment: datetime, offset: timezone, precision: str
) -> None:
    written = moment.astimezone(offset).isoformat(timespec=precision)
    since = datetime.fromisoformat(written) - datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_time_ms(written) == since // timedelta(milliseconds=1)


UNIFORM = MOMENTS.map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%SZ}")
BROKEN = st.from_regex(
    r"[0-9]{4}-[0-3][0-9]-[0-4][0-9]T[0-3][0-9]:[0-9]{2}:[0-9]{2}Z", fullmatch=True
)


@given(st.lists(UNIFORM | BROKEN | st.floats() | st.integers() | st.text(max_size=25), max_size=9))
@example(["2011-12-09T12:50:00Z", "2011-12-09T12:50:0éZ"])
def test_a_column_is_what_its_times_are_one_by_one(written: list[str | float]) -> None:
    parsed = [parse_time_ms(one) for one in written]
    times, bad = parse_times_ms(written)
    assert times.tolist() == [time_ms or 0 for time_ms in parsed]
    assert bad == [place for place, time_ms in enumerate(parsed) if time_ms is None]


@given(st.lists(UNIFORM, min_size=1, max_size=50))
def test_a_column_of_one_form_is_read_at_once(written: list[str]) -> None:
    times, bad = parse_times_ms(written)
    assert times.tolist() == [parse_time_ms(one) for one in written]
    assert bad == []


@given(st.lists(BROKEN, min_size=1, max_size=8))
def test_a_column_of_one_form_with_impossible_dates_names_them(written: list[str]) -> None:
    parsed = [parse_time_ms(one) for one in written]
    times, bad = parse_times_ms(written)
    assert times.tolist() == [time_ms or 0 for time_ms in parsed]
    assert bad == [place for place, time_ms in enumerate(parsed) if time_ms is None]
