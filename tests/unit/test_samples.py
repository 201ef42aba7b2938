from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest

from stream.tools.samples import SAMPLES, open_sample

# Figures of the source, counted with awk over lifetimes/datasets/CDNOW_master.txt.
PURCHASES = 69_659
CUSTOMERS = 23_570
CDS = 167_881
DOLLARS = Decimal("2500315.63")
FREE_PURCHASES = 80


def purchases() -> list[dict[str, str | int]]:
    return [json.loads(line) for line in open_sample("cdnow")]


def test_cdnow_holds_every_purchase_and_customer_of_its_source() -> None:
    events = purchases()
    assert len(events) == PURCHASES
    assert len({event["customer_id"] for event in events}) == CUSTOMERS
    assert sum(Decimal(event["amount"]) for event in events) == DOLLARS
    assert sum(int(event["units"]) for event in events) == CDS
    assert sum(Decimal(event["amount"]) == 0 for event in events) == FREE_PURCHASES


def test_cdnow_runs_from_its_first_to_its_last_day_in_order() -> None:
    times = [str(event["occurred_at"]) for event in purchases()]
    assert times == sorted(times)
    assert times[0] == "1997-01-01T00:00:00Z"
    assert times[-1] == "1998-06-30T00:00:00Z"
    assert all(time.endswith("T00:00:00Z") for time in times)


def test_cdnow_order_ids_are_the_numbers_of_the_source_lines() -> None:
    ids = sorted(int(event["order_id"]) for event in purchases())
    assert ids == list(range(1, PURCHASES + 1))


def test_cdnow_keeps_the_purchases_of_a_known_customer() -> None:
    bought = [
        (event["occurred_at"], event["units"], event["amount"])
        for event in purchases()
        if event["customer_id"] == "00003"
    ]
    assert bought == [
        ("1997-01-02T00:00:00Z", 2, "20.76"),
        ("1997-03-30T00:00:00Z", 2, "20.76"),
        ("1997-04-02T00:00:00Z", 2, "19.54"),
        ("1997-11-15T00:00:00Z", 5, "57.45"),
        ("1997-11-25T00:00:00Z", 4, "20.96"),
        ("1998-05-28T00:00:00Z", 1, "16.99"),
    ]


def test_cdnow_is_one_kind_of_event_in_one_store() -> None:
    kinds = Counter((event["type"], event["currency"], event["store"]) for event in purchases())
    assert kinds == {("purchase", "USD", "cdnow"): PURCHASES}


def test_an_unknown_sample_is_refused_with_the_names_there_are() -> None:
    assert SAMPLES == ("cdnow",)
    with pytest.raises(ValueError, match="'amazon' is not a sample: choose cdnow"):
        open_sample("amazon")
