"""A shop's gauges hour by hour, made of what happens in it, for the tests of its alerts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.promtool import Asked, Labels, Series, check

DAY = 24
WEEK = 7 * DAY
#: Hours between evaluations: as few as still hit 36 hours and a week ago.
STEP = 3
FIRING = 'ALERTS{alertstate="firing",kind="shop"}'

Hours = NDArray[np.int64]
Values = NDArray[np.float64]
#: The value of something at each of the hours given.
Course = Callable[[Hours], Values]


def steady(value: float) -> Course:
    """Always the same."""
    return lambda hours: np.full(len(hours), value)


def stepped(before: float, at_hour: int, after: float, until_hour: int | None = None) -> Course:
    """One value, and from an hour on (until another) a second one."""
    last = until_hour or np.iinfo(np.int64).max
    return lambda hours: np.where((hours >= at_hour) & (hours < last), after, before)


@dataclass(slots=True)
class Story:
    """What happens in a shop, or in one segment of it, from hour 0 on.

    It is scraped every ``step`` hours, but for those in ``missing``.
    """

    hours: int
    step: int = STEP
    #: orders an hour
    returning: Course = field(default_factory=lambda: steady(30.0))
    new: Course = field(default_factory=lambda: steady(30.0))
    retention: Course = field(default_factory=lambda: steady(0.09))
    repeat: Course = field(default_factory=lambda: steady(0.05))
    churn: Course = field(default_factory=lambda: steady(0.8))
    product_return: Course = field(default_factory=lambda: steady(0.045))
    activation: Course = field(default_factory=lambda: steady(0.7))
    #: signups an hour
    signups: Course = field(default_factory=lambda: steady(25.0))
    #: customers of a week for an order of that week, and of a month
    customers_per_order: float = 0.9
    #: the first hour in which a week and its preceding one are full
    mature_from: int = 0
    missing: Sequence[int] = ()
    instance: Callable[[int], Sequence[str]] = lambda _hour: ("a:6066",)
    labels: Labels = field(default_factory=lambda: {"dimension": "all", "segment": "all"})

    def series(self) -> list[Series]:
        """The gauges, as each worker shows them."""
        hours = np.arange(self.hours)
        orders = _last(self.returning, WEEK, hours) + _last(self.new, WEEK, hours)
        month = _last(self.returning, 30 * DAY, hours) + _last(self.new, 30 * DAY, hours)
        week, days30 = {"window": "7d"}, {"window": "30d"}
        start = _last(self.returning, WEEK, hours - WEEK) + _last(self.new, WEEK, hours - WEEK)
        mature = (hours >= self.mature_from).astype(float)
        gauges: list[tuple[str, Labels, Values]] = [
            ("orders", week, orders),
            ("customers", week | {"status": "new"}, _last(self.new, WEEK, hours)),
            ("customers", week | {"status": "active"}, orders * self.customers_per_order),
            ("customers", week | {"status": "start"}, start * self.customers_per_order),
            ("customers", days30 | {"status": "start"}, month * self.customers_per_order),
            ("customer_retention_ratio", week, self.retention(hours)),
            ("repeat_purchase_ratio", week, self.repeat(hours)),
            ("customer_churn_ratio", days30, self.churn(hours)),
            ("product_return_ratio", week, self.product_return(hours)),
            ("activation_ratio", week, self.activation(hours)),
            ("signups", week | {"status": "total"}, _last(self.signups, WEEK, hours)),
        ]
        all_labels = [(name, dict(self.labels) | dict(own), v) for name, own, v in gauges]
        if self.labels["dimension"] == "all":
            all_labels += [("window_mature", dict(w), mature) for w in (week, days30)]
        scraped = range(0, self.hours, self.step)
        instances = sorted({name for hour in scraped for name in self.instance(hour)})
        return [
            Series(
                f"retention_{name}",
                {"job": "retention-stream", "instance": instance, "store": "shop"} | labels,
                self._shown_by(instance, values),
            )
            for name, labels, values in all_labels
            for instance in instances
        ]

    def _shown_by(self, instance: str, values: Values) -> list[float | None]:
        missing = set(self.missing)
        return [
            value if hour not in missing and instance in self.instance(hour) else None
            for hour, value in enumerate(values.tolist())
            if hour % self.step == 0
        ]


def _last(course: Course, window: int, hours: Hours) -> Values:
    """What a course added up to in the window that ends with each hour; it began long ago."""
    first = int(hours[0]) - window + 1
    summed = np.concatenate(([0.0], np.cumsum(course(np.arange(first, int(hours[-1]) + 1)))))
    return summed[window:] - summed[:-window]


def firing(at: int, alerts: Sequence[tuple[str, str]]) -> Asked:
    """Just these alerts of the shop fire at an hour: (alert, signal), each for the whole store."""
    samples = [({"alertname": alert, "signal": signal}, 1.0) for alert, signal in sorted(alerts)]
    return Asked(at, f"count by (alertname, signal) ({FIRING})", samples)


def tell(
    folder: Path,
    series: Sequence[Series],
    told: Sequence[Asked],
    *,
    step: int = STEP,
    extra_rules: str = "",
) -> None:
    """Play a story, with an evaluation every ``step`` hours, and check what fires."""
    check(folder, series, told, interval=f"{step}h", extra_rules=extra_rules)


def silent(until_hour: int, from_hour: int = 0) -> Asked:
    """No alert of the shop has fired in any hour from one to the other."""
    hours = until_hour - from_hour
    return Asked(
        until_hour, f"count by (alertname, signal) (count_over_time({FIRING}[{hours}h]))", []
    )
