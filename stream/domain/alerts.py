"""What is off in a shop, by the rules of ``deploy/prometheus``, where the whole past is at hand.

Prometheus asks the gauges that it scraped; here the same is asked of the figures themselves, so
that the page and the demo can tell without Prometheus, and half a year of a shop is judged in a
moment. ``docs/alerting.md`` has the formulas. ``deploy/prometheus/rules/signals.yml`` is what they
are held to: ``tests/deploy/test_alerts_without_prometheus.py`` compares both, hour by hour.

Every array has the hours on its last axis; NaN stands where a ratio has no denominator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.domain.totals import Counts

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WEEK_HOURS = 168
SPAN_HOURS = 36
#: How long an expression must hold before its alert fires, and how long it fires on after that.
FOR_HOURS = 1
KEEP_FIRING_HOURS = 12
#: The windows that are read.
SHORT, LONG = "7d", "30d"

RETURNING_ORDERS = "returning_orders"
_WEEKS = (1, 2, 3)
#: How many hours back the figures of an hour are compared with.
HOURS_BACK = (
    *(week * WEEK_HOURS for week in (0, *_WEEKS)),
    *(week * WEEK_HOURS + SPAN_HOURS for week in (0, 1, 2)),
)
_FEWEST_WEEKS = 2
_SMALLEST_CHANGE, _SMALLEST_VOLUME, _STORE_Z = 0.05, 100.0, 4.0


@dataclass(frozen=True, slots=True)
class Signal:
    """One figure that is watched, and the alert that tells when it is off."""

    name: str
    alert: str
    #: Whether more of it is bad; else less is.
    bad_is_up: bool = False
    #: How sure to be of a whole store, in standard deviations of the bound.
    store_z: float = _STORE_Z
    #: How far from the usual it must be, in distances of the odd one of the three weeks.
    distances: float = 2.0
    #: The smallest change worth a call, as a share of the usual.
    min_change: float = _SMALLEST_CHANGE
    #: The smallest number of customers, orders or signups from which anything is said.
    min_volume: float = _SMALLEST_VOLUME


SIGNALS = (
    # What can be seen within two days must be told soon or never.
    Signal(RETURNING_ORDERS, "RetentionRateDropped", store_z=3.25, distances=1.5),
    Signal("retention", "RetentionRateDropped"),
    Signal("repeat", "RepeatPurchaseRateDropped"),
    Signal("churn", "ChurnRateRose", bad_is_up=True, min_change=0.01),
    Signal("product_return", "ReturnRateRose", bad_is_up=True, min_volume=2000),
    Signal("activation", "ActivationDropped"),
)
#: Segments are many, so more is asked of each.
SEGMENT_Z = 5.0
#: Unread events from which on nothing is compared.
MAX_LAG_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Figures:
    """A segment's figures at some hours."""

    #: Orders of a week less first orders.
    returning_orders: Floats
    #: By signal, what share of how many.
    ratios: Mapping[str, Floats]
    volumes: Mapping[str, Floats]

    @staticmethod
    def of(week: Mapping[str, Floats], month: Mapping[str, Floats], trusted: Bools) -> Figures:
        """From what was counted in the week and the month that end with each hour.

        Args:
            week: of the window ``7d``, see :func:`columns`.
            month: of the window ``30d``.
            trusted: (2, hours), whether the store is old enough for either window.
        """
        of_week, of_month = np.where(trusted, 0.0, np.nan)
        lost = month["start"] - month["retained"]
        return Figures(
            week["orders"] - week["new"] + of_week,
            {
                "retention": _ratio(week["retained"], week["start"]) + of_week,
                "repeat": _ratio(week["repeat"], week["active"]) + of_week,
                "churn": _ratio(lost, month["start"]) + of_month,
                "product_return": _ratio(week["units_returned"], week["units_sold"]) + of_week,
                "activation": _ratio(week["activated"], week["signups"]) + of_week,
            },
            {
                "retention": week["start"],
                "repeat": week["active"],
                "churn": month["start"],
                "product_return": week["orders"],
                "activation": week["signups"],
            },
        )

    def at(self, hours: slice) -> Figures:
        """Those of some of the hours."""
        return Figures(
            self.returning_orders[hours],
            {name: values[hours] for name, values in self.ratios.items()},
            {name: values[hours] for name, values in self.volumes.items()},
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """One signal at some hours."""

    value: Floats
    #: The median of the same hour one, two and three weeks ago.
    usual: Floats
    #: Whether its alert's expression holds.
    off: Bools


def columns(counts: Sequence[Counts]) -> dict[str, Floats]:
    """The counts of successive hours as arrays, by name."""
    return {
        name: np.array([getattr(each, name) for each in counts], np.float64)
        for name in Counts.__slots__
    }


def read(signal: Signal, back: Mapping[int, Figures], z: float) -> Reading:
    """Judge a signal at some hours.

    Args:
        signal: which.
        back: the figures of those hours, and of as many hours so many hours earlier, for each of
            :data:`HOURS_BACK`.
        z: how sure to be, in standard deviations.
    """
    now = back[0]
    if signal.name == RETURNING_ORDERS:
        value, past = _orders_of_a_span(back)
    else:
        value = now.ratios[signal.name]
        past = np.stack([back[week * WEEK_HOURS].ratios[signal.name] for week in _WEEKS])
    weeks = np.sum(~np.isnan(past), axis=0)
    with np.errstate(all="ignore"):
        usual = np.where(weeks >= _FEWEST_WEEKS, _median(past), np.nan)
        volume = usual if signal.name == RETURNING_ORDERS else now.volumes[signal.name]
        bound = _bound(signal, value, volume, z)
        if signal.bad_is_up:
            beyond = value - usual > signal.distances * (np.fmax.reduce(past) - usual)
            off = (value / usual > 1 + signal.min_change) & (bound > usual) & beyond
        else:
            beyond = usual - value > signal.distances * (usual - np.fmin.reduce(past))
            off = (value / usual < 1 - signal.min_change) & (bound < usual) & beyond
        return Reading(value, usual, off & (volume >= signal.min_volume))


def firing(off: Bools) -> Bools:
    """In which hours the alert fires whose expression holds in these; an evaluation each hour."""
    result = np.zeros_like(off)
    held_for, since_held, fires = -1, 0, False
    for hour, holds in enumerate(off.tolist()):
        held_for = held_for + 1 if holds else -1
        since_held = 0 if holds else since_held + 1
        fires = held_for >= FOR_HOURS or (fires and since_held <= KEEP_FIRING_HOURS)
        result[hour] = fires
    return result


def _orders_of_a_span(back: Mapping[int, Figures]) -> tuple[Floats, Floats]:
    """Orders of returning customers in the last hours, and in the same ones of earlier weeks.

    A week's orders less a week's orders some hours ago are the orders of those hours less the
    orders of the same hours a week before; such differences add up over weeks.
    """
    orders = {hours: figures.returning_orders for hours, figures in back.items()}
    of_week = [
        orders[week * WEEK_HOURS] - orders[week * WEEK_HOURS + SPAN_HOURS] for week in (0, 1, 2)
    ]
    changes = np.cumsum(np.stack(of_week), axis=0)
    enough = np.sum(~np.isnan(changes), axis=0) >= _FEWEST_WEEKS
    # The mean of the week that ended a week ago stands for its last hours.
    value = orders[WEEK_HOURS] * SPAN_HOURS / WEEK_HOURS + np.where(enough, changes[0], np.nan)
    return value, value - changes


def _bound(signal: Signal, value: Floats, volume: Floats, z: float) -> Floats:
    """Wilson's bound on the side of the usual; for a count, its counterpart."""
    if signal.name == RETURNING_ORDERS:
        return value + z**2 / 2 + z * np.sqrt(np.maximum(value, 0) + z**2 / 4)
    spread = z * np.sqrt(
        np.maximum(value * (1 - value), 0) / volume + z**2 / (4 * volume**2),
    )
    side = -spread if signal.bad_is_up else spread
    bound: Floats = (value + z**2 / (2 * volume) + side) / (1 + z**2 / volume)
    return bound


def _median(weeks: Floats) -> Floats:
    """Over the first axis, of what is there: of two the mean, as Prometheus has it."""
    ordered = np.sort(weeks, axis=0)
    there = np.sum(~np.isnan(weeks), axis=0)
    middle: Floats = np.where(there == len(_WEEKS), ordered[1], (ordered[0] + ordered[1]) / 2)
    return middle


def _ratio(part: Floats, whole: Floats) -> Floats:
    result = np.full_like(part, np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result
