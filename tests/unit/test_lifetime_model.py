"""BG/NBD and MBG/NBD against the papers, an independent program, and first principles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.special import roots_genlaguerre, roots_jacobi

from stream.domain.arrays import F64
from stream.domain.lifetime_fit import _gradient, fit
from stream.domain.lifetime_model import Histories, LifetimeModel
from tests.support.cdnow_tenth import cdnow_tenth

# Fader, Hardie and Lee (2005), table 2: CDNOW, 1/10 sample, 39 weeks.
PUBLISHED = LifetimeModel(r=0.243, alpha=4.414, a=0.793, b=2.426)
PUBLISHED_LOG_LIKELIHOOD = -9582.4
# Lifetimes 0.11.3, ModifiedBetaGeoFitter(penalizer_coef=0.0), fitted to its cdnow summary.
MODIFIED = LifetimeModel(r=0.52484, alpha=6.18299, a=0.89136, b=1.61400, modified=True)

# Lifetimes 0.11.3 with its own fits to its cdnow summary: BetaGeoFitter(penalizer_coef=0.0) gave
# r=0.242593, alpha=4.413532, a=0.792886, b=2.425752. Customers, then what it says of them.
FREQUENCY = np.array([0, 1, 2, 5, 26, 3], np.float64)
RECENCY = np.array([0, 30.43, 1.71, 24, 30.86, 38])
AGE = np.array([38.86, 38.86, 38.86, 30, 31, 38.86])
ALIVE = {
    False: [1, 0.7003532264, 0.0510876377, 0.7480031971, 0.9689197160, 0.8394882423],
    True: [0.3897164421, 0.6813373504, 0.0475372027, 0.7315474686, 0.9655528689, 0.8286594518],
}
ORDERS: dict[tuple[bool, float], list[float]] = {
    (False, 1): [0.00558635, 0.02001343, 0.00263262, 0.11296787, 0.71062326, 0.06251566],
    (False, 13): [0.06981124, 0.24650437, 0.03214254, 1.33758916, 8.27763397, 0.75880943],
    (False, 39): [0.19478086, 0.67072979, 0.08619334, 3.42897595, 20.75057050, 2.01570470],
    (True, 1): [0.00452156, 0.02293851, 0.00264793, 0.11065998, 0.68120445, 0.06440498],
    (True, 13): [0.05602708, 0.28043807, 0.03210128, 1.30023721, 7.87019391, 0.77631208],
    (True, 39): [0.15395364, 0.75301159, 0.08500440, 3.28853212, 19.44803712, 2.03677133],
}


@pytest.fixture(scope="module")
def sample() -> Histories:
    return Histories.grouped(*cdnow_tenth())


@pytest.fixture(scope="module")
def fits(sample: Histories) -> dict[bool, LifetimeModel]:
    found = {modified: fit(sample, modified=modified) for modified in (False, True)}
    return {modified: model for modified, model in found.items() if model is not None}


def parameters(model: LifetimeModel) -> F64:
    return np.array([model.r, model.alpha, model.a, model.b])


def made(values: F64, *, modified: bool) -> LifetimeModel:
    r, alpha, a, b = values.tolist()
    return LifetimeModel(r, alpha, a, b, modified)


def test_the_sample_is_the_published_one(sample: Histories) -> None:
    assert sample.customers.sum() == 2357
    # Fader and Hardie's summary: 1,411 customers without a repeat order, 2,457 repeat orders.
    assert sample.customers[sample.frequency == 0].sum() == 1411
    assert sample.customers @ sample.frequency == 2457


def test_fit_agrees_with_the_published_parameters(
    sample: Histories, fits: dict[bool, LifetimeModel]
) -> None:
    assert parameters(fits[False]) == pytest.approx(parameters(PUBLISHED), rel=0.002)
    found = fits[False].log_likelihood(sample)
    assert found == pytest.approx(PUBLISHED_LOG_LIKELIHOOD, abs=0.05)
    assert found > PUBLISHED.log_likelihood(sample)


def test_modified_fit_agrees_with_an_independent_programs(
    sample: Histories, fits: dict[bool, LifetimeModel]
) -> None:
    assert parameters(fits[True]) == pytest.approx(parameters(MODIFIED), rel=0.0001)
    assert fits[True].log_likelihood(sample) >= MODIFIED.log_likelihood(sample)


@pytest.mark.parametrize("modified", [False, True])
def test_chances_and_expectations_agree_with_an_independent_programs(
    fits: dict[bool, LifetimeModel], *, modified: bool
) -> None:
    model = fits[modified]
    alive = model.probability_alive(FREQUENCY, RECENCY, AGE)
    assert alive == pytest.approx(ALIVE[modified], rel=1e-5)
    for horizon in (1, 13, 39):
        orders = model.expected_orders(horizon, FREQUENCY, RECENCY, AGE)
        assert orders == pytest.approx(ORDERS[modified, horizon], rel=1e-4)


def test_unit_of_time_changes_alpha_alone(
    sample: Histories, fits: dict[bool, LifetimeModel]
) -> None:
    in_days = Histories(sample.frequency, sample.recency * 7, sample.age * 7, sample.customers)
    found = fit(in_days)
    assert found is not None
    expected = parameters(fits[False]) * [1, 7, 1, 1]
    assert parameters(found) == pytest.approx(expected, rel=1e-5)


def test_a_fit_begun_elsewhere_ends_at_the_same_place(
    sample: Histories, fits: dict[bool, LifetimeModel]
) -> None:
    again = fit(sample, start=LifetimeModel(0.5, 20, 2, 0.5))
    assert again is not None
    assert parameters(again) == pytest.approx(parameters(fits[False]), rel=1e-4)


def test_grouped_customers_weigh_as_many_as_they_are(sample: Histories) -> None:
    frequency, recency, age = cdnow_tenth()
    one_by_one = Histories(frequency, recency, age, np.ones(len(age)))
    assert len(sample.customers) < len(age)
    assert PUBLISHED.log_likelihood(sample) == pytest.approx(PUBLISHED.log_likelihood(one_by_one))


def test_histories_without_a_repeat_order_determine_no_model() -> None:
    once = Histories.grouped(np.zeros(3), np.zeros(3), np.array([1.0, 2.0, 3.0]))
    assert fit(once) is None
    assert fit(once, modified=True) is None


def test_histories_that_never_end_determine_no_model() -> None:
    # All bought just now: nobody was ever gone, so that b grows without end.
    loyal = Histories.grouped(np.full(50, 20.0), np.full(50, 10.0), np.full(50, 10.0))
    assert fit(loyal) is None


@pytest.mark.parametrize("modified", [False, True])
def test_gradient_is_the_slope_of_the_likelihood(sample: Histories, *, modified: bool) -> None:
    model = LifetimeModel(0.4, 6.0, 0.9, 1.7, modified)

    def likelihood(values: F64) -> float:
        return made(values, modified=modified).log_likelihood(sample)

    slope = approx_fprime(parameters(model), likelihood, 1e-6)
    assert _gradient(model, sample) == pytest.approx(slope, rel=1e-3, abs=1e-2)


def averaged(model: LifetimeModel, of: Callable[[F64, F64], F64]) -> float:
    """The mean of a function of rate and dropout chance over all customers, by quadrature."""
    rates, rate_weights = roots_genlaguerre(60, model.r - 1)
    chances, chance_weights = roots_jacobi(60, model.b - 1, model.a - 1)
    # To the Gamma distribution's scale, and from (-1, 1) to (0, 1).
    values = of(rates[:, None] / model.alpha, (chances[None, :] + 1) / 2)
    mean = rate_weights @ values @ chance_weights
    return float(mean / rate_weights.sum() / chance_weights.sum())


@pytest.mark.parametrize("modified", [False, True])
@pytest.mark.parametrize("x", [0, 1, 3])
def test_formulas_are_the_averages_they_stand_for(x: int, *, modified: bool) -> None:
    model = LifetimeModel(1.7, 3.1, 1.6, 2.3, modified)
    recency, age, horizon = (0.0 if x == 0 else 4.2), 6.0, 5.0
    survived = x + 1 if modified else x

    def there(rate: F64, p: F64) -> F64:
        found: F64 = (1 - p) ** survived * rate**x * np.exp(-rate * age)
        return found

    def gone(rate: F64, p: F64) -> F64:
        earlier = (1 - p) ** (survived - 1) if survived else 0
        found: F64 = p * earlier * rate**x * np.exp(-rate * recency)
        return found

    def orders(rate: F64, p: F64) -> F64:
        found: F64 = there(rate, p) * (1 - np.exp(-rate * p * horizon)) / p
        return found

    alive, either = averaged(model, there), averaged(model, lambda r, p: there(r, p) + gone(r, p))
    history = np.array([float(x)]), np.array([recency]), np.array([age])
    likelihood = model.log_likelihood(Histories.grouped(*history))
    assert likelihood == pytest.approx(np.log(either), rel=1e-6)
    assert model.probability_alive(*history)[0] == pytest.approx(alive / either, rel=1e-6)
    expected = averaged(model, orders) / either
    assert model.expected_orders(horizon, *history)[0] == pytest.approx(expected, rel=1e-5)


def test_expectation_is_smooth_where_its_formula_divides_by_zero() -> None:
    history = np.array([3.0]), np.array([4.2]), np.array([6.0])
    below, at, above = (
        LifetimeModel(1.7, 3.1, a, 2.3).expected_orders(5, *history)[0] for a in (0.999, 1, 1.001)
    )
    assert at == pytest.approx((below + above) / 2, rel=1e-5)


positive, share = st.floats(0.05, 20), st.floats(0, 1)


@given(st.builds(LifetimeModel, *[positive] * 4, st.booleans()), st.integers(0, 2000), share)
def test_every_customer_has_a_chance_and_a_finite_expectation(
    model: LifetimeModel, orders: int, until: float
) -> None:
    age = np.array([52.0])
    frequency = np.array([float(orders)])
    history = frequency, age * (until if orders else 0), age
    (alive,) = model.probability_alive(*history)
    assert 0 <= alive <= 1
    if orders == 0:
        assert (alive == 1) == (not model.modified)
    short, long = (model.expected_orders(t, *history)[0] for t in (1, 13))
    assert 0 <= short <= long + 1e-9
    assert long <= 13 * (model.r + orders) / (model.alpha + 52) + 1e-9
