"""Published figures, and plain loops, on a year of a real shop (UCI Online Retail)."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from stream.tools.oracle import OracleParameters, recompute
from tests.support.event_lines import DAY_MS, HOUR_MS, NOW_MS, Gauges
from tests.support.online_retail import DECEMBER_2010, cohort_ages, online_retail_path

FIRST_BOUGHT_IN_DECEMBER, BOUGHT_AGAIN_IN_JANUARY, *_ = DECEMBER_2010


class Order(NamedTuple):
    customer: str
    occurred_at: datetime
    pence: int
    units: int


@pytest.fixture(scope="module")
def events_file() -> Path:
    return online_retail_path()


@pytest.fixture(scope="module")
def orders(events_file: Path) -> list[Order]:
    with gzip.open(events_file, "rt", encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    return [
        Order(
            event["customer_id"],
            datetime.fromisoformat(event["occurred_at"]),
            round(float(event["amount"]) * 100),
            event["units"],
        )
        for event in events
        if event["type"] == "purchase"
    ]


def gauges_at(events_file: Path, as_of: str, *windows: str) -> Gauges:
    parameters = OracleParameters(
        windows=windows,
        dimensions=("country",),
        timezone="UTC",
        bucket_ms=HOUR_MS,
        horizon_ms=800 * DAY_MS,
        clock="event",
        now_ms=NOW_MS,
        as_of_ms=round(datetime.fromisoformat(as_of).timestamp() * 1000),
    )
    return Gauges(recompute([events_file], parameters))


def test_first_time_buyers_of_december_2010_are_as_published(events_file: Path) -> None:
    gauges = gauges_at(events_file, "2010-12-31T23:59:59Z", "month")
    december = gauges.customers("month", store="uci")
    assert december["new"] == december["active"] == FIRST_BOUGHT_IN_DECEMBER


def test_those_who_bought_again_in_january_2011_are_as_published(events_file: Path) -> None:
    gauges = gauges_at(events_file, "2011-01-31T23:59:59Z", "month")
    assert gauges.customers("month", store="uci")["start"] == FIRST_BOUGHT_IN_DECEMBER
    assert gauges.customers("month", store="uci")["retained"] == BOUGHT_AGAIN_IN_JANUARY


def test_the_cohort_of_december_2010_comes_back_as_published(events_file: Path) -> None:
    gauges = gauges_at(events_file, "2011-12-09T12:50:00Z", "month")
    assert cohort_ages(gauges.recomputed.samples, "2010-12") == DECEMBER_2010


@pytest.mark.parametrize(
    ("window", "as_of", "first", "preceding_first"),
    [
        ("30d", "2011-06-15T09:59:59Z", "2011-05-16T10:00:00", "2011-04-16T10:00:00"),
        ("90d", "2011-12-09T12:59:59Z", "2011-09-10T13:00:00", "2011-06-12T13:00:00"),
        ("month", "2011-11-30T23:59:59Z", "2011-11-01T00:00:00", "2011-10-01T00:00:00"),
        ("quarter", "2011-08-20T10:59:59Z", "2011-07-01T00:00:00", "2011-04-01T00:00:00"),
        ("week", "2011-03-20T23:59:59Z", "2011-03-14T00:00:00", "2011-03-07T00:00:00"),
    ],
)
def test_plain_loops_find_the_same(
    events_file: Path,
    orders: list[Order],
    window: str,
    as_of: str,
    first: str,
    preceding_first: str,
) -> None:
    begin = datetime.fromisoformat(f"{first}+00:00")
    preceding_begin = datetime.fromisoformat(f"{preceding_first}+00:00")
    end = datetime.fromisoformat(as_of)
    inside = [order for order in orders if begin <= order.occurred_at <= end]
    active = {order.customer for order in inside}
    start = {o.customer for o in orders if preceding_begin <= o.occurred_at < begin}
    before = {order.customer for order in orders if order.occurred_at < begin}
    numbers = [order.customer for order in inside]

    gauges = gauges_at(events_file, as_of, window)
    assert gauges.customers(window, store="uci") == {
        "active": len(active),
        "new": len(active - before),
        "start": len(start),
        "retained": len(active & start),
        "reactivated": len((active & before) - start),
        "lost": len(start - active),
        "repeat": sum(numbers.count(customer) >= 2 for customer in active),
    }
    pence = sum(order.pence for order in inside)
    gross = gauges.value("revenue", window, store="uci", kind="gross", currency="GBP")
    assert gross == pence / 100
    units = gauges.value("units", window, store="uci", kind="sold")
    assert units == sum(order.units for order in inside)
    assert gauges.value("orders", window, store="uci") == len(inside)


def test_segments_of_a_country_add_up_to_the_whole_store(events_file: Path) -> None:
    gauges = gauges_at(events_file, "2011-12-09T12:50:00Z", "90d")
    parts = [
        gauges.customers("90d", store="uci", dimension="country", segment=segment)
        for segment in gauges.segments("country")
    ]
    for status, whole in gauges.customers("90d", store="uci").items():
        assert sum(part[status] for part in parts) == whole


def test_the_previous_month_is_what_was_shown_at_its_end(events_file: Path) -> None:
    then = gauges_at(events_file, "2011-08-31T23:59:59Z", "month")
    later = gauges_at(events_file, "2011-09-17T11:00:00Z", "month")
    assert later.customers("prev_month", store="uci") == then.customers("month", store="uci")
