"""Experiments, from the counts of customers already there, with SciPy's Wilson intervals."""

from __future__ import annotations

from scipy.stats import binomtest

from tests.support.naive.gauges import Gauges, put

RATIOS = {"customer_retention": ("retained", "start"), "repeat_purchase": ("repeat", "active")}


def experiment_gauges(gauges: Gauges, dimension: str, control: str) -> None:
    """Every variant less its control, in every window and ratio where both have customers."""
    arms = {
        (labels["store"], labels["window"], labels["segment"])
        for name, pairs in list(gauges)
        for labels in [dict(pairs)]
        if name == "retention_customers" and labels["dimension"] == dimension
    }
    for store, window, variant in arms:
        if variant in (control, "unknown", "other") or (store, window, control) not in arms:
            continue
        place = {"store": store, "dimension": dimension, "window": window}
        for ratio, statuses in RATIOS.items():
            counts = [
                _customers(gauges, {**place, "segment": arm, "status": status})
                for arm in (variant, control)
                for status in statuses
            ]
            if not (counts[1] and counts[3]):
                continue
            for bound, value in _difference(*counts).items():
                labels = {**place, "segment": variant, "ratio": ratio, "bound": bound}
                put(gauges, "experiment_difference_ratio", labels, value)


def _customers(gauges: Gauges, labels: dict[str, str]) -> int:
    return int(gauges["retention_customers", frozenset(labels.items())])


def _difference(some: int, total: int, controls: int, control_total: int) -> dict[str, float]:
    p, q = some / total, controls / control_total
    its = binomtest(some, total).proportion_ci(0.95, "wilson")
    other = binomtest(controls, control_total).proportion_ci(0.95, "wilson")
    return {
        "estimate": p - q,
        "lower": p - q - ((p - its.low) ** 2 + (other.high - q) ** 2) ** 0.5,
        "upper": p - q + ((its.high - p) ** 2 + (q - other.low) ** 2) ** 0.5,
    }
