"""Very many events at once, for benchmarks and crash tests: a set of customers, evenly busy."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from stream.tools.shop_buyers import IntArray, Purchases
from stream.tools.shop_delivery import Courier, Delivery
from stream.tools.shop_lines import LineFormat, draw_channels, draw_countries
from stream.tools.shop_orders import OrderDesk
from stream.tools.shop_scenario import DAY_MS, STEADY
from stream.tools.shop_shares import DeliveryShares, OrderShares

if TYPE_CHECKING:
    from collections.abc import Iterator

BULK_START_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
BULK_DAYS = 400

_SIGNUP_SHARE = 0.03
_ORDERS = OrderShares(returned=0.02, cancelled=0.01)
_DELIVERY = DeliveryShares()
#: More than is asked for, as the number of returns and duplicates is left to chance.
_PURCHASE_SHARE, _SPARE_PURCHASES = 0.955, 50
#: Below 1: a few customers place most orders.
_ACTIVITY_SHAPE = 0.5


def bulk_events(
    *,
    customers: int,
    events: int,
    seed: int = 1,
    store: str = "bulk",
    start_ms: int = BULK_START_MS,
    days: int = BULK_DAYS,
    orders: OrderShares = _ORDERS,
    delivery: DeliveryShares = _DELIVERY,
) -> Iterator[Delivery]:
    """Exactly ``events`` events of about ``customers`` customers, in order of arrival.

    About 94 % are purchases, 3 % signups, 3 % returns and cancellations; with the defaults 2 % of
    all are late and 1 % are duplicates. The same arguments give the same bytes.

    Raises:
        ValueError: when there are more customers than purchases to share among them.
    """
    purchases = int(events * _PURCHASE_SHARE) + _SPARE_PURCHASES
    if not 1 <= customers <= purchases:
        raise ValueError(f"{events:,} events have room for 1 to {purchases:,} customers")
    if days < 1:
        raise ValueError("bulk events need at least one day")
    rng = np.random.default_rng(seed)
    channel, country = draw_channels(rng, customers), draw_countries(rng, customers)
    buyer = _buyers(rng, customers, purchases)
    signed_up = rng.permutation(customers)[: int(events * _SIGNUP_SHARE)]
    bought_ms = _times(rng, purchases, start_ms, days)
    signed_up_ms = _times(rng, signed_up.size, start_ms, days)

    def arriving() -> Iterator[Delivery]:
        desk = OrderDesk(LineFormat(store, f"b{seed}"), orders, rng)
        courier = Courier(delivery, rng)
        for day_ms in range(start_ms, start_ms + days * DAY_MS, DAY_MS):
            who, when = _of_day(signed_up, signed_up_ms, day_ms)
            courier.send(desk.signups(who, when, channel[who], country[who]))
            who, when = _of_day(buyer, bought_ms, day_ms)
            courier.send(desk.events(Purchases(who, when, channel[who], country[who]), STEADY))
            yield from courier.arrived(day_ms + DAY_MS)
        yield from courier.arrived_at_last()

    return islice(arriving(), events)


def _buyers(rng: np.random.Generator, customers: int, purchases: int) -> IntArray:
    """Everybody buys once; who buys more often is left to how active each is."""
    activity = np.cumsum(rng.gamma(_ACTIVITY_SHAPE, size=customers))
    drawn = rng.random(purchases - customers) * activity[-1]
    more = np.searchsorted(activity, drawn, side="right")
    return rng.permutation(np.concatenate((np.arange(customers), more)))


def _times(rng: np.random.Generator, size: int, start_ms: int, days: int) -> IntArray:
    return np.sort(rng.integers(start_ms, start_ms + days * DAY_MS, size))


def _of_day(who: IntArray, when_ms: IntArray, day_ms: int) -> tuple[IntArray, IntArray]:
    first, last = np.searchsorted(when_ms, (day_ms, day_ms + DAY_MS))
    return who[first:last], when_ms[first:last]
