"""What SPEC promises of any numbers at any instant."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TypeAlias

from hypothesis import given

from stream.domain.catalogue import CATALOGUE
from stream.domain.windows import parse_duration_ms
from tests.properties.histories import HOUR_MS, History, histories
from tests.support.engines import engine_config, gauges_of, run
from tests.support.naive import Gauges

Key: TypeAlias = tuple[str, frozenset[tuple[str, str]]]

SHARES = (
    "retention_customer_retention_ratio",
    "retention_customer_churn_ratio",
    "retention_repeat_purchase_ratio",
    "retention_returning_customer_ratio",
    "retention_activation_ratio",
)
#: What is sent back may be worth more than what was kept.
MAY_BE_NEGATIVE = (
    "retention_customer_lifetime_value",
    "retention_experiment_difference_ratio",
)
ADDITIVE = ("retention_customers", "retention_orders", "retention_units", "retention_signups")
SERIES_OF_HISTOGRAMS = r"(?<=_gap_seconds)_(bucket|sum|count)$"


def _by_status(gauges: Gauges) -> dict[frozenset[tuple[str, str]], dict[str, float]]:
    found: dict[frozenset[tuple[str, str]], dict[str, float]] = defaultdict(dict)
    for (name, labels), value in gauges.items():
        if name == "retention_customers":
            status = dict(labels)["status"]
            found[labels - {("status", status)}][status] = value
    return found


@given(histories())
def test_customers_add_up_as_promised(history: History) -> None:
    engine = run(history.events, engine_config(history.config))
    for as_of_ms in history.moments():
        gauges = gauges_of(engine, as_of_ms)
        for labels, count in _by_status(gauges).items():
            assert min(count.values()) >= 0
            assert count["active"] == count["new"] + count["retained"] + count["reactivated"]
            assert count["start"] == count["retained"] + count["lost"]
            assert count["repeat"] <= count["active"]
            retention = gauges.get((SHARES[0], labels))
            churn = gauges.get((SHARES[1], labels))
            if count["start"]:
                assert retention is not None
                assert churn is not None
                assert abs(retention + churn - 1) < 1e-12
            else:
                assert retention is None
                assert churn is None


@given(histories())
def test_every_gauge_is_in_the_catalogue_with_its_labels_and_shares_lie_in_0_to_1(
    history: History,
) -> None:
    engine = run(history.events, engine_config(history.config))
    for as_of_ms in history.moments()[::3]:
        for (name, labels), value in gauges_of(engine, as_of_ms).items():
            known = {label for label, _ in labels} - {"le"}
            assert known == set(CATALOGUE[re.sub(SERIES_OF_HISTOGRAMS, "", name)].labels)
            assert value >= 0 or name in MAY_BE_NEGATIVE
            if name in SHARES:
                assert value <= 1


@given(histories())
def test_the_segments_of_a_dimension_add_up_to_the_whole_store(history: History) -> None:
    engine = run(history.events, engine_config(history.config))
    for as_of_ms in history.moments()[::2]:
        sums: dict[tuple[Key, str], float] = defaultdict(float)
        whole: dict[Key, float] = {}
        for (name, labels), value in gauges_of(engine, as_of_ms).items():
            if name not in ADDITIVE and name != "retention_revenue":
                continue
            named = dict(labels)
            dimension, _ = named.pop("dimension"), named.pop("segment")
            key = (name, frozenset(named.items()))
            if dimension == "all":
                whole[key] = value
            else:
                sums[key, dimension] += value
        for key, value in whole.items():
            if dict(key[1])["window"].startswith("prev_"):
                continue
            for dimension in history.config.dimensions:
                assert abs(sums[key, dimension] - value) < 1e-6


@given(histories(clear_zone=True))
def test_a_rolling_window_one_step_back_is_the_window_of_that_time(history: History) -> None:
    engine = run(history.events, engine_config(history.config))
    rolling = [name for name in history.config.windows if name[0].isdigit()]
    for as_of_ms in history.moments()[::2]:
        now = gauges_of(engine, as_of_ms)
        for window in rolling:
            then = gauges_of(engine, as_of_ms - parse_duration_ms(window))
            for (name, labels), value in then.items():
                if name != "retention_window_mature" and labels >= {
                    ("window", window),
                    ("dimension", "all"),
                }:
                    back = (labels - {("window", window)}) | {("window", f"prev_{window}")}
                    assert now.get((name, back)) == value


@given(histories(clear_zone=True))
def test_gauges_hold_within_a_bucket(history: History) -> None:
    engine = run(history.events, engine_config(history.config))
    for as_of_ms in history.moments()[::3]:
        first = as_of_ms // HOUR_MS * HOUR_MS
        assert gauges_of(engine, first) == gauges_of(engine, first + HOUR_MS - 1)


def _cohorts(gauges: Gauges, name: str) -> dict[tuple[str, str], dict[int, float]]:
    """Customers by age, of each store and month."""
    found: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for (metric, labels), value in gauges.items():
        if metric == name:
            named = dict(labels)
            found[named["store"], named["cohort"]][int(named["age"])] = value
    return found


@given(histories())
def test_cohorts_have_every_age_and_none_that_outgrows_them(history: History) -> None:
    engine = run(history.events, engine_config(history.config))
    for as_of_ms in history.moments()[::2]:
        gauges = gauges_of(engine, as_of_ms)
        for ages in _cohorts(gauges, "retention_cohort_customers").values():
            assert sorted(ages) == list(range(len(ages)))
            assert max(ages.values()) == ages[0] > 0
        for (store, cohort), ages in _cohorts(gauges, "retention_signup_cohort_customers").items():
            assert sorted(ages) == list(range(len(ages)))
            of_cohort = frozenset({("store", store), ("cohort", cohort)})
            assert max(ages.values()) <= gauges["retention_signup_cohort_size", of_cohort]


@given(histories())
def test_the_histogram_of_gaps_grows_to_its_count(history: History) -> None:
    engine = run(history.events, engine_config(history.config))
    for as_of_ms in history.moments()[::2]:
        gauges = gauges_of(engine, as_of_ms)
        buckets: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for (name, labels), value in gauges.items():
            if name == "retention_order_gap_seconds_bucket":
                named = dict(labels)
                buckets[named["store"]].append((float(named["le"]), value))
        for store, counts in buckets.items():
            in_order = [count for _, count in sorted(counts)]
            assert in_order == sorted(in_order)
            labels = frozenset({("store", store)})
            assert in_order[-1] == gauges["retention_order_gap_seconds_count", labels]
            assert (in_order[-1] > 0) or gauges["retention_order_gap_seconds_sum", labels] == 0
