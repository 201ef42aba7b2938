"""The rules of alerts over figures whose whole past is known, and what the worker says of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import numpy as np
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from stream.domain.alerts import (
    FOR_HOURS,
    HOURS_BACK,
    KEEP_FIRING_HOURS,
    MAX_LAG_EVENTS,
    SEGMENT_Z,
    SIGNALS,
    Figures,
    Floats,
    Reading,
    Signal,
    firing,
    read,
)
from stream.engine import Engine
from stream.publish.api.alerts import BEHIND, NO_WINDOWS, SAID, SUMMARIES
from stream.publish.http import build_app
from stream.settings import load_settings
from tests.support.alert_rules import RULES, alerts
from tests.support.prometheus_server import REPOSITORY
from tests.support.worker import NOW_MS, PARTITION, Worker

Client = TestClient[web.Request, web.Application]
HOUR_MS = 3_600_000
ORDERS_AN_HOUR = 10
BY_NAME = {signal.name: signal for signal in SIGNALS}


def judged(
    name: str, values: list[float], *, of: float = 10_000, z: float | None = None
) -> Reading:
    """A ratio now, and one, two and three weeks ago."""
    now, *weeks = (np.array([value]) for value in values)
    at = dict.fromkeys(HOURS_BACK, np.array([np.nan])) | {
        168 * (number + 1): value for number, value in enumerate(weeks)
    }
    at[0] = now
    volume: Floats = np.array([of])
    back = {hours: Figures(value, {name: value}, {name: volume}) for hours, value in at.items()}
    signal = BY_NAME[name]
    return read(signal, back, signal.store_z if z is None else z)


def test_the_median_of_three_weeks_is_what_is_usual() -> None:
    reading = judged("retention", [0.05, 0.11, 0.30, 0.10])

    assert reading.usual.tolist() == [0.11]
    assert reading.off.tolist() == [True]


def test_two_weeks_are_enough_and_one_is_not() -> None:
    assert judged("retention", [0.05, 0.12, 0.10, np.nan]).usual.tolist() == [pytest.approx(0.11)]
    assert np.isnan(judged("retention", [0.05, 0.12, np.nan, np.nan]).usual).all()
    assert not judged("retention", [0.05, 0.12, np.nan, np.nan]).off.any()


@pytest.mark.parametrize(
    ("signal", "values", "of"),
    [
        # Too small a change, too few customers to be sure, and weeks that differ by themselves.
        ("retention", [0.097, 0.10, 0.10, 0.10], 1_000_000),
        ("retention", [0.05, 0.10, 0.10, 0.10], 200),
        ("retention", [0.05, 0.10, 0.14, 0.06], 10_000),
        ("retention", [0.00, 1.00, 1.00, 1.00], 99),
        ("retention", [0.15, 0.10, 0.10, 0.10], 10_000),
        ("churn", [0.70, 0.80, 0.80, 0.80], 10_000),
        ("product_return", [0.20, 0.05, 0.05, 0.05], 1_999),
    ],
)
def test_silence(signal: str, values: list[float], of: float) -> None:
    assert not judged(signal, values, of=of).off.any()


@pytest.mark.parametrize(
    ("signal", "values"),
    [
        ("retention", [0.08, 0.10, 0.10, 0.10]),
        ("repeat", [0.08, 0.10, 0.10, 0.10]),
        ("activation", [0.60, 0.70, 0.70, 0.70]),
        ("churn", [0.83, 0.80, 0.80, 0.80]),
        ("product_return", [0.10, 0.05, 0.05, 0.05]),
    ],
)
def test_alarm(signal: str, values: list[float]) -> None:
    assert judged(signal, values).off.all()


def test_segments_must_be_surer_than_stores() -> None:
    values = [0.087, 0.10, 0.10, 0.10]

    assert judged("retention", values).off.all()
    assert not judged("retention", values, z=SEGMENT_Z).off.any()


def test_orders_of_a_span_are_those_of_the_weeks_less_what_they_share() -> None:
    orders_an_hour = np.full(24 * 40, 20.0)
    orders_an_hour[-30:] = 10.0
    of_week = np.convolve(orders_an_hour, np.ones(168), "valid")
    back = {hours: Figures(of_week[[-1 - hours]], {}, {}) for hours in HOURS_BACK}
    reading = read(BY_NAME["returning_orders"], back, 4.0)

    assert reading.value.tolist() == [6 * 20.0 + 30 * 10.0]
    assert reading.usual.tolist() == [36 * 20.0]
    assert reading.off.all()


def fires(text: str) -> str:
    return "".join(
        "x" if hour else "." for hour in firing(np.array([char == "x" for char in text])).tolist()
    )


def test_one_hour_alone_is_not_long_enough() -> None:
    assert fires(".x.x.x.") == "......."


def test_an_alert_is_kept_for_twelve_hours_and_is_the_same_if_it_holds_again() -> None:
    assert fires(".xxx" + "." * 14) == "..xx" + "x" * 12 + ".."
    assert fires(".xx" + "." * 11 + "x" + "." * 13) == "..x" + "x" * 11 + "x" * 13 + "."


def test_what_can_be_set_is_set_as_in_the_rules() -> None:
    text = (REPOSITORY / "deploy" / "prometheus" / "rules" / "settings.yml").read_text()
    settings = {
        (
            rule["record"].removeprefix("retention:setting_"),
            *rule.get("labels", {}).values(),
        ): float(rule["expr"].removeprefix("vector(").removesuffix(")"))
        for rule in yaml.safe_load(text)["groups"][0]["rules"]
    }
    assert settings["z", "segment"] == SEGMENT_Z
    assert settings["max_lag_events",] == MAX_LAG_EVENTS
    for signal in SIGNALS:
        scope = "store_orders" if signal.name == "returning_orders" else "store"
        assert settings["z", scope] == signal.store_z
        assert settings["min_change", signal.name] == signal.min_change
        assert settings["min_volume", signal.name] == signal.min_volume


def test_alerts_wait_are_kept_and_read_as_in_the_rules() -> None:
    by_alert: dict[str, list[Signal]] = {}
    for signal in SIGNALS:
        by_alert.setdefault(signal.alert, []).append(signal)
    assert set(by_alert) == {alert.name for alert in alerts()}
    for alert in alerts():
        assert (alert.for_hours, alert.keep_firing_hours) == (FOR_HOURS, KEEP_FIRING_HOURS)
        names = "|".join(signal.name for signal in by_alert[alert.name])
        assert f'"{names}"' in alert.expression


def test_it_is_said_in_the_words_of_the_rules() -> None:
    texts = " ".join(rule["annotations"]["description"] for rule in RULES if "alert" in rule)
    for said in SAID.values():
        # Two of them share one rule, where the verb comes after the choice.
        assert said.removesuffix(" stands").removesuffix(" stand") in texts, said
    for alert, summary in SUMMARIES.items():
        of_alert = [rule["annotations"]["summary"] for rule in RULES if rule.get("alert") == alert]
        assert of_alert
        assert all(f"}}}}: {summary}" in text for text in of_alert)


# ---- what the worker says ---------------------------------------------------------------------


def shop_worker() -> Worker:
    """A shop whose customers come back every ten days, but for the last day, when nobody does."""
    settings = load_settings(
        {"RETENTION_PARTITIONS": "1", "RETENTION_WINDOWS": "7d,30d", "RETENTION_DIMENSIONS": ""}
    )
    worker = Worker(engine=Engine(settings.engine_config()))
    worker.restore()
    lines = [
        json.dumps(
            {
                "type": "purchase",
                "customer_id": f"c-{hour % 240}-{number}",
                "order_id": f"o-{hour}-{number}",
                "occurred_at": (NOW_MS - hour * HOUR_MS) / 1000,
                "amount": "9.99",
                "currency": "EUR",
                "store": "shop",
            }
        ).encode()
        for hour in reversed(range(24, 100 * 24))
        for number in range(ORDERS_AN_HOUR)
    ]
    count = len(lines)
    worker.engine.apply("purchases", PARTITION, range(count), [None] * count, lines, NOW_MS)
    worker.next_offset = count
    return worker


@pytest.fixture(scope="module")
def worker() -> Worker:
    return shop_worker()


@pytest.fixture
async def client(worker: Worker) -> AsyncIterator[Client]:
    async with TestClient(TestServer(build_app(worker))) as client:
        yield client


async def answer(client: Client, expect: int = 200, /, **query: str) -> dict[str, Any]:
    async with client.get("/api/v1/alerts", params=query) as response:
        assert response.status == expect
        return cast("dict[str, Any]", await response.json())


async def test_a_day_without_orders_is_told(client: Client) -> None:
    found = await answer(client)

    assert found["evaluated"]
    assert found["as_of"] == "2023-11-14T22:00:00.000Z"
    told = {one["labels"]["signal"]: one for one in found["alerts"]}
    one = told["returning_orders"]
    assert one["alert"] == "RetentionRateDropped"
    assert one["labels"] == {
        "store": "shop",
        "dimension": "all",
        "segment": "all",
        "signal": "returning_orders",
    }
    assert one["share_of_usual"] == pytest.approx(12 / 36, abs=0.04)
    assert "of what is usual at this hour" in one["description"]
    assert (REPOSITORY / one["runbook"]).is_file()
    # The last order was a day ago; some hours without one are needed to be sure.
    assert "2023-11-14T00:00" < one["since"] < "2023-11-14T09:00"


async def test_of_what_has_been_off_for_long_no_beginning_is_told(
    client: Client, worker: Worker
) -> None:
    worker.clock_ms = NOW_MS + 20 * HOUR_MS
    try:
        told = {one["labels"]["signal"]: one for one in (await answer(client))["alerts"]}
    finally:
        worker.clock_ms = NOW_MS
    assert told["returning_orders"]["since"] is None


async def test_the_day_before_all_was_well(client: Client, worker: Worker) -> None:
    worker.clock_ms = NOW_MS - 24 * HOUR_MS
    try:
        assert (await answer(client))["alerts"] == []
    finally:
        worker.clock_ms = NOW_MS


async def test_one_store_can_be_asked_for(client: Client) -> None:
    every = await answer(client)

    assert await answer(client, store="shop") == every
    assert (await answer(client, store="another"))["alerts"] == []


async def test_nothing_is_compared_while_events_wait(client: Client, worker: Worker) -> None:
    worker.lag_events = {("purchases", 0): MAX_LAG_EVENTS + 1}
    try:
        found = await answer(client)
    finally:
        worker.lag_events = {}
    assert (found["evaluated"], found["why_not"], found["alerts"]) == (False, BEHIND, [])


async def test_without_its_windows_there_is_nothing_to_read() -> None:
    worker = Worker()
    worker.restore()
    async with TestClient(TestServer(build_app(worker))) as client:
        found = await answer(client)
    assert (found["evaluated"], found["why_not"]) == (False, NO_WINDOWS)


async def test_only_the_worker_that_speaks_for_all_tells() -> None:
    worker = Worker(another_speaks=True)
    async with TestClient(TestServer(build_app(worker))) as client:
        assert "error" in await answer(client, 503)
