"""Cohorts: who began and came back, per store and month, up to a slot."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64
from stream.domain.cohorts import Cohorts


def _array(*values: int) -> I64:
    return np.array(values, np.int64)


def _row(cohorts: Cohorts, store: int, month: int) -> I64:
    return _array(cohorts.cohorts()[store, month])


def test_a_cohort_grows_at_the_slots_where_its_customers_came_back() -> None:
    cohorts = Cohorts()
    cohorts.add(_array(0, 0, 0), _array(600, 600, 600), _array(10, 10, 2000), 1)
    row = _row(cohorts, 0, 600)
    sums = [int(cohorts.sums_to(row, slot)[0]) for slot in (9, 10, 1999, 2000, 9999)]
    assert sums == [0, 2, 2, 3, 3]


def test_who_began_is_apart_from_who_came_back() -> None:
    cohorts = Cohorts()
    cohorts.add_members(_array(0, 0), _array(600, 600), _array(10, 12), 1)
    cohorts.add(_array(0), _array(600), _array(11), 1)
    row = _row(cohorts, 0, 600)
    assert (cohorts.members_to(row, 11), cohorts.sums_to(row, 11)) == (_array(1), _array(1))
    assert (cohorts.members_to(row, 12), cohorts.sums_to(row, 12)) == (_array(2), _array(1))


def test_many_stores_and_months_stay_apart() -> None:
    cohorts = Cohorts()
    stores = np.repeat(np.arange(0, 3000, 30, dtype=np.int64), 3)
    months = np.tile(_array(0, 600, 671), 100)
    slots = np.arange(len(stores), dtype=np.int64)
    for start in range(0, len(stores), 7):
        part = slice(start, start + 7)
        cohorts.add(stores[part], months[part], slots[part], 1)
    assert len(cohorts.cohorts()) == len(stores)
    for store, month, slot in zip(stores.tolist(), months.tolist(), slots.tolist(), strict=True):
        row = _row(cohorts, store, month)
        assert cohorts.sums_to(row, slot - 1).tolist() == [0]
        assert cohorts.sums_to(row, slot).tolist() == [1]


def test_taking_customers_out_leaves_nothing() -> None:
    cohorts = Cohorts()
    stores, months, slots = _array(0, 40, 40), _array(600, 600, 601), _array(1, 2, 3)
    for sign in (1, -1):
        cohorts.add(stores, months, slots, sign)
        cohorts.add_members(stores, months, slots, sign)
    assert cohorts.dense() == {}


def test_nobody_makes_no_cohort() -> None:
    cohorts = Cohorts()
    cohorts.add(_array(), _array(), _array(), 1)
    assert cohorts.cohorts() == {}
