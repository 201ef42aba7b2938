"""Write the dashboards' JSON: ``python -m deploy.grafana.source``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from deploy.grafana.source import cohorts, pipeline, retention
from deploy.grafana.source.board import Dashboard

FOLDER = Path(__file__).parents[1] / "dashboards"
DASHBOARDS: Mapping[str, Dashboard] = {
    "retention.json": retention.DASHBOARD,
    "cohorts.json": cohorts.DASHBOARD,
    "pipeline.json": pipeline.DASHBOARD,
}


def text_of(dashboard: Dashboard) -> str:
    """The file's content."""
    return json.dumps(dashboard.as_json(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, dashboard in DASHBOARDS.items():
        (FOLDER / name).write_text(text_of(dashboard), encoding="utf-8")
        print(f"wrote {FOLDER / name}")
