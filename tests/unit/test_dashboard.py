from __future__ import annotations

import io

from rich.console import Console

from stream.tools.dashboard import Gauges, line, parse, scrape, status, table
from stream.tools.ports import usable_port

PAGE = """\
# HELP retention_customers Customers in the window.
# TYPE retention_customers gauge
retention_customers{store="a",dimension="all",segment="all",window="30d",status="active"} 1500
retention_customers{store="a",dimension="all",segment="all",window="30d",status="new"} 5
retention_customers{store="a",dimension="all",segment="all",window="30d",status="retained"} 7
retention_customers{store="a",dimension="all",segment="all",window="30d",status="lost"} 2
retention_customers{store="a",dimension="all",segment="all",window="30d",status="repeat"} 3
retention_customers{store="a",dimension="channel",segment="web",window="30d",status="active"} 9
retention_customers{store="a",dimension="all",segment="all",window="prev_30d",status="active"} 8
retention_customers{store="a",dimension="all",segment="all",window="year",status="active"} 11
# TYPE retention_customer_retention_ratio gauge
retention_customer_retention_ratio{store="a",dimension="all",segment="all",window="30d"} 0.645
# TYPE retention_repeat_purchase_ratio gauge
retention_repeat_purchase_ratio{store="a",dimension="all",segment="all",window="year"} 0.474
# TYPE retention_orders gauge
retention_orders{store="a",dimension="all",segment="all",window="30d"} 2000
# TYPE retention_revenue gauge
retention_revenue{store="a",dimension="all",segment="all",window="30d",currency="GBP",kind="gross"} 1234.5
retention_revenue{store="a",dimension="all",segment="all",window="30d",currency="GBP",kind="refunded"} 99
retention_revenue{store="a",dimension="all",segment="all",window="30d",currency="JPY",kind="gross"} 80000
# TYPE retention_events_total counter
retention_events_total{topic="purchases",outcome="applied"} 40
retention_events_total{topic="returns",outcome="rejected"} 2
# TYPE retention_lag_events gauge
retention_lag_events{topic="purchases",partition="0"} 3
retention_lag_events{topic="purchases",partition="1"} 4
# TYPE retention_as_of_timestamp_seconds gauge
retention_as_of_timestamp_seconds 1291207560
"""  # noqa: E501 - as the worker writes it
MONTH_CELLS = ["1,500", "5", "7", "2", "3", "64.5%", "-", "2,000", "1,234"]
YEAR_CELLS = ["11", "0", "0", "0", "0", "-", "47.4%", "0", "-"]


def shown(gauges: Gauges) -> str:
    console = Console(file=io.StringIO(), width=140)
    console.print(table(gauges, 0.0))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_gauges_of_the_whole_store_are_read_by_window() -> None:
    gauges = parse(PAGE)
    assert list(gauges.windows) == [("a", "30d"), ("a", "year")]
    month = gauges.windows["a", "30d"]
    assert month.customers == {"active": 1500, "new": 5, "retained": 7, "lost": 2, "repeat": 3}
    assert (month.retention_ratio, month.repeat_ratio, month.orders) == (0.645, None, 2000)
    assert month.revenue == {"GBP": 1234.5, "JPY": 80_000}
    year = gauges.windows["a", "year"]
    assert (year.retention_ratio, year.repeat_ratio, year.orders) == (None, 0.474, 0)


def test_events_and_lag_are_added_up_over_topics_and_partitions() -> None:
    gauges = parse(PAGE)
    assert (gauges.events, gauges.lag_events, gauges.as_of_seconds) == (42, 7, 1291207560)


def test_status_tells_as_of_events_rate_and_lag() -> None:
    assert status(parse(PAGE), 12.4) == "as of 2010-12-01 12:46 UTC, 42 events, 12/s, lag 7"


def test_status_without_anything_seen_has_no_time_and_no_lag() -> None:
    assert status(parse(""), 0.0) == "as of -, 0 events, 0/s, lag -"


def test_table_shows_a_row_per_window_with_absent_ratios_as_a_dash() -> None:
    rows = [text.split() for text in shown(parse(PAGE)).splitlines()]
    assert ["30d", *MONTH_CELLS, "GBP,", "80k", "JPY"] in rows
    assert ["year", *YEAR_CELLS] in rows


def test_table_names_the_store_when_there_are_several() -> None:
    text = shown(parse(PAGE + PAGE.replace('store="a"', 'store="b"').replace("# TYPE", "# ")))
    assert "a 30d" in text
    assert "b 30d" in text


def test_line_shows_the_first_window() -> None:
    assert line(parse(PAGE), 0.0).endswith(
        " | a 30d: 1,500 active, 5 new, 7 retained, 2 lost, 3 repeat, "
        "retention 64.5%, repeat -, 2,000 orders"
    )


def test_worker_that_does_not_answer_has_no_gauges() -> None:
    assert scrape("127.0.0.1", usable_port(0)) is None
