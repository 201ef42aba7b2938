"""The dashboard of cohorts: what becomes of the customers of a month."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.grafana.source.board import Dashboard, Section, label_values
from deploy.grafana.source.kinds import bars, big_number, lines, table
from deploy.grafana.source.panels import (
    COUNT,
    RATIO,
    SECONDS,
    Json,
    Panel,
    Query,
    by_name,
)
from deploy.grafana.source.promql import CURRENCY, gauge, whole

#: What Grafana calls the first column of a matrix of cohorts by age.
CORNER = r"cohort\age"

COHORTS = gauge("cohort_customers", by="cohort, age")
SIZES = gauge("cohort_customers", 'age="0"', by="cohort")
#: The share of its first month's customers that a cohort has at an age.
SHARE_BY_COHORT = f"{COHORTS} / on (cohort) group_left () {SIZES}"
#: The same over all cohorts that have come to that age.
SHARE_BY_AGE = (
    f"sum by (age) ({COHORTS}) / sum by (age) ({COHORTS} * 0 + on (cohort) group_left () {SIZES})"
)


def two_digits(expr: str) -> str:
    """Ages 0 to 9 as 00 to 09, so that their order as text is their order."""
    return f'label_replace({expr}, "age", "0$1", "age", "(.)")'


MATRIX: Sequence[Json] = (
    {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "age", "desc": False}]}},
    {
        "id": "groupingToMatrix",
        "options": {
            "columnField": "age",
            "rowField": "cohort",
            "valueField": "Value",
            "emptyValue": "null",
        },
    },
    {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": CORNER, "desc": True}]}},
)


def heat_map(title: str, description: str, expr: str, *, unit: str, defaults: Json) -> Panel:
    """Cohorts down, ages across, coloured by value."""
    return table(
        title,
        description,
        [Query(two_digits(expr), as_table=True)],
        transformations=MATRIX,
        unit=unit,
        height=12,
        decimals=0,
        defaults={**defaults, "noValue": ""},
        custom={
            "align": "center",
            "cellOptions": {"type": "color-background", "mode": "basic"},
        },
        overrides=[
            by_name(
                CORNER,
                displayName="First order in",
                custom__cellOptions={"type": "auto"},
                custom__align="left",
                custom__width=130,
            )
        ],
    )


def cohort_section() -> Section:
    """Two heat maps, and what they come to."""
    return Section(
        "Customers by the month of their first order",
        [
            heat_map(
                "Share of a month's new customers who ordered again",
                "A line for each month: the customers whose first order was in it. A column for "
                "each month since: the share of them who ordered in it. Column 00 is the first "
                "month itself, always 100 %. The current month is not over yet.",
                SHARE_BY_COHORT,
                unit=RATIO,
                # All that matters is below a half; the first column is off the scale on purpose.
                defaults={"min": 0, "max": 0.5, "color": {"mode": "continuous-BlPu"}},
            ),
            heat_map(
                "The same as numbers of customers",
                "Customers of the month with an order so many months after it.",
                COHORTS,
                unit=COUNT,
                defaults={"min": 0, "color": {"mode": "continuous-BlPu"}},
            ),
            bars(
                "Share who ordered again, by months since the first order",
                "Over all cohorts that have come to that age, the large ones weighing more.",
                Query(two_digits(SHARE_BY_AGE), as_table=True),
                RATIO,
                category="age",
                decimals=0,
                transformations=_sorted_by("age"),
            ),
            bars(
                "New customers by month",
                "How many customers had their first order in the month.",
                Query(SIZES, as_table=True),
                COUNT,
                category="cohort",
                transformations=_sorted_by("cohort"),
            ),
        ],
    )


def _sorted_by(name: str) -> Sequence[Json]:
    return [{"id": "sortBy", "options": {"fields": {}, "sort": [{"field": name}]}}]


def lifetime() -> Section:
    """What a customer is worth, and how often one comes."""
    return Section(
        "Over customers' whole lives",
        [
            big_number(
                "Lifetime value",
                "Net revenue so far / customers who have ordered, in the currency chosen above.",
                [Query(gauge("customer_lifetime_value", 'dimension="all"', CURRENCY))],
                COUNT,
                decimals=2,
                width=6,
            ),
            big_number(
                "Revenue of the top 1 % of customers",
                "Their share of all net revenue so far. A high share is a risk: few customers "
                "carry the store.",
                [Query(gauge("top_customers_revenue_ratio", 'dimension="all"', CURRENCY))],
                RATIO,
                decimals=1,
                width=6,
            ),
            big_number(
                "Time between orders, a customer's average",
                "Over customers with two orders or more: (last - first order) / (orders - 1).",
                [Query(gauge("customer_purchase_interval_seconds", 'dimension="all"'))],
                SECONDS,
                decimals=1,
                width=6,
            ),
            big_number(
                "Signups that became customers",
                "Of customers who signed up in the chosen window, those who have ordered by now.",
                [Query(whole("activation_ratio"))],
                RATIO,
                decimals=1,
                width=6,
            ),
            lines(
                "Lifetime value by $dimension",
                "Net revenue so far / customers who have ordered, for each segment.",
                [
                    Query(
                        gauge(
                            "customer_lifetime_value",
                            'dimension="$dimension"',
                            CURRENCY,
                            by="segment",
                        ),
                        "{{segment}}",
                    )
                ],
                COUNT,
                width=12,
            ),
            lines(
                "Time since the order before",
                "Of the orders in the chosen window, the mean time back to the same customer's "
                "order before.",
                [Query(whole("purchase_interval_seconds"), "mean")],
                SECONDS,
                width=12,
                defaults={"min": 0},
            ),
        ],
    )


def variables() -> Sequence[Json]:
    """What can be chosen above the panels."""
    of_store = 'retention_customers{store="$store"}'
    return [
        label_values("store", "store", "retention_customers", title="Store"),
        label_values(
            "window",
            "window",
            of_store,
            title="Window",
            regex="/^(?!prev_)(.*)$/",
            sort=3,
            first="30d",
        ),
        label_values(
            "dimension", "dimension", of_store, title="Dimension", regex="/^(?!all$)(.*)$/"
        ),
        label_values("currency", "currency", 'retention_revenue{store="$store"}', title="Currency"),
    ]


DASHBOARD = Dashboard(
    uid="retention-cohorts",
    title="Customer cohorts",
    description="What becomes of the customers of a month, and what a customer is worth.",
    sections=[cohort_section(), lifetime()],
    variables=variables(),
    time_from="now-30d",
)
