"""The OpenAPI document against a live worker's HTTP side: whatever is asked, it answers as told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from stream.domain.catalogue import CATALOGUE
from stream.publish.api.openapi import document
from stream.publish.api.requests import LABELS
from tests.support.served import served
from tests.support.worker import NOW_MS, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case

OPERATIONS = sorted(cast("dict[str, object]", document()["paths"]))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    worker = Worker()
    worker.restore()
    for number in range(20):
        worker.purchase(
            f"c-{number % 7}",
            f"o-{number}",
            occurred_at=(NOW_MS - number * 86_400_000) / 1000,
            attributes={"channel": "web"},
        )
    with served(worker) as address:
        yield address


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name)
@pytest.mark.parametrize("path", OPERATIONS)
def test_every_request_is_answered_as_documented(
    address: str, path: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
    statuses: set[int] = set()

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
    @given(case=schema[path]["GET"].as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        # Times and label values are texts to a schema, and not every text means something.
        response = case.call_and_validate(excluded_checks=[positive_data_acceptance])
        statuses.add(response.status_code)

    ask()
    assert statuses <= {200, 400, 404}
    # Nobody guesses a customer's id.
    right = 404 if "customer" in path else 200
    assert (right if mode is GenerationMode.POSITIVE else 400) in statuses


def test_a_customer_is_shown_as_documented(address: str) -> None:
    schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
    names = {"store": "default", "customer_id": "c-1"}
    case = schema["/api/v1/customers/{store}/{customer_id}"]["GET"].Case(path_parameters=names)

    assert case.call_and_validate().status_code == 200


def test_a_worker_that_cannot_tell_answers_as_documented() -> None:
    worker = Worker()
    with served(worker) as address:
        schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
        names = {"store": "default", "customer_id": "c-1"}
        questions: tuple[tuple[str, dict[str, Any]], ...] = (
            ("/api/v1/metrics", {}),
            ("/api/v1/cohorts", {}),
            ("/api/v1/history", {"query": {"metric": "retention_orders"}}),
            ("/api/v1/customers/{store}/{customer_id}", {"path_parameters": names}),
        )
        for path, given in questions:
            case = schema[path]["GET"].Case(**given)
            response = case.call_and_validate(excluded_checks=[not_a_server_error])
            assert response.status_code == 503


def test_the_schemas_are_schemas() -> None:
    count = 0

    def check(part: object) -> None:
        nonlocal count
        if isinstance(part, dict):
            if isinstance(part.get("schema"), dict):
                Draft202012Validator.check_schema(part["schema"])
                count += 1
            for inner in part.values():
                check(inner)
        elif isinstance(part, list):
            for inner in part:
                check(inner)

    check(document())
    assert count > 25


def test_every_label_of_a_gauge_can_be_asked_for_or_is_of_cohorts() -> None:
    of_metrics = {label for metric in CATALOGUE.values() for label in metric.labels}

    assert of_metrics - {"cohort", "age"} == set(LABELS)
