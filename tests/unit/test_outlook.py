"""What a customer may do next: models fitted to an engine's own customers, and when."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from stream.domain import outlook
from stream.domain.outlook import LEAST_CUSTOMERS, StoreModels, fit_stores
from stream.engine import Engine
from stream.faust_app.lifetimes import BEHIND_EVENTS, FIT_EVERY_SECONDS, LifetimeFits, Schedule
from stream.publish.api.customers import customer_answer
from stream.tools.samples import open_sample
from tests.support.cdnow_tenth import END, chosen_customers
from tests.support.engines import DAY_MS, Log, engine_config, ready_engine
from tests.support.naive import Event, NaiveConfig
from tests.unit.test_lifetime_model import ALIVE, ORDERS, PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.faust_app.fuse import Fuse
    from stream.faust_app.live_state import LiveState

CONFIG = NaiveConfig(("30d",), (), "UTC", 3_600_000)
AS_OF_MS = int(datetime.combine(END, datetime.min.time(), UTC).timestamp()) * 1000
DAYS_PER_WEEK = 7


@pytest.fixture(scope="module")
def engine() -> Engine:
    """CDNOW's sample to the end of 1998, with a model of its first 39 weeks."""
    log = Log(ready_engine(engine_config(CONFIG, partitions=1)))
    chosen = chosen_customers()
    lines = [line for line in open_sample("cdnow") if json.loads(line)["customer_id"] in chosen]
    log.send_raw("purchases", lines)
    assert log.engine.customers == 2357
    log.engine.lifetime_models = fit_stores(log.engine.lifetime_sample(AS_OF_MS), {})
    return log.engine


def purchases(customer: str, *days: float, store: str = "default") -> list[Event]:
    return [
        {
            "type": "purchase",
            "customer_id": customer,
            "order_id": str(number),
            "occurred_at": round(day * DAY_MS) + 1_600_000_000_000,
            "amount": "1.00",
            "currency": "EUR",
            "store": store,
        }
        for number, day in enumerate(days)
    ]


def crowd(count: int, store: str = "default") -> list[Event]:
    """Customers who behave as the model says, until day 400."""
    random = np.random.default_rng(count)
    events: list[Event] = []
    for number in range(count):
        days = [random.uniform(0, 300)]
        rate, gone = random.gamma(1, 1 / 40), random.beta(1, 2)
        while (later := days[-1] + random.exponential(1 / rate)) < 400:
            days.append(later)
            if random.uniform() < gone:
                break
        events += purchases(str(number), *days, store=store)
    return events


def sent(*events: Event) -> Engine:
    log = Log(ready_engine(engine_config(CONFIG)))
    log.send(sorted(events, key=lambda event: cast("int", event["occurred_at"])))
    return log.engine


def test_the_fit_to_the_engines_customers_is_the_published_one(engine: Engine) -> None:
    model = engine.lifetime_models["cdnow"].usual
    assert model is not None
    found = [model.r, model.alpha / DAYS_PER_WEEK, model.a, model.b]
    assert found == pytest.approx(
        [PUBLISHED.r, PUBLISHED.alpha, PUBLISHED.a, PUBLISHED.b], rel=0.01
    )


def test_a_customers_outlook_is_what_lifetimes_says_of_such_a_history(engine: Engine) -> None:
    # One repeat order 30.43 weeks after the first, 38.86 weeks ago; and none in 38.86 weeks.
    bought = {"again": (0, 213), "once": (0,)}
    for place, customer in ((1, "again"), (0, "once")):
        modified = customer == "once"
        log = Log(ready_engine(engine_config(CONFIG)))
        log.send(purchases(customer, *bought[customer], store="cdnow"))
        log.engine.lifetime_models = engine.lifetime_models
        view = log.engine.customer("cdnow", customer, 1_600_000_000_000 + 272 * DAY_MS)
        assert view is not None
        assert view.outlook is not None
        assert view.outlook.model == ("mbg_nbd" if modified else "bg_nbd")
        assert view.outlook.probability_alive == pytest.approx(ALIVE[modified][place], rel=2e-3)
        # 90 days lie between the weeks Lifetimes was asked for.
        thirteen = ORDERS[modified, 13][place]
        assert view.outlook.expected_orders == pytest.approx(thirteen * 90 / 91, rel=5e-3)
        answer = customer_answer("cdnow", customer, view)["outlook"]
        assert answer == {
            "model": view.outlook.model,
            "probability_alive": view.outlook.probability_alive,
            "expected_orders_90d": view.outlook.expected_orders,
        }


def test_days_with_several_orders_count_once_and_what_is_cancelled_or_to_come_does_not() -> None:
    events = purchases("ann", 0.1, 0.2, 5, 5.01, 9, 12)
    cancelled = {key: events[4][key] for key in ("customer_id", "order_id", "occurred_at")}
    engine = sent(*events, {"type": "cancellation", **cancelled}, *purchases("bob", 11))
    start = 1_600_000_000_000
    first_day = start + round(0.1 * DAY_MS)
    at_eleven = engine.lifetime_sample(start + 10 * DAY_MS)["default"]
    days = (np.array([first_day, start + 5 * DAY_MS, start + 10 * DAY_MS]) // DAY_MS).tolist()
    assert at_eleven.T.tolist() == [[1, days[1] - days[0], days[2] - days[0]]]


def test_stores_have_models_of_their_own_and_small_ones_have_none() -> None:
    engine = sent(*crowd(300, "large"), *crowd(150, "middle"), *crowd(LEAST_CUSTOMERS - 1, "small"))
    as_of_ms = 1_600_000_000_000 + 500 * DAY_MS
    sample = engine.lifetime_sample(as_of_ms)
    assert {store: some.shape[1] for store, some in sample.items()} == {
        "large": 300,
        "middle": 150,
        "small": LEAST_CUSTOMERS - 1,
    }
    models = fit_stores(sample, {})
    assert models.keys() == {"large", "middle"}
    assert models["large"] != models["middle"]


def test_no_outlook_without_a_model_or_an_order() -> None:
    engine = sent(*purchases("ann", 1))
    view = engine.customer("default", "ann", 1_600_000_000_000 + 10 * DAY_MS)
    assert view is not None
    assert view.outlook is None
    engine.lifetime_models = {"default": StoreModels(None, None)}
    view = engine.customer("default", "ann", 1_600_000_000_000 + 10 * DAY_MS)
    assert view is not None
    assert view.outlook is None
    engine.lifetime_models = {"default": StoreModels(PUBLISHED, PUBLISHED)}
    view = engine.customer("default", "ann", 1_600_000_000_000)
    assert view is not None
    assert view.outlook is None


def test_the_sample_is_bounded_and_from_all_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "MOST_SAMPLED", 50)
    engine = ready_engine(engine_config(CONFIG, partitions=2))
    logs = [Log(engine, partition) for partition in range(2)]
    for event in crowd(200):
        logs[engine.home_of(str(event["customer_id"]))].send([event])
    sample = engine.lifetime_sample(1_600_000_000_000 + 500 * DAY_MS)["default"]
    assert 48 <= sample.shape[1] <= 50


def test_a_fit_is_due_once_there_are_enough_when_they_doubled_and_each_hour() -> None:
    schedule = Schedule()
    assert not schedule.is_due(0, LEAST_CUSTOMERS - 1)
    assert schedule.is_due(0, LEAST_CUSTOMERS)
    schedule.note(10, 1000)
    assert not schedule.is_due(11, 1999)
    assert schedule.is_due(11, 2000)
    assert not schedule.is_due(9 + FIT_EVERY_SECONDS, 1000)
    assert schedule.is_due(10 + FIT_EVERY_SECONDS, 1000)


class _Fuse:
    """Notes what burnt it."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def burn(self, error: BaseException, _doing: str) -> None:
        self.error = error


async def _until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not done():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


def _state_of(engine: Engine, *, lag_events: int = 0) -> LiveState:
    lags = {("purchases", 0): lag_events}
    return cast("LiveState", SimpleNamespace(engine=engine, lag_events=lags))


async def _fits_of(engine: Engine) -> tuple[LifetimeFits, _Fuse]:
    fuse = _Fuse()
    fits = LifetimeFits(_state_of(engine), cast("Fuse", fuse))
    await fits.start()
    return fits, fuse


async def test_a_running_service_gives_the_engine_its_models() -> None:
    engine = sent(*crowd(300))
    fits, fuse = await _fits_of(engine)
    await _until(lambda: engine.lifetime_models)
    await fits.stop()
    assert fuse.error is None
    assert engine.lifetime_models["default"].usual is not None


async def test_nothing_is_fitted_while_a_partition_is_restored() -> None:
    engine = ready_engine(engine_config(CONFIG, partitions=1))
    Log(engine).send(crowd(300))
    engine.assign(1)
    fits = LifetimeFits(_state_of(engine), cast("Fuse", _Fuse()))
    await fits._fit_if_due(Schedule())
    assert engine.lifetime_models == {}
    engine.finish_restore(1)
    await fits._fit_if_due(Schedule())
    assert engine.lifetime_models.keys() == {"default"}


@pytest.mark.parametrize("lag_events", [BEHIND_EVENTS, BEHIND_EVENTS + 1])
async def test_nothing_is_fitted_while_the_worker_is_far_behind(lag_events: int) -> None:
    engine = sent(*crowd(300))
    fits = LifetimeFits(_state_of(engine, lag_events=lag_events), cast("Fuse", _Fuse()))
    await fits._fit_if_due(Schedule())
    assert bool(engine.lifetime_models) == (lag_events <= BEHIND_EVENTS)


async def test_a_bug_in_the_fit_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = sent(*crowd(300))

    def fail(_as_of_ms: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "lifetime_sample", fail)
    fits, fuse = await _fits_of(engine)
    await _until(lambda: fuse.error)
    await fits.stop()
    assert isinstance(fuse.error, ZeroDivisionError)
