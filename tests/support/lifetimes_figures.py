"""Print what the program Lifetimes says of CDNOW's sample: the figures of the tests' constants.

Lifetimes is no longer kept and does not belong into this project's environment, so this is run in
one of its own::

    python3 -m venv /tmp/lifetimes && /tmp/lifetimes/bin/pip install lifetimes==0.11.3
    /tmp/lifetimes/bin/python tests/support/lifetimes_figures.py
"""
# mypy: ignore-errors
# ruff: noqa: T201

from __future__ import annotations

import numpy as np
from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter
from lifetimes.datasets import load_cdnow_summary

# The same six customers as in tests/unit/test_lifetime_model.py.
FREQUENCY = np.array([0, 1, 2, 5, 26, 3], np.float64)
RECENCY = np.array([0, 30.43, 1.71, 24, 30.86, 38])
AGE = np.array([38.86, 38.86, 38.86, 30, 31, 38.86])


def main() -> None:
    """Fit both models, and ask them about the six."""
    summary = load_cdnow_summary(index_col=[0])
    for fitter in (BetaGeoFitter, ModifiedBetaGeoFitter):
        model = fitter(penalizer_coef=0.0)
        model.fit(summary["frequency"], summary["recency"], summary["T"])
        print(
            fitter.__name__, {name: round(float(value), 6) for name, value in model.params_.items()}
        )
        alive = model.conditional_probability_alive(FREQUENCY, RECENCY, AGE)
        print("  alive", np.round(np.asarray(alive), 10).tolist())
        for weeks in (1, 13, 39):
            orders = model.conditional_expected_number_of_purchases_up_to_time(
                weeks, FREQUENCY, RECENCY, AGE
            )
            print(f"  orders in {weeks} weeks", np.round(np.asarray(orders), 8).tolist())


if __name__ == "__main__":
    main()
