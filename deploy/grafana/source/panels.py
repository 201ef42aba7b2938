"""Panels of a Grafana dashboard as plain values, and the JSON that Grafana reads them from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Json = dict[str, object]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
GREEN, RED, ORANGE, BLUE, PURPLE = "green", "red", "orange", "blue", "purple"
#: the colour of text: neither good nor bad
PLAIN = "text"

RATIO = "percentunit"
COUNT = "short"
SECONDS = "s"
POINTS = "suffix: points"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression and how its series are named."""

    expr: str
    legend: str = ""
    #: the value of now as rows of a table, in place of a line over time
    as_table: bool = False
    #: only the value of now
    instant: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel; ``options``, ``defaults`` and ``custom`` are Grafana's own, by its names."""

    title: str
    description: str
    kind: str
    queries: Sequence[Query]
    unit: str
    width: int = 8
    height: int = 8
    decimals: int | None = None
    options: Json = field(default_factory=dict)
    defaults: Json = field(default_factory=dict)
    custom: Json = field(default_factory=dict)
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()
    links: Sequence[Json] = ()

    def as_json(self, panel_id: int, x: int, y: int) -> Json:
        """The panel at its place on the grid of 24 columns."""
        defaults: Json = {"unit": self.unit, **self.defaults}
        if self.decimals is not None:
            defaults["decimals"] = self.decimals
        if self.custom:
            defaults["custom"] = self.custom
        panel: Json = {
            "id": panel_id,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": DATASOURCE,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "fieldConfig": {"defaults": defaults, "overrides": list(self.overrides)},
            "options": self.options,
            "targets": [_target(query, number) for number, query in enumerate(self.queries)],
        }
        if self.transformations:
            panel["transformations"] = list(self.transformations)
        if self.links:
            panel["links"] = list(self.links)
        return panel


def _target(query: Query, number: int) -> Json:
    return {
        "refId": chr(ord("A") + number),
        "datasource": DATASOURCE,
        "expr": query.expr,
        "legendFormat": query.legend,
        "format": "table" if query.as_table else "time_series",
        "instant": query.instant or query.as_table,
        "range": not (query.instant or query.as_table),
    }


def steps(*colours: tuple[float | None, str]) -> Json:
    """Colours from values on; the first, from None, is for everything below."""
    listed = [{"value": value, "color": colour} for value, colour in colours]
    return {"thresholds": {"mode": "absolute", "steps": listed}}


def by_query(number: int, **properties: object) -> Json:
    """Properties of what the query of that number (from 0) gives."""
    return _override("byFrameRefID", chr(ord("A") + number), properties)


def by_name(name: str, **properties: object) -> Json:
    """Properties of the series or column of that name."""
    return _override("byName", name, properties)


def _override(matcher: str, options: str, properties: Mapping[str, object]) -> Json:
    listed = [{"id": name.replace("__", "."), "value": value} for name, value in properties.items()]
    return {"matcher": {"id": matcher, "options": options}, "properties": listed}


def fixed(colour: str) -> Json:
    """One colour whatever the value."""
    return {"mode": "fixed", "fixedColor": colour}
