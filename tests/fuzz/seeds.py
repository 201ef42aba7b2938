"""Where fuzzing starts from: events of every kind, and the changelog an engine makes of them."""

from __future__ import annotations

from tests.support.engines import HOUR_MS, NOW_MS, encoded, engine_config, run
from tests.support.naive import Event, NaiveConfig

DIMENSIONS = ("channel", "country")
CONFIG = engine_config(NaiveConfig(("7d", "month"), DIMENSIONS, "UTC", HOUR_MS))

_PURCHASE: Event = {
    "type": "purchase",
    "customer_id": "ann",
    "occurred_at": NOW_MS - HOUR_MS,
    "order_id": "o1",
    "amount": "12.34",
    "currency": "EUR",
    "units": 2,
    "attributes": {"channel": "web", "country": "DE", "variant": 7},
}
EVENTS: list[Event] = [
    _PURCHASE,
    {**_PURCHASE, "order_id": 2, "occurred_at": "2026-03-01T12:30:00.123456+05:30"},
    {**_PURCHASE, "order_id": "o3", "amount": 0.1, "currency": "KWD", "units": 3.0},
    {**_PURCHASE, "order_id": "o4", "customer_id": None, "store": "nørth", "amount": 7e2},
    {**_PURCHASE, "order_id": "o5", "occurred_at": 1_750_000_000.5, "currency": "JPY", "amount": 9},
    {"type": "signup", "customer_id": "bøb", "occurred_at": "2025-01-01t00:00:00z"},
    {
        "type": "return",
        "customer_id": "ann",
        "occurred_at": NOW_MS,
        "return_id": "r1",
        "amount": "5.00",
        "currency": "EUR",
    },
    {"type": "cancellation", "customer_id": "ann", "occurred_at": NOW_MS, "order_id": "o1"},
    {"type": "cancellation", "customer_id": "zoë", "occurred_at": NOW_MS, "order_id": "none"},
    {"type": "erasure", "customer_id": "bøb", "occurred_at": NOW_MS},
]
LINES = [encoded(event) for event in EVENTS]


def changelog() -> dict[bytes, bytes]:
    """What an engine writes of these events."""
    changes = run(EVENTS, CONFIG).take_changes(0, NOW_MS)
    return {key: value for key, value in zip(changes.keys, changes.values, strict=True) if value}
