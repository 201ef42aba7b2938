"""What a tick says: how the worker is, and one store's headline numbers in one window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from stream.domain.catalogue import MATURE
from stream.domain.metrics import PREVIOUS_PREFIX, samples
from stream.domain.segment_names import ALL
from stream.publish.api.answers import instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.domain.totals import Totals
    from stream.meeting.overview import Overview
    from stream.publish.state import WorkerState

#: Labels that say of whom and when, not what.
_PLACE = frozenset({"store", "dimension", "segment", "window"})


class Scene(NamedTuple):
    """What a listener looks at."""

    store: str
    window: str


def health(state: WorkerState, overview: Overview | None) -> dict[str, object]:
    """How this worker is; and what it knows of all, if it is the one that speaks."""
    outcomes: dict[str, dict[str, int]] = {}
    for (topic, outcome), events in sorted(state.outcomes.items()):
        outcomes.setdefault(topic, {})[outcome] = events
    lags: dict[str, int] = {}
    for (topic, _), events in sorted(state.lag_events.items()):
        lags[topic] = lags.get(topic, 0) + events
    return {
        "as_of": None if overview is None else _instant(overview.as_of_ms),
        "speaks": overview is not None,
        "ready": state.ready,
        "restore": state.restore_progress,
        "partitions_here": len(state.engine.ready_partitions),
        "partitions_ready": None if overview is None else overview.partitions_ready,
        "partitions_expected": state.partitions_expected,
        "last_event": _instant(state.last_event_ms),
        "lag_events": lags,
        "outcomes": outcomes,
        "dead_letters": dict(sorted(state.dead_letters.items())),
    }


def numbers(totals: Totals, scene: Scene) -> dict[str, object]:
    """A store's numbers in a window and in the one before; nothing of its segments.

    Each number is named by its metric and the labels that say what it counts:
    ``retention_customers:active``, ``retention_revenue:EUR:gross``.
    """
    before = PREVIOUS_PREFIX + scene.window
    by_window: dict[str, dict[str, float]] = {scene.window: {}, before: {}}
    mature = None
    for sample in samples(_part(totals, scene)):
        labels = dict(sample.labels)
        if sample.name == MATURE.name:
            mature = bool(sample.value)
        else:
            rest = [value for label, value in sample.labels if label not in _PLACE]
            by_window[labels["window"]][":".join((sample.name, *rest))] = sample.value
    return {
        "store": scene.store,
        "window": scene.window,
        "mature": mature,
        "now": by_window[scene.window],
        "before": by_window[before],
    }


def _part(totals: Totals, scene: Scene) -> Totals:
    """Only what a scene needs: making every sample of a large shop takes tens of milliseconds."""
    windows = {scene.window, PREVIOUS_PREFIX + scene.window}
    return replace(
        totals,
        counts={
            key: counts
            for key, counts in totals.counts.items()
            if key[0].store == scene.store and key[0].dimension == ALL and key[1] in windows
        },
        money={
            key: money
            for key, money in totals.money.items()
            if key[0].store == scene.store and key[0].dimension == ALL and key[1] in windows
        },
        lifetimes={},
        lifetime_money={},
        cohorts={},
        gaps={},
        stages={},
        first_order_slots=_only(totals.first_order_slots, scene.store),
        mature_from_slots=_only(totals.mature_from_slots, scene.window),
    )


def _only(values: Mapping[str, int], key: str) -> dict[str, int]:
    return {key: values[key]} if key in values else {}


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else instant(at_ms)
