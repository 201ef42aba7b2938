"""The worker's HTTP side: metrics, health, API and page. It only ever answers GET and HEAD."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from isal import igzip

from stream.publish.access import guard
from stream.publish.api.routes import Api
from stream.publish.http_log import logger
from stream.publish.live.route import Events
from stream.publish.page import index_page
from stream.publish.page.assets import ASSETS
from stream.publish.prometheus import Exposition
from stream.settings import SettingError

if TYPE_CHECKING:
    from stream.publish.state import WorkerState
    from stream.settings import Secret

#: The page needs its own files and the API, and nothing from anywhere else.
HEADERS = {
    hdrs.SERVER: "retention-stream",
    hdrs.CACHE_CONTROL: "no-store",
    hdrs.CONTENT_SECURITY_POLICY: (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    hdrs.X_CONTENT_TYPE_OPTIONS: "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Who still waits for an answer when the worker stops gets it within this, or not at all.
SHUTDOWN_SECONDS = 2.0
#: Of ISA-L's levels the one that packs metrics well; zlib takes seven times as long for no less.
_GZIP_LEVEL = 1


async def start_http(
    host: str, port: int, state: WorkerState, token: Secret | None = None
) -> web.AppRunner:
    """Serve a worker's state until the runner's ``cleanup``.

    Args:
        host: the address to listen on.
        port: the TCP port; 0 picks a free one (see the runner's ``addresses``).
        state: read anew for every request.
        token: what callers must show, except for the probes; None lets everyone in.

    Raises:
        SettingError: when the address cannot be listened on.
    """
    runner = web.AppRunner(
        build_app(state, token),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=SHUTDOWN_SECONDS,
        logger=logger,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise SettingError(
            f"RETENTION_WEB_HOST, RETENTION_WEB_PORT: cannot listen on {host}:{port}"
            f" ({error.strerror}); choose another port, or stop the program that has this one"
        ) from error
    return runner


def build_app(state: WorkerState, token: Secret | None = None) -> web.Application:
    """The routes, over a worker's state."""
    pages = _Pages(state)
    app = web.Application(middlewares=[] if token is None else [guard(token)])
    app.on_response_prepare.append(_add_headers)
    app.add_routes(
        [
            web.get("/", pages.index),
            *(web.get(path, pages.asset) for path in ASSETS),
            web.get("/metrics", pages.metrics),
            web.get("/healthz", pages.healthz),
            web.get("/readyz", pages.readyz),
            *Api(state).routes(),
        ]
    )
    Events(state).add_to(app)
    return app


class _Pages:
    """The handlers. Each reads the state without awaiting, so what it shows is of one moment."""

    def __init__(self, state: WorkerState) -> None:
        self._state = state
        self._exposition = Exposition(state)

    async def index(self, _request: web.Request) -> web.Response:
        return web.Response(text=index_page(self._state), content_type="text/html")

    async def asset(self, request: web.Request) -> web.Response:
        asset = ASSETS[request.path]
        response = web.Response(body=asset.body, content_type=asset.content_type, charset="utf-8")
        response.enable_compression()
        return response

    async def metrics(self, request: web.Request) -> web.Response:
        accept = ",".join(request.headers.getall(hdrs.ACCEPT, []))
        body, content_type = self._exposition.scrape(accept)
        headers = {hdrs.CONTENT_TYPE: content_type, hdrs.VARY: hdrs.ACCEPT_ENCODING}
        if accepts_gzip(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, []))):
            # Here and now: aiohttp would do it in a thread, and the answer wait for its turn in
            # the event loop again, which is longer.
            body = igzip.compress(body, _GZIP_LEVEL, mtime=0)
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=body, headers=headers)

    async def healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(self, _request: web.Request) -> web.Response:
        progress = self._state.restore_progress
        return web.json_response(
            {
                "ready": self._state.ready,
                "partitions_ready": len(self._state.engine.ready_partitions),
                "partitions_expected": self._state.partitions_expected,
                "restore": None
                if progress is None
                else {"records_restored": progress[0], "records_total": progress[1]},
            },
            status=200 if self._state.ready else 503,
        )


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an ``Accept-Encoding`` header asks for gzip."""
    for coding in accept_encoding.lower().split(","):
        name, *parameters = (part.strip() for part in coding.split(";"))
        if name == "gzip":
            return not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", each) for each in parameters)
    return False


async def _add_headers(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
