"""Many samples at many instants as OpenMetrics text, grouped as the format asks.

A family's lines stand together, within it those of one metric, and within that the instants
ascend; samples arrive instant by instant, so all are held until the end. A sample takes 12 bytes.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from heapq import merge
from typing import TYPE_CHECKING

from stream.publish.gauge_text import label_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Labels = tuple[tuple[str, str], ...]
#: Of a metric with several series, what tells them apart.
BUCKET_LABEL = "le"


@dataclass(slots=True)
class _Series:
    """Values of one series, at instants by their number."""

    text: str
    instants: array[int] = field(default_factory=lambda: array("I"))
    values: array[float] = field(default_factory=lambda: array("d"))


@dataclass(slots=True)
class _Family:
    type: str
    help: str
    #: By labels without the bucket's, the series by suffix and bucket.
    metrics: dict[Labels, dict[tuple[str, Labels], _Series]] = field(default_factory=dict)


class Past:
    """The samples of all instants.

    Args:
        at_ms: the instants, ascending.
        target: labels that each sample gets, as a scrape would give it.
    """

    def __init__(self, at_ms: Sequence[int], target: Labels = ()) -> None:
        self._at_ms = at_ms
        self._target = target
        self._families: dict[str, _Family] = {}
        self.samples = 0

    @property
    def series(self) -> int:
        """How many series there are."""
        return sum(
            len(of_metric)
            for family in self._families.values()
            for of_metric in family.metrics.values()
        )

    def family(self, name: str, kind: str, help_text: str) -> None:
        """Note a metric, before its samples; again is no matter."""
        self._families.setdefault(name, _Family(kind, help_text))

    def add(self, name: str, suffix: str, labels: Labels, instant: int, value: float) -> None:
        """Add one sample; a series' instants must ascend.

        Args:
            name: of the metric.
            suffix: what the series appends to it.
            labels: of the sample.
            instant: the number of the instant.
            value: there.
        """
        own = tuple(pair for pair in labels if pair[0] != BUCKET_LABEL)
        of_metric = self._families[name].metrics.setdefault(own, {})
        series = of_metric.get((suffix, labels))
        if series is None:
            texts = (label_text(label, text) for label, text in (*self._target, *labels))
            series = _Series(f"{name}{suffix}{{{','.join(texts)}}}")
            of_metric[suffix, labels] = series
        series.instants.append(instant)
        series.values.append(value)
        self.samples += 1

    def lines(self) -> Iterator[str]:
        """The text, line by line."""
        times = [_seconds_text(at_ms) for at_ms in self._at_ms]
        for name, family in self._families.items():
            if family.metrics:
                yield f"# TYPE {name} {family.type}\n# HELP {name} {family.help}\n"
            for of_metric in family.metrics.values():
                points = merge(
                    *(_points(place, series) for place, series in enumerate(of_metric.values()))
                )
                for instant, _, text, value in points:
                    yield f"{text} {number_text(value)} {times[instant]}\n"
        yield "# EOF\n"


def _points(place: int, series: _Series) -> Iterator[tuple[int, int, str, float]]:
    for instant, value in zip(series.instants, series.values, strict=True):
        yield instant, place, series.text, value


def _seconds_text(at_ms: int) -> str:
    seconds, rest = divmod(at_ms, 1000)
    return f"{seconds}.{rest:03}" if rest else str(seconds)


def number_text(value: float) -> str:
    """The shortest text that reads back as this very number; whole numbers have no exponent.

    Raises:
        ValueError, OverflowError: for NaN and infinities, which no metric has.
    """
    whole = int(value)
    return str(whole) if whole == value else repr(float(value))
