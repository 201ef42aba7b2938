"""A dashboard: sections of panels laid out on the grid, variables, annotations and links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.grafana.source.panels import DATASOURCE, Json, Panel

GRID_COLUMNS = 24
TAG = "retention"
#: Read by Grafana 10 to 12, which carry it forward as needed.
SCHEMA_VERSION = 41


@dataclass(frozen=True, slots=True)
class Section:
    """A titled row of panels, from left to right and on to the next line when it is full."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All that Grafana must know of one."""

    uid: str
    title: str
    description: str
    sections: Sequence[Section]
    variables: Sequence[Json]
    time_from: str

    def as_json(self) -> Json:
        """The dashboard as Grafana's file provisioning reads it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": SCHEMA_VERSION,
            "editable": True,
            "graphTooltip": 1,  # one moment is pointed at in all panels
            "timezone": "browser",
            "time": {"from": self.time_from, "to": "now"},
            "refresh": "30s",
            "links": [_other_dashboards()],
            "annotations": {"list": [_alerts()]},
            "templating": {"list": [_datasource(), *self.variables]},
            "panels": list(self._placed()),
        }

    def _placed(self) -> Iterator[Json]:
        panel_id, y = 1, 0
        for section in self.sections:
            yield {
                "id": panel_id,
                "type": "row",
                "title": section.title,
                "collapsed": False,
                "gridPos": {"h": 1, "w": GRID_COLUMNS, "x": 0, "y": y},
                "panels": [],
            }
            panel_id, y, x, line_height = panel_id + 1, y + 1, 0, 0
            for panel in section.panels:
                if x + panel.width > GRID_COLUMNS:
                    x, y, line_height = 0, y + line_height, 0
                yield panel.as_json(panel_id, x, y)
                panel_id, x, line_height = (
                    panel_id + 1,
                    x + panel.width,
                    max(line_height, panel.height),
                )
            y += line_height


def label_values(
    name: str,
    label: str,
    selector: str,
    *,
    title: str,
    regex: str = "",
    multiple: bool = False,
    sort: int = 1,
    first: str | None = None,
) -> Json:
    """A variable with the values a label has; ``first`` is chosen until someone chooses."""
    query = f"label_values({selector}, {label})"
    current: Json = {"text": ["All"], "value": ["$__all"]} if multiple else {}
    if first is not None:
        current = {"text": first, "value": first}
    return {
        "type": "query",
        "name": name,
        "label": title,
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": f"variable-{name}"},
        "regex": regex,
        "refresh": 2,  # when the time range changes
        "sort": sort,
        "multi": multiple,
        "includeAll": multiple,
        "current": current,
    }


def runbooks() -> Json:
    """The address that links to runbooks begin with: a label, set beside the alerting rules."""
    variable = label_values("runbooks", "runbooks", "retention:links", title="Runbooks")
    return {**variable, "hide": 2}


def _datasource() -> Json:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "regex": "",
        "refresh": 1,
        "current": {},
    }


def _alerts() -> Json:
    return {
        "name": "Alerts",
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "expr": 'ALERTS{alertstate="firing",alertname!="Watchdog"}',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{store}} {{dimension}} {{segment}} {{window}}",
        "step": "60s",
    }


def _other_dashboards() -> Json:
    return {
        "type": "dashboards",
        "title": "Retention",
        "icon": "external link",
        "tags": [TAG],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }
