"""What the API is asked: query strings, checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stream.domain.calendar import END_OF_TIME_MS
from stream.domain.catalogue import CATALOGUE, EXPERIMENT, IN_STAGE, TOP_CUSTOMERS
from stream.domain.metrics import PREVIOUS_PREFIX
from stream.domain.reading import Scope
from stream.domain.segment_names import ALL
from stream.domain.totals import CohortKind
from stream.domain.windows import parse_duration_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.domain.config import EngineConfig

#: Instants one answer may have.
MOST_POINTS = 2000
DEFAULT_POINTS = 90
#: Metrics there are of now only: buckets that are of now, whatever the instant, and stages, for
#: which every customer would be looked at.
WITHOUT_PAST = frozenset({TOP_CUSTOMERS.name, IN_STAGE.name})
LABELS = (
    "store",
    "dimension",
    "segment",
    "window",
    "status",
    "kind",
    "currency",
    "ratio",
    "bound",
    "stage",
)


class RequestError(ValueError):
    """A question that cannot be answered; the message says what would be."""


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Metrics over time: what has a past, and one value a series; all read alike."""

    metrics: tuple[str, ...]
    #: The instants, ascending.
    at_ms: range
    wanted: Mapping[str, str]
    scope: Scope


def checked_names(query: Mapping[str, str], *known: str) -> None:
    """Refuse a query with other parameters than these.

    Raises:
        RequestError: when it has one.
    """
    for name in query:
        if name not in known:
            raise RequestError(f"unknown parameter {name!r}: there are {', '.join(sorted(known))}")


def wanted_labels(query: Mapping[str, str], *others: str) -> dict[str, str]:
    """The labels a query asks for.

    Raises:
        RequestError: when it has a parameter that is neither a label nor one of the others.
    """
    checked_names(query, *LABELS, *others)
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
    """A request for a metric's past, or that of several.

    Args:
        query: ``metric``, or several with commas between; ``from``, ``to`` (RFC 3339 or epoch
            seconds; by default up to now) and ``step`` (a duration, by default a ninetieth); and
            labels.
        config: knows windows and dimensions.
        as_of_ms: what "now" is.

    Raises:
        RequestError: when it cannot be answered.
    """
    wanted = wanted_labels(query, "metric", "from", "to", "step")
    metrics = tuple(_metric_with_past(name) for name in query.get("metric", "").split(","))
    for metric in metrics:
        labels = CATALOGUE[metric].labels
        for label in wanted:
            if label not in labels:
                raise RequestError(f"{metric} has no {label}: its labels are {', '.join(labels)}")
    window = wanted.get("window", "")
    names = {each.name for each in config.windows}
    if window and window.removeprefix(PREVIOUS_PREFIX) not in names:
        raise RequestError(f"unknown window {window!r}: there are {', '.join(sorted(names))}")
    kinds = {_kind(metric) for metric in metrics}
    if len(kinds) > 1:
        raise RequestError("metrics of windows, of segments and of neither: ask for them apart")
    ((of_segments, has_window),) = kinds
    if of_segments and has_window:
        wanted.setdefault("dimension", _usual_dimension(metrics, config))
    dimension = wanted.get("dimension", "") if of_segments else ALL
    scope = Scope(
        windows=_one_or_all(window.removeprefix(PREVIOUS_PREFIX)) if has_window else frozenset(),
        dimensions=_one_or_all(dimension),
        with_lifetimes=not (of_segments and has_window) or window.startswith(PREVIOUS_PREFIX),
        with_stages=False,
    )
    return HistoryRequest(metrics, _instants(query, as_of_ms), wanted, scope)


def past_request(
    query: Mapping[str, str], wanted: Mapping[str, str], as_of_ms: int
) -> tuple[int, Scope]:
    """The one instant in the past that ``at`` asks for, and what to read there.

    Raises:
        RequestError: when it is none, or not past.
    """
    at_ms = _time_ms("at", query["at"])
    if at_ms > as_of_ms:
        raise RequestError("at is after the instant the metrics are as of now")
    window, dimension = wanted.get("window", ""), wanted.get("dimension", "")
    if not window and not dimension:
        return at_ms, Scope(with_stages=False)
    return at_ms, Scope(
        windows=_one_or_all(window.removeprefix(PREVIOUS_PREFIX)),
        dimensions=_one_or_all(dimension),
        with_stages=False,
    )


def _usual_dimension(metrics: tuple[str, ...], config: EngineConfig) -> str:
    """The dimension that is meant when none is named: an experiment has one only."""
    if metrics == (EXPERIMENT.name,) and config.experiment is not None:
        return config.experiment.dimension
    return ALL


def _one_or_all(name: str) -> frozenset[str] | None:
    return frozenset({name}) if name else None


def _kind(metric: str) -> tuple[bool, bool]:
    """Whether a metric has segments, and whether it has windows."""
    labels = CATALOGUE[metric].labels
    return "dimension" in labels, "window" in labels


def _metric_with_past(name: str) -> str:
    metric = CATALOGUE[known_metric(name)]
    if name in WITHOUT_PAST:
        raise RequestError(f"{name} is known as of now only: ask /api/v1/metrics")
    if metric.type == "histogram":
        raise RequestError(f"{name} is a histogram: ask /api/v1/metrics with at=")
    return name


def _instants(query: Mapping[str, str], as_of_ms: int) -> range:
    end = _time_ms("to", query["to"]) if "to" in query else as_of_ms
    try:
        step = parse_duration_ms(query["step"]) if "step" in query else 0
    except ValueError as error:
        raise RequestError(f"step: {error}") from None
    if "from" in query:
        start = _time_ms("from", query["from"])
    else:
        start = max(end - (step or 86_400_000) * (DEFAULT_POINTS - 1), 0)
    if start > end:
        raise RequestError("from is after to")
    step = step or max((end - start) // DEFAULT_POINTS, 1)
    if (end - start) // step >= MOST_POINTS:
        raise RequestError(f"more than {MOST_POINTS} points: ask for a longer step")
    # The last point is the end itself.
    return range(end - (end - start) // step * step, end + 1, step)


def _time_ms(name: str, text: str) -> int:
    try:
        at_ms = round(_seconds(text) * 1000)
    except (ValueError, OverflowError):
        raise RequestError(
            f"{name}: {text!r} is no time: write 2011-12-09T12:50:00Z or seconds since 1970"
        ) from None
    if not 0 <= at_ms < END_OF_TIME_MS:
        raise RequestError(f"{name}: {text!r} is not from 1970 to 2099")
    return at_ms


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
