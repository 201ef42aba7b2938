"""The engine against the plain recount: every gauge, in any time zone, at any instant."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.histories import History, histories
from tests.properties.traffic import crowds, traffics
from tests.support.engines import engine_config, gauges_of, run
from tests.support.naive import differences, naive_gauges


def _assert_same(history: History, chunk: int, *, one_topic: bool) -> None:
    config = engine_config(history.config)
    engine = run(history.events, config, chunk=chunk, one_topic=one_topic)
    for as_of_ms in history.moments():
        expected = naive_gauges(history.events, history.config, as_of_ms)
        assert differences(expected, gauges_of(engine, as_of_ms)) == [], as_of_ms


@given(histories())
def test_every_gauge_equals_the_plain_recount(history: History) -> None:
    _assert_same(history, chunk=1 << 30, one_topic=True)


@given(histories(clear_zone=True))
def test_every_gauge_equals_the_plain_recount_when_events_come_one_at_a_time(
    history: History,
) -> None:
    _assert_same(history, chunk=1, one_topic=False)


@given(traffics(), st.sampled_from((4, 20, 1000)))
def test_ordinary_traffic_equals_the_plain_recount(history: History, chunk: int) -> None:
    _assert_same(history, chunk, one_topic=True)


@settings(max_examples=10)
@given(crowds(), st.sampled_from((7, 1000)))
def test_the_top_customers_of_a_crowd_are_within_a_hundredth(history: History, chunk: int) -> None:
    engine = run(history.events, engine_config(history.config), chunk=chunk, one_topic=True)
    as_of_ms = history.moments()[-1]
    expected = naive_gauges(history.events, history.config, as_of_ms)
    assert sum(name == "retention_top_customers_revenue_ratio" for name, _ in expected) >= 3
    assert differences(expected, gauges_of(engine, as_of_ms)) == []
