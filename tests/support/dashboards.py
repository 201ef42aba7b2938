"""Dashboards as Grafana reads them: their panels, queries and the metrics these name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"

Json = dict[str, Any]


def load(name: str) -> Json:
    return cast("Json", json.loads((FOLDER / name).read_text(encoding="utf-8")))


def panels_of(board: Json) -> list[Json]:
    """Every panel but the titles of sections."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries_of(board: Json) -> list[str]:
    """The PromQL of every panel."""
    return [target["expr"] for panel in panels_of(board) for target in panel["targets"]]


def metrics_in(query: str) -> set[str]:
    """The metrics that an expression selects: names before a brace."""
    return set(re.findall(r"([a-zA-Z_]\w*)\{", query))
