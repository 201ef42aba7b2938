"""The routes of ``/api/v1``: each answers JSON, and says in one line why it cannot."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from aiohttp import web

from stream.publish.api.alerts import Watch, alerts_answer
from stream.publish.api.answers import cohorts_answer, history_answer, metrics_answer
from stream.publish.api.customers import checked_customer, customer_answer
from stream.publish.api.openapi import document
from stream.publish.api.requests import (
    RequestError,
    checked_names,
    cohort_kind,
    history_request,
    known_metric,
    past_request,
    wanted_labels,
)
from stream.publish.state import NotHereError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stream.domain.reading import Scope
    from stream.domain.totals import Totals
    from stream.publish.state import WorkerState

MISSING = "not all partitions are counted yet, or another worker speaks for all"
logger = logging.getLogger("stream.worker.api")

P = ParamSpec("P")
T = TypeVar("T")


class Api:
    """The handlers, over a worker's state."""

    def __init__(self, state: WorkerState) -> None:
        self._state = state
        self._document = document()
        # A past takes seconds of the event loop's time: one after the other, it cannot starve.
        self._one_past = asyncio.Lock()
        self._watch = Watch(state)

    def routes(self) -> list[web.RouteDef]:
        """What to add to an application."""
        return [
            web.get("/api/v1/openapi.json", self.openapi),
            web.get("/api/v1/metrics", self.metrics),
            web.get("/api/v1/cohorts", self.cohorts),
            web.get("/api/v1/history", self.history),
            web.get("/api/v1/alerts", self.alerts),
            web.get("/api/v1/customers/{store}/{customer_id}", self.customer),
        ]

    async def openapi(self, _request: web.Request) -> web.Response:
        """What this module answers, for programs that read such documents."""
        return web.json_response(self._document)

    async def metrics(self, request: web.Request) -> web.Response:
        """Every business metric as of now, or of an instant before."""
        query = _single(request)
        wanted = _checked(wanted_labels, query, "name", "at")
        if "name" in query:
            wanted["name"] = _checked(known_metric, query["name"])
        totals = self._totals()
        if "at" not in query:
            return web.json_response(metrics_answer(totals, wanted))
        at_ms, scope = _checked(past_request, query, wanted, totals.as_of_ms)
        (past,) = await self._past([at_ms], scope)
        return web.json_response(metrics_answer(past, wanted, past=True))

    async def cohorts(self, request: web.Request) -> web.Response:
        """Monthly cohorts of one store."""
        query = _single(request)
        _checked(checked_names, query, "store", "kind")
        kind = _checked(cohort_kind, query.get("kind", "first_order"))
        return web.json_response(
            cohorts_answer(self._totals(), query.get("store", "default"), kind)
        )

    async def history(self, request: web.Request) -> web.Response:
        """One metric over time, or several."""
        totals = self._totals()
        wanted = _checked(
            history_request, _single(request), self._state.engine.config, totals.as_of_ms
        )
        past = await self._past(wanted.at_ms, wanted.scope)
        return web.json_response(history_answer(wanted.metrics, past, wanted.wanted))

    async def alerts(self, request: web.Request) -> web.Response:
        """What fires of whole stores, by the rules as they are given to Prometheus."""
        query = _single(request)
        _checked(checked_names, query, "store")
        found = await self._watch.look(self._totals())
        if found is None:
            raise _unavailable()
        return web.json_response(alerts_answer(found, query.get("store", "")))

    async def customer(self, request: web.Request) -> web.Response:
        """One customer, and why it counts as it does."""
        _checked(checked_names, _single(request))
        store, customer_id = _checked(
            checked_customer, request.match_info["store"], request.match_info["customer_id"]
        )
        try:
            view = await self._state.customer(store, customer_id)
            found = None if view is None else customer_answer(store, customer_id, view)
        except NotHereError as error:
            raise _unavailable(str(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever it says may hold the id
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("a customer could not be looked up: %s\n%s", type(error).__name__, where)  # noqa: TRY400 - see above
            raise web.HTTPInternalServerError from None
        if found is None:
            raise _not_found()
        return web.json_response(found)

    async def _past(self, at_ms: Sequence[int], scope: Scope) -> Sequence[Totals]:
        async with self._one_past:
            past = await self._state.history(at_ms, scope)
        if past is None:
            raise _unavailable()
        return past

    def _totals(self) -> Totals:
        overview = self._state.overview()
        if overview is None or overview.totals is None:
            raise _unavailable()
        return overview.totals


def _single(request: web.Request) -> Mapping[str, str]:
    """The query, each parameter once."""
    query = {}
    for name, value in request.query.items():
        if name in query:
            raise _bad(f"{name} is there twice")
        query[name] = value
    return query


def _checked(check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return check(*args, **kwargs)
    except RequestError as error:
        raise _bad(str(error)) from None


def _bad(reason: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=_error(reason), content_type="application/json")


def _not_found() -> web.HTTPNotFound:
    return web.HTTPNotFound(
        text=_error("no event of this customer is known"), content_type="application/json"
    )


def _unavailable(reason: str = MISSING) -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(text=_error(reason), content_type="application/json")


def _error(reason: str) -> str:
    return json.dumps({"error": reason})
