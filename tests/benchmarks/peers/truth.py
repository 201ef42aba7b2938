"""What the small job must come to, and what a peer's state came to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Totals:
    """Customers, their orders and their revenue in hundredths."""

    customers: int
    orders: int
    revenue: int

    def difference(self, truth: Totals) -> str | None:
        """How it differs from what is true; None when it does not."""
        wrong = [
            f"{name} {mine:,} instead of {true:,}"
            for name, mine, true in (
                ("customers", self.customers, truth.customers),
                ("orders", self.orders, truth.orders),
                ("revenue", self.revenue, truth.revenue),
            )
            if mine != true
        ]
        return ", ".join(wrong) or None


class _Event(msgspec.Struct, gc=False):
    type: str
    customer_id: str | None = None
    amount: str = "0"


class CustomerState(msgspec.Struct, gc=False):
    """What a peer keeps of a customer, as far as it is checked."""

    orders: int
    revenue: int


def totals_of_events(lines: Iterable[bytes]) -> Totals:
    """What every peer must come to: each purchase counts, sent twice too."""
    decode = msgspec.json.Decoder(_Event).decode
    customers, orders, revenue = set[str | None](), 0, 0
    for line in lines:
        event = decode(line)
        if event.type == "purchase":
            customers.add(event.customer_id)
            orders += 1
            revenue += round(float(event.amount) * 100)
    return Totals(len(customers), orders, revenue)


def totals_of_states(values: Iterable[bytes]) -> Totals:
    """What the states of all customers, as JSON, come to."""
    decode = msgspec.json.Decoder(CustomerState).decode
    states = [decode(value) for value in values]
    return Totals(
        len(states), sum(state.orders for state in states), sum(state.revenue for state in states)
    )
