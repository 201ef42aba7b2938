"""Two sets of gauges side by side: what was expected, what is shown, and where they part."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.tools.oracle.oracle import Sample

Labels: TypeAlias = tuple[tuple[str, str], ...]
Key: TypeAlias = tuple[str, Labels]

#: Equal to the last bit; a series that is not there says 0.
EXACT = frozenset(
    {
        "retention_customers",
        "retention_customers_in_stage",
        "retention_orders",
        "retention_units",
        "retention_signups",
        "retention_revenue",
        "retention_window_mature",
        "retention_order_gap_seconds_bucket",
        "retention_order_gap_seconds_sum",
        "retention_order_gap_seconds_count",
    }
)
#: Equal to one part in 1e9; absent and 0 are different things.
CLOSE = frozenset(
    {
        "retention_customer_retention_ratio",
        "retention_customer_churn_ratio",
        "retention_repeat_purchase_ratio",
        "retention_returning_customer_ratio",
        "retention_product_return_ratio",
        "retention_purchase_frequency",
        "retention_average_order_value",
        "retention_activation_ratio",
        "retention_experiment_difference_ratio",
        "retention_purchase_interval_seconds",
        "retention_customer_purchase_interval_seconds",
        "retention_customer_lifetime_value",
        "retention_cohort_customers",
        "retention_signup_cohort_customers",
        "retention_signup_cohort_size",
    }
)
#: The worker's figure comes from a sketch: equal to 1 %; absent and 0 are different things.
SKETCHED = frozenset({"retention_top_customers_revenue_ratio"})
METRICS = EXACT | CLOSE | SKETCHED
TOLERANCE = 1e-9
SKETCH_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Difference:
    """One gauge that is not what it should be; None stands for a series that is absent."""

    name: str
    labels: Labels
    expected: float | None
    actual: float | None
    #: Which rule is broken, where it is not simply "equal to the recomputed value".
    rule: str = ""


def compare(expected: Iterable[Sample], actual: Iterable[Sample]) -> list[Difference]:
    """Every gauge of :data:`METRICS` in which the two sets differ, sorted by name and labels."""
    wanted, shown = _by_key(expected), _by_key(actual)
    return [
        Difference(*key, wanted.get(key), shown.get(key))
        for key in sorted(wanted.keys() | shown.keys())
        if not _equal(key[0], wanted.get(key), shown.get(key))
    ]


def count_compared(expected: Iterable[Sample], actual: Iterable[Sample]) -> int:
    """How many gauges :func:`compare` looks at: those in either set."""
    return len(_by_key(expected).keys() | _by_key(actual).keys())


def broken_identities(actual: Iterable[Sample]) -> list[Difference]:
    """Where the customers of a window do not add up; two sums of statuses always hold."""
    customers: dict[Labels, dict[str, float]] = defaultdict(dict)
    for (name, labels), value in _by_key(actual).items():
        if name == "retention_customers":
            others = tuple(label for label in labels if label[0] != "status")
            customers[others][dict(labels).get("status", "")] = value
    return [
        Difference("retention_customers", labels, right, left, rule)
        for labels, counts in sorted(customers.items())
        for rule, whole, parts in (
            ("active = new + retained + reactivated", "active", ("new", "retained", "reactivated")),
            ("start = retained + lost", "start", ("retained", "lost")),
        )
        if (left := counts.get(whole, 0.0)) != (right := sum(counts.get(p, 0.0) for p in parts))
    ]


def _by_key(samples: Iterable[Sample]) -> dict[Key, float]:
    return {
        (name, tuple(sorted(labels.items()))): value
        for name, labels, value in samples
        if name in METRICS
    }


def _equal(name: str, expected: float | None, actual: float | None) -> bool:
    if name in EXACT:
        return (expected or 0.0) == (actual or 0.0)
    if expected is None or actual is None:
        return expected is actual
    if name in SKETCHED:
        return abs(actual - expected) <= SKETCH_TOLERANCE * abs(expected) + TOLERANCE
    return math.isclose(expected, actual, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
