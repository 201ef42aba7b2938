"""Reading the tallies as of an instant: what has no window, and parts of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.domain import reading
from stream.domain.reading import Scope
from stream.domain.segments import Segment
from tests.support.engines import DAY_MS, HOUR_MS, Log, engine_config, gauges_of, ready_engine
from tests.support.naive import Event, NaiveConfig

if TYPE_CHECKING:
    from stream.domain.totals import Totals
    from stream.engine import Engine

#: 2024-01-01, a Monday.
YEAR_MS = 1_704_067_200_000
SHOP = Segment("default", "all", "all")
STORE = {"store": "default"}
WHOLE = {**STORE, "dimension": "all", "segment": "all"}


def _event(kind: str, customer: str | None, day: float, **fields: object) -> Event:
    moment = round(YEAR_MS + day * DAY_MS)
    event = {"type": kind, "customer_id": customer, "occurred_at": moment}
    if kind in ("purchase", "return"):
        number = "order_id" if kind == "purchase" else "return_id"
        event |= {number: f"{customer} {day}", "amount": "10.00", "currency": "EUR"}
    return event | fields


def _engine(*events: Event, timezone: str = "UTC") -> Engine:
    naive = NaiveConfig(("7d", "month"), ("channel",), timezone, HOUR_MS)
    engine = ready_engine(engine_config(naive))
    Log(engine).send(events)
    return engine


def _value(engine: Engine, day: float, name: str, **labels: str) -> float | None:
    gauges = gauges_of(engine, round(YEAR_MS + day * DAY_MS))
    return gauges.get((f"retention_{name}", frozenset(labels.items())))


def _totals(engine: Engine, scope: Scope) -> Totals:
    return reading.totals(engine._tallies, engine._segments, YEAR_MS + 40 * DAY_MS, scope)


def test_lifetime_value_leaves_guests_out_and_takes_refunds_off() -> None:
    engine = _engine(
        _event("purchase", "ann", 1, amount="30.00"),
        _event("purchase", "bob", 2),
        _event("purchase", None, 2, order_id="guest"),
        _event("return", "ann", 3, amount="5.00"),
        # Sent back in a currency that they never paid in: of no customer's.
        _event("return", "bob", 4, currency="USD"),
    )
    assert _value(engine, 2, "customer_lifetime_value", **WHOLE, currency="EUR") == 20
    assert _value(engine, 3, "customer_lifetime_value", **WHOLE, currency="EUR") == 17.5
    assert _value(engine, 4, "customer_lifetime_value", **WHOLE, currency="USD") is None


def test_a_customers_mean_interval_counts_from_the_second_order_on() -> None:
    engine = _engine(*(_event("purchase", "ann", day) for day in (1, 2, 4)))
    name = "customer_purchase_interval_seconds"
    days = [_value(engine, day, name, **WHOLE) for day in (1, 2, 4)]
    assert days == [None, 86_400, 1.5 * 86_400]


def test_the_top_customers_are_of_now_whatever_the_instant() -> None:
    engine = _engine(
        _event("purchase", "ann", 1, amount="30.00"), _event("purchase", "bob", 20, amount="70.00")
    )
    for day in (0, 5, 30):
        share = _value(engine, day, "top_customers_revenue_ratio", **WHOLE, currency="EUR")
        assert share == pytest.approx(0.7, rel=0.01)


def test_months_of_cohorts_are_local() -> None:
    # 31 January 19:12 UTC is 1 February in Kolkata.
    events = [_event("purchase", "ann", 30.8), _event("signup", "ann", 30.8)]
    for timezone, cohort in (("UTC", "2024-01"), ("Asia/Kolkata", "2024-02")):
        engine = _engine(*events, timezone=timezone)
        began = _value(engine, 30.8, "cohort_customers", **STORE, cohort=cohort, age="0")
        assert began == 1
        assert _value(engine, 30.8, "signup_cohort_size", **STORE, cohort=cohort) == 1


def test_a_cohort_has_every_month_up_to_now_and_none_after() -> None:
    engine = _engine(_event("purchase", "ann", 1), _event("purchase", "ann", 70))
    ages = [
        _value(engine, 75, "cohort_customers", **STORE, cohort="2024-01", age=f"{age}")
        for age in range(4)
    ]
    assert ages == [1, 0, 1, None]


def test_activation_counts_by_the_end_of_an_earlier_window() -> None:
    engine = _engine(_event("signup", "ann", 1), _event("purchase", "ann", 9))
    before = WHOLE | {"window": "prev_7d"}
    # As of day 8 the window before ends on day 1, as of day 16 on day 9.
    assert _value(engine, 8, "signups", **before, status="total") == 1
    assert _value(engine, 8, "signups", **before, status="activated") == 0
    month = WHOLE | {"window": "prev_month", "status": "activated"}
    assert _value(engine, 40, "signups", **month) == 1


def test_gaps_count_from_the_later_order_on() -> None:
    engine = _engine(_event("purchase", "ann", 1), _event("purchase", "ann", 4))
    assert _value(engine, 3, "order_gap_seconds_count", **STORE) == 0
    assert _value(engine, 4, "order_gap_seconds_count", **STORE) == 1
    assert _value(engine, 4, "order_gap_seconds_sum", **STORE) == 3 * 86_400
    for days, gaps in ((1, 0), (3, 1), (365, 1)):
        limit = str(days * 86_400.0)
        assert _value(engine, 4, "order_gap_seconds_bucket", **STORE, le=limit) == gaps


def test_a_part_of_the_totals_is_what_the_whole_says_of_it() -> None:
    engine = _engine(
        _event("purchase", "ann", 1, attributes={"channel": "web"}),
        _event("purchase", "bob", 35, attributes={"channel": "app"}),
    )
    whole = _totals(engine, Scope())
    part = _totals(engine, Scope(frozenset({"month"}), frozenset({"all"}), with_lifetimes=False))
    assert part.counts == {(SHOP, "month"): whole.counts[SHOP, "month"]}
    assert (part.cohorts, part.gaps) == ({}, {})
    assert len(whole.cohorts) == 2
