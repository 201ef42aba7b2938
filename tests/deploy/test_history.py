"""The past in a real Prometheus: what ``history`` wrote, made blocks by ``promtool``."""

from __future__ import annotations

import subprocess
from argparse import ArgumentParser
from typing import TYPE_CHECKING

import pytest

from stream.domain.metrics import samples
from stream.publish.api.requests import WITHOUT_PAST
from stream.settings import load_settings
from stream.tools.history import command
from tests.support.prometheus_server import PrometheusServer, install
from tests.support.served import served
from tests.support.worker import NOW_MS, Worker

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.prometheus

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TARGET = {"job": "retention-stream", "instance": "past"}


def test_blocks_hold_every_value_of_every_instant(tmp_path: Path) -> None:
    worker = Worker()
    worker.restore()
    for number in range(60):
        worker.purchase(
            f"c-{number % 13}",
            f"o-{number}",
            occurred_at=(NOW_MS - number * 30 * HOUR_MS) / 1000,
            amount=f"{number}.25",
            store="default" if number % 3 else 'the "other"',
            attributes={"channel": "web" if number % 2 else "shop"},
        )
    path = tmp_path / "past.om"
    parser = ArgumentParser()
    command.add_arguments(parser)
    start_ms = NOW_MS - 60 * DAY_MS
    with served(worker) as address:
        arguments = ["--url", address, "--from", str(start_ms / 1000), "--step", "12h"]
        labels = [word for name, text in TARGET.items() for word in ("--label", f"{name}={text}")]
        args = parser.parse_args([*arguments, *labels, "--output", str(path)])
        assert command.run(load_settings({}), args) == 0

    promtool = [str(install() / "promtool"), "tsdb", "create-blocks-from"]
    files = [str(path), str(tmp_path / "data")]
    done = subprocess.run(
        [*promtool, "--max-block-duration=744h", "openmetrics", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    with PrometheusServer(tmp_path, {}, "--storage.tsdb.retention.time=50y") as server:
        for at_ms in range(start_ms, NOW_MS + 1, 5 * DAY_MS):
            found = {
                frozenset(row["metric"].items()): float(row["value"][1])
                for row in server.rows_at('{job="retention-stream"}', at_ms // 1000)
            }
            assert found == {
                frozenset(
                    {"__name__": one.name + one.suffix, **TARGET, **dict(one.labels)}.items()
                ): float(one.value)
                for one in samples(worker.engine.totals(at_ms))
                if one.name not in WITHOUT_PAST
            }
        # A histogram is one to Prometheus, too.
        (row,) = server.rows_at(
            'histogram_quantile(0.5, retention_order_gap_seconds_bucket{store="default"})',
            NOW_MS // 1000,
        )
        assert float(row["value"][1]) > 0
