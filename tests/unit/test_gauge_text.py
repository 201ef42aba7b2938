from __future__ import annotations

import time
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector

from stream.domain.catalogue import CATALOGUE, Metric
from stream.domain.gaps import GAP_LIMITS_DAYS, HISTOGRAM_ROWS
from stream.domain.metrics import Column, Columns, Row, rows
from stream.domain.totals import Gaps, Totals
from stream.publish.gauge_text import GaugeText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.metrics_core import Metric as Family

EXACT_WHOLE_NUMBERS = 2**53

label_values = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.one_of(
    st.integers(0, EXACT_WHOLE_NUMBERS).map(float),
    st.floats(allow_nan=False, allow_infinity=False),
)


ORDERS = Columns((Column(CATALOGUE["retention_orders"]),))


def orders(segment: str, value: float | None, columns: Columns = ORDERS) -> Row:
    labels = {"store": "s", "dimension": "d", "segment": segment, "window": "7d"}
    return Row(columns, tuple(labels.items()), [value])


def gauge_text(rows: Iterable[Row]) -> str:
    return GaugeText(CATALOGUE).write(rows).decode()


def read_back(families: Iterable[Family]) -> list[tuple[str, dict[str, str], float]]:
    return [(s.name, s.labels, s.value) for family in families for s in family.samples]


@given(st.dictionaries(label_values, values, min_size=1))
def test_any_label_and_number_reads_back_exactly_in_both_formats(of: dict[str, float]) -> None:
    written = [orders(segment, value) for segment, value in of.items()]
    expected = [("retention_orders", dict(row.labels), row.values[0]) for row in written]

    text = gauge_text(written)

    assert read_back(parse_text(text)) == expected
    openmetrics = parse_openmetrics(f"{text}# EOF\n")  # type: ignore[no-untyped-call] # theirs
    assert read_back(openmetrics) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (9_007_199_254_740_992, "9007199254740992"), (1 / 3, "0.3333333333333333")],
)
def test_counts_are_written_whole_and_numbers_exact(value: float, text: str) -> None:
    assert gauge_text([orders("a", value)]).endswith(f"}} {text}\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_no_metric_has_is_a_bug_not_a_sample(value: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        gauge_text([orders("a", None), orders("b", value)])


def test_a_row_without_a_value_for_each_column_is_a_bug() -> None:
    with pytest.raises(ValueError, match="2 values in 1 columns"):
        gauge_text([Row(ORDERS, (("store", "s"),), [1, 2])])


def test_rows_in_any_order_stand_under_their_metrics_head() -> None:
    signups = orders("a", 2, Columns((Column(CATALOGUE["retention_signups"]),)))

    text = gauge_text([orders("a", 1), signups, orders("b", 3)])

    names = [line.split("{")[0] for line in text.splitlines() if not line.startswith("#")]
    assert names in (
        ["retention_orders", "retention_orders", "retention_signups"],
        ["retention_signups", "retention_orders", "retention_orders"],
    )
    assert text.count("# TYPE retention_orders gauge\n") == 1


def test_order_gaps_are_a_histogram_of_each_store_in_both_formats() -> None:
    counts = list(range(HISTOGRAM_ROWS))
    gaps = {"north": Gaps(counts, 12_345_678), "south": Gaps([0] * HISTOGRAM_ROWS, 0)}

    text = gauge_text(rows(Totals(0, gaps=gaps)))

    openmetrics = parse_openmetrics(f"{text}# EOF\n")  # type: ignore[no-untyped-call] # theirs
    for families in (parse_text(text), openmetrics):
        (family,) = families
        assert (family.name, family.type) == ("retention_order_gap_seconds", "histogram")
        for store, of_store in gaps.items():
            shown = [s for s in family.samples if s.labels["store"] == store]
            buckets = [(float(s.labels["le"]), s.value) for s in shown if "le" in s.labels]
            limits = [*(days * 86_400.0 for days in GAP_LIMITS_DAYS), float("inf")]
            assert buckets == list(zip(limits, accumulate(of_store.counts), strict=True))
            rest = {s.name: s.value for s in shown if "le" not in s.labels}
            assert rest == {
                "retention_order_gap_seconds_sum": of_store.sum_ms / 1000,
                "retention_order_gap_seconds_count": sum(of_store.counts),
            }


def test_a_value_of_an_unknown_metric_is_a_bug() -> None:
    unknown = Columns((Column(Metric("retention_unheard_of", "Nothing.", ())),))
    with pytest.raises(KeyError, match="retention_unheard_of"):
        gauge_text([orders("a", 1, unknown)])


@given(st.lists(st.dictionaries(label_values, st.none() | values, max_size=4), max_size=5))
def test_a_scrape_says_what_it_would_have_said_without_the_ones_before(
    scrapes: list[dict[str, float | None]],
) -> None:
    text = GaugeText(CATALOGUE)
    for of in scrapes:
        written = [orders(segment, value) for segment, value in of.items()]
        assert text.write(written).decode() == gauge_text(written)


def test_of_rows_that_are_shown_no_more_nothing_is_kept() -> None:
    text = GaugeText(CATALOGUE)
    text.write([orders("a", 1), orders("b", 1)])
    text.write([orders("b", 2)])
    assert list(text._kinds[ORDERS]._of_rows) == [orders("b", 2).labels]
    text.write([])
    assert not text._kinds


def test_a_value_that_is_none_has_no_line() -> None:
    assert gauge_text([orders("a", None)]) == ""


def test_the_catalogues_help_needs_no_escaping() -> None:
    for name, metric in CATALOGUE.items():
        assert metric.name == name
        assert metric.help
        assert not set(metric.help) & set('\\\n"'), name


def test_it_is_several_times_faster_than_the_general_encoder() -> None:
    written = [orders(f"segment {number}", number * 1.5) for number in range(5000)]

    class General(Collector):
        def collect(self) -> Iterable[Family]:
            family = GaugeMetricFamily(
                "retention_orders", "Orders.", labels=[label for label, _ in written[0].labels]
            )
            for row in written:
                family.add_metric([value for _, value in row.labels], row.values[0] or 0.0)
            yield family

    registry = CollectorRegistry()
    registry.register(General())
    text = GaugeText(CATALOGUE)

    general_seconds = best_seconds(lambda: generate_latest(registry))
    own_seconds = best_seconds(lambda: text.write(written))

    assert general_seconds / own_seconds > 5


def best_seconds(call: Callable[[], bytes]) -> float:
    def seconds() -> float:
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    return min(seconds() for _ in range(5))
