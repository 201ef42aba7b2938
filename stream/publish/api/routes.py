"""The routes of ``/api/v1``: each answers JSON, and says in one line why it cannot."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from aiohttp import web

from stream.publish.api.answers import cohorts_answer, history_answer, metrics_answer
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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stream.domain.reading import Scope
    from stream.domain.totals import Totals
    from stream.publish.state import WorkerState

P = ParamSpec("P")
T = TypeVar("T")


class Api:
    """The handlers, over a worker's state."""

    def __init__(self, state: WorkerState) -> None:
        self._state = state
        self._document = document()
        # A past takes seconds of the event loop's time: one after the other, it cannot starve.
        self._one_past = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """What to add to an application."""
        return [
            web.get("/api/v1/openapi.json", self.openapi),
            web.get("/api/v1/metrics", self.metrics),
            web.get("/api/v1/cohorts", self.cohorts),
            web.get("/api/v1/history", self.history),
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


def _unavailable() -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(
        text=_error("not all partitions are counted yet, or another worker speaks for all"),
        content_type="application/json",
    )


def _error(reason: str) -> str:
    return json.dumps({"error": reason})
