"""A worker's gauges in the terminal: read from its ``/metrics``, shown as a table or a line."""

from __future__ import annotations

import http.client
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families
from rich.box import SIMPLE
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping


SCRAPE_TIMEOUT_SECONDS = 5.0
SHORTENED_FROM = 10_000
CUSTOMER_STATUSES = ("active", "new", "retained", "lost", "repeat")
RETENTION = "retention_customer_retention_ratio"
REPEAT = "retention_repeat_purchase_ratio"


@dataclass(frozen=True, slots=True)
class WindowRow:
    """The whole store's gauges of one window; None where a ratio has no denominator."""

    customers: Mapping[str, int]
    retention_ratio: float | None
    repeat_ratio: float | None
    orders: int
    #: gross, in major units, by currency
    revenue: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Gauges:
    """What a scrape says."""

    #: (store, window) → gauges, in the order of the scrape
    windows: Mapping[tuple[str, str], WindowRow]
    events: int
    lag_events: int | None
    as_of_seconds: float | None


def scrape(host: str, port: int) -> Gauges | None:
    """The worker's gauges now; None while it does not answer."""
    connection = http.client.HTTPConnection(host, port, timeout=SCRAPE_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        text = response.read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return parse(text) if response.status == http.client.OK else None


def parse(text: str) -> Gauges:
    """The gauges in a page of Prometheus text."""
    values: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = sample.labels
            if "window" not in labels:
                totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
            elif labels.get("dimension") == "all" and not labels["window"].startswith("prev_"):
                kind = labels.get("status") or labels.get("kind") or ""
                series = ".".join((sample.name, kind, labels.get("currency", "")))
                values[labels["store"], labels["window"]][series] = sample.value
    lag = totals.get("retention_lag_events")
    return Gauges(
        windows={key: _row(series) for key, series in values.items()},
        events=int(totals.get("retention_events_total", 0)),
        lag_events=None if lag is None else int(lag),
        as_of_seconds=totals.get("retention_as_of_timestamp_seconds"),
    )


def _row(series: Mapping[str, float]) -> WindowRow:
    gross = "retention_revenue.gross."
    return WindowRow(
        customers={
            status: int(series.get(f"retention_customers.{status}.", 0))
            for status in CUSTOMER_STATUSES
        },
        retention_ratio=series.get(f"{RETENTION}.."),
        repeat_ratio=series.get(f"{REPEAT}.."),
        orders=int(series.get("retention_orders..", 0)),
        revenue={
            name.removeprefix(gross): value
            for name, value in series.items()
            if name.startswith(gross)
        },
    )


def table(gauges: Gauges, events_per_second: float, *notes: str) -> Table:
    """All windows of all stores as a table; below it how it stands, and notes."""
    several_stores = len({store for store, _ in gauges.windows}) > 1
    below = "\n".join((status(gauges, events_per_second), *notes))
    result = Table(box=SIMPLE, caption=below, caption_justify="left")
    result.add_column("window", no_wrap=True)
    for heading in (*CUSTOMER_STATUSES, "retention", "repeat %", "orders"):
        result.add_column(heading, justify="right", no_wrap=True)
    result.add_column("revenue", justify="right")
    for (store, window), row in gauges.windows.items():
        result.add_row(
            f"{store} {window}" if several_stores else window,
            *(f"{row.customers[name]:,}" for name in CUSTOMER_STATUSES),
            _percent(row.retention_ratio),
            _percent(row.repeat_ratio),
            f"{row.orders:,}",
            _money(row.revenue),
        )
    return result


def line(gauges: Gauges, events_per_second: float) -> str:
    """The status and the first window of every store, for a log."""
    first_windows: dict[str, str] = {}
    for store, window in gauges.windows:
        first_windows.setdefault(store, window)
    parts = [status(gauges, events_per_second)]
    for (store, window), row in gauges.windows.items():
        if first_windows[store] == window:
            counts = ", ".join(f"{count:,} {name}" for name, count in row.customers.items())
            parts.append(
                f"{store} {window}: {counts}, retention {_percent(row.retention_ratio)}, "
                f"repeat {_percent(row.repeat_ratio)}, {row.orders:,} orders"
            )
    return " | ".join(parts)


def status(gauges: Gauges, events_per_second: float) -> str:
    """As of, events, their rate and the lag, in one line."""
    as_of = "-"
    if gauges.as_of_seconds is not None:
        as_of = f"{datetime.fromtimestamp(gauges.as_of_seconds, UTC):%Y-%m-%d %H:%M} UTC"
    lag = "-" if gauges.lag_events is None else f"{gauges.lag_events:,}"
    return f"as of {as_of}, {gauges.events:,} events, {events_per_second:,.0f}/s, lag {lag}"


def _percent(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1%}"


def _money(revenue: Mapping[str, float]) -> str:
    return ", ".join(f"{_short(amount)} {currency}" for currency, amount in revenue.items()) or "-"


def _short(amount: float) -> str:
    return f"{amount:,.0f}" if amount < SHORTENED_FROM else f"{amount / 1000:,.0f}k"
