"""Each customer by itself, added up: the gauges, which are read another way."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from hypothesis import given

from stream.domain.lifecycle import STAGE_NAMES
from stream.domain.lookup import CustomerView, InWindow, Reason, Spent
from tests.properties.histories import DAY_MS, History, histories
from tests.support.engines import engine_config, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.engine import Engine

STATUSES = ("active", "new", "start", "retained", "repeat")


def views(history: History, engine: Engine, as_of_ms: int) -> Iterator[tuple[str, CustomerView]]:
    """Everybody with an id, with the store."""
    known = {
        (str(event.get("store") or "default"), str(event["customer_id"]))
        for event in history.events
        if event.get("customer_id") is not None
    }
    for store, customer_id in known:
        view = engine.customer(store, customer_id, as_of_ms)
        assert view is not None
        yield store, view


def check_reason(view: CustomerView, window: InWindow, reason: Reason) -> None:
    """The orders a reason names are the customer's and make it so."""
    assert set(reason.order_ms) <= {each.time_ms for each in view.orders if not each.cancelled}
    inside = [at for at in reason.order_ms if window.from_ms <= at < window.to_ms]
    assert len(inside) == {"start": 0, "lost": 0, "repeat": 2}.get(reason.status, 1)
    if reason.status in ("start", "lost", "retained"):
        assert window.preceding_from_ms <= reason.order_ms[0] < window.from_ms
    if reason.status == "reactivated":
        assert reason.order_ms[0] < window.preceding_from_ms


@given(histories())
def test_statuses_with_their_reasons_add_up_to_the_gauges(history: History) -> None:
    engine = run(history.events, engine_config(history.config))
    for as_of_ms in history.moments():
        found: Counter[tuple[str, str, str, str, str]] = Counter()
        for store, view in views(history, engine, as_of_ms):
            for window in view.windows:
                for reason in window.reasons:
                    check_reason(view, window, reason)
                    for dimension, name in [("all", "all"), *view.segments.items()]:
                        found[store, dimension, name, window.window, reason.status] += 1
        expected: Counter[tuple[str, str, str, str, str]] = Counter()
        for (segment, name), counts in engine.totals(as_of_ms).counts.items():
            if name.startswith("prev_"):
                continue
            by_status = {status: getattr(counts, status) for status in STATUSES}
            by_status["lost"] = counts.start - counts.retained
            by_status["reactivated"] = counts.active - counts.new - counts.retained
            for status, count in by_status.items():
                expected[*segment, name, status] = count
        assert +found == +expected


@given(histories())
def test_stages_of_all_customers_add_up_to_the_gauge(history: History) -> None:
    engine = run(history.events, engine_config(history.config))
    for as_of_ms in history.moments():
        found: Counter[tuple[str, str]] = Counter()
        for store, view in views(history, engine, as_of_ms):
            if view.stage is not None:
                found[store, view.stage] += 1
        expected = {
            (store, stage): count
            for store, counts in engine.totals(as_of_ms).stages.items()
            for stage, count in zip(STAGE_NAMES[1:], counts, strict=True)
            if count
        }
        assert found == expected


@given(histories())
def test_money_and_intervals_of_all_customers_add_up_to_lifetimes(history: History) -> None:
    engine = run(history.events, engine_config(history.config))
    as_of_ms = history.middle_ms + 800 * DAY_MS
    money: defaultdict[tuple[str, str], Spent] = defaultdict(Spent)
    payers: Counter[tuple[str, str]] = Counter()
    mean_interval_ms: Counter[str] = Counter()
    for store, view in views(history, engine, as_of_ms):
        mean_interval_ms[store] += view.mean_interval_ms or 0
        for currency, spent in view.money.items():
            total = money[store, currency]
            total.gross_minor_units += spent.gross_minor_units
            total.refunded_minor_units += spent.refunded_minor_units
            payers[store, currency] += spent.orders > 0
    totals = engine.totals(as_of_ms)
    for (segment, currency), lifetime in totals.lifetime_money.items():
        if segment.dimension == "all":
            total = money.pop((segment.store, currency), Spent())
            assert total.gross_minor_units == lifetime.gross_minor_units
            assert total.refunded_minor_units == lifetime.refunded_minor_units
            assert payers[segment.store, currency] == lifetime.payers
    assert not any(
        spent.gross_minor_units or spent.refunded_minor_units for spent in money.values()
    )
    for segment, lifetime_of in totals.lifetimes.items():
        if segment.dimension == "all":
            assert mean_interval_ms[segment.store] == lifetime_of.mean_interval_ms
