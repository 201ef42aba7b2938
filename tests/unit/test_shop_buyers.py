"""The simulated buyers behave as the BG/NBD model says.

Expected values: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing
Science 24(2), equations for P(X(t) = 0) and E[X(t)] of a customer drawn at random.
"""

from __future__ import annotations

import numpy as np
import pytest

from stream.tools.shop_buyers import BuyerModel, BuyerPool, Newcomers
from stream.tools.shop_scenario import (
    DAY_MS,
    STEADY,
    Conditions,
    season_until_each_hour,
)

CUSTOMERS = 100_000
MONDAY_MS = 1_735_516_800_000  # 2024-12-30T00:00:00Z


def gauss_hypergeometric(a: float, b: float, c: float, z: float) -> float:
    total = term = 1.0
    for n in range(10_000):
        term *= (a + n) * (b + n) / (c + n) * z / (n + 1)
        total += term
        if term < 1e-12 * total:
            return total
    raise AssertionError("the series has not converged")


def expected_repeat_purchases(model: BuyerModel, weeks: float) -> float:
    r, alpha, a, b = (
        model.rate_shape,
        model.rate_scale_weeks,
        model.drop_out_a,
        model.drop_out_b,
    )
    series = gauss_hypergeometric(r, b, a + b - 1, weeks / (alpha + weeks))
    still_waiting: float = (alpha / (alpha + weeks)) ** r
    return (a + b - 1) / (a - 1) * (1 - still_waiting * series)


def purchases_per_customer(
    model: BuyerModel, weeks: int, conditions: Conditions = STEADY, seed: int = 7
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Purchases, the first included, of customers who all come when the shop opens."""
    pool = BuyerPool(model, np.random.default_rng(seed))
    nowhere = np.zeros(CUSTOMERS, np.int64)
    pool.add(Newcomers(np.arange(CUSTOMERS), nowhere, nowhere, np.zeros(CUSTOMERS)))
    counts = np.zeros(CUSTOMERS, np.int64)
    for day in range(weeks * 7):
        start_ms = MONDAY_MS + day * DAY_MS
        bought = pool.advance(start_ms, season_until_each_hour(start_ms), conditions)
        assert np.all((start_ms <= bought.occurred_ms) & (bought.occurred_ms <= start_ms + DAY_MS))
        counts += np.bincount(bought.customer, minlength=CUSTOMERS)
        pool.forget()
    return counts


@pytest.mark.parametrize("weeks", [13, 39, 78])
def test_repeat_purchases_grow_as_bg_nbd_expects(weeks: int) -> None:
    repeats = purchases_per_customer(BuyerModel(), weeks) - 1
    assert repeats.mean() == pytest.approx(expected_repeat_purchases(BuyerModel(), weeks), rel=0.03)


@pytest.mark.parametrize("weeks", [13, 39])
def test_the_share_of_one_time_buyers_is_as_bg_nbd_expects(weeks: int) -> None:
    model = BuyerModel()
    scale = model.rate_scale_weeks
    expected = (scale / (scale + weeks)) ** model.rate_shape
    once = purchases_per_customer(model, weeks) == 1
    assert once.mean() == pytest.approx(expected, abs=0.005)


def test_another_model_is_followed_as_well() -> None:
    model = BuyerModel(rate_shape=1.2, rate_scale_weeks=3.0, drop_out_a=1.5, drop_out_b=4.0)
    repeats = purchases_per_customer(model, 26) - 1
    assert repeats.mean() == pytest.approx(expected_repeat_purchases(model, 26), rel=0.03)


def test_every_customer_buys_once_and_one_timers_never_again() -> None:
    counts = purchases_per_customer(BuyerModel(), 8, Conditions(one_time_ratio=1.0))
    assert np.all(counts == 1)


def test_a_drop_out_factor_lowers_repeat_purchases_but_not_second_ones() -> None:
    steady = purchases_per_customer(BuyerModel(), 26)
    leaving = purchases_per_customer(BuyerModel(), 26, Conditions(drop_out_factor=1e9))
    # Whoever leaves does so after the second purchase at the earliest.
    assert (leaving >= 2).sum() == pytest.approx((steady >= 2).sum(), rel=0.02)
    assert leaving.max() == 2
    assert steady.max() > 10


def test_customers_who_dropped_out_are_forgotten() -> None:
    pool = BuyerPool(BuyerModel(), np.random.default_rng(1))
    nowhere = np.zeros(1000, np.int64)
    pool.add(Newcomers(np.arange(1000), nowhere, nowhere, np.zeros(1000)))
    assert len(pool) == 1000
    pool.advance(MONDAY_MS, season_until_each_hour(MONDAY_MS), Conditions(one_time_ratio=1.0))
    pool.forget()
    assert len(pool) == 0


def test_a_parameter_that_is_not_above_0_is_refused() -> None:
    with pytest.raises(ValueError, match="every parameter of the buyer model must be above 0"):
        BuyerModel(drop_out_a=0.0)


def test_the_season_of_a_whole_week_is_a_week() -> None:
    days = [season_until_each_hour(MONDAY_MS + day * DAY_MS) for day in range(7)]
    assert sum(day[-1] for day in days) == pytest.approx(168.0)
    assert all(np.all(np.diff(day) > 0) for day in days)
    # Saturday is busier than Tuesday; eight in the evening busier than three in the night.
    assert days[5][-1] > days[1][-1]
    hours = np.diff(days[0])
    assert hours[20] > 5 * hours[3]
