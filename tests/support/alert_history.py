"""A real Prometheus with a made past: gauges imported, rules evaluated over it, alerts read."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.alert_rules import Rule, alerts, passes
from tests.support.prometheus_server import PrometheusServer, install
from tests.support.shop_gauges import WRITTEN_EVERY_SECONDS

STEP_SECONDS = 3600
#: Longer than gauges are apart, shorter than rules are.
LOOKBACK_SECONDS = WRITTEN_EVERY_SECONDS + 60
_LONG_BLOCKS = "--max-block-duration=744h"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """When an alert's expression held, for one series: seconds since the epoch, an hour apart."""

    alert: str
    labels: dict[str, str]
    held_at: list[int]


class History:
    """Prometheus over one period of the past.

    Args:
        folder: for its data; must be empty.
        start: the first second of the period.
        end: the last.
    """

    def __init__(self, folder: Path, start: int, end: int) -> None:
        #: Where a server has this past, too.
        self.folder = folder
        self._start = start
        self._end = end
        self._data = folder / "data"
        folder.mkdir(parents=True)

    def load(self, openmetrics: Path) -> None:
        """Take in gauges from a file."""
        self._promtool(_LONG_BLOCKS, "openmetrics", str(openmetrics), str(self._data))

    def record(self) -> None:
        """Evaluate all recording rules hour by hour; what they make is part of the past then."""
        for rules in passes():
            self._record(rules)

    def evaluate(self) -> list[Evaluated]:
        """Evaluate the expressions of the shop's alerts in the same hours."""
        return [
            Evaluated(alert.name, row["metric"], [int(at) for at, _ in row["values"]])
            for alert in alerts()
            for row in self.rows(alert.expression)
        ]

    def rows(self, expression: str) -> list[dict[str, Any]]:
        """The series of an expression in the same hours."""
        with self._server() as server:
            # Prometheus chooses at which moment of the hour it evaluates a group.
            after = self._start + 3 * STEP_SECONDS
            (setting, *_) = server.rows_at(f"retention:setting_z[{2 * STEP_SECONDS}s]", after)
            (second, _), *_ = setting["values"]
            return server.rows_between(expression, math.ceil(second), self._end, STEP_SECONDS)

    def _record(self, rules: Sequence[Rule]) -> None:
        # One file and one group for all passes: both decide at which second they are evaluated.
        group = {"name": "pass", "interval": f"{STEP_SECONDS}s", "rules": list(rules)}
        path = self.folder / "rules.yml"
        path.write_text(yaml.safe_dump({"groups": [group]}), encoding="utf-8")
        with self._server() as server:
            self._promtool(
                *(_LONG_BLOCKS, "rules", f"--url={server.address}"),
                *(f"--start={self._start}", f"--end={self._end}"),
                *(f"--output-dir={self._data}", str(path)),
            )

    def _server(self) -> PrometheusServer:
        return PrometheusServer(
            self.folder,
            {},
            f"--query.lookback-delta={LOOKBACK_SECONDS}s",
            "--storage.tsdb.retention.time=50y",
            "--query.max-samples=500000000",
            "--query.timeout=10m",
        )

    def _promtool(self, *arguments: str) -> None:
        command = [str(install() / "promtool"), "tsdb", "create-blocks-from", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"promtool failed: {done.stdout}{done.stderr}")
