"""The kinds of panel the dashboards are made of, each with what all of its kind share."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.grafana.source.panels import COUNT, PLAIN, Json, Panel, Query, steps

_LAST: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def big_number(
    title: str,
    description: str,
    queries: Sequence[Query],
    unit: str,
    *,
    width: int = 4,
    decimals: int | None = None,
    defaults: Json | None = None,
    overrides: Sequence[Json] = (),
) -> Panel:
    """A number, or one with its change below it, to be read from across the room."""
    return Panel(
        title,
        description,
        "stat",
        queries,
        unit,
        width=width,
        height=5,
        decimals=decimals,
        options={
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "center",
            "orientation": "horizontal",
            "textMode": "value_and_name" if len(queries) > 1 else "value",
            "reduceOptions": _LAST,
        },
        defaults={"noValue": "not yet", **steps((None, PLAIN)), **(defaults or {})},
        overrides=overrides,
    )


def lines(
    title: str,
    description: str,
    queries: Sequence[Query],
    unit: str,
    *,
    width: int = 8,
    decimals: int | None = None,
    defaults: Json | None = None,
    stacked: bool = False,
    overrides: Sequence[Json] = (),
) -> Panel:
    """Lines over time; ``stacked`` puts areas upon each other."""
    return Panel(
        title,
        description,
        "timeseries",
        queries,
        unit,
        width=width,
        decimals=decimals,
        options={
            "legend": {
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": True,
                "calcs": [],
            },
            "tooltip": {"mode": "multi", "sort": "none" if stacked else "desc"},
        },
        defaults=defaults or {},
        custom={
            "drawStyle": "line",
            # A gauge keeps its value until the next scrape says otherwise.
            "lineInterpolation": "stepAfter",
            "lineWidth": 1 if stacked else 2,
            "fillOpacity": 60 if stacked else 0,
            "showPoints": "never",
            "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        },
        overrides=overrides,
    )


def bars(
    title: str,
    description: str,
    query: Query,
    unit: str,
    *,
    category: str,
    width: int = 12,
    decimals: int | None = None,
    transformations: Sequence[Json] = (),
) -> Panel:
    """One bar for each value of a label, as of now."""
    return Panel(
        title,
        description,
        "barchart",
        [query],
        unit,
        width=width,
        decimals=decimals,
        options={
            "xField": category,
            "orientation": "auto",
            "showValue": "auto",
            "legend": {
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": False,
                "calcs": [],
            },
            "tooltip": {"mode": "single", "sort": "none"},
        },
        custom={"fillOpacity": 80, "lineWidth": 1},
        transformations=transformations,
    )


def shares(title: str, description: str, query: Query, unit: str, *, width: int = 8) -> Panel:
    """Parts of a whole, as of now."""
    return Panel(
        title,
        description,
        "piechart",
        [query],
        unit,
        width=width,
        options={
            "pieType": "donut",
            "displayLabels": ["name", "percent"],
            "legend": {
                "displayMode": "table",
                "placement": "right",
                "showLegend": True,
                "values": ["value", "percent"],
                "calcs": [],
            },
            "tooltip": {"mode": "single", "sort": "none"},
            "reduceOptions": _LAST,
        },
    )


def table(
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    transformations: Sequence[Json],
    unit: str = COUNT,
    width: int = 24,
    height: int = 10,
    decimals: int | None = None,
    defaults: Json | None = None,
    custom: Json | None = None,
    overrides: Sequence[Json] = (),
    sort_by: str | None = None,
    descending: bool = True,
) -> Panel:
    """A table of values of now."""
    order: Sequence[Json] = [{"displayName": sort_by, "desc": descending}] if sort_by else []
    return Panel(
        title,
        description,
        "table",
        queries,
        unit,
        width=width,
        height=height,
        decimals=decimals,
        options={"showHeader": True, "cellHeight": "sm", "sortBy": order},
        defaults=defaults or {},
        custom=custom or {},
        overrides=overrides,
        transformations=transformations,
    )
