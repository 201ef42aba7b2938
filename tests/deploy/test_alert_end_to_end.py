"""From orders to a message: broker, worker, Prometheus and Alertmanager, all of them real.

A shop has traded for ten weeks, and for two days customers come back less. Prometheus has its past
from before; then orders of the last two days that were under way turn up, and all is well again.
Durations of hours are made seconds; nothing else in the rules is touched.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

from stream.tools.embedded_broker import EmbeddedBroker
from stream.tools.shop import ShopConfig, shop_events
from stream.tools.shop_scenario import DAY_MS, HOUR_MS
from stream.tools.shop_shares import NewcomerShares
from tests.integration.worker_harness import Worker
from tests.support.alert_history import History
from tests.support.alertmanager_server import AlertmanagerServer, Webhook
from tests.support.prometheus_server import REPOSITORY, PrometheusServer
from tests.support.promtool import RULE_FILES
from tests.support.shop_gauges import write_gauges

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(900)]

SHOP_DAYS = 72
#: Three weeks back, and what the gauges of then go back to.
PAST_DAYS = 25
DROP_DAYS = 2
ALERT_TIMEOUT_SECONDS = 180.0
DROP = {"alertname": "RetentionRateDropped", "store": "shop", "signal": "returning_orders"}


def shop_until_now() -> ShopConfig:
    """Its last whole hour is the one before the last."""
    now_ms = time.time_ns() // 1_000_000
    return ShopConfig(
        start_ms=(now_ms // HOUR_MS - 1) * HOUR_MS - SHOP_DAYS * DAY_MS,
        customers_per_day=700,
        newcomers=NewcomerShares(guest=0.0),
        scenario="retention-drop",
        scenario_from_day=SHOP_DAYS - DROP_DAYS,
    )


def events(shop: ShopConfig, path: Path, from_day: int = 0) -> Path:
    """A file with the events of the shop that have arrived by now, from one of its days on."""
    now_ms = time.time_ns() // 1_000_000
    first_ms = shop.start_ms + from_day * DAY_MS
    arrived = takewhile(lambda one: one.arrival_ms < now_ms, shop_events(shop))
    lines = [one.line for one in arrived if one.arrival_ms >= first_ms]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def send(environ: Mapping[str, str], path: Path) -> None:
    assignments = [f"{name}={value}" for name, value in environ.items()]
    command = ["env", *assignments, sys.executable, "-m", "stream", "produce", str(path)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def shop() -> ShopConfig:
    return shop_until_now()


@pytest.fixture(scope="module")
def environ() -> Iterator[dict[str, str]]:
    with EmbeddedBroker() as broker:
        yield {
            "RETENTION_BROKER": broker.address,
            "RETENTION_PARTITIONS": "2",
            "RETENTION_COMMIT_INTERVAL_SECONDS": "1",
            "RETENTION_WINDOWS": "7d,30d",
            "RETENTION_DIMENSIONS": "channel",
        }


def in_a_hurry(folder: Path) -> list[str]:
    """The rules, with seconds for hours and minutes where it says how long to wait."""
    paths = []
    for path in RULE_FILES:
        text = re.sub(
            r"^( +(?:for|keep_firing_for|interval): )\d+[hm]$",
            r"\g<1>2s",
            path.read_text(encoding="utf-8"),
            flags=re.MULTILINE,
        )
        paths.append(folder / path.name)
        paths[-1].write_text(text, encoding="utf-8")
    return [str(path) for path in paths]


def configuration(folder: Path, worker: Worker, manager: AlertmanagerServer) -> dict[str, object]:
    """The project's, with the addresses and the haste of this test."""
    path = REPOSITORY / "deploy" / "prometheus" / "prometheus.yml"
    result: dict[str, object] = yaml.safe_load(path.read_text(encoding="utf-8"))
    target = {"targets": [f"127.0.0.1:{worker.port}"]}
    return result | {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": in_a_hurry(folder),
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager.address]}]}]},
        "scrape_configs": [{"job_name": "retention-stream", "static_configs": [target]}],
    }


def test_a_drop_reaches_the_webhook_and_so_does_its_end(
    shop: ShopConfig, environ: dict[str, str], tmp_path: Path
) -> None:
    gauges = tmp_path / "gauges.om"
    write_gauges(
        gauges,
        shop,
        from_day=SHOP_DAYS - PAST_DAYS,
        to_day=SHOP_DAYS,
        dimensions=("channel",),
        labels={"job": "retention-stream", "instance": "gone:6066"},
    )
    with gauges.open("a") as file:
        file.write("# EOF\n")
    start = shop.start_ms // 1000
    past = History(
        tmp_path / "prometheus",
        start + (SHOP_DAYS - PAST_DAYS) * 86_400,
        start + SHOP_DAYS * 86_400,
    )
    past.load(gauges)
    past.record()
    with (
        Worker(environ, tmp_path) as worker,
        Webhook() as webhook,
        AlertmanagerServer(tmp_path, webhook) as manager,
    ):
        worker.wait_until_ready()
        send(environ, events(shop, tmp_path / "shop.jsonl"))
        config = configuration(tmp_path, worker, manager)
        with PrometheusServer(past.folder, config, "--storage.tsdb.retention.time=60d"):
            alert = webhook.wait_for("firing", ALERT_TIMEOUT_SECONDS, **DROP, dimension="all")
            assert alert["receiver"] == "shop"
            assert "of what is usual" in alert["annotations"]["description"]
            assert (REPOSITORY / alert["annotations"]["runbook_url"]).is_file()
            # The same shop without the drop: its orders of these days turn up as well.
            steady = replace(shop, scenario="steady")
            send(environ, events(steady, tmp_path / "late.jsonl", SHOP_DAYS - DROP_DAYS))
            webhook.wait_for("resolved", ALERT_TIMEOUT_SECONDS, **DROP, dimension="all")
    kinds = {alert["labels"]["kind"] for alert in webhook.alerts}
    assert kinds == {"shop"}, "no alert of the pipeline"
