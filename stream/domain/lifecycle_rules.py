"""The rules of customers' lifecycles: see :mod:`stream.domain.lifecycle`."""

from __future__ import annotations

from dataclasses import dataclass

#: Orders from which on a customer's own interval counts.
ORDERS_OF_A_RHYTHM = 3

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class LifecycleRules:
    """When a customer changes by time passing."""

    #: How long after its first order a customer is new.
    new_ms: int = 30 * _DAY_MS
    #: At risk after so many hundredths of its interval, but not before ``at_risk_least_ms``.
    at_risk_factor_hundredths: int = 200
    at_risk_least_ms: int = 7 * _DAY_MS
    #: Stands for the interval of who has fewer than ``ORDERS_OF_A_RHYTHM`` orders.
    typical_interval_ms: int = 45 * _DAY_MS
    lapsed_ms: int = 365 * _DAY_MS
