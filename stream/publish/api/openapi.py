"""The OpenAPI document of ``/api/v1``, from what the routes themselves go by."""

from __future__ import annotations

from typing import Final, cast

from stream.domain.alerts import SIGNALS
from stream.domain.catalogue import CATALOGUE
from stream.domain.lifecycle import STAGE_NAMES
from stream.domain.lookup import STATUSES
from stream.domain.outlook import HORIZON_DAYS
from stream.domain.totals import CohortKind
from stream.publish.api.alerts import HOURS_LOOKED_AT
from stream.publish.api.openapi_parts import (
    TEXT,
    Json,
    labels,
    list_of,
    map_of,
    object_of,
    operation,
    parameter,
    path_parameter,
    refusal,
)
from stream.publish.api.requests import DEFAULT_POINTS, MOST_POINTS, WITHOUT_PAST
from stream.wire.checks import MAX_ID_LENGTH, MAX_NAME_LENGTH

API_VERSION: Final = "1.0.0"
_DURATION: Final = "^[1-9][0-9]{0,5}[mhdw]$"
_NUMBER: Final[Json] = {"type": "number"}
_INSTANT: Final[Json] = {"type": "string", "format": "date-time"}
_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_AMOUNT: Final[Json] = {
    "type": "string",
    "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
    "description": "in major units, exactly",
}
_HASH: Final[Json] = {
    "type": "string",
    "pattern": "^[0-9a-f]{16}$",
    "description": "xxh3 of the id in UTF-8, 64 bits; the id itself is not kept",
}
_WITH_PAST: Final = [
    name
    for name, metric in CATALOGUE.items()
    if name not in WITHOUT_PAST and metric.type == "gauge"
]


def document() -> Json:
    """The document, as JSON's own types."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "retention-stream",
            "version": API_VERSION,
            "description": (
                "The figures of customer retention as JSON. With several workers, the one that "
                "owns partition 0 answers for all of them; the others say 503. Any of them "
                "answers about a customer."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": {
            "/api/v1/metrics": {"get": _metrics()},
            "/api/v1/cohorts": {"get": _cohorts()},
            "/api/v1/history": {"get": _history()},
            "/api/v1/alerts": {"get": _alerts()},
            "/api/v1/customers/{store}/{customer_id}": {"get": _customer()},
        },
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "RETENTION_WEB_TOKEN, where it is set.",
                }
            },
            "schemas": {
                "Error": object_of({"error": {"type": "string", "description": "one line"}})
            },
        },
    }


def _metrics() -> Json:
    sample = object_of({"labels": map_of(TEXT), "value": _NUMBER}, {"series": TEXT})
    metric = object_of(
        {
            "name": TEXT,
            "type": {"enum": ["gauge", "histogram"]},
            "help": TEXT,
            "samples": list_of(sample),
        }
    )
    at = (
        "An instant not after now, RFC 3339 or seconds since 1970. "
        f"What is known as of now only is left out: {', '.join(sorted(WITHOUT_PAST))}."
    )
    return operation(
        "metrics",
        "Every business metric as of now, or as of an instant before",
        [
            parameter("name", "one metric", {"enum": list(CATALOGUE)}),
            parameter("at", at, TEXT),
            *labels(),
        ],
        object_of({"as_of": _INSTANT, "metrics": list_of(metric)}),
    )


def _cohorts() -> Json:
    cohort = object_of(
        {
            "month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
            "size": {"type": "integer", "description": "customers who began in the month"},
            "customers": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "customers with an order so many months later, from 0",
            },
        }
    )
    kinds = [kind.value for kind in CohortKind]
    return operation(
        "cohorts",
        "Monthly cohorts of one store, by first order or by signup",
        [
            parameter("store", "the store", {"type": "string", "default": "default"}),
            parameter(
                "kind", "what begins a cohort", {"enum": kinds, "default": CohortKind.FIRST_ORDER}
            ),
        ],
        object_of(
            {
                "as_of": _INSTANT,
                "store": TEXT,
                "kind": {"enum": kinds},
                "cohorts": list_of(cohort),
            }
        ),
    )


def _alerts() -> Json:
    alert = object_of(
        {
            "alert": {"enum": sorted({signal.alert for signal in SIGNALS})},
            "labels": map_of(TEXT),
            "since": {
                "type": ["string", "null"],
                "description": f"null: for longer than {HOURS_LOOKED_AT - 1} hours",
            },
            "share_of_usual": {"type": ["number", "null"]},
            "summary": TEXT,
            "description": TEXT,
            "runbook": TEXT,
        }
    )
    return operation(
        "alerts",
        "What fires of whole stores, by the rules as they are given to Prometheus",
        [parameter("store", "only alerts of this store", TEXT)],
        object_of(
            {
                "as_of": _INSTANT,
                "evaluated": {"type": "boolean"},
                "why_not": {"type": ["string", "null"]},
                "alerts": list_of(alert),
            }
        ),
    )


def _history() -> Json:
    values = {"type": "array", "items": {"type": ["number", "null"]}}
    series = object_of({"metric": TEXT, "labels": map_of(TEXT), "values": values})
    time = "RFC 3339, or seconds since 1970"
    return operation(
        "history",
        "Metrics over time: any past, exactly, from what is known now",
        [
            parameter(
                "metric",
                "the metric, or several with commas between: with windows and segments, or without",
                {"type": "array", "items": {"enum": _WITH_PAST}, "minItems": 1},
                required=True,
            )
            | {"style": "form", "explode": False},
            parameter("from", f"{time}; by default {DEFAULT_POINTS} points before `to`", TEXT),
            parameter("to", f"{time}; by default now. The last point.", TEXT),
            parameter(
                "step",
                f"between two points, as `1d` or `6h`; at most {MOST_POINTS} points",
                {"type": "string", "pattern": _DURATION},
            ),
            *labels(),
        ],
        object_of({"metric": TEXT, "at": list_of(_INSTANT), "series": list_of(series)}),
    )


def _customer() -> Json:
    trade: Json = {"time": _INSTANT, "amount": _AMOUNT, "currency": TEXT, "units": _COUNT}
    order = object_of(trade | {"order_id_xxh3": _HASH, "cancelled": {"type": "boolean"}})
    sent_back = object_of(trade | {"return_id_xxh3": _HASH})
    spent = object_of({"orders": _COUNT, "gross": _AMOUNT, "refunded": _AMOUNT, "net": _AMOUNT})
    seconds: Json = {"type": ["number", "null"]}
    status = object_of({"status": {"enum": list(STATUSES)}, "because_of_orders": list_of(_INSTANT)})
    window = object_of(
        {
            "window": TEXT,
            "preceding_from": _INSTANT,
            "from": _INSTANT,
            "to": _INSTANT,
            "preceding_orders": _COUNT,
            "orders": _COUNT,
            "statuses": list_of(status),
        }
    )
    outlook = object_of(
        {
            "model": {"enum": ["bg_nbd", "mbg_nbd"]},
            "probability_alive": {"type": "number", "minimum": 0, "maximum": 1},
            f"expected_orders_{HORIZON_DAYS}d": {"type": "number", "minimum": 0},
        }
    )
    answer = object_of(
        {
            "as_of": _INSTANT,
            "store": TEXT,
            "customer_id": TEXT,
            "signup": {"type": ["string", "null"], "format": "date-time"},
            "stage": {"enum": [*STAGE_NAMES[1:], None]},
            "segments": map_of(TEXT),
            "money": map_of(spent),
            "intervals": object_of({"mean_seconds": seconds, "median_seconds": seconds}),
            "outlook": {"anyOf": [outlook, {"type": "null"}]},
            "windows": list_of(window),
            "orders": list_of(order),
            "orders_left_out": _COUNT,
            "returns": list_of(sent_back),
            "returns_left_out": _COUNT,
        }
    )
    about = operation(
        "customer",
        "One customer: orders, returns, money, intervals, and why it counts as it does",
        [
            path_parameter("store", MAX_NAME_LENGTH),
            path_parameter("customer_id", MAX_ID_LENGTH),
        ],
        answer,
    )
    responses = cast("Json", about["responses"])
    responses["404"] = refusal("404", "No event of this customer is known.")
    responses["503"] = refusal("503", "Whoever has the customer's partition does not answer.")
    return about
