"""Every query of every panel, run by a real Prometheus that scrapes a real worker.

The worker has read a simulated shop. It is scraped twice, under two names, as when two workers
export the business gauges for a moment: no figure may then be there twice. What the worker does
not export yet comes from made-up values (``tests/support/announced.prom``).
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream.tools.embedded_broker import EmbeddedBroker
from tests.integration.worker_harness import Worker
from tests.support.announced import announced_exposition
from tests.support.dashboards import FOLDER, load, panels_of
from tests.support.prometheus_server import PrometheusServer

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(240)]

SETTLE_TIMEOUT_SECONDS = 60.0
#: What a person would choose; the rest is the first of what there is.
CHOSEN = {"store": "shop", "window": "30d", "dimension": "channel"}
#: Always firing, so that queries for alerts have something to find; and the rules' own links.
RULES = {
    "groups": [
        {
            "name": "test",
            "rules": [
                {"alert": "AlwaysFiring", "expr": "vector(1)", "labels": {"store": "shop"}},
                {
                    "record": "retention:links",
                    "expr": "vector(1)",
                    "labels": {"runbooks": "runbooks"},
                },
            ],
        }
    ]
}
SHOP = ("--history-days", "120", "--duration", "0", "--customers-per-day", "40")


def all_queries() -> list[Any]:
    return [
        pytest.param(
            path.name,
            panel["type"],
            target["expr"],
            id=f"{path.stem}: {panel['title']} {target['refId']}",
        )
        for path in sorted(FOLDER.glob("*.json"))
        for panel in panels_of(load(path.name))
        for target in panel["targets"]
    ]


class Announced(BaseHTTPRequestHandler):
    """Serves what the worker has not yet."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(announced_exposition().encode())

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def announced_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Announced) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def prometheus(
    announced_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    folder = tmp_path_factory.mktemp("dashboards")
    with EmbeddedBroker() as broker:
        environ = {
            "RETENTION_BROKER": broker.address,
            "RETENTION_PARTITIONS": "2",
            "RETENTION_COMMIT_INTERVAL_SECONDS": "1",
        }
        with Worker(environ, folder) as worker:
            worker.wait_until_ready()
            send_shop(environ)
            rules = folder / "rules.yml"
            rules.write_text(yaml.safe_dump(RULES), encoding="utf-8")
            configuration = configured(worker.port, announced_port, rules)
            with PrometheusServer(folder, configuration) as server:
                wait_until_settled(server, worker)
                yield server


def send_shop(environ: dict[str, str]) -> None:
    assignments = [f"{name}={value}" for name, value in environ.items()]
    simulate = [sys.executable, "-m", "stream", "simulate", *SHOP, "--bad-share", "0.02"]
    subprocess.run(["env", *assignments, *simulate], check=True, capture_output=True)


def configured(worker_port: int, announced_port: int, rules: Path) -> dict[str, object]:
    def target(port: int, instance: str) -> dict[str, object]:
        return {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": instance}}

    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [
            {
                "job_name": "retention-stream",
                "static_configs": [
                    target(worker_port, "worker-1"),
                    target(worker_port, "worker-2"),
                    target(announced_port, "announced"),
                ],
            }
        ],
    }


def wait_until_settled(server: PrometheusServer, worker: Worker) -> None:
    """Until the shop is read, and the figures shown are those of its end."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_SECONDS
    shown = 'max(retention_orders{window="prev_30d",dimension="all"}) > 0'
    lag = "sum(retention_lag_events) == 0"
    twice = "count_over_time(retention_dead_letters_total[1m]) > 3"
    firing = 'ALERTS{alertstate="firing"}'
    while not all(server.rows(expr) for expr in (shown, lag, twice, firing)):
        assert time.monotonic() < deadline, worker.log
        time.sleep(0.5)


def resolved(server: PrometheusServer, board: str, expr: str) -> str:
    """The query with the dashboard's variables put in, as Grafana does."""
    values = {"__rate_interval": "1m"}

    def put_in(text: str) -> str:
        return re.sub(r"\$\{?([a-z_]\w*)\}?", lambda found: values[found[1]], text)

    for variable in load(board)["templating"]["list"]:
        if variable["type"] != "query":
            continue
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"], re.DOTALL)
        assert found
        regex = re.compile(variable["regex"].strip("/") or ".*")
        offered = [v for v in server.label_values(found[2], put_in(found[1])) if regex.match(v)]
        assert offered, variable["name"]
        name = variable["name"]
        if variable["multi"]:
            values[name] = "|".join(offered)
        else:
            values[name] = CHOSEN.get(name, offered[0])
            assert values[name] in offered
    return put_in(expr)


@pytest.mark.parametrize(("board", "kind", "expr"), all_queries())
def test_a_panels_query_has_rows_and_none_twice(
    prometheus: PrometheusServer, board: str, kind: str, expr: str
) -> None:
    rows = prometheus.rows(resolved(prometheus, board, expr))
    assert rows
    assert all(row["value"][1] not in {"NaN", "+Inf", "-Inf"} for row in rows)
    if kind == "stat":
        assert len(rows) == 1
    if board != "pipeline.json":
        assert not any({"instance", "job"} & row["metric"].keys() for row in rows)


def test_the_cohort_heat_map_is_the_share_of_the_first_month(prometheus: PrometheusServer) -> None:
    (heat_map, *_) = panels_of(load("cohorts.json"))
    (target,) = heat_map["targets"]
    rows = prometheus.rows(resolved(prometheus, "cohorts.json", target["expr"]))
    shares = {(row["metric"]["cohort"], row["metric"]["age"]): row["value"][1] for row in rows}
    counts = {
        (row["metric"]["cohort"], row["metric"]["age"]): float(row["value"][1])
        for row in prometheus.rows(
            'max by (cohort, age) (retention_cohort_customers{store="shop"})'
        )
    }
    assert len(shares) == len(counts) > 3
    for (cohort, age), count in counts.items():
        assert float(shares[cohort, age.zfill(2)]) == count / counts[cohort, "0"]
