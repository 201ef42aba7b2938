"""What the benchmark of alerts makes of a shop's figures."""

from __future__ import annotations

import re

import numpy as np

from stream.domain.alerts import WEEK_HOURS, Figures
from stream.domain.segments import Segment
from tests.benchmarks.alerting.findings import Episode, false_alarms, find_drop, told
from tests.benchmarks.alerting.shops import FIRST_HOUR, Run
from tests.support.alert_rules import RULES, alerts, passes

HOUR = 3600


def test_what_is_told_begins_and_ends_when_the_alert_does() -> None:
    run = Run(1000, seed=1)
    hours = FIRST_HOUR + 60
    # Forty orders an hour, and for a day none.
    orders_an_hour = np.full(hours + WEEK_HOURS, 40.0)
    orders_an_hour[-40:-16] = 0.0
    of_week = np.convolve(orders_an_hour, np.ones(WEEK_HOURS), "valid")[-hours:]
    nothing = np.full(hours, np.nan)
    ratios = dict.fromkeys(
        ("retention", "repeat", "churn", "product_return", "activation"), nothing
    )
    figures = Figures(of_week, ratios, ratios)

    (episode,) = told(run, {Segment(run.store, "all", "all"): figures})

    assert (episode.alert, episode.dimension) == ("RetentionRateDropped", "all")
    assert run.seconds_at(hours - 40) < episode.start < run.seconds_at(hours - 30)
    # It lasts to the end of what there is: the span still has half of the day without orders.
    assert episode.end == run.seconds_at(hours)


def test_a_drop_is_found_by_the_first_alert_of_the_whole_store_after_it() -> None:
    run = Run(1000, seed=1, drop=0.2)
    start = run.measured_from_seconds

    def episode(hour: int, dimension: str = "all") -> Episode:
        return Episode("ChurnRateRose", dimension, start + hour * HOUR, start + 99 * HOUR)

    assert find_drop(run, [episode(-3), episode(9, "channel"), episode(40)]).after_hours == 40
    assert find_drop(run, [episode(-3)]).after_hours is None


def test_false_alarms_are_counted_in_the_measured_time_only() -> None:
    run = Run(1000, seed=1)
    first, end = run.measured_from_seconds, run.measured_until_seconds
    counted = false_alarms(
        [
            (
                run,
                [
                    Episode("ChurnRateRose", "all", first - HOUR, first + HOUR),
                    Episode("ChurnRateRose", "all", first, first + HOUR),
                    Episode("ReturnRateRose", "channel", end - HOUR, end),
                ],
            )
        ]
    )
    assert counted.of_stores == {"ChurnRateRose": 1}
    assert counted.of_segments == {"ReturnRateRose": 1}
    assert round(counted.store_years, 3) == round(26 * 7 / 365, 3)


def test_every_rule_is_evaluated_after_what_it_reads() -> None:
    number = {id(rule): number for number, rules in enumerate(passes()) for rule in rules}
    compared = 0
    for place, rule in enumerate(RULES):
        read = set(re.findall(r"\bretention:[a-z0-9_:]+", rule["expr"]))
        for earlier in RULES[:place]:
            if "record" in rule and earlier.get("record") in read:
                assert number[id(earlier)] < number[id(rule)]
                compared += 1
    assert compared > 20
    assert {alert.for_hours for alert in alerts()} == {1}
