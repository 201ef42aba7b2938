"""Which usable events count: lateness, duplicates, cancellations, guests, stores, files."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stream.tools.oracle import OracleError, recompute
from tests.support.event_lines import (
    Event,
    Gauges,
    cancellation,
    day_ms,
    gauges_of,
    parameters,
    product_return,
    purchase,
)

if TYPE_CHECKING:
    from pathlib import Path

AS_OF_60 = parameters("30d", as_of_day=60)


def line(**fields: object) -> Event:
    """A purchase on day 50 with these fields in place of its own."""
    return purchase("c", 50, **fields)


def test_an_event_beyond_the_horizon_when_it_arrives_is_too_late(tmp_path: Path) -> None:
    given = parameters("30d", horizon_days=60)
    edge, beyond = purchase("edge", 0), purchase("beyond", -0.001)
    now = purchase("now", 60)
    gauges = gauges_of(tmp_path, [now, edge, beyond], given)
    assert gauges.outcomes == {"applied": 2, "too_late": 1}
    gauges = gauges_of(tmp_path, [beyond, now, edge], given)
    assert gauges.outcomes == {"applied": 3}


def test_a_rejected_event_does_not_move_as_of(tmp_path: Path) -> None:
    events = [purchase("c", 300, currency="?"), purchase("c", 0)]
    gauges = gauges_of(tmp_path, events, parameters("30d", horizon_days=60))
    assert gauges.outcomes == {"applied": 1, "rejected": 1}
    assert gauges.recomputed.as_of_ms == day_ms(0)


def test_by_the_wall_clock_lateness_is_judged_by_now(tmp_path: Path) -> None:
    given = replace(parameters("30d", horizon_days=60), clock="wall", now_ms=day_ms(61))
    gauges = gauges_of(tmp_path, [purchase("c", 0.9), purchase("c", 1)], given)
    assert gauges.outcomes == {"applied": 1, "too_late": 1}
    assert gauges.recomputed.as_of_ms == day_ms(61)


def test_a_second_purchase_with_the_same_id_is_a_duplicate(tmp_path: Path) -> None:
    events = [
        line(order_id="1", amount="10.00"),
        line(order_id="1", amount="99.00"),
        line(order_id=1, amount="99.00"),  # a number is its digits
        purchase("other customer", 50, order_id="1"),
        line(order_id="1", store="other store"),
    ]
    gauges = gauges_of(tmp_path, events, AS_OF_60)
    assert gauges.outcomes == {"applied": 3, "duplicate": 2}
    assert gauges.value("revenue", "30d", kind="gross", currency="EUR") == 20
    assert gauges.value("orders", "30d", store="other store") == 1


def test_a_second_return_with_the_same_id_is_a_duplicate(tmp_path: Path) -> None:
    events = [
        product_return("c", 50, return_id="1", units=2),
        product_return("c", 51, return_id="1", units=50),
        product_return("d", 51, return_id="1", units=3),
    ]
    gauges = gauges_of(tmp_path, events, AS_OF_60)
    assert gauges.outcomes == {"applied": 2, "duplicate": 1}
    assert gauges.value("units", "30d", kind="returned") == 5


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["after its order", "before it"])
def test_a_cancelled_order_is_as_if_never_placed(tmp_path: Path, order: tuple[int, int]) -> None:
    pair = [purchase("c", 45, order_id="x"), cancellation("c", "x", 46)]
    events = [purchase("c", 55), *(pair[i] for i in order), product_return("c", 50)]
    gauges = gauges_of(tmp_path, events, AS_OF_60)
    customers = gauges.customers("30d")
    assert (customers["active"], customers["new"], customers["repeat"]) == (1, 1, 0)
    assert gauges.value("orders", "30d") == 1
    assert gauges.value("revenue", "30d", kind="gross", currency="EUR") == 10
    assert gauges.value("units", "30d", kind="returned") == 1  # a return stands by itself


def test_a_cancelled_first_order_makes_the_next_one_the_first(tmp_path: Path) -> None:
    events = [purchase("c", 10, order_id="x"), purchase("c", 50), cancellation("c", "x", 51)]
    customers = gauges_of(tmp_path, events, AS_OF_60).customers("30d")
    assert (customers["new"], customers["start"]) == (1, 0)


def test_a_cancelled_order_id_never_counts_again(tmp_path: Path) -> None:
    events = [
        purchase("c", 45, order_id="x"),
        cancellation("c", "x", 46),
        purchase("c", 47, order_id="x"),
    ]
    assert gauges_of(tmp_path, events, AS_OF_60).value("orders", "30d") == 0


def test_a_cancellation_has_no_effect_on_others(tmp_path: Path) -> None:
    events = [
        purchase("c", 45, order_id="x"),
        purchase(None, 45, order_id="x"),
        purchase("c", 45, order_id="x", store="other"),
        cancellation("d", "x", 46),
        cancellation("c", "x", 46, store="third"),
    ]
    gauges = gauges_of(tmp_path, events, AS_OF_60)
    assert gauges.value("orders", "30d") == 2
    assert gauges.value("orders", "30d", store="other") == 1


def test_guest_orders_count_but_are_no_customers(tmp_path: Path) -> None:
    events = [
        purchase(None, 50, order_id="1", units=2),
        purchase(None, 50, order_id="1", units=2),
        purchase(None, 50, order_id="2", units=2),
        purchase("c", 50, order_id="1"),
    ]
    gauges = gauges_of(tmp_path, events, AS_OF_60)
    assert gauges.outcomes == {"applied": 1, "guest": 2, "duplicate": 1}
    assert gauges.value("orders", "30d") == 3
    assert gauges.value("units", "30d", kind="sold") == 5
    assert gauges.value("average_order_value", "30d", currency="EUR") == 10
    assert gauges.customers("30d")["active"] == 1
    assert gauges.customers("30d")["repeat"] == 0
    assert gauges.value("purchase_frequency", "30d") == 3


def test_without_a_customer_there_is_no_purchase_frequency(tmp_path: Path) -> None:
    gauges = gauges_of(tmp_path, [purchase(None, 50)], AS_OF_60)
    assert gauges.value("purchase_frequency", "30d") is None
    assert gauges.value("orders", "30d") == 1


def test_stores_do_not_mix_but_share_as_of(tmp_path: Path) -> None:
    events = [purchase("c", 10, store="a"), purchase("c", 60, store="b")]
    gauges = gauges_of(tmp_path, events, parameters("30d"))
    assert gauges.customers("30d", store="a")["lost"] == 1
    assert gauges.customers("30d", store="b")["new"] == 1
    assert gauges.customers("30d") == {}


def test_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"
    with gzip.open(first, "wt", encoding="utf-8") as file:
        file.write(json.dumps(line(order_id="1", amount="3")))  # no line end
    second.write_text(json.dumps(line(order_id="1", amount="5")), encoding="utf-8")
    for files, major in (([first, second], 3), ([second, first], 5)):
        gauges = Gauges(recompute(files, AS_OF_60))
        assert gauges.value("revenue", "30d", kind="gross", currency="EUR") == major


def test_no_events_give_no_gauges(tmp_path: Path) -> None:
    gauges = gauges_of(tmp_path, [], parameters("30d", "month"))
    assert gauges.recomputed.samples == []
    assert gauges.recomputed.as_of_ms is None


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jsonl.gz"
    damaged.write_bytes(gzip.compress(b"{}\n" * 1000)[:-20])
    for path in (tmp_path / "missing.jsonl", damaged):
        with pytest.raises(OracleError, match="cannot read the events"):
            recompute([path], AS_OF_60)


def test_a_window_that_is_none_is_an_error(tmp_path: Path) -> None:
    for window in ("fortnight", "90m"):
        with pytest.raises(OracleError, match=window):
            gauges_of(tmp_path, [], parameters(window))
