"""The index page: what this is, and the headline numbers as they stand."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, NamedTuple

from stream.domain.metrics import PREVIOUS_PREFIX
from stream.publish.prometheus import business_samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stream.domain.metrics import Sample
    from stream.meeting.overview import Overview
    from stream.publish.state import WorkerState

#: More stores than this are left to ``/metrics``: a page is for reading.
MOST_STORES = 20

_TEMPLATE = Template(files(__name__).joinpath("index.html").read_text(encoding="utf-8"))


class Column(NamedTuple):
    """A column of the table: the metric it shows, and its ``status`` label if it has one."""

    title: str
    metric: str
    status: str = ""


COLUMNS = (
    Column("Orders", "retention_orders"),
    Column("Active", "retention_customers", "active"),
    Column("New", "retention_customers", "new"),
    Column("Retained", "retention_customers", "retained"),
    Column("Reactivated", "retention_customers", "reactivated"),
    Column("Lost", "retention_customers", "lost"),
    Column("Retention", "retention_customer_retention_ratio"),
    Column("Churn", "retention_customer_churn_ratio"),
    Column("Repeat", "retention_repeat_purchase_ratio"),
)

Row = dict[Column, float]


def index_page(state: WorkerState) -> str:
    """The whole page as HTML; every value from outside is escaped."""
    overview = state.overview()
    stores = headline_numbers(business_samples(overview))
    return _TEMPLATE.substitute(
        status=escape(_status(state)),
        as_of=escape(_as_of(overview)),
        tables="".join(_table(store, stores[store]) for store in sorted(stores)[:MOST_STORES]),
        more=_more(overview, len(stores)),
    )


def headline_numbers(samples: Iterable[Sample]) -> dict[str, dict[str, Row]]:
    """Of each store and window (not the ``prev_`` ones), the columns' values; whole store only."""
    columns = {(column.metric, column.status): column for column in COLUMNS}
    stores: dict[str, dict[str, Row]] = {}
    for sample in samples:
        labels = dict(sample.labels)
        column = columns.get((sample.name, labels.get("status", "")))
        if column is None or labels["dimension"] != "all":
            continue
        if not labels["window"].startswith(PREVIOUS_PREFIX):
            windows = stores.setdefault(labels["store"], {})
            windows.setdefault(labels["window"], {})[column] = sample.value
    return stores


def _status(state: WorkerState) -> str:
    ready = len(state.engine.ready_partitions)
    status = "ready" if state.ready else "not ready"
    status += f": {ready} of {state.partitions_expected} partitions here"
    if state.restore_progress is not None:
        done, total = state.restore_progress
        status += f", {done:,} of {total:,} records restored"
    return status


def _as_of(overview: Overview | None) -> str:
    if overview is None:
        return "another worker shows the numbers of all"
    return "no event yet" if overview.as_of_ms is None else _time(overview.as_of_ms)


def _more(overview: Overview | None, stores: int) -> str:
    if overview is None:
        return "<p>The worker that owns partition 0 shows the numbers.</p>"
    if stores == 0:
        return "<p>No numbers yet: they appear when every partition is ready and has events.</p>"
    if stores > MOST_STORES:
        return f"<p>{stores - MOST_STORES:,} more stores are in the metrics.</p>"
    return ""


def _table(store: str, windows: Mapping[str, Row]) -> str:
    head = "".join(f'<th scope="col">{escape(column.title)}</th>' for column in COLUMNS)
    rows = "".join(
        f'<tr><th scope="row">{escape(window)}</th>{_cells(row)}</tr>'
        for window, row in windows.items()
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="Table of {escape(store)}">'
        f"<table><caption>Store: {escape(store)}</caption>"
        f'<thead><tr><th scope="col">Window</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _cells(row: Row) -> str:
    return "".join(f"<td>{_cell(column, row)}</td>" for column in COLUMNS)


def _cell(column: Column, row: Row) -> str:
    value = row.get(column)
    if value is None:
        return "&ndash;"
    return f"{value:.1%}" if column.metric.endswith("_ratio") else f"{value:,.0f}"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
