"""The small job every peer does: of each customer first and last order, their number, revenue.

Only the standard library: it is imported in the environment of each peer. What a peer prints by
``Progress`` tells the benchmark when to start and to stop its clock.
"""

from __future__ import annotations

import time
from typing import Any, Final

#: What is kept of a customer: first and last order as RFC 3339, orders, revenue in hundredths.
Customer = dict[str, Any]

MARK: Final = "bench:"


def updated(customer: Customer | None, event: dict[str, Any]) -> Customer:
    """The customer after one more purchase."""
    when, revenue = event["occurred_at"], round(float(event["amount"]) * 100)
    if customer is None:
        return {"first": when, "last": when, "orders": 1, "revenue": revenue}
    return {
        "first": min(customer["first"], when),
        "last": max(customer["last"], when),
        "orders": customer["orders"] + 1,
        "revenue": customer["revenue"] + revenue,
    }


class Progress:
    """Says when the first event came and when the last of them was counted.

    Args:
        events: how many there are.
    """

    def __init__(self, events: int) -> None:
        self._events = events
        self._seen = 0

    def seen(self, count: int = 1) -> None:
        """So many more events were taken up."""
        if self._seen == 0:
            say("first")
        self._seen += count
        if self._seen >= self._events > self._seen - count:
            say("last")


def say(what: str) -> None:
    """One line for the benchmark, with the time of day in seconds."""
    print(f"{MARK} {what} {time.time()}", flush=True)


def say_totals(customers: int, orders: int, revenue: int) -> None:
    """What there is at the end, of a peer that cannot be asked otherwise."""
    print(f"{MARK} totals {customers} {orders} {revenue}", flush=True)
