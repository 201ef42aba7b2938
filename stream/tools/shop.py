"""A simulated shop: an endless stream of events in the order in which they arrive.

The same configuration gives the same bytes. Nothing here knows the real time.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from stream.tools.shop_buyers import (
    BuyerModel,
    BuyerPool,
    FloatArray,
    Newcomers,
    Purchases,
)
from stream.tools.shop_delivery import Courier, Delivery
from stream.tools.shop_lines import LineFormat, draw_channels, draw_countries
from stream.tools.shop_orders import OrderDesk
from stream.tools.shop_scenario import (
    DAY_MS,
    HOUR_MS,
    SCENARIOS,
    Conditions,
    conditions_on,
    season_until_each_hour,
)
from stream.tools.shop_shares import DeliveryShares, NewcomerShares, OrderShares

if TYPE_CHECKING:
    from collections.abc import Iterator

_GUEST = -1
_MOST_CUSTOMERS_PER_DAY = 10_000_000
_LONGEST_STORE_NAME = 128
#: Between signup and first purchase: most buy within the hour, the rest take days.
_SOON_SHARE, _SOON_HOURS, _LATER_HOURS = 0.7, 0.4, 6 * 24.0


@dataclass(frozen=True, slots=True)
class ShopConfig:
    """What kind of shop, from when on."""

    #: the first simulated millisecond since the epoch; a whole hour
    start_ms: int
    seed: int = 1
    store: str = "shop"
    #: who comes for the first time on an average day, signups that never buy included
    customers_per_day: float = 300.0
    scenario: str = "steady"
    #: days from the start until the scenario switches
    scenario_from_day: int = 0
    #: from 0 to 1, how much of the scenario happens: a third of a fall by 60 % is one by 20 %
    scenario_strength: float = 1.0
    buyers: BuyerModel = field(default_factory=BuyerModel)
    newcomers: NewcomerShares = field(default_factory=NewcomerShares)
    orders: OrderShares = field(default_factory=OrderShares)
    delivery: DeliveryShares = field(default_factory=DeliveryShares)

    def __post_init__(self) -> None:
        if self.start_ms % HOUR_MS:
            raise ValueError("the shop must open on a whole hour")
        if not 1 <= len(self.store) <= _LONGEST_STORE_NAME or "\0" in self.store:
            raise ValueError(f"the store's name must have 1 to {_LONGEST_STORE_NAME} characters")
        if self.scenario not in SCENARIOS:
            raise ValueError(f"{self.scenario!r} is no scenario: choose {', '.join(SCENARIOS)}")
        if not 0 <= self.scenario_strength <= 1:
            raise ValueError("the scenario's strength must be 0 to 1")
        if not 0 < self.customers_per_day <= _MOST_CUSTOMERS_PER_DAY:
            raise ValueError(f"customers per day must be 1 to {_MOST_CUSTOMERS_PER_DAY:,}")


def shop_events(config: ShopConfig) -> Iterator[Delivery]:
    """The shop's events in order of arrival, for ever."""
    shop = _Shop(config)
    for day in count():
        yield from shop.trade(day)


class _Shop:
    """Goes day by day; each part draws from its own stream of random numbers.

    So a change of one part (say, more late events) leaves what the others do as it was.
    """

    def __init__(self, config: ShopConfig) -> None:
        newcomers, buyers, orders, delivery = (
            np.random.default_rng(seed) for seed in np.random.SeedSequence(config.seed).spawn(4)
        )
        self._config = config
        self._rng = newcomers
        self._lines = LineFormat(config.store, run_tag(config.seed, config.start_ms))
        self._pool = BuyerPool(config.buyers, buyers)
        self._desk = OrderDesk(self._lines, config.orders, orders)
        self._courier = Courier(config.delivery, delivery)
        self._customers = 0

    def trade(self, day: int) -> list[Delivery]:
        """What arrives on a day, counted from the start; days are asked for one after the other."""
        config = self._config
        start_ms = config.start_ms + day * DAY_MS
        conditions = conditions_on(
            config.scenario, day - config.scenario_from_day, config.scenario_strength
        )
        season = season_until_each_hour(start_ms)
        pool_clock = season * conditions.purchase_rate_factor
        guests = self._welcome(start_ms, season, conditions)
        purchases = self._pool.advance(start_ms, pool_clock, conditions)
        self._pool.forget()
        self._courier.send(self._desk.events(purchases, conditions))
        self._courier.send(self._desk.events(guests, conditions))
        return self._courier.arrived(start_ms + DAY_MS)

    def _welcome(self, start_ms: int, season: FloatArray, conditions: Conditions) -> Purchases:
        """Let newcomers in: signups are sent, buyers join the pool, guests' orders are returned."""
        shares, rng = self._config.newcomers, self._rng
        busy_hours = season[-1]
        expected = self._config.customers_per_day * busy_hours / 24
        size = int(rng.poisson(expected * conditions.new_customers_factor))
        into_season = np.sort(rng.random(size)) * busy_hours
        into_day_ms = np.interp(into_season, season, HOUR_MS * np.arange(season.size))
        arrived_ms = start_ms + into_day_ms.astype(np.int64)
        channel, country = draw_channels(rng, size), draw_countries(rng, size)
        is_guest = rng.random(size) < shares.guest
        signs_up = ~is_guest & (rng.random(size) < shares.signup)
        buys = ~is_guest & ~(signs_up & (rng.random(size) < shares.never_buys))
        is_soon = rng.random(size) < _SOON_SHARE
        hesitates_hours = rng.exponential(np.where(is_soon, _SOON_HOURS, _LATER_HOURS))
        number = np.arange(self._customers, self._customers + size)
        self._customers += size

        first_purchase_in_hours = into_season * conditions.purchase_rate_factor
        first_purchase_in_hours += np.where(signs_up, hesitates_hours, 0.0)
        self._pool.add(
            Newcomers(number[buys], channel[buys], country[buys], first_purchase_in_hours[buys])
        )
        self._courier.send(
            self._desk.signups(
                number[signs_up], arrived_ms[signs_up], channel[signs_up], country[signs_up]
            )
        )
        return Purchases(
            np.full(np.count_nonzero(is_guest), _GUEST),
            arrived_ms[is_guest],
            channel[is_guest],
            country[is_guest],
        )


def run_tag(seed: int, start_ms: int) -> str:
    """Five characters for every id of a run.

    A second run from another start adds customers to a store; the same run sent again is all
    duplicates, as it should be.
    """
    return f"{zlib.crc32(f'{seed}:{start_ms}'.encode()) & 0xFFFFF:05x}"
