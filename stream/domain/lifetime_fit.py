"""The parameters of a lifetime model under which the histories seen are the most likely."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, psi

from stream.domain.arrays import F64
from stream.domain.lifetime_model import Histories, LifetimeModel

#: Parameters are looked for between exp(-bound) and exp(bound), with the mean age as the unit.
_LOG_BOUND = 9.0
_GRADIENT_TOLERANCE = 1e-8


def fit(
    histories: Histories, *, modified: bool = False, start: LifetimeModel | None = None
) -> LifetimeModel | None:
    """The maximum-likelihood fit.

    Args:
        histories: the customers; at least one.
        modified: fit the MBG/NBD instead of the BG/NBD.
        start: where to begin, such as the fit of an hour ago.

    Returns:
        The model, or None when these histories do not determine one: no repeat order at all, or
        a likelihood that keeps rising towards an endless parameter.
    """
    if not histories.frequency.any():
        return None
    total = histories.customers.sum()
    # In a unit near the customers' age all parameters are of about one size.
    unit = float(histories.customers @ histories.age / total)
    scaled = replace(histories, recency=histories.recency / unit, age=histories.age / unit)

    def loss(logs: F64) -> tuple[float, F64]:
        values: F64 = np.exp(logs)
        r, alpha, a, b = values.tolist()
        model = LifetimeModel(r, alpha, a, b, modified)
        slope = _gradient(model, scaled) * values
        return -model.log_likelihood(scaled) / total, -slope / total

    begin = [1.0, 1.0, 1.0, 1.0]
    if start is not None:
        begin = [start.r, start.alpha / unit, start.a, start.b]
    bounds = [(-_LOG_BOUND, _LOG_BOUND)] * 4
    found = minimize(
        loss,
        np.clip(np.log(begin), -_LOG_BOUND, _LOG_BOUND),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 1000, "ftol": 1e-14, "gtol": _GRADIENT_TOLERANCE},
    )
    if not np.isfinite(found.x).all() or (np.abs(found.x) > _LOG_BOUND - 1e-3).any():
        return None
    r, alpha, a, b = np.exp(found.x).tolist()
    return LifetimeModel(r, alpha * unit, a, b, modified)


def _gradient(model: LifetimeModel, histories: Histories) -> F64:
    """Derivatives of the log-likelihood by r, alpha, a and b."""
    x, weights = histories.frequency, histories.customers
    shape = model.r + x
    chances = model.survived(x)
    until_now, until_last = model.alpha + histories.age, model.alpha + histories.recency
    alive, dead = model.log_terms(x, histories.recency, histories.age)
    gone: F64 = expit(dead - alive)
    there = 1 - gone
    mean_log = there * np.log(until_now) + gone * np.log(until_last)
    by_r = psi(shape) - psi(model.r) + np.log(model.alpha) - mean_log
    by_alpha = model.r / model.alpha - shape * (there / until_now + gone / until_last)
    both = psi(model.a + model.b) - psi(model.a + model.b + chances)
    by_a = both + gone / model.a
    # Where nobody can be gone yet the term is absent, and its divisor may be anything.
    divisor = np.where(chances > 0, model.b + chances - 1, 1.0)
    by_b = both + psi(model.b + chances) - psi(model.b) - gone / divisor
    return np.array([weights @ each for each in (by_r, by_alpha, by_a, by_b)])
