"""Events as dictionaries, written to files and run through the oracle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from stream.tools.oracle import OracleParameters, Recomputed, recompute

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Event: TypeAlias = dict[str, object]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
#: Day 0 of hand-made histories: a Monday, and the first day of a year.
START = datetime(2024, 1, 1, tzinfo=UTC)
START_MS = int(START.timestamp()) * 1000
#: A clock that is past all of them.
NOW_MS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000

_numbers = count(1)


def day_ms(day: float) -> int:
    """The moment so many days after START, in milliseconds since the epoch."""
    return START_MS + round(day * DAY_MS)


def purchase(customer: str | None, day: float, **fields: object) -> Event:
    """A purchase of 10.00 EUR on a day after START; ``fields`` add to it or replace."""
    event: Event = {
        "type": "purchase",
        "customer_id": customer,
        "order_id": f"order-{next(_numbers)}",
        "occurred_at": day_ms(day),
        "amount": "10.00",
        "currency": "EUR",
    }
    return event | fields


def signup(customer: str, day: float, **fields: object) -> Event:
    """A signup on a day after START."""
    event: Event = {"type": "signup", "customer_id": customer, "occurred_at": day_ms(day)}
    return event | fields


def product_return(customer: str, day: float, **fields: object) -> Event:
    """A return of one unit for 10.00 EUR on a day after START."""
    event: Event = {
        "type": "return",
        "customer_id": customer,
        "return_id": f"return-{next(_numbers)}",
        "occurred_at": day_ms(day),
        "amount": "10.00",
        "currency": "EUR",
    }
    return event | fields


def cancellation(customer: str, order_id: object, day: float, **fields: object) -> Event:
    """A cancellation on a day after START."""
    event: Event = {
        "type": "cancellation",
        "customer_id": customer,
        "order_id": order_id,
        "occurred_at": day_ms(day),
    }
    return event | fields


def parameters(
    *windows: str,
    dimensions: tuple[str, ...] = (),
    as_of_day: float | None = None,
    timezone: str = "UTC",
    horizon_days: int = 800,
) -> OracleParameters:
    """Parameters for hand-made histories: event clock, buckets of an hour."""
    return OracleParameters(
        windows=windows,
        dimensions=dimensions,
        timezone=timezone,
        bucket_ms=HOUR_MS,
        horizon_ms=horizon_days * DAY_MS,
        clock="event",
        now_ms=NOW_MS,
        as_of_ms=None if as_of_day is None else day_ms(as_of_day),
    )


@dataclass(frozen=True, slots=True)
class Gauges:
    """What the oracle made of some events."""

    recomputed: Recomputed

    @property
    def outcomes(self) -> dict[str, int]:
        """Number of events by what became of them, where there are any."""
        return {name: number for name, number in self.recomputed.outcomes.items() if number}

    def value(self, name: str, window: str, **labels: str) -> float | None:
        """The gauge ``retention_<name>``; of the whole default store unless labels say else."""
        wanted = {"window": window, "store": "default"} | labels
        if name != "window_mature":
            wanted = {"dimension": "all", "segment": "all"} | wanted
        for sample in self.recomputed.samples:
            if sample.name == f"retention_{name}" and sample.labels == wanted:
                return sample.value
        return None

    def customers(self, window: str, **labels: str) -> dict[str, float]:
        """All seven customer counts of a window, by status."""
        statuses = ("active", "new", "start", "retained", "reactivated", "lost", "repeat")
        found = {
            status: self.value("customers", window, status=status, **labels) for status in statuses
        }
        return {status: value for status, value in found.items() if value is not None}

    def segments(self, dimension: str) -> set[str]:
        """The segments of a dimension."""
        return {
            sample.labels["segment"]
            for sample in self.recomputed.samples
            if sample.labels.get("dimension") == dimension
        }


def write_events(path: Path, events: Sequence[Event | str]) -> Path:
    """Write JSON lines; a string is a line as it is."""
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def gauges_of(tmp_path: Path, events: Sequence[Event | str], given: OracleParameters) -> Gauges:
    """Run the oracle over events in their order of arrival."""
    return Gauges(recompute([write_events(tmp_path / "events.jsonl", events)], given))
