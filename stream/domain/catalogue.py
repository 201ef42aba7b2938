"""The catalogue: every business metric's name, help and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

_SEGMENT_LABELS = ("store", "dimension", "segment", "window")


class Metric(NamedTuple):
    """One gauge or histogram of the catalogue."""

    name: str
    help: str
    labels: tuple[str, ...]
    type: Literal["gauge", "histogram"] = "gauge"


def _metric(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"retention_{name}", text, (*_SEGMENT_LABELS, *labels))


CUSTOMERS = _metric("customers", "Customers in the window, by status.", "status")
RETENTION = _metric("customer_retention_ratio", "Retained / start.")
CHURN = _metric("customer_churn_ratio", "Lost / start.")
REPEAT_PURCHASE = _metric("repeat_purchase_ratio", "Customers with two or more orders / active.")
RETURNING = _metric("returning_customer_ratio", "(Retained + reactivated) / active.")
PRODUCT_RETURN = _metric("product_return_ratio", "Units returned / units sold in the window.")
ORDERS_PLACED = _metric("orders", "Orders in the window, guests' included.")
UNITS = _metric("units", "Units in the window, sold or returned.", "kind")
REVENUE = _metric("revenue", "Money in the window, in major units.", "currency", "kind")
SIGNED_UP = _metric("signups", "Customers whose signup is in the window.", "status")
FREQUENCY = _metric("purchase_frequency", "Orders / active customers.")
ORDER_VALUE = _metric("average_order_value", "Gross revenue / orders, by currency.", "currency")
PURCHASE_INTERVAL = _metric(
    "purchase_interval_seconds",
    "Mean time from an order in the window back to its customer's order before.",
)
ACTIVATION = _metric(
    "activation_ratio", "Customers with an order by now / customers whose signup is in the window."
)
EXPERIMENT = _metric(
    "experiment_difference_ratio",
    "A ratio of a variant's customers less that of the control's, with its 95 % interval.",
    "ratio",
    "bound",
)
CUSTOMER_INTERVAL = Metric(
    "retention_customer_purchase_interval_seconds",
    "Mean over repeat customers of (last - first order) / (orders - 1).",
    _SEGMENT_LABELS[:3],
)
LIFETIME_VALUE = Metric(
    "retention_customer_lifetime_value",
    "Net revenue to date / customers who have ordered, by currency, guests excluded.",
    (*_SEGMENT_LABELS[:3], "currency"),
)
TOP_CUSTOMERS = Metric(
    "retention_top_customers_revenue_ratio",
    "Share of lifetime net revenue that the top 1 % of customers brought, within 1 %.",
    (*_SEGMENT_LABELS[:3], "currency"),
)
COHORT = Metric(
    "retention_cohort_customers",
    "Customers whose first order is in the month, with an order so many months later.",
    ("store", "cohort", "age"),
)
SIGNUP_COHORT = Metric(
    "retention_signup_cohort_customers",
    "Customers whose signup is in the month, with an order so many months later.",
    ("store", "cohort", "age"),
)
SIGNUP_COHORT_SIZE = Metric(
    "retention_signup_cohort_size", "Customers whose signup is in the month.", ("store", "cohort")
)
ORDER_GAP = Metric(
    "retention_order_gap_seconds",
    "Time between consecutive orders of a customer, since the beginning.",
    ("store",),
    "histogram",
)
IN_STAGE = Metric(
    "retention_customers_in_stage",
    "Customers by the stage of their lifecycle.",
    ("store", "stage"),
)
MATURE = Metric(
    "retention_window_mature",
    "1 when the store's orders span the window and its preceding one.",
    ("store", "window"),
)

CATALOGUE: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        CUSTOMERS,
        RETENTION,
        CHURN,
        REPEAT_PURCHASE,
        RETURNING,
        PRODUCT_RETURN,
        ORDERS_PLACED,
        UNITS,
        REVENUE,
        SIGNED_UP,
        FREQUENCY,
        ORDER_VALUE,
        PURCHASE_INTERVAL,
        ACTIVATION,
        EXPERIMENT,
        CUSTOMER_INTERVAL,
        LIFETIME_VALUE,
        TOP_CUSTOMERS,
        COHORT,
        SIGNUP_COHORT,
        SIGNUP_COHORT_SIZE,
        ORDER_GAP,
        IN_STAGE,
        MATURE,
    )
}
