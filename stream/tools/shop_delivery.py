"""From events as they are sent to events as they arrive: late, twice, and now and then broken."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stream.tools.shop_scenario import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.tools.shop_buyers import IntArray
    from stream.tools.shop_shares import DeliveryShares


class Delivery(NamedTuple):
    """One event on its way."""

    #: simulated time, in milliseconds since the epoch
    arrival_ms: int
    #: ``purchase``, ``signup``, ``return`` or ``cancellation``
    type: str
    #: the customer's id, None for a guest
    key: str | None
    #: the event as JSON, without a line end
    line: bytes


_SHORTEST_TRAVEL_MS = 20
_LONGEST_TRAVEL_MS = 2_000
_MEAN_REPEAT_MS = 600_000
_LONGEST_LATENESS_MS = 5 * DAY_MS


class Courier:
    """Holds what was sent until it arrives."""

    def __init__(self, shares: DeliveryShares, rng: np.random.Generator) -> None:
        self._shares = shares
        self._rng = rng
        self._under_way: list[Delivery] = []

    def send(self, sent: Sequence[Delivery]) -> None:
        """Take events whose ``arrival_ms`` says when they are sent."""
        size = len(sent)
        if not size:
            return
        sent_ms = np.fromiter((event.arrival_ms for event in sent), np.int64, size)
        arrival_ms = sent_ms + self._delays_ms(size)
        self._under_way.extend(
            Delivery(arrival, event.type, event.key, event.line)
            for arrival, event in zip(arrival_ms.tolist(), sent, strict=True)
        )
        for row, arrival in self._again(arrival_ms, self._shares.duplicate):
            event = sent[row]
            self._under_way.append(Delivery(arrival, event.type, event.key, event.line))
        for row, arrival in self._again(arrival_ms, self._shares.bad):
            event = sent[row]
            broken = break_line(event.line, int(self._rng.integers(len(_WAYS_TO_BREAK))))
            self._under_way.append(Delivery(arrival, event.type, event.key, broken))

    def arrived(self, until_ms: int) -> list[Delivery]:
        """What arrives before ``until_ms`` and was not handed over yet, in order of arrival."""
        now = [delivery for delivery in self._under_way if delivery.arrival_ms < until_ms]
        self._under_way = [
            delivery for delivery in self._under_way if delivery.arrival_ms >= until_ms
        ]
        now.sort(key=attrgetter("arrival_ms"))
        return now

    def arrived_at_last(self) -> list[Delivery]:
        """All that is still under way, in order of arrival."""
        last_ms = max((delivery.arrival_ms for delivery in self._under_way), default=0)
        return self.arrived(last_ms + 1)

    def _delays_ms(self, size: int) -> IntArray:
        travel_ms = self._rng.integers(_SHORTEST_TRAVEL_MS, _LONGEST_TRAVEL_MS, size)
        is_late = self._rng.random(size) < self._shares.late
        # Even over the logarithm: most are hours late, some days.
        late_ms = np.exp(self._rng.uniform(np.log(HOUR_MS), np.log(_LONGEST_LATENESS_MS), size))
        return travel_ms + np.where(is_late, late_ms, 0).astype(np.int64)

    def _again(self, arrival_ms: IntArray, share: float) -> list[tuple[int, int]]:
        if not share:
            return []
        rows = np.flatnonzero(self._rng.random(arrival_ms.size) < share)
        repeat_ms = 1 + self._rng.exponential(_MEAN_REPEAT_MS, rows.size).astype(np.int64)
        return list(zip(rows.tolist(), (arrival_ms[rows] + repeat_ms).tolist(), strict=True))


_WAYS_TO_BREAK = (
    (b'{"type":', b'{"type":"unheard-of","kind":'),
    (b'"occurred_at":"', b'"occurred_at":"on '),
    (b'"occurred_at":', b'"at":'),
    (b'"store":"', b'"store":7,"shop":"'),
    (b"}", b""),
)


def break_line(line: bytes, way: int) -> bytes:
    """The line made unusable: by its type, time, a missing field, its store, or its missing end."""
    old, new = _WAYS_TO_BREAK[way]
    return line.replace(old, new)
