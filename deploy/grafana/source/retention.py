"""The dashboard for the shop's people: how many customers come back, and whether that changes."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.grafana.source.board import Dashboard, Section, label_values
from deploy.grafana.source.kinds import bars, lines
from deploy.grafana.source.now import at_a_glance
from deploy.grafana.source.panels import (
    BLUE,
    COUNT,
    GREEN,
    PURPLE,
    RATIO,
    RED,
    Json,
    Panel,
    Query,
    by_name,
    fixed,
)
from deploy.grafana.source.promql import CURRENCY, every_window, of_segments, whole
from deploy.grafana.source.segments import segments


def over_time() -> Section:
    """The three ratios, in every window."""
    return Section(
        "Over time, in every window",
        [
            _every_window("Retention", "customer_retention_ratio", "Retained / customers before."),
            _every_window(
                "Repeat purchase", "repeat_purchase_ratio", "Two orders or more / active."
            ),
            _every_window("Churn", "customer_churn_ratio", "Lost / customers before."),
        ],
    )


def _every_window(title: str, metric: str, formula: str) -> Panel:
    return lines(
        title,
        f"{formula} One line for each window. Short windows move first, long ones last.",
        [Query(every_window(metric), "{{window}}")],
        RATIO,
        defaults={"min": 0},
    )


#: Who buys, by where they come from, and who stopped (drawn downwards).
LIFECYCLE: Sequence[tuple[str, str]] = (
    ("retained", GREEN),
    ("reactivated", PURPLE),
    ("new", BLUE),
    ("lost", RED),
)


def customers() -> Section:
    """Where customers come from and go."""
    queries = []
    for status, _ in LIFECYCLE:
        sign = "-" if status == "lost" else ""
        expr = whole("customers", f'status="{status}"')
        queries.append(Query(f"{sign}{expr}", status))
    return Section(
        "Customers won and lost",
        [
            lines(
                "New, retained, won back and lost",
                "Customers of the window: retained ones ordered in the preceding window too; "
                "reactivated ones had ordered before that; new ones never. Below zero: customers "
                "of the preceding window who have not ordered in this one.",
                queries,
                COUNT,
                width=16,
                stacked=True,
                overrides=[by_name(status, color=fixed(colour)) for status, colour in LIFECYCLE],
            ),
            lines(
                "Signups and new customers",
                "Customers who signed up in the window, and those whose first order is in it.",
                [
                    Query(whole("signups", 'status="total"'), "signed up"),
                    Query(whole("customers", 'status="new"'), "first order"),
                ],
                COUNT,
            ),
        ],
    )


def money() -> Section:
    """Revenue, what was sent back, and who it comes from."""
    gross, refunded = ('kind="gross"', 'kind="refunded"')
    return Section(
        "Money, in $currency",
        [
            lines(
                "Revenue and refunds",
                "Money of orders and of returns in the window.",
                [
                    Query(whole("revenue", CURRENCY, gross), "gross"),
                    Query(whole("revenue", CURRENCY, refunded), "refunded"),
                ],
                COUNT,
                defaults={"min": 0},
            ),
            lines(
                "Average order value by $dimension",
                "Gross revenue / orders, for each segment.",
                [Query(of_segments("average_order_value", CURRENCY), "{{segment}}")],
                COUNT,
                defaults={"min": 0},
            ),
            bars(
                "Refunded share by $dimension",
                "Money sent back in the window / gross revenue in it.",
                Query(
                    f"{of_segments('revenue', CURRENCY, refunded)}"
                    f" / ({of_segments('revenue', CURRENCY, gross)} > 0)",
                    as_table=True,
                ),
                RATIO,
                category="segment",
                width=8,
                decimals=1,
            ),
        ],
    )


def variables() -> Sequence[Json]:
    """What can be chosen above the panels."""
    customers_of_store = 'retention_customers{store="$store"'
    return [
        label_values("store", "store", "retention_customers", title="Store"),
        label_values(
            "window",
            "window",
            f"{customers_of_store}}}",
            title="Window",
            regex="/^(?!prev_)(.*)$/",
            sort=3,
            first="30d",
        ),
        label_values(
            "dimension",
            "dimension",
            f"{customers_of_store}}}",
            title="Dimension",
            regex="/^(?!all$)(.*)$/",
        ),
        label_values(
            "segment",
            "segment",
            f'{customers_of_store},dimension="$dimension"}}',
            title="Segments",
            multiple=True,
        ),
        label_values("currency", "currency", 'retention_revenue{store="$store"}', title="Currency"),
    ]


DASHBOARD = Dashboard(
    uid="retention",
    title="Customer retention",
    description="Who comes back, who does not, and whether that changes.",
    sections=[at_a_glance(), over_time(), customers(), segments(), money()],
    variables=variables(),
    time_from="now-30d",
)
