"""The segments of a dimension beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.grafana.source.board import Section
from deploy.grafana.source.kinds import lines, shares, table
from deploy.grafana.source.panels import COUNT, RATIO, Panel, Query, by_name
from deploy.grafana.source.promql import CURRENCY, of_segments


def segments() -> Section:
    """The chosen segments beside each other."""
    return Section(
        "Segments: $dimension, window $window",
        [
            lines(
                "Retention by $dimension",
                "Retained / customers before, for each segment.",
                [Query(of_segments("customer_retention_ratio"), "{{segment}}")],
                RATIO,
                defaults={"min": 0},
            ),
            lines(
                "Repeat purchase by $dimension",
                "Two orders or more / active, for each segment.",
                [Query(of_segments("repeat_purchase_ratio"), "{{segment}}")],
                RATIO,
                defaults={"min": 0},
            ),
            shares(
                "Revenue by $dimension",
                "Gross revenue of the window, and each segment's share of it.",
                Query(
                    of_segments("revenue", CURRENCY, 'kind="gross"'), "{{segment}}", instant=True
                ),
                COUNT,
            ),
            segment_table(),
        ],
    )


SEGMENT_COLUMNS: Sequence[tuple[str, str, str]] = (
    ("Customers", of_segments("customers", 'status="active"'), COUNT),
    ("New", of_segments("customers", 'status="new"'), COUNT),
    ("Lost", of_segments("customers", 'status="lost"'), COUNT),
    ("Retention", of_segments("customer_retention_ratio"), RATIO),
    ("Repeat purchase", of_segments("repeat_purchase_ratio"), RATIO),
    ("Churn", of_segments("customer_churn_ratio"), RATIO),
    ("Sent back", of_segments("product_return_ratio"), RATIO),
    ("Revenue", of_segments("revenue", CURRENCY, 'kind="gross"'), COUNT),
)


def segment_table() -> Panel:
    """All figures of a segment in one line."""
    names = {f"Value #{chr(ord('A') + n)}": name for n, (name, _, _) in enumerate(SEGMENT_COLUMNS)}
    return table(
        "All segments of $dimension",
        "Each segment in the chosen window. Small ones move by chance: look at the customers "
        "beside the ratio.",
        [Query(expr, as_table=True) for _, expr, _ in SEGMENT_COLUMNS],
        transformations=[
            {"id": "joinByField", "options": {"byField": "segment", "mode": "outer"}},
            {
                "id": "organize",
                "options": {
                    "renameByName": {"segment": "Segment", **names},
                    "excludeByName": {f"Time {n}": True for n in range(1, len(names) + 1)},
                    "indexByName": {},
                },
            },
        ],
        overrides=[
            by_name(name, unit=unit, decimals=1)
            for name, _, unit in SEGMENT_COLUMNS
            if unit == RATIO
        ],
        sort_by="Customers",
    )
