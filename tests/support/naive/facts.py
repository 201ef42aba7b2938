"""What counts of a history: no repetitions, no cancelled orders; and everybody's segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple, TypeAlias

Event: TypeAlias = Mapping[str, object]

DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3}
MAX_SEGMENTS = 50


@dataclass(frozen=True, slots=True)
class NaiveConfig:
    """What the numbers depend on."""

    windows: tuple[str, ...]
    dimensions: tuple[str, ...]
    timezone: str
    bucket_ms: int
    #: The dimension whose segments are variants of an experiment, and the one to compare with.
    experiment: str = ""
    control: str = "control"


class Fact(NamedTuple):
    """A purchase, signup or return that counts."""

    type: str
    store: str
    #: The customer, or for a guest's order something only it has.
    who: tuple[str, str]
    time_ms: int
    units: int
    amount_minor_units: int
    currency: str
    values: tuple[str, ...]

    @property
    def is_order(self) -> bool:
        """Whether it is an order of a known customer."""
        return self.type == "purchase" and self.who[0] == "customer"


def time_ms(value: object) -> int:
    """Milliseconds of an event's ``occurred_at``."""
    if isinstance(value, str):
        since = datetime.fromisoformat(value.upper()) - datetime(1970, 1, 1, tzinfo=UTC)
        return since // timedelta(milliseconds=1)
    if not isinstance(value, int | float):
        raise TypeError(value)
    return round(value) if abs(value) > 1e11 else round(value * 1000)


def _minor_units(value: object, currency: str) -> int:
    amount = Decimal(value if isinstance(value, str) else repr(value))
    scaled = amount * 10 ** DECIMALS[currency]
    return int(scaled.quantize(Decimal(1), ROUND_HALF_EVEN))


def store_of(event: Event) -> str:
    """The store an event belongs to."""
    return str(event.get("store") or "default")


def facts_of(events: Sequence[Event], dimensions: tuple[str, ...]) -> list[Fact]:
    """The events that count, each once, in order of arrival."""
    events = _with_erasures(events)
    cancelled = {
        (store_of(event), event["customer_id"], str(event["order_id"]))
        for event in events
        if event["type"] == "cancellation"
    }
    facts = []
    seen = set()
    for event in events:
        kind, store, customer = event["type"], store_of(event), event.get("customer_id")
        if kind == "cancellation":
            continue
        number = str(event.get("return_id" if kind == "return" else "order_id"))
        if kind != "signup":
            if (kind, store, customer, number) in seen:
                continue
            seen.add((kind, store, customer, number))
        if kind == "purchase" and (store, customer, number) in cancelled:
            continue
        facts.append(_fact(event, dimensions, number))
    return facts


def _with_erasures(events: Sequence[Event]) -> list[Event]:
    """The others; who comes back after an erasure is another customer."""
    erased: Counter[tuple[str, object]] = Counter()
    others: list[Event] = []
    for event in events:
        who = (store_of(event), event.get("customer_id"))
        if event["type"] == "erasure":
            erased[who] += 1
        elif erased[who]:
            others.append({**event, "customer_id": f"{event['customer_id']}\0{erased[who]}"})
        else:
            others.append(event)
    return others


def _fact(event: Event, dimensions: tuple[str, ...], number: str) -> Fact:
    customer = event.get("customer_id")
    attributes = event.get("attributes") or {}
    if not isinstance(attributes, Mapping):
        raise TypeError(attributes)
    currency = str(event.get("currency", ""))
    return Fact(
        type=str(event["type"]),
        store=store_of(event),
        who=("guest", number) if customer is None else ("customer", str(customer)),
        time_ms=time_ms(event["occurred_at"]),
        units=int(float(str(event.get("units", 1)))),
        amount_minor_units=_minor_units(event["amount"], currency) if currency else 0,
        currency=currency,
        values=tuple(str(attributes.get(name) or "") for name in dimensions),
    )


def segments_of(
    facts: list[Fact], config: NaiveConfig, as_of_ms: int
) -> dict[tuple[str, tuple[str, str], str], str]:
    """Everybody's segment in every dimension, small segments as ``other``."""
    # Sorting is stable: what is equal stays in order of arrival.
    by_time = sorted(facts, key=lambda fact: (fact.time_ms, fact.type != "purchase"))
    segment_of: dict[tuple[str, tuple[str, str], str], str] = {}
    for fact in by_time:
        for dimension, value in zip(config.dimensions, fact.values, strict=True):
            if value and fact.type != "return":
                segment_of.setdefault((fact.store, fact.who, dimension), value)
    ordered: dict[tuple[str, str], dict[str, set[tuple[str, str]]]] = {}
    for fact in by_time:
        for dimension in config.dimensions:
            name = segment_of.setdefault((fact.store, fact.who, dimension), "unknown")
            people = ordered.setdefault((fact.store, dimension), {}).setdefault(name, set())
            by_now = fact.time_ms // config.bucket_ms <= as_of_ms // config.bucket_ms
            if fact.is_order and by_now:
                people.add(fact.who)
    for (store, who, dimension), name in segment_of.items():
        sizes = {n: len(p) for n, p in ordered[store, dimension].items() if n != "unknown"}
        largest = sorted(sizes, key=lambda n: (-sizes[n], n))[:MAX_SEGMENTS]
        if name != "unknown" and name not in largest:
            segment_of[store, who, dimension] = "other"
    return segment_of
