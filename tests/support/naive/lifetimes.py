"""What has no window: customers' own intervals, values and shares since their beginning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from tests.support.naive.facts import DECIMALS, Fact
from tests.support.naive.gauges import Gauges, put

GAP_LIMITS_DAYS = (1, 3, 7, 14, 21, 30, 45, 60, 90, 120, 180, 365)
SECONDS_PER_DAY = 86_400


def lifetime_gauges(
    gauges: Gauges, facts: list[Fact], labels: Mapping[str, str], last_ms: int
) -> None:
    """Every gauge without a window of one segment; nothing after ``last_ms`` has happened yet."""
    by_now = [fact for fact in facts if fact.time_ms <= last_ms]
    means_ms = [
        round(Fraction(times[-1] - times[0], len(times) - 1))  # halves go to the even neighbour
        for times in order_times(by_now).values()
        if len(times) >= 2
    ]
    if means_ms:
        value = Fraction(sum(means_ms), 1000 * len(means_ms))
        put(gauges, "customer_purchase_interval_seconds", labels, float(value))
    for currency in {fact.currency for fact in facts if fact.currency}:
        extra = {**labels, "currency": currency}
        value_of = _nets(by_now, currency)
        payers = {f.who for f in by_now if f.is_order and f.currency == currency}
        if payers:
            scale = 10 ** DECIMALS[currency]
            worth = Fraction(sum(value_of.values()), scale * len(payers))
            put(gauges, "customer_lifetime_value", extra, float(worth))
        _put_top_share(gauges, facts, extra, currency)


def _put_top_share(
    gauges: Gauges, facts: list[Fact], labels: Mapping[str, str], currency: str
) -> None:
    """The share of the top 1 %: of all that was applied, whatever the instant."""
    payers = {fact.who for fact in facts if fact.is_order and fact.currency == currency}
    nets = sorted(net for who, net in _nets(facts, currency).items() if who in payers)
    if nets and sum(nets) > 0:
        top = nets[-((len(nets) + 99) // 100) :]
        put(gauges, "top_customers_revenue_ratio", labels, sum(top) / sum(nets))


def gap_histogram(gauges: Gauges, facts: list[Fact], store: str, last_ms: int) -> None:
    """The histogram of times between orders of one store, as its series."""
    by_now = [fact for fact in facts if fact.time_ms <= last_ms]
    gaps_ms = [
        later - earlier
        for times in order_times(by_now).values()
        for earlier, later in pairwise(times)
    ]
    labels = {"store": store}
    for days in GAP_LIMITS_DAYS:
        limit = float(days * SECONDS_PER_DAY)
        within = sum(gap <= 1000 * limit for gap in gaps_ms)
        put(gauges, "order_gap_seconds_bucket", {**labels, "le": str(limit)}, within)
    put(gauges, "order_gap_seconds_bucket", {**labels, "le": "+Inf"}, len(gaps_ms))
    put(gauges, "order_gap_seconds_sum", labels, sum(gaps_ms) / 1000)
    put(gauges, "order_gap_seconds_count", labels, len(gaps_ms))


def order_times(facts: list[Fact]) -> dict[tuple[str, str], list[int]]:
    """The times of each customer's orders, sorted."""
    times: dict[tuple[str, str], list[int]] = defaultdict(list)
    for fact in facts:
        if fact.is_order:
            times[fact.who].append(fact.time_ms)
    return {who: sorted(some) for who, some in times.items()}


def _nets(facts: list[Fact], currency: str) -> dict[tuple[str, str], int]:
    """What each customer paid and did not get back."""
    nets: dict[tuple[str, str], int] = defaultdict(int)
    for fact in facts:
        if fact.currency == currency and fact.is_order:
            nets[fact.who] += fact.amount_minor_units
        if fact.currency == currency and fact.type == "return":
            nets[fact.who] -= fact.amount_minor_units
    return nets
