"""The alerts of whoever runs the workers, minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.promtool import Asked, Labels, Series, check

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(300)]

HOUR = 60
FIRING = 'count by (alertname) (ALERTS{alertstate="firing",kind="pipeline"})'


def series(
    name: str, values: Sequence[float | None], instance: str = "a:6066", **labels: str
) -> Series:
    where: Labels = {"job": "retention-stream", "instance": instance}
    return Series(f"retention_{name}", dict(where) | labels, values)


def healthy(
    minutes: int, *, without: Sequence[str] = (), per_minute: float = 100, instance: str = "a:6066"
) -> list[Series]:
    """A worker with eight partitions that reads some events a minute; less some series."""
    counting = [per_minute * minute for minute in range(minutes)]
    everything = [
        series("partitions_ready", [8] * minutes, instance),
        series("partitions_expected", [8] * minutes, instance),
        series("lag_events", [3] * minutes, instance, topic="purchases", partition="0"),
        series("events_total", counting, instance, topic="purchases", outcome="applied"),
        series("events_total", [0] * minutes, instance, topic="purchases", outcome="rejected"),
        series("customers", [5] * minutes, instance, dimension="all", status="active"),
    ]
    return [one for one in everything if one.name.removeprefix("retention_") not in without]


def firing(at: int, *alerts: str) -> Asked:
    return Asked(at, FIRING, [({"alertname": alert}, 1.0) for alert in sorted(alerts)])


def test_a_healthy_worker_is_silent(tmp_path: Path) -> None:
    asked = [firing(minute) for minute in (5, 30, 8 * HOUR)]
    check(tmp_path, healthy(8 * HOUR + 1), asked, interval="1m")


def test_a_restart_of_five_minutes_is_silent(tmp_path: Path) -> None:
    shown = [*healthy(2 * HOUR)]
    gap = range(60, 65)
    cut = [
        Series(one.name, one.labels, [None if m in gap else v for m, v in enumerate(one.values)])
        for one in shown
    ]
    asked = [firing(minute) for minute in range(55, 119, 2)]
    check(tmp_path, cut, asked, interval="1m")


def test_no_worker_at_all_is_no_data(tmp_path: Path) -> None:
    asked = [firing(14), firing(20, "RetentionNoData")]
    check(tmp_path, [series("other", [1] * 30)], asked, interval="1m")


def test_a_worker_without_business_gauges_is_no_data(tmp_path: Path) -> None:
    worker = healthy(40, without=["customers"])
    check(tmp_path, worker, [firing(14), firing(20, "RetentionNoData")], interval="1m")


def test_nothing_read_in_six_hours_is_stalled(tmp_path: Path) -> None:
    busy = [100.0 * minute for minute in range(HOUR)]
    counting = [*busy, *[busy[-1]] * (8 * HOUR)]
    worker = [
        *healthy(9 * HOUR, without=["events_total", "lag_events"]),
        series("events_total", counting, topic="purchases", outcome="applied"),
    ]
    asked = [firing(6 * HOUR), firing(7 * HOUR + 30, "RetentionStalled")]
    check(tmp_path, worker, asked, interval="1m")


def test_events_that_wait_while_none_is_read_are_a_stall(tmp_path: Path) -> None:
    counting = [100.0 * min(minute, HOUR) for minute in range(2 * HOUR)]
    worker = [
        *healthy(2 * HOUR, without=["events_total"]),
        series("events_total", counting, topic="purchases", outcome="applied"),
    ]
    asked = [firing(HOUR + 9), firing(HOUR + 25, "RetentionStalled")]
    check(tmp_path, worker, asked, interval="1m")


def test_a_partition_without_a_worker_is_told(tmp_path: Path) -> None:
    worker = [
        *healthy(40, without=["partitions_ready"]),
        series("partitions_ready", [7] * 40),
    ]
    asked = [firing(8), firing(15, "RetentionPartitionsMissing")]
    check(tmp_path, worker, asked, interval="1m")


def test_partitions_of_two_workers_add_up(tmp_path: Path) -> None:
    shared = ["partitions_ready", "customers"]
    workers = [
        *healthy(40),
        *healthy(40, without=shared, instance="b:6066"),
    ]
    workers[0] = series("partitions_ready", [5] * 40)
    workers.append(series("partitions_ready", [3] * 40, "b:6066"))
    check(tmp_path, workers, [firing(15), firing(39)], interval="1m")


@pytest.mark.parametrize(("share", "alerts"), [(0.02, ["RetentionDeadLetters"]), (0.005, [])])
def test_dead_letters_are_told_from_one_percent_on(
    tmp_path: Path, share: float, alerts: list[str]
) -> None:
    bad = [100 * share * minute for minute in range(2 * HOUR)]
    worker = [one for one in healthy(2 * HOUR) if one.labels.get("outcome") != "rejected"]
    worker.append(series("events_total", bad, topic="purchases", outcome="rejected"))
    check(tmp_path, worker, [firing(HOUR + 30, *alerts)], interval="1m")


def test_a_single_dead_letter_in_a_quiet_hour_is_silent(tmp_path: Path) -> None:
    worker = [
        *healthy(2 * HOUR, without=["events_total"]),
        series("events_total", [0.1 * m for m in range(120)], topic="returns", outcome="applied"),
        series("events_total", [0.0] * 60 + [1.0] * 60, topic="returns", outcome="rejected"),
    ]
    check(tmp_path, worker, [firing(80), firing(119)], interval="1m")


def test_a_long_queue_is_lag_and_a_short_one_is_not(tmp_path: Path) -> None:
    waiting = [20_000.0] * 30 + [500.0] * 30
    worker = [
        *healthy(HOUR, without=["lag_events"]),
        series("lag_events", waiting, topic="purchases", partition="0"),
    ]
    asked = [firing(8), firing(15, "RetentionLag"), firing(45)]
    check(tmp_path, worker, asked, interval="1m")
