"""Ordinary traffic: mostly new orders in order of time; and crowds, of whom few bring most."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.properties.histories import AMOUNTS, COUNTRIES, HOUR_MS, WINDOWS, History
from tests.support.naive import NaiveConfig

if TYPE_CHECKING:
    from tests.support.naive import Event

START_MS = 1_704_067_200_000
#: How much of it is not a new order in order: none (all can be appended), a little, a lot.
SHARES = (0.0, 0.05, 0.3)


def traffics() -> st.SearchStrategy[History]:
    """Histories of 120 events of six customers; no shrinking, but long and of the right kind."""
    return st.builds(
        _traffic,
        st.integers(0, 2**32),
        st.sampled_from(SHARES),
        st.lists(st.sampled_from(WINDOWS), min_size=1, max_size=3, unique=True),
        st.sampled_from(("UTC", "Asia/Kolkata", "America/New_York")),
    )


def _traffic(seed: int, share: float, windows: list[str], timezone: str) -> History:
    random = Random(seed)
    now_ms = START_MS
    events: list[Event] = []
    for number in range(120):
        now_ms += random.choice((1, 1000, HOUR_MS // 2, HOUR_MS, 5 * HOUR_MS, 30 * HOUR_MS))
        events.append(_event(random, share, number, now_ms))
    config = NaiveConfig(tuple(windows), ("channel", "country"), timezone, HOUR_MS)
    return History(events, config, START_MS)


def _event(random: Random, share: float, number: int, now_ms: int) -> Event:
    customer = random.choice(("ann", "bob", "cleo", "dän", "eve", "fred"))
    event = {
        "type": "purchase",
        "customer_id": customer,
        "occurred_at": now_ms,
        "order_id": number,
        "amount": random.choice(AMOUNTS["EUR"]),
        "currency": "EUR",
        "units": random.randrange(5),
        # A customer keeps to a channel and a country; each event says so or not.
        "attributes": {"channel": f"channel of {customer}", "country": random.choice(COUNTRIES)},
    }
    if random.random() < 0.15:
        event |= {"type": "return", "return_id": number}
    elif random.random() < share:
        event |= random.choice(
            (
                {"occurred_at": now_ms - random.randrange(3 * 24) * HOUR_MS},
                {"order_id": random.randrange(number + 1)},
                {"type": "signup"},
                {"type": "cancellation", "order_id": random.randrange(number + 1)},
                {"customer_id": None},
                {"attributes": {"country": random.choice(COUNTRIES)}},
                {"attributes": None},
                {"currency": "JPY", "amount": 1},
            )
        )
    return event


def crowds() -> st.SearchStrategy[History]:
    """Histories of up to 350 customers with an order or two each, so that the top 1 % are some."""
    return st.builds(_crowd, st.integers(0, 2**32), st.sampled_from((101, 150, 200, 201, 350)))


def _crowd(seed: int, customers: int) -> History:
    random = Random(seed)
    events: list[Event] = []
    for number in range(customers * 3 // 2):
        currency, decimals = random.choice((("EUR", 2), ("EUR", 2), ("KWD", 3)))
        event: dict[str, object] = {
            "type": "purchase",
            # All of them once, then some again.
            "customer_id": f"customer {number if number < customers else random.randrange(number)}",
            "occurred_at": START_MS + number * HOUR_MS,
            "order_id": number,
            "amount": f"{random.paretovariate(1.2):.{decimals}f}",
            "currency": currency,
            "attributes": {"channel": random.choice(("web", "shop"))},
        }
        if number >= customers and random.random() < 0.4:
            event |= {"type": "return", "return_id": number}
        events.append(event)
    random.shuffle(events)
    return History(events, NaiveConfig(("1d",), ("channel",), "UTC", HOUR_MS), START_MS)
