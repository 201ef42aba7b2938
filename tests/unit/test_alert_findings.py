"""What the benchmark of alerts makes of the hours in which an expression held."""

from __future__ import annotations

import re

from tests.benchmarks.alerting.findings import Episode, episodes, false_alarms, find_drop
from tests.benchmarks.alerting.shops import Run
from tests.support.alert_history import Evaluated
from tests.support.alert_rules import RULES, Alert, alerts, passes

HOUR = 3600
ALERT = Alert("RetentionRateDropped", "some_expression", for_hours=1, keep_firing_hours=3)


def told(*hours: int) -> list[tuple[int, int]]:
    """First and last hour of each episode, when the expression held in these hours."""
    held = [hour * HOUR for hour in hours]
    found = episodes(Evaluated(ALERT.name, {"dimension": "all"}, held), ALERT)
    return [(one.start // HOUR, one.end // HOUR) for one in found]


def test_one_hour_alone_is_not_long_enough() -> None:
    assert told(5) == []
    assert told(5, 7, 9) == []


def test_an_alert_begins_when_its_expression_has_held_for_long_enough() -> None:
    assert told(5, 6, 7) == [(6, 11)]


def test_a_gap_shorter_than_what_it_is_kept_for_is_the_same_alert() -> None:
    assert told(5, 6, 8, 11) == [(6, 15)]


def test_after_a_longer_gap_it_is_another_and_must_hold_again() -> None:
    assert told(5, 6, 11, 12) == [(6, 10), (12, 16)]
    assert told(5, 6, 11) == [(6, 10)]


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
