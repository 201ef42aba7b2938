"""What the API is asked: query strings, checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stream.domain.metrics import CATALOGUE, PREVIOUS_PREFIX
from stream.domain.reading import Scope
from stream.domain.segments import ALL
from stream.domain.totals import CohortKind
from stream.domain.windows import parse_duration_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.domain.config import EngineConfig

#: Instants one answer may have.
MOST_POINTS = 2000
DEFAULT_POINTS = 90
LABELS = ("store", "dimension", "segment", "window", "status", "kind", "currency")


class RequestError(ValueError):
    """A question that cannot be answered; the message says what would be."""


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """One metric over time."""

    metric: str
    #: The instants, ascending.
    at_ms: range
    wanted: Mapping[str, str]
    scope: Scope


def wanted_labels(query: Mapping[str, str], *others: str) -> dict[str, str]:
    """The labels a query asks for.

    Raises:
        RequestError: when it has a parameter that means nothing here.
    """
    known = {*LABELS, *others}
    for name in query:
        if name not in known:
            raise RequestError(f"unknown parameter {name!r}: there are {', '.join(sorted(known))}")
    return {name: value for name, value in query.items() if name in LABELS}


def cohort_kind(text: str) -> CohortKind:
    """A kind of cohort by its name.

    Raises:
        RequestError: when there is none.
    """
    try:
        return CohortKind(text)
    except ValueError:
        raise RequestError(
            f"unknown kind {text!r}: there are {', '.join(kind.value for kind in CohortKind)}"
        ) from None


def known_metric(name: str) -> str:
    """The name of a metric.

    Raises:
        RequestError: when there is none of that name.
    """
    if name not in CATALOGUE:
        raise RequestError(f"unknown metric {name!r}: /api/v1/metrics lists them")
    return name


def history_request(
    query: Mapping[str, str], config: EngineConfig, as_of_ms: int
) -> HistoryRequest:
    """A request for a metric's past.

    Args:
        query: ``metric``; ``from``, ``to`` (RFC 3339 or epoch seconds; by default up to now) and
            ``step`` (a duration, by default a ninetieth); and labels.
        config: knows windows and dimensions.
        as_of_ms: what "now" is.

    Raises:
        RequestError: when it cannot be answered.
    """
    metric = known_metric(query.get("metric", ""))
    wanted = wanted_labels(query, "metric", "from", "to", "step")
    window = wanted.get("window", "")
    names = {each.name for each in config.windows}
    if window and window.removeprefix(PREVIOUS_PREFIX) not in names:
        raise RequestError(f"unknown window {window!r}: there are {', '.join(sorted(names))}")
    has_window = "window" in CATALOGUE[metric].labels
    dimension = wanted.setdefault("dimension", ALL) if has_window else wanted.get("dimension", "")
    scope = Scope(
        windows=(
            frozenset({window.removeprefix(PREVIOUS_PREFIX)})
            if window
            else (None if has_window else frozenset())
        ),
        dimensions=frozenset({dimension}) if dimension else None,
        with_lifetimes=not has_window or window.startswith(PREVIOUS_PREFIX),
    )
    if not has_window:
        wanted.pop("dimension", None)
        if dimension and "dimension" in CATALOGUE[metric].labels:
            wanted["dimension"] = dimension
    return HistoryRequest(metric, _instants(query, as_of_ms), wanted, scope)


def _instants(query: Mapping[str, str], as_of_ms: int) -> range:
    end = _time_ms("to", query["to"]) if "to" in query else as_of_ms
    step_text = query.get("step", "")
    try:
        step = parse_duration_ms(step_text) if step_text else 0
    except ValueError as error:
        raise RequestError(f"step: {error}") from None
    if "from" in query:
        start = _time_ms("from", query["from"])
    else:
        start = end - (step or 86_400_000) * (DEFAULT_POINTS - 1)
    if start > end:
        raise RequestError("from is after to")
    step = step or max((end - start) // DEFAULT_POINTS, 1)
    if (end - start) // step >= MOST_POINTS:
        raise RequestError(f"more than {MOST_POINTS} points: ask for a longer step")
    # The last point is the end itself.
    return range(end - (end - start) // step * step, end + 1, step)


def _time_ms(name: str, text: str) -> int:
    try:
        return round(float(text) * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RequestError(
            f"{name}: {text!r} is no time: write 2011-12-09T12:50:00Z or seconds since 1970"
        ) from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
