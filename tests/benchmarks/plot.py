"""The rates as a picture: one bar for each peer and broker, with least and most as a line."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.benchmarks.peers.catalogue import PEERS
from tests.benchmarks.report import rates
from tests.benchmarks.results import OURS, Results
from tests.benchmarks.setting import BROKERS

_BAR = 0.38
_COLOURS = ("#1f6feb", "#d4a72c")


def draw(results: Results, path: Path) -> None:
    """Write an SVG of what was measured; peers without figures are left to the table."""
    titles = {OURS: "retention-stream"} | {peer.name: peer.title for peer in PEERS}
    measured = [name for name in titles if _medians(results, name)]
    measured.sort(key=lambda name: max(_medians(results, name)))
    # The same figures give the same bytes, and text stays text.
    with mpl.rc_context({"svg.hashsalt": "throughput", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 1.2 + 0.55 * len(measured)), layout="constrained")
        axes = figure.subplots()
        for number, (broker, title) in enumerate(BROKERS.items()):
            found = [(place, rates(results, name, broker)) for place, name in enumerate(measured)]
            bars = [(place + (0.5 - number) * _BAR, rate) for place, rate in found if rate]
            drawn = axes.barh(
                [place for place, _ in bars],
                [rate.median for _, rate in bars],
                _BAR,
                color=_COLOURS[number],
                label=f"on {title}",
                xerr=[
                    [rate.median - rate.least for _, rate in bars],
                    [rate.most - rate.median for _, rate in bars],
                ],
            )
            axes.bar_label(drawn, [f"{rate.median:,.0f}" for _, rate in bars], padding=6)
        axes.set_yticks(range(len(measured)), [titles[name] for name in measured])
        axes.set_xticks([])
        axes.margins(x=0.12)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.set_title("events per second (more is better)", loc="left")
        axes.legend(loc="lower right", frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None}, facecolor="white")


def _medians(results: Results, name: str) -> list[float]:
    return [found.median for broker in BROKERS if (found := rates(results, name, broker))]
