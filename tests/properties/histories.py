"""Small random histories of shops, made to collide: few customers, ids, stores and moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.support.naive import Event, NaiveConfig, time_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# Mostly one customer of one store: histories of one are what can go wrong.
CUSTOMERS = ("ann", "ann", "ann", "ann", "bob", "dän")
STORES = (None, None, None, "default", "north")
CHANNELS = ("web", "shop", "unknown")
COUNTRIES = ("DE", "IN", "US")
CONTROLS = {"channel": "web", "country": "DE"}
AMOUNTS = {
    "EUR": ("10.00", "0.01", 12.34, 19.989999999999998, 7, "0"),
    "JPY": ("1500", 980, "12.0", 0.5, 1.5),
    "KWD": ("1.234", 2.5, "0.001"),
}
WINDOWS = ("3h", "1d", "2d", "1w", "day", "week", "month", "quarter", "year")
#: Time zones with moments near which days and months are odd: clock changes, a day left out, new
#: months and years, in buckets of an hour that local midnight cuts.
ZONES = {
    "UTC": ("2023-12-31T23:00", "2024-02-29T12:00"),
    "Europe/Berlin": ("2024-03-31T01:00", "2024-10-27T01:00"),
    "Asia/Kolkata": ("2024-03-31T18:30", "2023-12-31T18:30"),
    "Asia/Kathmandu": ("2024-02-29T18:15",),
    "America/St_Johns": ("2024-04-01T02:30", "2024-11-01T02:30"),
    "America/New_York": ("2024-03-10T07:00", "2024-11-03T06:00"),
    "Pacific/Apia": ("2011-12-30T10:00", "2011-12-31T10:00"),
}


@dataclass(frozen=True, slots=True)
class History:
    """Events in order of arrival, and what to make of them."""

    events: list[Event]
    config: NaiveConfig
    #: The moment around which they are.
    middle_ms: int

    def moments(self) -> list[int]:
        """Instants worth looking at: events, the ends of what they do, far past and future."""
        times = sorted({time_ms(event["occurred_at"]) for event in self.events})
        chosen = {self.middle_ms, self.middle_ms + 800 * DAY_MS, self.middle_ms - 800 * DAY_MS}
        if times:
            chosen |= {times[0], times[-1], times[len(times) // 2]}
            chosen |= {times[0] + after * HOUR_MS for after in (-1, 2, 3, 6)}
            chosen |= {times[-1] + after * DAY_MS for after in (1, 2, 7, 31)}
        return sorted(chosen)


def histories(
    *, ambiguous: bool = True, most: int = 24, clear_zone: bool = False
) -> st.SearchStrategy[History]:
    """Histories of at most so many events.

    Args:
        ambiguous: whether the order of arrival may matter: one id with two contents, one
            moment with two values of an attribute.
        most: the longest history.
        clear_zone: leave time zones out of it.
    """
    zones = ["UTC"] if clear_zone else sorted(ZONES)
    return st.sampled_from(zones).flatmap(lambda zone: _in_zone(zone, ambiguous, most))


def _in_zone(zone: str, ambiguous: bool, most: int) -> st.SearchStrategy[History]:  # noqa: FBT001
    def build(
        middle: str,
        windows: list[str],
        dimensions: tuple[str, ...],
        events: list[Event],
        shape: str,
    ) -> History:
        middle_ms = int(datetime.fromisoformat(middle).replace(tzinfo=UTC).timestamp()) * 1000
        if shape != "as drawn":
            events = sorted(events, key=lambda event: int(str(event["occurred_at"])))
        if shape in ("new", "plain"):
            events = _new(events)
        if shape == "plain":
            events = _plain(events)
        placed = [_at(event, middle_ms) for event in events]
        if not ambiguous:
            placed = _unambiguous(placed)
        # Any dimension may be that of an experiment.
        experiment = dimensions[-1] if dimensions else ""
        config = NaiveConfig(
            tuple(windows), dimensions, zone, HOUR_MS, experiment, CONTROLS.get(experiment, "")
        )
        return History(placed, config, middle_ms)

    return st.builds(
        build,
        st.sampled_from(ZONES[zone]),
        st.lists(st.sampled_from(WINDOWS), min_size=1, max_size=4, unique=True),
        st.sampled_from(((), ("channel",), ("channel", "country"))),
        # Few moments, so that many events share one.
        st.tuples(
            st.sampled_from((2, most // 3, most * 2 // 3, most)),
            st.lists(_offsets_ms(), min_size=2, max_size=10),
        ).flatmap(lambda drawn: st.lists(_events(drawn[1]), min_size=drawn[0], max_size=drawn[0])),
        # Most traffic is in order and new, and goes another way through the engine.
        st.sampled_from(("as drawn", "in order", "new", "plain", "plain")),
    )


def _offsets_ms() -> st.SearchStrategy[int]:
    """Milliseconds before or after the middle: on the hour, a little beside it, days off."""
    return st.builds(
        lambda hours, days, beside: hours * HOUR_MS + days * DAY_MS + beside,
        st.integers(-4, 4),
        st.sampled_from((0, 0, 0, 1, -1, 2, -2, 7, 8, 31, -31, 62)),
        st.sampled_from((0, 0, 0, -1, 1, 1_800_000, 1234)),
    )


def _events(moments_ms: Sequence[int]) -> st.SearchStrategy[Event]:
    who = st.sampled_from(CUSTOMERS)
    common = {"store": st.sampled_from(STORES), "occurred_at": st.sampled_from(moments_ms)}
    attributes = {
        "attributes": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "channel": st.sampled_from((*CHANNELS, "", None)),
                "country": st.sampled_from(COUNTRIES),
                "other": st.just(["not", "looked", "at"]),
            },
        )
    }
    money = st.sampled_from(sorted(AMOUNTS)).flatmap(
        lambda code: st.fixed_dictionaries(
            {"currency": st.just(code), "amount": st.sampled_from(AMOUNTS[code])},
            optional={"units": st.sampled_from((0, 1, 2, 3.0, 2**32 - 1))},
        )
    )
    number = st.sampled_from(("1", 1, "2", "3", "4", "5", "6", "7", "8"))
    purchase = st.fixed_dictionaries(
        common
        | attributes
        | {
            "type": st.just("purchase"),
            "customer_id": who | who | who | st.none(),
            "order_id": number,
        }
    )
    # Attributes of a return are not looked at, yet some producers send them.
    sent_back = st.fixed_dictionaries(
        common | attributes | {"type": st.just("return"), "customer_id": who, "return_id": number}
    )
    signup = st.fixed_dictionaries(
        common | attributes | {"type": st.just("signup"), "customer_id": who}
    )
    cancellation = st.fixed_dictionaries(
        common | {"type": st.just("cancellation"), "customer_id": who, "order_id": number}
    )
    with_money = st.builds(
        lambda event, paid: event | paid, purchase | purchase | purchase | sent_back, money
    )
    return with_money | with_money | with_money | signup | cancellation


def _at(event: Event, middle_ms: int) -> Event:
    moment_ms = middle_ms + int(str(event["occurred_at"]))
    # Every way to write a time.
    if moment_ms % 3 == 0:
        written: object = moment_ms
    elif moment_ms % 1000 == 0:
        written = moment_ms // 1000
    else:
        written = datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return {**event, "occurred_at": written}


def _new(events: Sequence[Event]) -> list[Event]:
    """The same with new ids and times, each event after the one before it."""
    names = {"purchase": "order_id", "return": "return_id"}
    result: list[Event] = []
    for number, event in enumerate(events):
        later = {**event, "occurred_at": int(str(event["occurred_at"])) + 97_003 * number}
        if event["type"] in names:
            later[names[str(event["type"])]] = number
        result.append(later)
    return result


def _plain(events: Sequence[Event]) -> list[Event]:
    """Purchases and few signups and returns, with the same attributes for all."""
    first = next((event["attributes"] for event in events if event.get("attributes")), None)
    return [
        {**event, "attributes": first} if "attributes" in event else event
        for place, event in enumerate(events)
        if event["type"] == "purchase" or (event["type"] != "cancellation" and place % 4 == 0)
    ]


def _unambiguous(events: Sequence[Event]) -> list[Event]:
    """The same with the first content of every id, and attributes that follow from the moment."""
    first: dict[object, Event] = {}
    result: list[Event] = []
    for event in events:
        kind, store = event["type"], event.get("store") or "default"
        clear = dict(event)
        if clear.get("attributes") is not None:
            hour = time_ms(event["occurred_at"]) // HOUR_MS
            clear["attributes"] = {"channel": CHANNELS[hour % 2], "country": COUNTRIES[hour % 3]}
        if kind == "signup":
            clear["attributes"] = {"channel": "signup"}
        if kind in ("purchase", "return"):
            number = str(event["order_id" if kind == "purchase" else "return_id"])
            clear = dict(first.setdefault((kind, store, event["customer_id"], number), clear))
        result.append(clear)
    return result
