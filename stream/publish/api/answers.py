"""What the API answers, from totals: plain values ready to be written as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stream.domain.catalogue import CATALOGUE
from stream.domain.metrics import samples
from stream.publish.api.requests import WITHOUT_PAST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from stream.domain.metrics import Sample
    from stream.domain.totals import CohortKind, Totals

Labels = tuple[tuple[str, str], ...]


def metrics_answer(
    totals: Totals, wanted: Mapping[str, str], *, past: bool = False
) -> dict[str, object]:
    """Every sample whose name and labels are as wanted, by metric.

    Args:
        totals: what the samples are computed from.
        wanted: by label its value, and under ``name`` the metric's; an empty one asks for all.
        past: whether the totals are of an earlier instant than now, when not all have a value.
    """
    found: dict[str, list[dict[str, object]]] = {}
    for sample in samples(totals):
        if is_wanted(sample, wanted) and not (past and sample.name in WITHOUT_PAST):
            found.setdefault(sample.name, []).append(
                {"labels": dict(sample.labels), "value": sample.value}
                | ({"series": sample.suffix} if sample.suffix else {})
            )
    return {
        "as_of": instant(totals.as_of_ms),
        "metrics": [
            {
                "name": name,
                "type": CATALOGUE[name].type,
                "help": CATALOGUE[name].help,
                "samples": of_metric,
            }
            for name, of_metric in found.items()
        ],
    }


def cohorts_answer(totals: Totals, store: str, kind: CohortKind) -> dict[str, object]:
    """A store's cohorts, the earliest first."""
    some = sorted(
        (cohort.month, size, ages)
        for cohort, (size, *ages) in totals.cohorts.items()
        if cohort.store == store and cohort.kind is kind
    )
    return {
        "as_of": instant(totals.as_of_ms),
        "store": store,
        "kind": kind.value,
        "cohorts": [
            {"month": month_text(month), "size": size, "customers": ages}
            for month, size, ages in some
        ],
    }


def history_answer(
    metrics: Collection[str], past: Sequence[Totals], wanted: Mapping[str, str]
) -> dict[str, object]:
    """Metrics at several instants: for each series its values, null where it had none."""
    series: dict[tuple[str, Labels], list[float | None]] = {}
    for at, totals in enumerate(past):
        for sample in samples(totals):
            if sample.name in metrics and not sample.suffix and is_wanted(sample, wanted):
                key = (sample.name, sample.labels)
                series.setdefault(key, [None] * len(past))[at] = sample.value
    return {
        "metric": ",".join(metrics),
        "at": [instant(totals.as_of_ms) for totals in past],
        "series": [
            {"metric": name, "labels": dict(labels), "values": values}
            for (name, labels), values in series.items()
        ],
    }


def is_wanted(sample: Sample, wanted: Mapping[str, str]) -> bool:
    """Whether a sample has the name and labels that are asked for."""
    name = wanted.get("name", "")
    if name not in ("", sample.name):
        return False
    labels = dict(sample.labels)
    return all(labels.get(label) == value for label, value in _labels(wanted))


def instant(at_ms: int) -> str:
    """A time as RFC 3339 in UTC, to the millisecond."""
    text = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def month_text(month: int) -> str:
    """A month counted from January 1970, as ``YYYY-MM``."""
    year, rest = divmod(month, 12)
    return f"{1970 + year}-{1 + rest:02}"


def _labels(wanted: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return ((label, value) for label, value in wanted.items() if value and label != "name")
