"""The shop's alerts fire when they should, and stay silent when they should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.alert_stories import (
    DAY,
    FIRING,
    STEP,
    WEEK,
    Course,
    Hours,
    Story,
    Values,
    firing,
    silent,
    steady,
    stepped,
    tell,
)
from tests.support.promtool import Asked, Series

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(300)]

DROP = 4 * WEEK
RETURNING = ("RetentionRateDropped", "returning_orders")
RETENTION = ("RetentionRateDropped", "retention")


def seasonal(hours: Hours) -> Values:
    """Busy afternoons, quiet nights, and a Sunday with a third of the trade."""
    by_hour = 1 + 0.9 * np.sin((hours % DAY - 9) / DAY * 2 * np.pi)
    by_day = np.array([1.0, 0.9, 1.0, 1.1, 1.3, 1.4, 0.3])[hours // DAY % 7]
    result: Values = 30 * by_hour * by_day
    return result


def lag(hours: int, events: float, between: tuple[int, int]) -> Series:
    values = [events if between[0] <= hour < between[1] else 0.0 for hour in range(0, hours, STEP)]
    labels = {"job": "retention-stream", "instance": "a:6066", "topic": "purchases"}
    return Series("retention_lag_events", labels | {"partition": "0"}, values)


def test_a_sudden_drop_of_a_fifth_is_told_within_48_hours(tmp_path: Path) -> None:
    story = Story(DROP + 3 * DAY, returning=stepped(30, DROP, 24))
    tell(tmp_path, story.series(), [silent(DROP + 6), firing(DROP + 45, [RETURNING])])


def test_a_sudden_drop_is_told_in_a_week_with_a_strong_season(tmp_path: Path) -> None:
    def dropping(hours: Hours) -> Values:
        return seasonal(hours) * np.where(hours >= DROP, 0.75, 1)

    story = Story(DROP + 3 * DAY, returning=dropping)
    tell(tmp_path, story.series(), [silent(DROP + 6), firing(DROP + 45, [RETURNING])])


def test_a_weekly_season_is_no_drop(tmp_path: Path) -> None:
    story = Story(8 * WEEK, returning=seasonal, new=seasonal)
    tell(tmp_path, story.series(), [silent(8 * WEEK - 3)])


def test_it_is_over_when_customers_are_back_and_twelve_hours_have_passed(tmp_path: Path) -> None:
    story = Story(DROP + 9 * DAY, returning=stepped(30, DROP, 24, DROP + 3 * DAY))
    told = [firing(DROP + 3 * DAY, [RETURNING]), firing(DROP + 5 * DAY + 12, [])]
    tell(tmp_path, story.series(), told)


def test_a_slow_decay_is_no_sudden_drop_but_a_floor_tells_it(tmp_path: Path) -> None:
    def decaying(hours: Hours) -> Values:
        return 0.09 * 0.98 ** (np.maximum(hours - 4 * WEEK, 0) / WEEK)

    floor = """
groups:
  - name: operator
    rules:
      - record: retention:setting_floor
        expr: vector(0.08)
        labels: {signal: retention, store: shop, dimension: all, segment: all}
"""
    story = Story(10 * WEEK + DAY, retention=decaying)
    below = 4 * WEEK + 6 * WEEK  # 0.09 * 0.98^6 is 0.0797
    tell(tmp_path, story.series(), [silent(10 * WEEK)])
    told = [silent(below - 2 * DAY), firing(below, [RETENTION])]
    tell(tmp_path, story.series(), told, extra_rules=floor)


def test_a_promotion_three_weeks_ago_is_not_the_standard(tmp_path: Path) -> None:
    """Silent through the spike and after it; and it hides no true drop."""
    spike = stepped(30, DROP - 3 * WEEK, 75, DROP - 2 * WEEK)

    def spiking(hours: Hours) -> Values:
        return spike(hours) * np.where(hours >= DROP, 0.75, 1)

    calm = Story(DROP + 2 * WEEK, returning=spike, new=spike)
    tell(tmp_path, calm.series(), [silent(DROP + 2 * WEEK - 3)])
    drop = Story(DROP + 3 * DAY, returning=spiking, new=spike)
    tell(tmp_path, drop.series(), [silent(DROP), firing(DROP + 45, [RETURNING])])


def test_a_few_customers_are_no_evidence(tmp_path: Path) -> None:
    """Half of the orders of a small shop, and most of what it keeps, are gone: silence."""
    story = Story(
        DROP + WEEK,
        returning=stepped(0.3, DROP, 0.15),
        new=steady(0.2),
        signups=steady(0.2),
        retention=stepped(0.3, DROP, 0.05),
        activation=stepped(0.7, DROP, 0.1),
    )
    tell(tmp_path, story.series(), [silent(DROP + WEEK - 3)])


def test_a_change_too_small_to_matter_is_silent_however_large_the_shop(tmp_path: Path) -> None:
    story = Story(DROP + WEEK, returning=stepped(30_000, DROP, 29_000), new=steady(30_000))
    tell(tmp_path, story.series(), [silent(DROP + WEEK - 3)])


def test_a_shop_whose_weeks_differ_by_themselves_needs_a_larger_drop(tmp_path: Path) -> None:
    """Weeks that swing by a sixth: a low one is nothing new, three fifths of a week is."""

    def swinging(hours: Hours) -> Values:
        return 100 * np.array([1.0, 1.17, 0.86])[hours // WEEK % 3]

    def dropping(hours: Hours) -> Values:
        return swinging(hours) * np.where(hours >= DROP, 0.5, 1)

    calm = Story(8 * WEEK, returning=swinging)
    # Until there are three weeks to compare with, it is not known how weeks differ.
    tell(tmp_path, calm.series(), [silent(8 * WEEK - 3, from_hour=4 * WEEK)])
    drop = Story(DROP + 3 * DAY, returning=dropping)
    told = [silent(DROP, from_hour=DROP - DAY), firing(DROP + 45, [RETURNING])]
    tell(tmp_path, drop.series(), told)


def test_a_handover_between_workers_is_seamless(tmp_path: Path) -> None:
    """Another worker exports from an hour on, and in one hour both do."""

    def instances(hour: int) -> list[str]:
        turn = DROP - DAY
        return [
            name for name, shows in (("a:6066", hour <= turn), ("b:6066", hour >= turn)) if shows
        ]

    story = Story(DROP + 3 * DAY, returning=stepped(30, DROP, 24), instance=instances)
    tell(tmp_path, story.series(), [silent(DROP + 6), firing(DROP + 45, [RETURNING])])


def test_a_restart_neither_fires_nor_ends_an_alert(tmp_path: Path) -> None:
    """Two hours without gauges: before the drop, and while the alert fires."""
    gaps = [DROP - 20, DROP - 19, DROP + 60, DROP + 61]
    story = Story(DROP + 3 * DAY, step=1, returning=stepped(30, DROP, 24), missing=gaps)
    told = [silent(DROP + 6), *(firing(DROP + hour, [RETURNING]) for hour in range(45, 70))]
    tell(tmp_path, story.series(), told, step=1)


def test_scrapes_missing_a_week_ago_hide_no_drop(tmp_path: Path) -> None:
    gaps = [DROP - WEEK + hour for hour in range(30, 48)]
    ratio = stepped(0.09, DROP, 0.06)
    story = Story(DROP + 3 * DAY, retention=ratio, missing=gaps)
    tell(tmp_path, story.series(), [silent(DROP), firing(DROP + 36, [RETENTION])])


def test_single_missing_scrapes_hide_no_drop(tmp_path: Path) -> None:
    gaps = [DROP + 45 - back for back in (36, WEEK, WEEK + 36, 2 * WEEK, 3 * WEEK)]
    story = Story(DROP + 2 * DAY, step=1, returning=stepped(30, DROP, 24), missing=gaps)
    told = [silent(DROP + 6), firing(DROP + 45, [RETURNING])]
    tell(tmp_path, story.series(), told, step=1)


def test_the_first_weeks_of_a_store_are_silent(tmp_path: Path) -> None:
    """Everything moves while customers gather: churn from 1 down, first orders only at first."""
    story = Story(
        9 * WEEK,
        returning=lambda hours: 30 * np.clip(hours / (8 * WEEK), 0, 1) ** 0.5,
        new=stepped(0, 0, 30),
        retention=lambda hours: 0.09 * np.clip(hours / (2 * WEEK), 0.1, 1),
        repeat=lambda hours: 0.05 * np.clip(hours / (2 * WEEK), 0.1, 1),
        churn=lambda hours: np.where(hours < 30 * DAY, 0.0, 0.8),
        product_return=lambda hours: 0.045 * np.clip(hours / (2 * WEEK), 0, 1),
        mature_from=2 * WEEK,
    )
    series = [one for one in story.series() if one.name != "retention_window_mature"]
    for window, hour in (("7d", 2 * WEEK), ("30d", 60 * DAY)):
        mature = [float(now >= hour) for now in range(0, 9 * WEEK, STEP)]
        labels = {"job": "retention-stream", "instance": "a:6066", "store": "shop"}
        series.append(Series("retention_window_mature", labels | {"window": window}, mature))
    tell(tmp_path, series, [silent(9 * WEEK - 3)])


def test_a_replay_is_silent_and_never_becomes_the_past(tmp_path: Path) -> None:
    """Six hours of gauges that start from nothing, with a million events waiting."""
    replay = (DROP, DROP + 6)
    total = DROP + 4 * WEEK

    def rebuilt(usual: float) -> Course:
        return stepped(usual, replay[0], usual / 10, replay[1])

    story = Story(total, retention=rebuilt(0.09), repeat=rebuilt(0.05), churn=rebuilt(0.8))
    series = story.series()
    for one in series:
        if one.name in ("retention_orders", "retention_customers"):
            values = list(one.values)
            values[replay[0] // STEP : replay[1] // STEP] = [10.0] * 2
            series[series.index(one)] = Series(one.name, one.labels, values)
    lagging = lag(total, 1e6, replay)
    held_back = Asked(
        DROP + 3,
        'count by (alertname) (ALERTS{alertstate="firing", severity="warning"})',
        [({"alertname": "RetentionLag"}, 1)],
    )
    tell(tmp_path, [*series, lagging], [held_back, silent(total - 3)])


@pytest.mark.parametrize(
    ("alert", "signal", "before", "after"),
    [
        ("RetentionRateDropped", "retention", 0.09, 0.072),
        ("RepeatPurchaseRateDropped", "repeat", 0.05, 0.035),
        ("ChurnRateRose", "churn", 0.8, 0.84),
        ("ReturnRateRose", "product_return", 0.045, 0.07),
        ("ActivationDropped", "activation", 0.7, 0.6),
    ],
)
def test_each_ratio_has_its_alert_and_better_is_no_alert(
    tmp_path: Path, alert: str, signal: str, before: float, after: float
) -> None:
    worse = Story(DROP + DAY, **{signal: stepped(before, DROP, after)})  # type: ignore[arg-type]
    told = [silent(DROP), firing(DROP + 3, [(alert, signal)])]
    tell(tmp_path, worse.series(), told)
    better = Story(DROP + DAY, **{signal: stepped(after, DROP, before)})  # type: ignore[arg-type]
    tell(tmp_path, better.series(), [silent(DROP + DAY - 3)])


def test_a_ceiling_is_told(tmp_path: Path) -> None:
    ceiling = """
groups:
  - name: operator
    rules:
      - record: retention:setting_ceiling
        expr: vector(0.04)
        labels: {signal: product_return, store: shop, dimension: all, segment: all}
"""
    story = Story(5 * WEEK + 1)
    told = [firing(5 * WEEK, [("ReturnRateRose", "product_return")])]
    tell(tmp_path, story.series(), told, extra_rules=ceiling)


def test_a_drop_in_one_segment_names_the_segment(tmp_path: Path) -> None:
    hours = DROP + 3 * DAY
    web = {"dimension": "channel", "segment": "web"}
    app = {"dimension": "channel", "segment": "app"}
    series = [
        *Story(hours, returning=stepped(100, DROP, 95.5)).series(),
        *Story(hours, returning=stepped(20, DROP, 15.5), labels=web).series(),
        *Story(hours, returning=steady(80), labels=app).series(),
    ]
    fires = Asked(
        DROP + 45,
        f"count by (alertname, dimension, segment) ({FIRING})",
        [({"alertname": "RetentionRateDropped", **web}, 1.0)],
    )
    tell(tmp_path, series, [silent(DROP + 6), fires])
