"""A real Alertmanager: what reaches whom, and what is held back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.alertmanager_server import AlertmanagerServer, Webhook, wait_until

pytestmark = pytest.mark.prometheus

JOB = {"job": "retention-stream"}
WHOLE = {"store": "shop", "dimension": "all", "segment": "all"}
DROP = {**JOB, **WHOLE, "kind": "shop", "alertname": "RetentionRateDropped"}
CHURN = {**JOB, **WHOLE, "kind": "shop", "alertname": "ChurnRateRose"}
WEB = {**DROP, "dimension": "channel", "segment": "web"}
LAG = {**JOB, "kind": "pipeline", "alertname": "RetentionLag"}
TIMEOUT_SECONDS = 20.0


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture
def manager(webhook: Webhook, tmp_path: Path) -> Iterator[AlertmanagerServer]:
    with AlertmanagerServer(tmp_path, webhook) as manager:
        yield manager


def test_each_kind_reaches_its_people(manager: AlertmanagerServer, webhook: Webhook) -> None:
    elsewhere = {**LAG, "job": "another"}
    manager.post([DROP, elsewhere])
    drop = webhook.wait_for("firing", TIMEOUT_SECONDS, alertname="RetentionRateDropped")
    lag = webhook.wait_for("firing", TIMEOUT_SECONDS, alertname="RetentionLag")
    assert (drop["receiver"], lag["receiver"]) == ("shop", "operators")


def test_a_broken_pipeline_holds_back_the_shop(
    manager: AlertmanagerServer, webhook: Webhook
) -> None:
    manager.post([LAG, DROP, CHURN])
    webhook.wait_for("firing", TIMEOUT_SECONDS, alertname="RetentionLag")
    wait_until(lambda: len(manager.held_back()) == 2, TIMEOUT_SECONDS, "not held back")
    assert {alert["receiver"] for alert in webhook.alerts} == {"operators"}


def test_no_worker_at_all_holds_back_every_shop(
    manager: AlertmanagerServer, webhook: Webhook
) -> None:
    manager.post([{"kind": "pipeline", "alertname": "RetentionNoData"}, DROP])
    webhook.wait_for("firing", TIMEOUT_SECONDS, alertname="RetentionNoData")
    wait_until(lambda: manager.held_back() == [DROP], TIMEOUT_SECONDS, "not held back")


def test_a_store_speaks_for_its_segments_and_for_no_other_alert(
    manager: AlertmanagerServer, webhook: Webhook
) -> None:
    manager.post([CHURN, DROP, WEB])
    wait_until(lambda: manager.held_back() == [WEB], TIMEOUT_SECONDS, "not held back")
    webhook.wait_for("firing", TIMEOUT_SECONDS, alertname="ChurnRateRose")
    webhook.wait_for("firing", TIMEOUT_SECONDS, alertname="RetentionRateDropped")
    assert all(alert["labels"]["dimension"] == "all" for alert in webhook.alerts)
