"""Who buys, and when: the BG/NBD model of customers who come, come back and drop out.

Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2). A
customer buys at exponential gaps with a rate drawn from a gamma distribution, and drops out after
each repeat purchase with a probability drawn from a beta distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.tools.shop_scenario import HOUR_MS, Conditions

WEEK_HOURS = 168.0

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

#: Whoever would buy again only after this long is forgotten, or memory would grow for ever.
_FORGOTTEN_AFTER_HOURS = 10 * 52 * WEEK_HOURS
_SMALLEST_RATE = 1e-300

_BUYER = np.dtype(
    [
        ("number", np.int64),
        ("channel", np.int64),
        ("country", np.int64),
        ("orders", np.int64),
        ("rate_per_hour", np.float64),
        ("drop_out_probability", np.float64),
    ]
)


@dataclass(frozen=True, slots=True)
class BuyerModel:
    """Parameters of BG/NBD; the defaults are the published fit to CDNOW, in weeks."""

    rate_shape: float = 0.243
    rate_scale_weeks: float = 4.414
    drop_out_a: float = 0.793
    drop_out_b: float = 2.426

    def __post_init__(self) -> None:
        if min(self.rate_shape, self.rate_scale_weeks, self.drop_out_a, self.drop_out_b) <= 0:
            raise ValueError("every parameter of the buyer model must be above 0")


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Customers who will buy for the first time, one row each."""

    number: IntArray
    channel: IntArray
    country: IntArray
    #: when the first purchase is, in hours from the pool's present
    first_purchase_in_hours: FloatArray


@dataclass(frozen=True, slots=True)
class Purchases:
    """Purchases, one row each; ``customer`` is the customer's number, -1 for a guest."""

    customer: IntArray
    occurred_ms: IntArray
    channel: IntArray
    country: IntArray


class BuyerPool:
    """All customers who may still buy, under one clock of their own.

    The clock runs faster when the shop is busy and slower when trade is bad. So a season or a
    scenario changes everybody's rate at once without a change to anybody: purchases stay
    exponential in the pool's hours.
    """

    def __init__(self, model: BuyerModel, rng: np.random.Generator) -> None:
        self._model = model
        self._rng = rng
        self._now_hours = 0.0
        self._buyers = np.empty(0, _BUYER)
        # Apart from the rest, as every step scans it.
        self._next_purchase_hours: FloatArray = np.empty(0)

    def add(self, newcomers: Newcomers) -> None:
        """Take in customers; their rates and drop-out probabilities are drawn here."""
        model, size = self._model, newcomers.number.size
        rows = np.zeros(size, _BUYER)
        rows["number"] = newcomers.number
        rows["channel"] = newcomers.channel
        rows["country"] = newcomers.country
        scale = 1 / (model.rate_scale_weeks * WEEK_HOURS)
        rates = self._rng.gamma(model.rate_shape, scale, size)
        rows["rate_per_hour"] = np.maximum(rates, _SMALLEST_RATE)
        rows["drop_out_probability"] = self._rng.beta(model.drop_out_a, model.drop_out_b, size)
        self._buyers = np.concatenate((self._buyers, rows))
        due = self._now_hours + newcomers.first_purchase_in_hours
        self._next_purchase_hours = np.concatenate((self._next_purchase_hours, due))

    def advance(
        self, start_ms: int, pool_until_each_hour: FloatArray, conditions: Conditions
    ) -> Purchases:
        """The purchases of the hours from ``start_ms``.

        ``pool_until_each_hour``: how far the pool's clock goes until the end of each hour, from 0.
        """
        pool_hours = self._now_hours + pool_until_each_hour
        hour_ends_ms = start_ms + HOUR_MS * np.arange(pool_hours.size)
        until_hours = pool_hours[-1]
        rounds = []
        while (due := np.flatnonzero(self._next_purchase_hours < until_hours)).size:
            buyers = self._buyers[due]
            at_hours = self._next_purchase_hours[due]
            occurred_ms = np.interp(at_hours, pool_hours, hour_ends_ms)
            rounds.append((buyers, occurred_ms.astype(np.int64)))
            drop_out = np.where(
                buyers["orders"] == 0,
                conditions.one_time_ratio,
                buyers["drop_out_probability"] * conditions.drop_out_factor,
            )
            gap_hours = self._rng.standard_exponential(due.size) / buyers["rate_per_hour"]
            stays = self._rng.random(due.size) >= drop_out
            self._next_purchase_hours[due] = np.where(stays, at_hours + gap_hours, np.inf)
            self._buyers["orders"][due] += 1
        self._now_hours = float(until_hours)
        return _purchases(rounds)

    def forget(self) -> None:
        """Let go of those who dropped out or will not be back for years."""
        seen_again = self._next_purchase_hours < self._now_hours + _FORGOTTEN_AFTER_HOURS
        self._buyers = self._buyers[seen_again]
        self._next_purchase_hours = self._next_purchase_hours[seen_again]

    def __len__(self) -> int:
        return self._next_purchase_hours.size


def _purchases(rounds: list[tuple[NDArray[np.void], IntArray]]) -> Purchases:
    buyers = np.concatenate([np.empty(0, _BUYER), *(buyers for buyers, _ in rounds)])
    occurred_ms = np.concatenate([np.empty(0, np.int64), *(times for _, times in rounds)])
    return Purchases(buyers["number"], occurred_ms, buyers["channel"], buyers["country"])
