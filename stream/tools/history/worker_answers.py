"""A running worker's API, asked from outside."""

from __future__ import annotations

import http.client
import time
import urllib.parse
import urllib.request
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError

import msgspec

from stream.tools.console import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.settings import Secret

ANSWER_TIMEOUT_SECONDS = 60.0
RETRY_SECONDS = 1.0


class SampleJson(msgspec.Struct, frozen=True):
    """One value of a metric."""

    labels: dict[str, str]
    value: float
    series: str = ""


class MetricJson(msgspec.Struct, frozen=True):
    """One metric and its values."""

    name: str
    type: str
    help: str
    samples: list[SampleJson]


class MetricsJson(msgspec.Struct, frozen=True):
    """The answer of ``/api/v1/metrics``."""

    as_of: str
    metrics: list[MetricJson]


class _ErrorJson(msgspec.Struct, frozen=True):
    error: str


_metrics = msgspec.json.Decoder(MetricsJson)
_errors = msgspec.json.Decoder(_ErrorJson)


class WorkerApi:
    """The API of the worker at an address.

    Args:
        address: ``http://host:port``.
        token: to show, if there is one.
        patience_seconds: how long to ask again while it cannot tell, as during a rebalance.
    """

    def __init__(self, address: str, token: Secret | None, patience_seconds: float) -> None:
        if not address.startswith(("http://", "https://")):
            raise CommandError(f"{address!r} is no worker's address: write http://host:port")
        self._address = address.rstrip("/")
        self._token = token
        self._patience_seconds = patience_seconds
        # Without the proxies of the environment: the worker is near.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def metrics(self, query: Mapping[str, str]) -> MetricsJson:
        """The samples that a query asks for.

        Raises:
            CommandError: when there is no answer.
        """
        url = f"{self._address}/api/v1/metrics?{urllib.parse.urlencode(query)}"
        deadline = time.monotonic() + self._patience_seconds
        while True:
            try:
                return _metrics.decode(self._get(url))
            except HTTPError as error:
                with error:
                    refusal = _said(error.read()) or str(error.reason)
                    code = error.code
                if code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() >= deadline:
                    raise self._refused(code, refusal) from error
            except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
                reason = error.reason if isinstance(error, URLError) else error
                raise CommandError(
                    f"no API at {self._address} ({reason}): start a worker, or give its address "
                    "with --url"
                ) from error
            time.sleep(RETRY_SECONDS)

    def _get(self, url: str) -> bytes:
        request = urllib.request.Request(url)  # noqa: S310 - checked at the start
        if self._token is not None:
            # Whoever redirects us shall not get it.
            request.add_unredirected_header("Authorization", f"Bearer {self._token.reveal()}")
        with self._opener.open(request, timeout=ANSWER_TIMEOUT_SECONDS) as response:
            body: bytes = response.read()
        return body

    def _refused(self, code: int, said: str) -> CommandError:
        if code == HTTPStatus.UNAUTHORIZED:
            return CommandError(
                f"{self._address} asks for a token: set RETENTION_WEB_TOKEN as it is set for the "
                "worker"
            )
        if code == HTTPStatus.SERVICE_UNAVAILABLE:
            return CommandError(
                f"{self._address} cannot tell ({said}): wait until /readyz says 200; of several "
                "workers give the one that shows the business gauges"
            )
        return CommandError(f"{self._address} refuses: {said}")


def _said(body: bytes) -> str:
    """The one line of the API's own refusals; nothing of others'."""
    try:
        return _errors.decode(body).error
    except msgspec.MsgspecError:
        return ""
