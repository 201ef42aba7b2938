"""The rates as a picture: one bar for each peer and broker, with least and most as a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

from tests.benchmarks.peers.catalogue import PEERS
from tests.benchmarks.report import rates
from tests.benchmarks.results import OURS, Results
from tests.benchmarks.setting import BROKERS, BrokerKind

_STYLE = Style(
    background="white",
    plot_background="white",
    foreground="#1f2328",
    foreground_strong="#1f2328",
    foreground_subtle="#59636e",
    colors=("#1f6feb", "#d4a72c"),
    font_family="sans-serif",
    label_font_size=12,
    value_font_size=11,
    title_font_size=15,
)


def draw(results: Results, path: Path) -> None:
    """Write an SVG of what was measured; peers without figures are left to the table."""
    titles = {OURS: "retention-stream"} | {peer.name: peer.title for peer in PEERS}
    measured = [name for name in titles if any(rates(results, name, broker) for broker in BROKERS)]
    # A horizontal bar chart is drawn from below.
    measured.sort(key=lambda name: max(_medians(results, name)))
    chart = pygal.HorizontalBar(
        style=_STYLE,
        js=(),
        width=860,
        height=90 + 46 * len(measured),
        explicit_size=True,
        disable_xml_declaration=True,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(BROKERS),
        print_values=True,
        print_values_position="top",
        show_y_labels=False,
        show_y_guides=False,
        value_formatter=lambda value: f"{value:,.0f}",
        title="events per second, durable state per customer (more is better)",
    )
    chart.x_labels = [titles[name] for name in measured]
    for broker, title in BROKERS.items():
        if any(run.broker == broker for run in results.runs):
            chart.add(title, [_bar(results, name, broker) for name in measured])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{chart.render(is_unicode=True)}\n", encoding="utf-8")


def _medians(results: Results, name: str) -> list[float]:
    return [found.median for broker in BROKERS if (found := rates(results, name, broker))]


def _bar(results: Results, name: str, broker: BrokerKind) -> dict[str, Any] | None:
    rate = rates(results, name, broker)
    if rate is None:
        return None
    return {"value": rate.median, "ci": {"low": rate.least, "high": rate.most}}
