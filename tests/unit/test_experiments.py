"""Experiments: Newcombe's interval, which arms are compared, and settings that make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from scipy.stats import binomtest

from stream.domain.config import Experiment
from stream.domain.experiments import Proportion, difference, wilson
from stream.domain.metrics import samples
from stream.domain.segments import Segment
from stream.domain.totals import Counts, Totals
from stream.publish.api.requests import history_request
from stream.settings import SettingError, load_settings
from tests.support.engines import Log, engine_config, gauges_of, ready_engine
from tests.support.naive import Event, NaiveConfig

EXPERIMENT = Experiment("variant", "control")

# Newcombe (1998), table II, method 10, to the four decimals printed there.
PUBLISHED = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0000)),
    ((10, 10), (0, 10), (0.6075, 1.0000)),
]


@pytest.mark.parametrize(("variant", "control", "interval"), PUBLISHED)
def test_intervals_are_those_newcombe_published(
    variant: tuple[int, int], control: tuple[int, int], interval: tuple[float, float]
) -> None:
    found = difference(Proportion(*variant), Proportion(*control))
    assert found.estimate == variant[0] / variant[1] - control[0] / control[1]
    assert (found.lower, found.upper) == pytest.approx(interval, abs=5.1e-5)


@pytest.mark.parametrize(("some", "of"), [(0, 1), (1, 1), (3, 7), (0, 10**7), (123_456, 10**6)])
def test_wilson_intervals_are_those_of_scipy(some: int, of: int) -> None:
    expected = binomtest(some, of).proportion_ci(0.95, "wilson")
    assert wilson(Proportion(some, of)) == pytest.approx((expected.low, expected.high), abs=1e-14)


def _customers(variant: str, active: int, repeat: int) -> list[Event]:
    """So many customers with an order, some with two; the variant is on their signup alone."""
    events: list[Event] = []
    for number in range(active):
        common = {"customer_id": f"{variant} {number}", "occurred_at": 1_700_000_000}
        events.append({"type": "signup", **common, "attributes": {"variant": variant}})
        for order in range(1 + (number < repeat)):
            paid = {"order_id": str(order), "amount": "1.00", "currency": "EUR"}
            events.append({"type": "purchase", **common, **paid})
    return events


def test_the_example_of_the_docs_is_what_the_engine_says_of_variants_from_the_signup() -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    _, _, block = page.partition("```text example experiment\n")
    told = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(block.partition("```")[0])
        for sample in family.samples
    }
    config = NaiveConfig(("30d",), ("variant",), "UTC", 3_600_000, "variant")
    log = Log(ready_engine(engine_config(config)))
    log.send(_customers("control", 80, 48) + _customers("blue", 70, 56))
    shown = gauges_of(log.engine, 1_700_000_000_000)
    place = {("store", "default"), ("dimension", "variant"), ("window", "30d")}
    assert len(told) == 7
    for (name, labels), value in told.items():
        assert shown[name, labels | place] == pytest.approx(value, abs=5.1e-5), labels


def _counts(active: int, repeat: int, start: int = 0, retained: int = 0) -> Counts:
    return Counts(active=active, repeat=repeat, start=start, retained=retained)


def _shown(counts: dict[tuple[Segment, str], Counts]) -> set[tuple[str, str, str, str]]:
    """The stores, segments, windows and ratios there are differences of."""
    found = [
        dict(sample.labels)
        for sample in samples(Totals(0, counts=counts, experiment=EXPERIMENT))
        if sample.name == "retention_experiment_difference_ratio"
    ]
    assert sorted(labels["bound"] for labels in found) == sorted(
        bound for _ in found[::3] for bound in ("estimate", "lower", "upper")
    )
    return {
        (labels["store"], labels["segment"], labels["window"], labels["ratio"]) for labels in found
    }


def test_every_variant_is_compared_with_the_control_of_its_store() -> None:
    some = _counts(10, 4, 8, 3)
    counts = {
        (Segment(store, "variant", name), window): some
        for store in ("a", "b")
        for name in ("control", "blue", "red", "unknown", "other")
        for window in ("7d", "month")
        if (store, name) != ("b", "control")
    }
    counts[Segment("a", "channel", "blue"), "7d"] = some
    assert _shown(counts) == {
        ("a", name, window, ratio)
        for name in ("blue", "red")
        for window in ("7d", "month")
        for ratio in ("customer_retention", "repeat_purchase")
    }


def test_a_ratio_without_customers_on_either_side_is_not_compared() -> None:
    counts = {
        (Segment("a", "variant", "control"), "7d"): _counts(10, 4, 0, 0),
        (Segment("a", "variant", "blue"), "7d"): _counts(10, 4, 8, 3),
        (Segment("a", "variant", "red"), "7d"): _counts(0, 0, 8, 3),
    }
    assert _shown(counts) == {("a", "blue", "7d", "repeat_purchase")}


def test_without_an_experiment_nothing_is_compared() -> None:
    counts = {(Segment("a", "variant", name), "7d"): _counts(10, 4) for name in ("control", "blue")}
    names = {sample.name for sample in samples(Totals(0, counts=counts))}
    assert names
    assert "retention_experiment_difference_ratio" not in names


def test_the_past_of_an_experiment_is_that_of_its_dimension_unless_another_is_named() -> None:
    environ = {"RETENTION_DIMENSIONS": "channel,variant", "RETENTION_EXPERIMENT": "variant"}
    config = load_settings(environ).engine_config()
    query = {"metric": "retention_experiment_difference_ratio"}
    assert history_request(query, config, 10**12).scope.has_dimension("variant")
    assert not history_request(query, config, 10**12).scope.has_dimension("channel")
    query["metric"] = "retention_orders"
    assert not history_request(query, config, 10**12).scope.has_dimension("variant")


def test_the_settings_name_one_of_the_dimensions_and_a_control() -> None:
    given = {"RETENTION_DIMENSIONS": "channel,variant", "RETENTION_EXPERIMENT": "variant"}
    assert load_settings(given).engine_config().experiment == EXPERIMENT
    other = given | {"RETENTION_EXPERIMENT_CONTROL": "old page"}
    assert load_settings(other).experiment == Experiment("variant", "old page")
    assert load_settings({}).experiment is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"RETENTION_EXPERIMENT": "variant"}, "'variant' is not in RETENTION_DIMENSIONS"),
        ({"RETENTION_EXPERIMENT_CONTROL": "other"}, "'other' is no variant"),
        ({"RETENTION_EXPERIMENT_CONTROL": " "}, "is empty"),
    ],
)
def test_an_experiment_that_cannot_be_is_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=message) as refused:
        load_settings(given)
    assert str(refused.value).startswith(f"{next(iter(given))}: ")
