"""Many gauges as Prometheus text, some twenty times faster than a general encoder writes them.

A scrape runs between two batches of events, so its time is taken from the stream. The text is
the same in Prometheus' own format and in OpenMetrics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from stream.domain.catalogue import Metric
    from stream.domain.metrics import Columns, Labels, Row


class GaugeText:
    """Writes rows, scrape after scrape: what stands before their numbers is kept in between.

    Args:
        catalogue: metrics by name, in the order of the text.
    """

    def __init__(self, catalogue: Mapping[str, Metric]) -> None:
        self._catalogue = catalogue
        #: Of each row that was written last, name and labels of its values.
        self._starts: dict[tuple[Columns, Labels], list[str]] = {}

    def write(self, rows: Iterable[Row]) -> str:
        """Every value of the rows under its metric's head; metrics without values are left out.

        Args:
            rows: in any order.

        Raises:
            KeyError: for a value whose metric is not in the catalogue.
        """
        lines: dict[str, list[str]] = {name: [] for name in self._catalogue}
        writers: dict[Columns, list[Callable[[str], None]]] = {}
        known, self._starts = self._starts, {}
        for columns, labels, values in rows:
            add = writers.get(columns)
            if add is None:
                add = [lines[column.metric.name].append for column in columns.each]
                writers[columns] = add
            key = (columns, labels)
            starts = self._starts[key] = known.get(key) or _starts(columns, labels)
            for add_line, start, value in zip(add, starts, values, strict=True):
                if value is not None:
                    add_line(f"{start}{number_text(value)}\n")
        parts: list[str] = []
        for name, of_metric in lines.items():
            if of_metric:
                metric = self._catalogue[name]
                parts.append(f"# HELP {name} {metric.help}\n# TYPE {name} {metric.type}\n")
                parts += of_metric
        return "".join(parts)


def number_text(value: float) -> str:
    """The shortest text that reads back as this very number; whole numbers have no exponent.

    Raises:
        ValueError, OverflowError: for NaN and infinities, which no metric has.
    """
    whole = int(value)
    return str(whole) if whole == value else repr(float(value))


def label_text(label: str, value: str) -> str:
    """A label as the formats write it."""
    escaped = value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return f'{label}="{escaped}"'


def _starts(columns: Columns, labels: Labels) -> list[str]:
    """What stands before each value of a row."""
    of_row = [label_text(*label) for label in labels]
    return [
        "{}{}{{{}}} ".format(
            column.metric.name,
            column.suffix,
            ",".join((*of_row, *(label_text(*label) for label in column.labels))),
        )
        for column in columns.each
    ]
