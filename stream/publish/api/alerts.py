"""What would be told of whole stores now, by the rules that Prometheus is given.

The worker knows its whole past, so it can ask itself. It wakes nobody: that is for Prometheus and
Alertmanager, which also know what the operator has set.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stream.domain.alerts import (
    HOURS_BACK,
    LONG,
    MAX_LAG_EVENTS,
    SHORT,
    SIGNALS,
    Figures,
    columns,
    firing,
    read,
)
from stream.domain.reading import Scope
from stream.domain.segment_names import ALL
from stream.domain.segments import Segment
from stream.domain.totals import Counts
from stream.publish.api.answers import instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.domain.alerts import Signal
    from stream.domain.totals import Totals
    from stream.publish.state import WorkerState

HOUR_MS: Final = 3_600_000
#: Long enough for an alert to begin in and to be kept in; what began before has no beginning.
HOURS_LOOKED_AT: Final = 26
#: Looking may take this part of the time, so that events are read as well; but nobody waits longer
#: than so for the next look, when the machine is busy.
MOST_OF_THE_TIME: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
#: What comes late changes the past, so that an hour is looked at again; sooner than the page asks.
FRESH_SECONDS: Final = 3.0
SCOPE: Final = Scope(
    windows=frozenset({SHORT, LONG}), dimensions=frozenset({ALL}), with_lifetimes=False
)
#: By signal what is off, in the words of the rules' descriptions.
SAID: Final = {
    "returning_orders": "Orders of returning customers in the last 36 hours stand",
    "retention": "The share of a week's customers who ordered again in the next stands",
    "repeat": "The share of a week's customers who bought twice or more stands",
    "churn": "The share of a month's customers who did not order in the next stands",
    "product_return": "Units returned per unit sold in a week stand",
    "activation": "The share of a week's signups who have ordered stands",
}
#: By alert, in the words of the rules' summaries.
SUMMARIES: Final = {
    "RetentionRateDropped": "customers come back less than usual",
    "RepeatPurchaseRateDropped": "fewer customers buy twice",
    "ChurnRateRose": "more customers stay away",
    "ReturnRateRose": "more is sent back",
    "ActivationDropped": "fewer signups buy",
}
NO_WINDOWS: Final = f"RETENTION_WINDOWS lacks {SHORT} or {LONG}, which the rules read"
BEHIND: Final = "too many events wait to be read: the numbers are of the past"


@dataclass(frozen=True, slots=True)
class Fires:
    """An alert that fires."""

    store: str
    signal: Signal
    #: None: since before what was looked at.
    since_ms: int | None
    #: The value now as a share of the usual; None while one of them is not there.
    share: float | None


@dataclass(frozen=True, slots=True)
class Look:
    """What fires at an instant, the end of a whole hour; or why nothing can be said of it."""

    at_ms: int
    alerts: tuple[Fires, ...] = ()
    why_not: str | None = None


class Watch:
    """Looks when asked, and not too often.

    Args:
        state: whose figures.
    """

    def __init__(self, state: WorkerState) -> None:
        self._state = state
        self._latest: Look | None = None
        self._fresh_until = self._next_at = 0.0
        self._one_look = asyncio.Lock()

    async def look(self, now: Totals) -> Look | None:
        """What fires at the end of the last whole hour; None while the past cannot be told.

        Args:
            now: all partitions together, as of now.
        """
        config = self._state.engine.config
        step_ms = max(HOUR_MS, config.bucket_ms)
        at_ms = now.as_of_ms // step_ms * step_ms
        if not {SHORT, LONG} <= {window.name for window in config.windows}:
            return Look(at_ms, why_not=NO_WINDOWS)
        if sum(self._state.lag_events.values()) > MAX_LAG_EVENTS:
            return Look(at_ms, why_not=BEHIND)
        async with self._one_look:
            started = time.monotonic()
            known = self._latest
            if known is not None and (
                started < self._next_at or (known.at_ms == at_ms and started < self._fresh_until)
            ):
                return known
            alerts = await self._alerts(now, at_ms)
            if alerts is None:
                return None
            ended = time.monotonic()
            pause_seconds = (ended - started) / MOST_OF_THE_TIME
            self._next_at = ended + min(pause_seconds, LONGEST_PAUSE_SECONDS)
            self._fresh_until = ended + FRESH_SECONDS
            self._latest = Look(at_ms, alerts)
            return self._latest

    async def _alerts(self, now: Totals, at_ms: int) -> tuple[Fires, ...] | None:
        hours_ms = [at_ms - 1 - back * HOUR_MS for back in reversed(range(HOURS_LOOKED_AT))]
        all_ms = sorted({hour - back * HOUR_MS for hour in hours_ms for back in HOURS_BACK})
        past = await self._state.history(all_ms, SCOPE)
        if past is None:
            return None
        by_ms = {totals.as_of_ms: totals for totals in past}
        return tuple(
            alert
            for store, first_slot in sorted(now.first_order_slots.items())
            for alert in _fires(store, first_slot, hours_ms, by_ms)
        )


def alerts_answer(look: Look, store: str) -> dict[str, object]:
    """The answer as plain values: the alerts of one store, or of all if none is named."""
    return {
        "as_of": instant(look.at_ms),
        "evaluated": look.why_not is None,
        "why_not": look.why_not,
        "alerts": [_alert_answer(each) for each in look.alerts if store in ("", each.store)],
    }


def _alert_answer(fires: Fires) -> dict[str, object]:
    signal, share = fires.signal, fires.share
    # An alert is kept for a while when there is nothing to compare any more.
    text = "not known now" if share is None else f"at {share:.1%} of what is usual at this hour"
    return {
        "alert": signal.alert,
        "labels": {
            "store": fires.store,
            "dimension": ALL,
            "segment": ALL,
            "signal": signal.name,
        },
        "since": None if fires.since_ms is None else instant(fires.since_ms),
        "share_of_usual": share,
        "summary": f"{fires.store}: {SUMMARIES[signal.alert]}",
        "description": f"{SAID[signal.name]} {text}.",
        "runbook": f"deploy/runbooks/{signal.alert}.md",
    }


def _fires(
    store: str, first_slot: int, hours_ms: Sequence[int], past: Mapping[int, Totals]
) -> Iterator[Fires]:
    back = {
        hours: _figures(store, first_slot, [past[hour - hours * HOUR_MS] for hour in hours_ms])
        for hours in HOURS_BACK
    }
    for signal in SIGNALS:
        reading = read(signal, back, signal.store_z)
        fires = firing(reading.off)
        if fires[-1]:
            began = int(np.flatnonzero(~fires)[-1]) + 1
            # What is off from the first hour on fires from soon after, or has for long.
            since_ms = None if reading.off[: began + 1].all() else hours_ms[began] + 1
            value, usual = float(reading.value[-1]), float(reading.usual[-1])
            share = value / usual if usual else math.nan
            yield Fires(store, signal, since_ms, share if math.isfinite(share) else None)


def _figures(store: str, first_slot: int, hours: Sequence[Totals]) -> Figures:
    trusted = np.array(
        [[first_slot <= each.mature_from_slots[name] for each in hours] for name in (SHORT, LONG)]
    )
    whole = Segment(store, ALL, ALL)
    week, month = (
        columns([each.counts.get((whole, name), Counts()) for each in hours])
        for name in (SHORT, LONG)
    )
    return Figures.of(week, month, trusted)
