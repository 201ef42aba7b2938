"""What changes in a simulated shop, and when: seasons, and scenarios that happen once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.tools.shop_buyers import FloatArray

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

_MONDAY_OFFSET_HOURS = 72  # the epoch began on a Thursday
_WEEKDAY_WEIGHTS = np.array((0.95, 0.92, 0.95, 1.0, 1.05, 1.08, 1.05))  # Monday first
_HOUR_WEIGHTS = np.array(
    (
        *(0.35, 0.2, 0.12, 0.1, 0.12, 0.25, 0.5, 0.8, 1.0, 1.15, 1.25, 1.3),
        *(1.35, 1.3, 1.25, 1.25, 1.3, 1.4, 1.55, 1.75, 1.85, 1.7, 1.25, 0.7),
    )
)
_HOUR_FACTORS = np.outer(
    _WEEKDAY_WEIGHTS / _WEEKDAY_WEIGHTS.mean(), _HOUR_WEIGHTS / _HOUR_WEIGHTS.mean()
).ravel()


@dataclass(frozen=True, slots=True)
class Conditions:
    """How trade differs from steady trade; every factor multiplies, 1 changes nothing."""

    #: of customers who come for the first time
    new_customers_factor: float = 1.0
    #: of the rate at which customers who have bought buy again
    purchase_rate_factor: float = 1.0
    #: of the probability to drop out after a repeat purchase
    drop_out_factor: float = 1.0
    #: share of new buyers who never come back, whatever their rate
    one_time_ratio: float = 0.0
    #: of the share of orders that are sent back
    return_factor: float = 1.0
    #: of the price of one unit
    price_factor: float = 1.0

    def softened(self, strength: float) -> Conditions:
        """The same differences from steady trade, times ``strength``: 0 is steady, 1 is all."""
        pairs = ((name, getattr(self, name), getattr(STEADY, name)) for name in self.__slots__)
        return Conditions(
            **{name: steady + strength * (now - steady) for name, now, steady in pairs}
        )


@dataclass(frozen=True, slots=True)
class Phase:
    """Conditions that hold from ``from_day`` days after the scenario's switch."""

    from_day: int
    conditions: Conditions


STEADY = Conditions()
_RETENTION_DROP = Conditions(purchase_rate_factor=0.4, drop_out_factor=2.0)

SCENARIOS: Mapping[str, tuple[Phase, ...]] = {
    "steady": (),
    # Customers who have bought buy less often, and leave sooner.
    "retention-drop": (Phase(0, _RETENTION_DROP),),
    # New buyers come as before, but most of them buy only once.
    "repeat-drop": (Phase(0, Conditions(one_time_ratio=0.8)),),
    # Two weeks of lower prices and many buyers, then two quiet weeks.
    "promotion": (
        Phase(0, Conditions(2.5, 1.8, price_factor=0.8)),
        Phase(14, Conditions(0.85, 0.8)),
        Phase(28, STEADY),
    ),
    # Five times as many orders are sent back.
    "return-wave": (Phase(0, Conditions(return_factor=5.0)),),
    # The drop ends after 45 days; a month of catching up follows.
    "recovery": (
        Phase(0, _RETENTION_DROP),
        Phase(45, Conditions(purchase_rate_factor=1.6)),
        Phase(75, STEADY),
    ),
}


def conditions_on(scenario: str, days_since_switch: int, strength: float = 1.0) -> Conditions:
    """The conditions of a scenario on the day that is so many after its switch; steady before."""
    current = STEADY
    for phase in SCENARIOS[scenario]:
        if days_since_switch >= phase.from_day:
            current = phase.conditions
    return current if strength == 1 else current.softened(strength)


def season_until_each_hour(start_ms: int) -> FloatArray:
    """How much of an average day's trade is done by each hour's end, in hours; 25 values from 0.

    An hour as busy as the average of a whole week counts 1. ``start_ms`` is a whole hour.
    """
    first_hour = start_ms // HOUR_MS + _MONDAY_OFFSET_HOURS
    hours = np.arange(first_hour, first_hour + 24) % _HOUR_FACTORS.size
    return np.concatenate(([0.0], np.cumsum(_HOUR_FACTORS[hours])))
