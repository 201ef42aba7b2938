"""Gauges by name and labels, and where two sets of them part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

#: Gauge name and its labels → value.
Gauges: TypeAlias = dict[tuple[str, frozenset[tuple[str, str]]], float]

#: Absent means "none in the denominator", or "no such cohort", for these, and must agree;
#: elsewhere absent is 0.
STRICT = frozenset(
    f"retention_{name}"
    for name in (
        "customer_retention_ratio",
        "customer_churn_ratio",
        "repeat_purchase_ratio",
        "returning_customer_ratio",
        "product_return_ratio",
        "purchase_frequency",
        "average_order_value",
        "activation_ratio",
        "experiment_difference_ratio",
        "purchase_interval_seconds",
        "customer_purchase_interval_seconds",
        "customer_lifetime_value",
        "top_customers_revenue_ratio",
        "cohort_customers",
        "signup_cohort_customers",
        "signup_cohort_size",
    )
)
#: How far off these may be: a sketch, and means that are divided twice.
TOLERANCES = {
    "retention_top_customers_revenue_ratio": 0.01 + 1e-12,
    "retention_purchase_interval_seconds": 1e-12,
    "retention_customer_purchase_interval_seconds": 1e-12,
}

#: Near 0 as well as far from it: irrational numbers, in SQL with twelve decimals.
ABSOLUTE_TOLERANCES = {"retention_experiment_difference_ratio": 1e-11}


def put(gauges: Gauges, name: str, labels: Mapping[str, str], value: float) -> None:
    """Enter one gauge."""
    gauges[f"retention_{name}", frozenset(labels.items())] = float(value)


def differences(expected: Gauges, found: Gauges) -> list[str]:
    """Gauges that are not the same, one line each."""
    lines = []
    for key in expected.keys() | found.keys():
        absent = None if key[0] in STRICT else 0
        wanted, shown = expected.get(key, absent), found.get(key, absent)
        if not _same(key[0], wanted, shown):
            labels = ",".join(f"{name}={value}" for name, value in sorted(key[1]))
            lines.append(f"{key[0]}{{{labels}}}: {expected.get(key)} != {found.get(key)}")
    return sorted(lines)


def _same(name: str, wanted: float | None, shown: float | None) -> bool:
    if wanted is None or shown is None:
        return wanted is shown
    allowed = TOLERANCES.get(name, 0) * abs(wanted) + ABSOLUTE_TOLERANCES.get(name, 0)
    return abs(shown - wanted) <= allowed
