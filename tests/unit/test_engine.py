"""The engine: outcomes, clocks, strays, partitions, and what a worker relies on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stream.domain.events import Outcome
from stream.domain.money import MAX_MINOR_UNITS
from stream.engine import MAX_AHEAD_MS, Engine
from stream.wire.partitioning import partitions_of
from tests.support.engines import (
    DAY_MS,
    HOUR_MS,
    NOW_MS,
    PURCHASES,
    REROUTED,
    RETURNS,
    SIGNUPS,
    Log,
    encoded,
    engine_config,
    gauges_of,
    named_sums,
    ready_engine,
    run,
)
from tests.support.naive import Event, NaiveConfig

if TYPE_CHECKING:
    from stream.domain.config import EngineConfig

HORIZON_MS = 800 * DAY_MS
#: A Monday, and the first day of a year and of a quarter.
YEAR_MS = 1_704_067_200_000
CONFIG = engine_config(
    NaiveConfig(("1d", "7d", "month"), ("channel",), "UTC", HOUR_MS), horizon_ms=HORIZON_MS
)
WALL = replace(CONFIG, clock="wall")
EIGHT = replace(CONFIG, partitions=8)


def _purchase(customer: str | None, time_ms: int, order: str = "o", **fields: object) -> Event:
    return {
        "type": "purchase",
        "customer_id": customer,
        "occurred_at": time_ms,
        "order_id": order,
        "amount": "10.00",
        "currency": "EUR",
        **fields,
    }


def _value(engine: Engine, as_of_ms: int, name: str, window: str = "7d", **labels: str) -> float:
    wanted = {"store": "default", "window": window, **labels}
    if name != "window_mature":
        wanted = {"dimension": "all", "segment": "all", **wanted}
    return gauges_of(engine, as_of_ms)[f"retention_{name}", frozenset(wanted.items())]


def _customer_of(partition: int) -> str:
    names = [f"customer{number}" for number in range(100)]
    homes: list[int] = partitions_of([name.encode() for name in names], 8).tolist()
    return names[homes.index(partition)]


# -- outcomes ----------------------------------------------------------------------------------


def test_every_kind_of_outcome_is_counted() -> None:
    engine = ready_engine(EIGHT)
    log = Log(engine)
    here, away = _customer_of(0), _customer_of(1)
    guest = next(f"{n}" for n in range(99) if partitions_of([b"%d" % n], 8).tolist() == [0])
    log.send_raw(
        PURCHASES,
        [
            encoded(_purchase(here, NOW_MS)),
            encoded(_purchase(here, NOW_MS)),
            encoded(_purchase(None, NOW_MS, guest)),
            encoded(_purchase(away, NOW_MS)),
            encoded(_purchase(here, NOW_MS - HORIZON_MS - 1, "late")),
            b"junk",
        ],
    )
    assert {outcome: count for outcome, count in log.outcomes.items() if count} == {
        Outcome.APPLIED: 1,
        Outcome.DUPLICATE: 1,
        Outcome.GUEST: 1,
        Outcome.REROUTED: 1,
        Outcome.TOO_LATE: 1,
        Outcome.REJECTED: 1,
    }
    replay = engine.apply(PURCHASES, 0, [0], [None], [encoded(_purchase(here, NOW_MS))], NOW_MS)
    assert replay.outcomes[Outcome.REPLAYED] == 1


def test_an_empty_chunk_is_nothing() -> None:
    applied = ready_engine(CONFIG).apply(PURCHASES, 0, [], [], [], NOW_MS)
    assert sum(applied.outcomes.values()) == 0
    assert (applied.dead_letters, applied.strays) == ([], [])


def test_a_second_guest_order_with_one_id_is_a_duplicate_only_in_its_store() -> None:
    log = Log(ready_engine(CONFIG))
    log.send([_purchase(None, YEAR_MS), _purchase(None, YEAR_MS + 1)])
    log.send([_purchase(None, YEAR_MS, store="north"), _purchase("ann", YEAR_MS)])
    assert log.outcomes[Outcome.GUEST] == 2
    assert log.outcomes[Outcome.DUPLICATE] == 1
    assert log.outcomes[Outcome.APPLIED] == 1
    assert _value(log.engine, YEAR_MS, "orders") == 2
    assert _value(log.engine, YEAR_MS, "customers", status="active") == 1
    assert _value(log.engine, YEAR_MS, "purchase_frequency") == 2


def test_offsets_are_remembered_by_customer_and_topic() -> None:
    engine = ready_engine(CONFIG)
    value = encoded(_purchase("ann", YEAR_MS))
    signup = encoded({"type": "signup", "customer_id": "ann", "occurred_at": YEAR_MS})
    assert engine.apply(PURCHASES, 0, [7], [None], [value], NOW_MS).outcomes[Outcome.APPLIED]
    assert engine.apply(SIGNUPS, 0, [5], [None], [signup], NOW_MS).outcomes[Outcome.APPLIED]
    assert engine.apply(PURCHASES, 0, [7], [None], [value], NOW_MS).outcomes[Outcome.REPLAYED]
    assert engine.apply(PURCHASES, 0, [6], [None], [value], NOW_MS).outcomes[Outcome.REPLAYED]
    assert engine.apply(PURCHASES, 0, [8], [None], [value], NOW_MS).outcomes[Outcome.DUPLICATE]
    other = encoded(_purchase("bob", YEAR_MS))
    assert engine.apply(PURCHASES, 0, [6], [None], [other], NOW_MS).outcomes[Outcome.APPLIED]


def test_a_duplicate_is_replayed_when_its_offset_comes_again() -> None:
    engine = ready_engine(CONFIG)
    values = [encoded(_purchase("ann", YEAR_MS))] * 2
    engine.apply(PURCHASES, 0, [0, 1], [None] * 2, values, NOW_MS)
    again = engine.apply(PURCHASES, 0, [0, 1], [None] * 2, values, NOW_MS)
    assert again.outcomes[Outcome.REPLAYED] == 2


# -- cancellations, returns, segments ----------------------------------------------------------


def test_a_cancelled_order_is_as_if_never_placed_in_any_order_of_arrival() -> None:
    cancellation: Event = {
        "type": "cancellation",
        "customer_id": "ann",
        "order_id": "1",
        "occurred_at": YEAR_MS + 5,
    }
    order = _purchase("ann", YEAR_MS, "1", attributes={"channel": "web"})
    kept = _purchase("ann", YEAR_MS + 1, "2", attributes={"channel": "shop"})
    expected = named_sums(run([kept], CONFIG))
    for events in ([order, kept, cancellation], [cancellation, kept, order], [cancellation, kept]):
        assert named_sums(run(events, CONFIG)) == expected
    again = run([order, kept, cancellation, {**order, "occurred_at": YEAR_MS + 9}], CONFIG)
    assert named_sums(again) == expected


def test_a_cancellation_does_not_touch_another_customer_or_store() -> None:
    orders = [_purchase("ann", YEAR_MS), _purchase("bob", YEAR_MS)]
    others: list[Event] = [
        {"type": "cancellation", "customer_id": "cleo", "order_id": "o", "occurred_at": YEAR_MS},
        {
            "type": "cancellation",
            "customer_id": "ann",
            "order_id": "o",
            "store": "north",
            "occurred_at": YEAR_MS,
        },
    ]
    assert named_sums(run(orders + others, CONFIG)) == named_sums(run(orders, CONFIG))


def test_a_return_counts_what_came_back_and_removes_no_order() -> None:
    engine = run(
        [
            _purchase("ann", YEAR_MS, units=4),
            {
                **_purchase("ann", YEAR_MS + HOUR_MS, units=3, amount="7.50"),
                "type": "return",
                "return_id": "r",
            },
        ],
        CONFIG,
    )
    now = YEAR_MS + HOUR_MS
    assert _value(engine, now, "orders") == 1
    assert _value(engine, now, "product_return_ratio") == 0.75
    assert _value(engine, now, "revenue", currency="EUR", kind="gross") == 10
    assert _value(engine, now, "revenue", currency="EUR", kind="refunded") == 7.5


@pytest.mark.parametrize("chunk", [1, 100])
def test_attributes_of_a_return_give_no_segment(chunk: int) -> None:
    sent_back = {
        **_purchase("ann", YEAR_MS, attributes={"channel": "web"}),
        "type": "return",
        "return_id": "r",
    }
    engine = run([sent_back, _purchase("ann", YEAR_MS + 1)], CONFIG, chunk=chunk)
    labels = {"dimension": "channel", "segment": "unknown"}
    assert _value(engine, YEAR_MS, "orders", **labels) == 1
    assert _value(engine, YEAR_MS, "units", kind="returned", **labels) == 1


def test_an_earlier_value_moves_all_of_a_customer_to_its_segment() -> None:
    events = [
        _purchase("ann", YEAR_MS + 2 * HOUR_MS, "1", attributes={"channel": "web"}),
        _purchase("ann", YEAR_MS, "2", attributes={"channel": "shop"}),
    ]
    engine = run(events, CONFIG, chunk=1)
    now = YEAR_MS + 2 * HOUR_MS
    names = {dict(labels).get("segment") for _, labels in gauges_of(engine, now)}
    assert names == {"all", "shop", None}
    assert _value(engine, now, "orders", dimension="channel", segment="shop") == 2


@pytest.mark.parametrize("chunk", [1, 100])
@pytest.mark.parametrize("first", ["purchase", "signup"])
def test_of_a_purchase_and_a_signup_at_one_moment_the_purchase_gives_the_segment(
    chunk: int, first: str
) -> None:
    events = [
        _purchase("ann", YEAR_MS, attributes={"channel": "shop"}),
        {
            "type": "signup",
            "customer_id": "ann",
            "occurred_at": YEAR_MS,
            "attributes": {"channel": "web"},
        },
    ]
    if first == "signup":
        events.reverse()
    engine = run(events, CONFIG, chunk=chunk)
    assert _value(engine, YEAR_MS, "orders", dimension="channel", segment="shop") == 1
    assert _value(engine, YEAR_MS, "signups", dimension="channel", segment="shop", status="total")


def test_of_several_signups_the_earliest_counts() -> None:
    signups: list[Event] = [
        {"type": "signup", "customer_id": "ann", "occurred_at": YEAR_MS + days * DAY_MS}
        for days in (20, 3, 30)
    ]
    engine = run(signups, CONFIG)
    assert _value(engine, YEAR_MS + 3 * DAY_MS, "signups", status="total") == 1
    assert _value(engine, YEAR_MS + 30 * DAY_MS, "signups", status="total") == 0


# -- time --------------------------------------------------------------------------------------


def test_a_rolling_window_ends_with_the_bucket_of_as_of() -> None:
    engine = run([_purchase("ann", YEAR_MS)], CONFIG)
    last = YEAR_MS + DAY_MS - 1
    for as_of_ms, orders in ((YEAR_MS - 1, 0), (YEAR_MS, 1), (last, 1), (last + 1, 0)):
        assert _value(engine, as_of_ms, "orders", "1d") == orders


def test_a_calendar_window_goes_to_date_and_begins_anew_in_the_next_period() -> None:
    engine = run([_purchase("ann", YEAR_MS + DAY_MS)], CONFIG)
    february = YEAR_MS + 31 * DAY_MS
    for as_of_ms, orders in ((YEAR_MS, 0), (YEAR_MS + DAY_MS, 1), (february - 1, 1), (february, 0)):
        assert _value(engine, as_of_ms, "orders", "month") == orders
    assert _value(engine, february, "orders", "prev_month") == 1
    assert _value(engine, february, "customers", "month", status="lost") == 1


@pytest.mark.parametrize("hour", range(26))
def test_a_rolling_window_is_mature_when_orders_reach_its_preceding_windows_first_bucket(
    hour: int,
) -> None:
    first_ms = YEAR_MS + hour * HOUR_MS
    engine = run([_purchase("ann", first_ms)], CONFIG)
    two_days_later = first_ms + 2 * DAY_MS
    assert _value(engine, two_days_later - HOUR_MS - 1, "window_mature", "1d") == 0
    assert _value(engine, two_days_later - HOUR_MS, "window_mature", "1d") == 1


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_maturity_holds_in_buckets_that_local_midnight_cuts(zone: str) -> None:
    for beside in range(-3, 4):
        first_ms = YEAR_MS + beside * HOUR_MS // 2
        engine = run([_purchase("ann", first_ms)], replace(CONFIG, timezone=zone))
        ripe = (first_ms // HOUR_MS + 2 * 24 - 1) * HOUR_MS
        assert _value(engine, ripe - 1, "window_mature", "1d") == 0
        assert _value(engine, ripe, "window_mature", "1d") == 1


def test_a_calendar_window_is_mature_when_orders_reach_the_preceding_periods_first_day() -> None:
    february = YEAR_MS + 31 * DAY_MS
    for first_ms, mature in ((YEAR_MS, 1), (YEAR_MS + DAY_MS - 1, 1), (YEAR_MS + DAY_MS, 0)):
        engine = run([_purchase(None, first_ms)], CONFIG)
        assert _value(engine, february, "window_mature", "month") == mature
        assert _value(engine, february - 1, "window_mature", "month") == 0


def test_in_event_time_as_of_is_the_greatest_time_seen() -> None:
    engine = ready_engine(CONFIG)
    log = Log(engine)
    assert engine.as_of_ms(NOW_MS) is None
    for time_ms, as_of_ms in ((YEAR_MS + 5, YEAR_MS + 5), (YEAR_MS, YEAR_MS + 5)):
        log.send([_purchase("ann", time_ms)])
        assert engine.as_of_ms(NOW_MS) == as_of_ms


def test_refused_events_do_not_move_as_of() -> None:
    log = Log(ready_engine(CONFIG))
    log.send([_purchase("ann", YEAR_MS)])
    log.send([_purchase("ann", NOW_MS + MAX_AHEAD_MS + 1, "x")])
    log.send([_purchase("ann", YEAR_MS + 9, "x", amount="bad")])
    assert log.engine.as_of_ms(NOW_MS) == YEAR_MS


def test_on_the_wall_as_of_is_the_clock() -> None:
    engine = ready_engine(WALL)
    assert engine.as_of_ms(NOW_MS) == NOW_MS
    Log(engine).send([_purchase("ann", NOW_MS - DAY_MS)])
    assert engine.as_of_ms(NOW_MS) == NOW_MS
    assert engine.latest_event_ms == NOW_MS - DAY_MS


@pytest.mark.parametrize("config", [CONFIG, WALL], ids=["event clock", "wall clock"])
def test_an_event_may_be_a_day_ahead_of_the_worker_and_no_more(config: EngineConfig) -> None:
    log = Log(ready_engine(config))
    log.send([_purchase("ann", NOW_MS + MAX_AHEAD_MS), _purchase("ann", NOW_MS + MAX_AHEAD_MS + 1)])
    assert [(letter.index, letter.reason) for letter in log.dead_letters] == [(1, "in_future")]


def test_on_the_wall_the_horizon_is_behind_the_clock() -> None:
    log = Log(ready_engine(WALL))
    log.send([_purchase("a", NOW_MS - HORIZON_MS), _purchase("b", NOW_MS - HORIZON_MS - 1)])
    assert [(letter.index, letter.reason) for letter in log.dead_letters] == [(1, "too_late")]
    assert log.dead_letters[0].outcome is Outcome.TOO_LATE


def test_in_event_time_the_horizon_moves_within_a_chunk() -> None:
    times = (YEAR_MS, YEAR_MS + HORIZON_MS, YEAR_MS, YEAR_MS + HORIZON_MS + 1, YEAR_MS)
    events = [_purchase("ann", time_ms, f"{n}") for n, time_ms in enumerate(times)]
    for chunk in (1, 100):
        log = Log(ready_engine(CONFIG), now_ms=NOW_MS + 10_000 * DAY_MS)
        log.send(events, chunk)
        assert log.outcomes[Outcome.TOO_LATE] == 1
        assert log.outcomes[Outcome.APPLIED] == 4


def test_the_time_of_a_stray_is_for_its_own_partition_to_note() -> None:
    here, away = _customer_of(0), _customer_of(1)
    events = [
        _purchase(here, YEAR_MS, "1"),
        _purchase(away, YEAR_MS + HORIZON_MS + DAY_MS, "2"),
        _purchase(here, YEAR_MS, "3"),
    ]
    for chunk in (1, 100):
        log = Log(ready_engine(EIGHT), now_ms=NOW_MS + 10_000 * DAY_MS)
        log.send(events, chunk)
        assert log.outcomes[Outcome.APPLIED] == 2
        assert log.outcomes[Outcome.REROUTED] == 1
        assert log.engine.latest_event_ms == YEAR_MS


# -- partitions --------------------------------------------------------------------------------


def test_a_stray_names_its_partition_and_key_and_changes_nothing_here() -> None:
    engine = ready_engine(EIGHT)
    away = _customer_of(5)
    applied = Log(engine).send_raw(PURCHASES, [encoded(_purchase(away, YEAR_MS))])
    assert [(s.index, s.key, s.partition) for s in applied.strays] == [(0, away.encode(), 5)]
    assert named_sums(engine) == {}
    assert engine.customers == 0


def test_what_was_rerouted_is_taken_whatever_its_key() -> None:
    log = Log(ready_engine(EIGHT), partition=0)
    applied = log.send_raw(REROUTED, [encoded(_purchase(_customer_of(5), YEAR_MS))])
    assert applied.outcomes[Outcome.APPLIED] == 1


def test_a_customer_known_here_stays_here() -> None:
    log = Log(ready_engine(EIGHT), partition=0)
    away = _customer_of(5)
    log.send_raw(REROUTED, [encoded(_purchase(away, YEAR_MS))])
    log.send([_purchase(away, YEAR_MS + 1, "2")])
    assert log.outcomes[Outcome.APPLIED] == 2


def test_partitions_are_ready_once_restored() -> None:
    engine = Engine(EIGHT)
    engine.assign(3)
    assert engine.ready_partitions == frozenset()
    with pytest.raises(RuntimeError, match="partition 3 is not restored yet"):
        engine.apply(PURCHASES, 3, [0], [None], [b"{}"], NOW_MS)
    engine.finish_restore(3)
    assert engine.ready_partitions == {3}
    engine.revoke(3)
    assert engine.ready_partitions == frozenset()


def test_a_partition_is_owned_once() -> None:
    engine = ready_engine(CONFIG)
    with pytest.raises(ValueError, match="partition 0 is owned already"):
        engine.assign(0)


def test_a_partition_revoked_while_it_is_restored_leaves_nothing() -> None:
    written = run([_purchase("ann", YEAR_MS)], CONFIG).take_changes(0, NOW_MS)
    engine = Engine(CONFIG)
    engine.assign(0)
    engine.restore(0, written.keys, written.values)
    engine.revoke(0)
    assert named_sums(engine) == {}
    engine.assign(0)
    engine.finish_restore(0)
    assert engine.customers == 0


# -- changes -----------------------------------------------------------------------------------


def test_changes_are_taken_once() -> None:
    engine = run([_purchase("ann", YEAR_MS)], CONFIG)
    assert len(engine.take_changes(0, NOW_MS).keys) > 0
    nothing = engine.take_changes(0, NOW_MS)
    assert (nothing.keys, nothing.values) == ([], [])


def test_only_touched_customers_are_written() -> None:
    engine = ready_engine(CONFIG)
    log = Log(engine)
    log.send([_purchase("ann", YEAR_MS, "1"), _purchase("bob", YEAR_MS, "1")])
    engine.take_changes(0, NOW_MS)
    log.send([_purchase("bob", YEAR_MS, "2")])
    assert engine.take_changes(0, NOW_MS).keys == [b"\0bob"]


def test_a_duplicate_is_written_too_for_its_offset() -> None:
    engine = ready_engine(CONFIG)
    log = Log(engine)
    log.send([_purchase("ann", YEAR_MS)])
    engine.take_changes(0, NOW_MS)
    log.send([_purchase("ann", YEAR_MS)])
    assert engine.take_changes(0, NOW_MS).keys == [b"\0ann"]


def test_many_small_segments_are_other() -> None:
    events = [
        _purchase(f"c{n}-{m}", YEAR_MS, attributes={"channel": f"channel{n:02}"})
        for n in range(53)
        for m in range(1 + (n < 50))
    ]
    engine = run([*events, _purchase("nobody", YEAR_MS)], CONFIG)
    names = {
        dict(labels)["segment"]
        for name, labels in gauges_of(engine, YEAR_MS)
        if name == "retention_orders" and ("dimension", "channel") in labels
    }
    assert names == {f"channel{n:02}" for n in range(50)} | {"other", "unknown"}
    assert _value(engine, YEAR_MS, "orders", dimension="channel", segment="other") == 3


def test_returns_and_cancellations_may_come_on_any_topic() -> None:
    log = Log(ready_engine(CONFIG))
    log.send_raw(RETURNS, [encoded(_purchase("ann", YEAR_MS))])
    assert _value(log.engine, YEAR_MS, "orders") == 1


def test_sums_of_ten_thousand_of_the_largest_amounts_do_not_overflow() -> None:
    yen = [
        _purchase(f"c{number}", YEAR_MS, amount=str(MAX_MINOR_UNITS), currency="JPY")
        for number in range(10_000)
    ]
    engine = run(yen, CONFIG)
    revenue = _value(engine, YEAR_MS, "revenue", currency="JPY", kind="gross")
    assert revenue == 10_000 * MAX_MINOR_UNITS


def test_an_order_before_the_signup_is_in_the_signups_cohort_from_the_signup_on() -> None:
    engine = ready_engine(CONFIG)
    ann: Event = {"type": "signup", "customer_id": "ann", "occurred_at": YEAR_MS + 3 * DAY_MS}
    bob: Event = {"type": "signup", "customer_id": "bob", "occurred_at": YEAR_MS}
    Log(engine).send([bob, _purchase("ann", YEAR_MS + DAY_MS), ann])
    age = frozenset({("store", "default"), ("cohort", "2024-01"), ("age", "0")})
    ordered = [
        gauges_of(engine, YEAR_MS + day * DAY_MS)["retention_signup_cohort_customers", age]
        for day in (2, 3)
    ]
    assert ordered == [0, 1]
