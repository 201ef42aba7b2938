"""Calendar windows: periods of the shop's own calendar, to date and complete."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.support.event_lines import START, gauges_of, parameters, purchase

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.event_lines import Event, Gauges

UNITS = ("day", "week", "month", "quarter", "year")


def day_of(moment: str) -> float:
    """Days from START to a moment."""
    return (datetime.fromisoformat(moment) - START).total_seconds() / 86_400


def bought(customer: str, *moments: str) -> list[Event]:
    return [purchase(customer, 0, occurred_at=moment) for moment in moments]


def run(
    tmp_path: Path, events: list[Event], as_of: str, *windows: str, timezone: str = "UTC"
) -> Gauges:
    given = parameters(*windows, as_of_day=day_of(as_of), timezone=timezone, horizon_days=2000)
    return gauges_of(tmp_path, events, given)


def test_every_status_in_a_month_to_date(tmp_path: Path) -> None:
    events = [
        *bought("retained", "2024-04-30T23:59:59Z", "2024-05-01T00:00:00Z"),
        *bought("lost", "2024-04-01T00:00:00Z"),
        *bought("reactivated", "2024-03-31T23:59:59Z", "2024-05-14T00:00:00Z"),
        *bought("new", "2024-05-02T00:00:00Z", "2024-05-15T12:59:59Z"),
        *bought("later than as of", "2024-05-15T13:00:00Z"),
    ]
    gauges = run(tmp_path, events, "2024-05-15T12:00:00Z", "month")
    assert gauges.customers("month") == {
        "active": 3,
        "new": 1,
        "start": 2,
        "retained": 1,
        "reactivated": 1,
        "lost": 1,
        "repeat": 1,
    }
    assert gauges.value("orders", "month") == 4
    assert gauges.value("customer_retention_ratio", "month") == 1 / 2


def test_the_previous_month_is_complete_and_has_its_own_preceding_month(tmp_path: Path) -> None:
    events = [
        *bought("a", "2024-03-01T00:00:00Z", "2024-04-30T23:00:00Z"),
        *bought("b", "2024-03-31T23:00:00Z"),
        *bought("c", "2024-02-29T00:00:00Z", "2024-04-01T00:00:00Z", "2024-04-02T00:00:00Z"),
        *bought("d", "2024-05-01T00:00:00Z"),
    ]
    gauges = run(tmp_path, events, "2024-05-01T00:00:00Z", "month")
    assert gauges.customers("prev_month") == {
        "active": 2,
        "new": 0,
        "start": 2,
        "retained": 1,
        "reactivated": 1,
        "lost": 1,
        "repeat": 1,
    }
    assert gauges.value("orders", "prev_month") == 3
    assert gauges.value("orders", "month") == 1


@pytest.mark.parametrize(
    ("unit", "first", "preceding_first", "second_preceding_first"),
    [
        ("day", "2024-08-14", "2024-08-13", "2024-08-12"),
        ("week", "2024-08-12", "2024-08-05", "2024-07-29"),  # Mondays
        ("month", "2024-08-01", "2024-07-01", "2024-06-01"),
        ("quarter", "2024-07-01", "2024-04-01", "2024-01-01"),
        ("year", "2024-01-01", "2023-01-01", "2022-01-01"),
    ],
)
def test_each_unit_begins_where_the_calendar_says(
    tmp_path: Path, unit: str, first: str, preceding_first: str, second_preceding_first: str
) -> None:
    events = [
        *bought("in", f"{first}T00:00:00Z", "2024-08-14T15:00:00Z"),
        *bought("just before", f"{first}T00:59:59+01:00"),
        *bought("first preceding", f"{preceding_first}T00:00:00Z"),
        *bought("before that", f"{preceding_first}T00:59:59+01:00"),
        *bought("first of the one before", f"{second_preceding_first}T00:00:00Z"),
        *bought("too early for all", f"{second_preceding_first}T00:59:59+01:00"),
    ]
    gauges = run(tmp_path, events, "2024-08-14T15:00:00Z", *UNITS)
    now, previous = gauges.customers(unit), gauges.customers(f"prev_{unit}")
    assert (now["active"], now["start"], now["repeat"]) == (1, 2, 1)
    assert (previous["active"], previous["start"]) == (2, 2)


@pytest.mark.parametrize(
    ("moment", "in_april"),
    [
        ("2024-03-31T21:59:59.999Z", False),  # 23:59 in Berlin, summer time since this morning
        ("2024-03-31T22:00:00Z", True),
        ("2024-04-30T21:59:59Z", True),
        ("2024-04-30T22:00:00Z", False),
    ],
)
def test_months_are_those_of_the_time_zone(tmp_path: Path, moment: str, *, in_april: bool) -> None:
    events = bought("a", moment)
    gauges = run(tmp_path, events, "2024-05-31T12:00:00Z", "month", timezone="Europe/Berlin")
    assert gauges.value("orders", "prev_month") == int(in_april)


@pytest.mark.parametrize(
    ("moment", "in_day"),
    [
        ("2024-03-30T22:59:59Z", False),
        ("2024-03-30T23:00:00Z", True),  # the day of the change to summer time has 23 hours
        ("2024-03-31T21:59:59Z", True),
        ("2024-03-31T22:00:00Z", False),
    ],
)
def test_the_day_of_a_clock_change_is_as_long_as_it_is(
    tmp_path: Path, moment: str, *, in_day: bool
) -> None:
    events = bought("a", moment)
    gauges = run(tmp_path, events, "2024-04-01T12:00:00Z", "day", timezone="Europe/Berlin")
    assert gauges.value("orders", "prev_day") == int(in_day)


def test_the_day_is_that_of_the_event_not_of_its_bucket(tmp_path: Path) -> None:
    # In Kolkata midnight falls in the middle of an hour of UTC.
    events = bought("a", "2024-05-14T18:29:59Z") + bought("b", "2024-05-14T18:30:00Z")
    gauges = run(tmp_path, events, "2024-05-15T12:00:00Z", "day", timezone="Asia/Kolkata")
    assert gauges.value("orders", "day") == 1
    assert gauges.value("orders", "prev_day") == 1


def test_as_of_is_put_on_the_calendar_of_the_time_zone(tmp_path: Path) -> None:
    events = bought("a", "2023-12-31T23:30:00Z")
    gauges = run(tmp_path, events, "2023-12-31T23:45:00Z", "year", timezone="Europe/Berlin")
    assert gauges.value("orders", "year") == 1
    assert gauges.value("orders", "prev_year") == 0


@pytest.mark.parametrize(
    ("moment", "mature"), [("2024-04-01T23:59:59Z", 1), ("2024-04-02T00:00:00Z", 0)]
)
def test_a_month_is_mature_from_the_first_day_of_the_month_before(
    tmp_path: Path, moment: str, mature: int
) -> None:
    gauges = run(tmp_path, bought("a", moment), "2024-05-15T00:00:00Z", "month")
    assert gauges.value("window_mature", "month") == mature
