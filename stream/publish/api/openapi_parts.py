"""What OpenAPI documents are made of."""

from __future__ import annotations

from typing import Final

from stream.publish.api.requests import LABELS

Json = dict[str, object]

TEXT: Final[Json] = {"type": "string"}
_LABEL_MEANINGS: Final = {
    "store": "the store",
    "dimension": "`all`, or a configured dimension",
    "segment": "a segment of the dimension",
    "window": "a configured window, as `30d` or `month`; `prev_30d` is the one before",
    "status": "of `retention_customers` and `retention_signups`",
    "kind": "of `retention_units` and `retention_revenue`",
    "ratio": "of an experiment's differences: `customer_retention` or `repeat_purchase`",
    "bound": "of an experiment's differences: `estimate`, `lower` or `upper`",
    "stage": "of a lifecycle",
    "currency": "an ISO 4217 code",
}


def operation(name: str, summary: str, parameters: list[Json], answer: Json) -> Json:
    """A question without a body, its answer, and how it may be refused."""
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
        | {code: refusal(code, text) for code, text in refusals.items()},
    }


def refusal(code: str, text: str) -> Json:
    """A response that says in one line why there is no answer."""
    schema: Json = {"$ref": "#/components/schemas/Error"}
    content: Json = (
        {"text/plain": {"schema": TEXT}}
        if code == "401"
        else {"application/json": {"schema": schema}}
    )
    return {"description": text, "content": content}


def labels() -> list[Json]:
    """Metrics' labels as parameters."""
    return [
        parameter(label, f"only samples with this label: {_LABEL_MEANINGS[label]}", TEXT)
        for label in LABELS
    ]


def parameter(name: str, meaning: str, schema: Json, *, required: bool = False) -> Json:
    """A parameter of the query."""
    return {
        "name": name,
        "in": "query",
        "description": meaning,
        "schema": schema,
        "required": required,
    }


def path_parameter(name: str, longest: int) -> Json:
    """A part of the path, of 1 to so many characters."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": longest},
    }


def object_of(required: Json, optional: Json | None = None) -> Json:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": False,
    }


def list_of(items: Json) -> Json:
    """A list."""
    return {"type": "array", "items": items}


def map_of(values: Json) -> Json:
    """An object whose properties are named by what it holds."""
    return {"type": "object", "additionalProperties": values}
