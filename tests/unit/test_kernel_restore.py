"""A large partition: what it derives at a start, and takes out when it leaves."""

from __future__ import annotations

import random

from stream.engine import Engine
from tests.support.engines import NOW_MS, engine_config, gauges_of, named_sums, run
from tests.support.naive import Event, NaiveConfig

CUSTOMERS = 10_000
CONFIG = engine_config(NaiveConfig(("7d", "month"), ("channel",), "Europe/London", 3_600_000))
HISTORY_MS = 300 * 86_400_000


def _history(rng: random.Random, number: int) -> list[Event]:
    """A customer of one of three shops: some orders in two currencies, a signup, a return.

    Most channels have hundreds of each shop's customers, who are counted together; some have few.
    """
    channel = f"rare{number % 130}" if number % 10 == 0 else f"ch{number % 7}"
    whose: Event = {
        "customer_id": f"c{number}",
        "store": f"s{number % 3}",
        "attributes": {"channel": channel},
    }

    def event(kind: str, **more: object) -> Event:
        occurred_at = NOW_MS - rng.randrange(HISTORY_MS)
        return {"type": kind, "occurred_at": occurred_at, **whose, **more}

    def money() -> Event:
        return {"amount": rng.randrange(1, 500), "currency": rng.choice(["EUR", "JPY"])}

    orders = [
        event("purchase", order_id=f"o{order}", **money()) for order in range(rng.randrange(1, 4))
    ]
    guest = {**event("purchase", order_id=f"g{number}", **money()), "customer_id": None}
    return [
        *orders,
        guest,
        event("signup"),
        event("return", return_id="r", order_id="o0", **money()),
    ]


def test_restored_tallies_are_those_of_the_events() -> None:
    rng = random.Random(7)
    events = [each for number in range(CUSTOMERS) for each in _history(rng, number)]
    engine = run(sorted(events, key=lambda event: str(event["type"])), CONFIG)
    changes = engine.take_changes(0, NOW_MS)
    again = Engine(CONFIG)
    again.assign(0)
    again.restore(0, changes.keys, changes.values)
    again.finish_restore(0)
    assert again.customers == 2 * CUSTOMERS
    assert named_sums(again) == named_sums(engine)
    assert gauges_of(again, NOW_MS) == gauges_of(engine, NOW_MS)
    again.revoke(0)
    assert named_sums(again) == {}
    assert gauges_of(again, NOW_MS) == {}
