"""The figures of now, each with its change against the period before."""

from __future__ import annotations

from deploy.grafana.source.board import Section
from deploy.grafana.source.kinds import big_number
from deploy.grafana.source.panels import (
    COUNT,
    GREEN,
    ORANGE,
    POINTS,
    RATIO,
    RED,
    Json,
    Panel,
    Query,
    by_query,
    steps,
)
from deploy.grafana.source.promql import CURRENCY, before, gauge, whole

ROSE_IS_GOOD = steps((None, RED), (0, GREEN))
ROSE_IS_BAD = steps((None, GREEN), (0.0001, RED))


def ratio_now(title: str, description: str, metric: str, *, rising_is_good: bool = True) -> Panel:
    """A ratio, and by how many percentage points it differs from the period before."""
    change = f"100 * ({whole(metric)} - {before(metric)})"
    queries = [Query(whole(metric), "now"), Query(change, "against the period before")]
    return big_number(
        title,
        f"{description} Below it, the change against the period before, in percentage points.",
        queries,
        RATIO,
        decimals=1,
        overrides=[by_query(1, unit=POINTS, decimals=1, **_verdict(rising_is_good=rising_is_good))],
    )


def amount_now(
    title: str,
    description: str,
    metric: str,
    *matchers: str,
    unit: str = COUNT,
    rising_is_good: bool = True,
) -> Panel:
    """An amount, and its relative change against the period before."""
    now, then = whole(metric, *matchers), before(metric, *matchers)
    queries = [Query(now, "now"), Query(f"{now} / ({then} > 0) - 1", "against the period before")]
    return big_number(
        title,
        f"{description} Below it, the relative change against the period before.",
        queries,
        unit,
        overrides=[by_query(1, unit=RATIO, decimals=1, **_verdict(rising_is_good=rising_is_good))],
    )


def _verdict(*, rising_is_good: bool) -> Json:
    return ROSE_IS_GOOD if rising_is_good else ROSE_IS_BAD


def at_a_glance() -> Section:
    """The figures a shop is asked for, each with its change."""
    return Section(
        "Now, in the window chosen above, and against the period before it",
        [
            ratio_now(
                "Retention",
                "Of the customers who ordered in the preceding window, those who ordered again.",
                "customer_retention_ratio",
            ),
            ratio_now(
                "Repeat purchase",
                "Of the customers who ordered in the window, those with two orders or more.",
                "repeat_purchase_ratio",
            ),
            ratio_now(
                "Churn",
                "Of the customers who ordered in the preceding window, those who did not again.",
                "customer_churn_ratio",
                rising_is_good=False,
            ),
            amount_now(
                "Active customers",
                "Customers with an order in the window.",
                "customers",
                'status="active"',
            ),
            amount_now(
                "New customers",
                "Customers whose first order ever is in the window.",
                "customers",
                'status="new"',
            ),
            big_number(
                "Enough history",
                "Whether the store's orders reach back far enough to compare the window with "
                "the one before it. Until then retention is too low and new customers too many.",
                [Query(gauge("window_mature", 'window="$window"'), "")],
                COUNT,
                defaults={
                    "mappings": [
                        {
                            "type": "value",
                            "options": {
                                "0": {"text": "not yet", "color": ORANGE, "index": 0},
                                "1": {"text": "yes", "color": GREEN, "index": 1},
                            },
                        }
                    ]
                },
            ),
            amount_now("Orders", "Orders in the window, guests' included.", "orders"),
            amount_now(
                "Revenue",
                "Money of all orders in the window, before refunds, in the currency chosen above.",
                "revenue",
                CURRENCY,
                'kind="gross"',
            ),
            amount_now(
                "Average order value", "Gross revenue / orders.", "average_order_value", CURRENCY
            ),
            amount_now("Orders a customer", "Orders / active customers.", "purchase_frequency"),
            ratio_now(
                "Returning customers",
                "Of the customers who ordered in the window, those who were customers before.",
                "returning_customer_ratio",
            ),
            ratio_now(
                "Units sent back",
                "Units returned in the window / units sold in it.",
                "product_return_ratio",
                rising_is_good=False,
            ),
        ],
    )
