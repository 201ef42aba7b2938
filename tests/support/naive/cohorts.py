"""Customers by the month they began in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.support.naive.facts import Fact
from tests.support.naive.gauges import Gauges, put
from tests.support.naive.lifetimes import order_times


def cohort_gauges(
    gauges: Gauges, facts: list[Fact], store: str, zone: ZoneInfo, as_of_ms: int, last_ms: int
) -> None:
    """Cohorts of one store by first order and by signup, as of a month.

    ``last_ms`` is the end of the bucket of ``as_of_ms``; nothing after it has happened yet.
    """
    by_now = [fact for fact in facts if fact.time_ms <= last_ms]
    months = {
        who: {_month(time_ms, zone) for time_ms in times}
        for who, times in order_times(by_now).items()
    }
    signups: dict[tuple[str, str], int] = {}
    for fact in by_now:
        if fact.type == "signup":
            month = _month(fact.time_ms, zone)
            signups[fact.who] = min(month, signups.get(fact.who, month))
    now = _month(as_of_ms, zone)
    began = {who: min(own) for who, own in months.items()}
    for name, cohorts in (("cohort", _by_month(began)), ("signup_cohort", _by_month(signups))):
        for cohort, people in cohorts.items():
            if cohort > now:
                continue
            labels = {"store": store, "cohort": f"{cohort // 12:04}-{cohort % 12 + 1:02}"}
            if name == "signup_cohort":
                put(gauges, "signup_cohort_size", labels, len(people))
            for age in range(now - cohort + 1):
                back = sum(cohort + age in months.get(who, ()) for who in people)
                put(gauges, f"{name}_customers", {**labels, "age": str(age)}, back)


def _by_month(months: Mapping[tuple[str, str], int]) -> dict[int, list[tuple[str, str]]]:
    cohorts: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for who, month in months.items():
        cohorts[month].append(who)
    return cohorts


def _month(time_ms: int, zone: ZoneInfo) -> int:
    local = datetime.fromtimestamp(time_ms // 1000, zone)
    return 12 * local.year + local.month - 1
