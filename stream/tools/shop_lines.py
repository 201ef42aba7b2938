"""The words of the simulated shop: its channels, countries and prices, and its events as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stream.tools.shop_buyers import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Country:
    """A country that buys: its share of customers, and prices in its currency's minor units."""

    code: str
    weight: float
    currency: str
    exponent: int
    median_price_minor_units: float


CHANNELS = ("web", "app", "store", "marketplace", "social", "phone")
_CHANNEL_WEIGHTS = (0.42, 0.27, 0.14, 0.1, 0.05, 0.02)

COUNTRIES = (
    Country("US", 0.24, "USD", 2, 2400),
    Country("DE", 0.15, "EUR", 2, 2200),
    Country("GB", 0.13, "GBP", 2, 1900),
    Country("FR", 0.1, "EUR", 2, 2100),
    Country("JP", 0.08, "JPY", 0, 3400),
    Country("NL", 0.06, "EUR", 2, 2300),
    Country("ES", 0.05, "EUR", 2, 1800),
    Country("IT", 0.05, "EUR", 2, 1900),
    Country("AT", 0.03, "EUR", 2, 2200),
    Country("CA", 0.03, "USD", 2, 2300),
    Country("BE", 0.025, "EUR", 2, 2100),
    Country("IE", 0.02, "EUR", 2, 2200),
    Country("PT", 0.02, "EUR", 2, 1700),
    Country("FI", 0.015, "EUR", 2, 2400),
)
_COUNTRY_WEIGHTS = tuple(country.weight for country in COUNTRIES)

#: The attributes of every (channel, country), as they stand in a line; the last are none.
_ATTRIBUTES = (
    *(
        f',"attributes":{{"channel":"{channel}","country":"{country.code}"}}'
        for channel, country in product(CHANNELS, COUNTRIES)
    ),
    "",
)
NO_ATTRIBUTES = len(_ATTRIBUTES) - 1

_PRICE_SIGMA = 0.65
_MEAN_EXTRA_UNITS = 0.7
_MEDIAN_PRICES = np.array([country.median_price_minor_units for country in COUNTRIES])


def attributes_code(channel: IntArray, country: IntArray) -> IntArray:
    """The number of the attributes that name this channel and country."""
    return channel * len(COUNTRIES) + country


def draw_channels(rng: np.random.Generator, size: int) -> IntArray:
    """Channels, as indexes of ``CHANNELS``."""
    return rng.choice(len(CHANNELS), size, p=_CHANNEL_WEIGHTS)


def draw_countries(rng: np.random.Generator, size: int) -> IntArray:
    """Countries, as indexes of ``COUNTRIES``."""
    return rng.choice(len(COUNTRIES), size, p=_COUNTRY_WEIGHTS)


def draw_units(rng: np.random.Generator, size: int) -> IntArray:
    """Units of an order: at least one."""
    return 1 + rng.poisson(_MEAN_EXTRA_UNITS, size)


def draw_amounts(
    rng: np.random.Generator, country: IntArray, units: IntArray, price_factor: float
) -> IntArray:
    """Amounts in minor units of the country's currency: units at one lognormal price."""
    prices: FloatArray = _MEDIAN_PRICES[country] * price_factor
    each = prices * rng.lognormal(0.0, _PRICE_SIGMA, country.size)
    return np.rint(each).astype(np.int64) * units


def format_times(occurred_ms: IntArray) -> list[str]:
    """RFC 3339 in UTC, to the millisecond."""
    texts = np.datetime_as_string(occurred_ms.astype("datetime64[ms]"), unit="ms", timezone="UTC")
    return [str(text) for text in texts.tolist()]


def format_amount(minor_units: int, exponent: int) -> str:
    """A decimal string in major units, exact."""
    if exponent == 0:
        return str(minor_units)
    major, rest = divmod(minor_units, 10**exponent)
    return f"{major}.{rest:0{exponent}d}"


class LineFormat:
    """Writes the events of one store; ids carry ``tag``, so that runs can share a store."""

    def __init__(self, store: str, tag: str) -> None:
        self._store = json.dumps(store)
        self._tag = tag

    def customer_id(self, number: int) -> str:
        """The id of the customer with this number."""
        return f"c{self._tag}-{number}"

    def order_id(self, number: int) -> str:
        """The id of the order with this number."""
        return f"o{self._tag}-{number}"

    def purchase(
        self,
        *,
        customer_id: str | None,
        order: int,
        occurred_at: str,
        amount: int,
        units: int,
        country: int,
        attributes: int,
    ) -> bytes:
        """A purchase; one without customer is a guest's."""
        customer = "" if customer_id is None else f'"customer_id":"{customer_id}",'
        priced_in = COUNTRIES[country]
        return (
            f'{{"type":"purchase",{customer}"order_id":"o{self._tag}-{order}",'
            f'"occurred_at":"{occurred_at}","amount":"{format_amount(amount, priced_in.exponent)}",'
            f'"currency":"{priced_in.currency}","units":{units},"store":{self._store}'
            f"{_ATTRIBUTES[attributes]}}}"
        ).encode()

    def signup(self, *, customer_id: str, occurred_at: str, attributes: int) -> bytes:
        """A signup."""
        return (
            f'{{"type":"signup","customer_id":"{customer_id}","occurred_at":"{occurred_at}",'
            f'"store":{self._store}{_ATTRIBUTES[attributes]}}}'
        ).encode()

    def product_return(
        self,
        *,
        customer_id: str,
        order: int,
        occurred_at: str,
        amount: int,
        units: int,
        country: int,
    ) -> bytes:
        """A return; an order is sent back at most once, so its number names the return too."""
        priced_in = COUNTRIES[country]
        return (
            f'{{"type":"return","customer_id":"{customer_id}","return_id":"r{self._tag}-{order}",'
            f'"order_id":"o{self._tag}-{order}","occurred_at":"{occurred_at}",'
            f'"amount":"{format_amount(amount, priced_in.exponent)}",'
            f'"currency":"{priced_in.currency}","units":{units},"store":{self._store}}}'
        ).encode()

    def cancellation(self, *, customer_id: str, order: int, occurred_at: str) -> bytes:
        """A cancellation of a customer's order."""
        return (
            f'{{"type":"cancellation","customer_id":"{customer_id}",'
            f'"order_id":"o{self._tag}-{order}","occurred_at":"{occurred_at}",'
            f'"store":{self._store}}}'
        ).encode()
