"""The OpenAPI document of ``/api/v1``, from what the routes themselves go by."""

from __future__ import annotations

from typing import Final

from stream.domain.metrics import CATALOGUE
from stream.domain.totals import CohortKind
from stream.publish.api.requests import DEFAULT_POINTS, LABELS, MOST_POINTS, WITHOUT_PAST

Json = dict[str, object]

API_VERSION: Final = "1.0.0"
_DURATION: Final = "^[1-9][0-9]{0,5}[mhdw]$"
_TEXT: Final[Json] = {"type": "string"}
_NUMBER: Final[Json] = {"type": "number"}
_INSTANT: Final[Json] = {"type": "string", "format": "date-time"}
_LABEL_MEANINGS: Final = {
    "store": "the store",
    "dimension": "`all`, or a configured dimension",
    "segment": "a segment of the dimension",
    "window": "a configured window, as `30d` or `month`; `prev_30d` is the one before",
    "status": "of `retention_customers` and `retention_signups`",
    "kind": "of `retention_units` and `retention_revenue`",
    "currency": "an ISO 4217 code",
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
                "owns partition 0 answers for all of them; the others say 503."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": {
            "/api/v1/metrics": {"get": _metrics()},
            "/api/v1/cohorts": {"get": _cohorts()},
            "/api/v1/history": {"get": _history()},
        },
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "RETENTION_WEB_TOKEN, where it is set.",
                }
            },
            "schemas": {"Error": _object({"error": {"type": "string", "description": "one line"}})},
        },
    }


def _metrics() -> Json:
    sample = _object({"labels": _map_of(_TEXT), "value": _NUMBER}, {"series": _TEXT})
    metric = _object(
        {
            "name": _TEXT,
            "type": {"enum": ["gauge", "histogram"]},
            "help": _TEXT,
            "samples": _list_of(sample),
        }
    )
    at = (
        "An instant not after now, RFC 3339 or seconds since 1970. "
        f"What is known as of now only is left out: {', '.join(sorted(WITHOUT_PAST))}."
    )
    return _operation(
        "metrics",
        "Every business metric as of now, or as of an instant before",
        [
            _parameter("name", "one metric", {"enum": list(CATALOGUE)}),
            _parameter("at", at, _TEXT),
            *_labels(),
        ],
        _object({"as_of": _INSTANT, "metrics": _list_of(metric)}),
    )


def _cohorts() -> Json:
    cohort = _object(
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
    return _operation(
        "cohorts",
        "Monthly cohorts of one store, by first order or by signup",
        [
            _parameter("store", "the store", {"type": "string", "default": "default"}),
            _parameter(
                "kind", "what begins a cohort", {"enum": kinds, "default": CohortKind.FIRST_ORDER}
            ),
        ],
        _object(
            {
                "as_of": _INSTANT,
                "store": _TEXT,
                "kind": {"enum": kinds},
                "cohorts": _list_of(cohort),
            }
        ),
    )


def _history() -> Json:
    values = {"type": "array", "items": {"type": ["number", "null"]}}
    series = _object({"metric": _TEXT, "labels": _map_of(_TEXT), "values": values})
    time = "RFC 3339, or seconds since 1970"
    return _operation(
        "history",
        "Metrics over time: any past, exactly, from what is known now",
        [
            _parameter(
                "metric",
                "the metric, or several with commas between: with windows and segments, or without",
                {"type": "array", "items": {"enum": _WITH_PAST}, "minItems": 1},
                required=True,
            )
            | {"style": "form", "explode": False},
            _parameter("from", f"{time}; by default {DEFAULT_POINTS} points before `to`", _TEXT),
            _parameter("to", f"{time}; by default now. The last point.", _TEXT),
            _parameter(
                "step",
                f"between two points, as `1d` or `6h`; at most {MOST_POINTS} points",
                {"type": "string", "pattern": _DURATION},
            ),
            *_labels(),
        ],
        _object({"metric": _TEXT, "at": _list_of(_INSTANT), "series": _list_of(series)}),
    )


def _operation(name: str, summary: str, parameters: list[Json], answer: Json) -> Json:
    refusals = {
        "400": "The question means nothing; `error` says which part of it.",
        "401": "A token is asked for.",
        "503": "Not all partitions are counted, or another worker speaks for all.",
    }
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": answer}},
            }
        }
        | {code: _refusal(code, text) for code, text in refusals.items()},
    }


def _refusal(code: str, text: str) -> Json:
    schema: Json = {"$ref": "#/components/schemas/Error"}
    content: Json = (
        {"text/plain": {"schema": _TEXT}}
        if code == "401"
        else {"application/json": {"schema": schema}}
    )
    return {"description": text, "content": content}


def _labels() -> list[Json]:
    return [
        _parameter(label, f"only samples with this label: {_LABEL_MEANINGS[label]}", _TEXT)
        for label in LABELS
    ]


def _parameter(name: str, meaning: str, schema: Json, *, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "query",
        "description": meaning,
        "schema": schema,
        "required": required,
    }


def _object(required: Json, optional: Json | None = None) -> Json:
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": False,
    }


def _list_of(items: Json) -> Json:
    return {"type": "array", "items": items}


def _map_of(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}
