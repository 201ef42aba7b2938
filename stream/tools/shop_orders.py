"""From signups and purchases to events: amounts, units, and what is cancelled or sent back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stream.tools.shop_delivery import Delivery
from stream.tools.shop_lines import (
    NO_ATTRIBUTES,
    LineFormat,
    attributes_code,
    draw_amounts,
    draw_channels,
    draw_units,
    format_times,
)
from stream.tools.shop_scenario import DAY_MS, Conditions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.tools.shop_buyers import FloatArray, IntArray, Purchases
    from stream.tools.shop_shares import OrderShares

_MINUTE_MS = 60_000
_LONGEST_CANCELLATION_MS = 3 * DAY_MS
_SOONEST_RETURN_MS = 2 * DAY_MS
_MEAN_RETURN_AFTER_SOONEST_MS = 7 * DAY_MS
_LONGEST_HOLD_MS = 10 * _MINUTE_MS


class OrderDesk:
    """Numbers the orders of one shop, and writes its signups and all that happens to orders."""

    def __init__(self, lines: LineFormat, shares: OrderShares, rng: np.random.Generator) -> None:
        self._lines = lines
        self._shares = shares
        self._rng = rng
        self._orders = 0

    def signups(
        self, number: IntArray, signed_up_ms: IntArray, channel: IntArray, country: IntArray
    ) -> list[Delivery]:
        """The signups of the customers with these numbers."""
        rows = zip(
            number.tolist(),
            signed_up_ms.tolist(),
            format_times(signed_up_ms),
            self._attributes(channel, country).tolist(),
            strict=True,
        )
        deliveries = []
        for customer, sent, occurred_at, attributes in rows:
            customer_id = self._lines.customer_id(customer)
            line = self._lines.signup(
                customer_id=customer_id, occurred_at=occurred_at, attributes=attributes
            )
            deliveries.append(Delivery(sent, "signup", customer_id, line))
        return deliveries

    def events(self, purchases: Purchases, conditions: Conditions) -> list[Delivery]:
        """The purchases with their cancellations and returns, each as it is sent."""
        size = purchases.customer.size
        if not size:
            return []
        units = draw_units(self._rng, size)
        amounts = draw_amounts(self._rng, purchases.country, units, conditions.price_factor)
        fate = self._rng.random(size)
        known = purchases.customer >= 0
        returned = min(
            1.0 - self._shares.cancelled, self._shares.returned * conditions.return_factor
        )
        is_cancelled = known & (fate < self._shares.cancelled)
        is_returned = known & ~is_cancelled & (fate < self._shares.cancelled + returned)
        numbers = np.arange(self._orders, self._orders + size)
        self._orders += size

        cancelled_ms = purchases.occurred_ms + self._cancelled_after_ms(size)
        is_held = is_cancelled & (self._rng.random(size) < self._shares.cancelled_first)
        hold_ms = self._rng.integers(_MINUTE_MS, _LONGEST_HOLD_MS, size)
        sent_ms = np.where(is_held, cancelled_ms + hold_ms, purchases.occurred_ms)
        return [
            *self._purchases(purchases, numbers, sent_ms, amounts, units),
            *self._cancellations(purchases, numbers, cancelled_ms, is_cancelled),
            *self._returns(purchases, numbers, amounts, units, is_returned),
        ]

    def _attributes(self, channel: IntArray, country: IntArray) -> IntArray:
        """The attributes each event carries: a few carry none."""
        named = attributes_code(channel, country)
        without = self._rng.random(channel.size) < self._shares.no_attributes
        return np.where(without, NO_ATTRIBUTES, named)

    def _ordered_through(self, own_channel: IntArray) -> IntArray:
        elsewhere = self._rng.random(own_channel.size) < self._shares.elsewhere
        return np.where(elsewhere, draw_channels(self._rng, own_channel.size), own_channel)

    def _cancelled_after_ms(self, size: int) -> IntArray:
        after_ms = self._rng.lognormal(np.log(40 * _MINUTE_MS), 1.5, size)
        return np.clip(after_ms, 2 * _MINUTE_MS, _LONGEST_CANCELLATION_MS).astype(np.int64)

    def _purchases(
        self,
        purchases: Purchases,
        numbers: IntArray,
        sent_ms: IntArray,
        amounts: IntArray,
        units: IntArray,
    ) -> list[Delivery]:
        rows = zip(
            purchases.customer.tolist(),
            numbers.tolist(),
            sent_ms.tolist(),
            format_times(purchases.occurred_ms),
            amounts.tolist(),
            units.tolist(),
            purchases.country.tolist(),
            self._attributes(self._ordered_through(purchases.channel), purchases.country).tolist(),
            strict=True,
        )
        lines = self._lines
        deliveries = []
        for customer, order, sent, occurred_at, amount, unit_count, country, attributes in rows:
            customer_id = lines.customer_id(customer) if customer >= 0 else None
            line = lines.purchase(
                customer_id=customer_id,
                order=order,
                occurred_at=occurred_at,
                amount=amount,
                units=unit_count,
                country=country,
                attributes=attributes,
            )
            deliveries.append(Delivery(sent, "purchase", customer_id, line))
        return deliveries

    def _cancellations(
        self,
        purchases: Purchases,
        numbers: IntArray,
        cancelled_ms: IntArray,
        is_cancelled: NDArray[np.bool_],
    ) -> list[Delivery]:
        rows = zip(
            purchases.customer[is_cancelled].tolist(),
            numbers[is_cancelled].tolist(),
            cancelled_ms[is_cancelled].tolist(),
            format_times(cancelled_ms[is_cancelled]),
            strict=True,
        )
        deliveries = []
        for customer, order, sent, occurred_at in rows:
            customer_id = self._lines.customer_id(customer)
            line = self._lines.cancellation(
                customer_id=customer_id, order=order, occurred_at=occurred_at
            )
            deliveries.append(Delivery(sent, "cancellation", customer_id, line))
        return deliveries

    def _returns(
        self,
        purchases: Purchases,
        numbers: IntArray,
        amounts: IntArray,
        units: IntArray,
        is_returned: NDArray[np.bool_],
    ) -> list[Delivery]:
        ordered = units[is_returned]
        sent_back = self._rng.integers(1, ordered + 1)
        refunds = amounts[is_returned] * sent_back // ordered
        after_ms: FloatArray = self._rng.exponential(_MEAN_RETURN_AFTER_SOONEST_MS, ordered.size)
        returned_ms = (
            purchases.occurred_ms[is_returned] + _SOONEST_RETURN_MS + after_ms.astype(np.int64)
        )
        rows = zip(
            purchases.customer[is_returned].tolist(),
            numbers[is_returned].tolist(),
            returned_ms.tolist(),
            format_times(returned_ms),
            refunds.tolist(),
            sent_back.tolist(),
            purchases.country[is_returned].tolist(),
            strict=True,
        )
        deliveries = []
        for customer, order, sent, occurred_at, refund, unit_count, country in rows:
            customer_id = self._lines.customer_id(customer)
            line = self._lines.product_return(
                customer_id=customer_id,
                order=order,
                occurred_at=occurred_at,
                amount=refund,
                units=unit_count,
                country=country,
            )
            deliveries.append(Delivery(sent, "return", customer_id, line))
        return deliveries
