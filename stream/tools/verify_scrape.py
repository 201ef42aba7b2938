"""What a worker shows on ``/metrics``, fetched and made comparable."""

from __future__ import annotations

import http.client
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError

from prometheus_client.parser import text_string_to_metric_families

from stream.tools.console import CommandError
from stream.tools.oracle import Sample
from stream.tools.oracle.comparison import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.settings import Secret

FETCH_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 1.0
#: Records a worker reads again, or reads once more on another topic: not events of their own.
NOT_EVENTS = frozenset({"replayed", "rerouted"})


@dataclass(frozen=True, slots=True)
class Scrape:
    """One answer of a worker.

    Attributes:
        samples: the business gauges the oracle knows, as shown.
        as_of_ms: the moment they are for; None while the worker has seen no event.
        lag_events: events not read yet, over all partitions; None when it does not say.
        outcomes: records by what became of them, over all topics.
    """

    samples: list[Sample]
    as_of_ms: int | None
    partitions_ready: int
    partitions_expected: int
    lag_events: int | None
    outcomes: Mapping[str, int]

    @property
    def events_read(self) -> int:
        """How many events this worker has read since its start."""
        return sum(n for outcome, n in self.outcomes.items() if outcome not in NOT_EVENTS)

    @property
    def has_read_everything(self) -> bool:
        """Whether no event is left to read and every partition counts."""
        return self.lag_events == 0 and self.partitions_ready == self.partitions_expected


def scrape(url: str, token: Secret | None = None) -> Scrape:
    """Fetch a worker's metrics, showing the token if there is one.

    Raises:
        CommandError: when nothing usable answers at ``url``.
    """
    if not url.startswith(("http://", "https://")):
        raise CommandError(
            f"{url!r} is not the address of a worker: write http://host:port/metrics"
        )
    # Without the proxies of the environment: the worker is near.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url)  # noqa: S310 - checked above
    if token is not None:
        # Whoever redirects us shall not get it.
        request.add_unredirected_header("Authorization", f"Bearer {token.reveal()}")
    try:
        with opener.open(request, timeout=FETCH_TIMEOUT_SECONDS) as response:
            text = response.read().decode("utf-8")
        return parse(text)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, HTTPError):
            # It is the answer, too, and holds the connection.
            error.close()
            if error.code == HTTPStatus.UNAUTHORIZED:
                raise CommandError(
                    f"{url} asks for a token: set RETENTION_WEB_TOKEN as it is set for the worker"
                ) from error
        reason = error.reason if isinstance(error, URLError) else error
        raise CommandError(
            f"no metrics at {url} ({reason}): start a worker, or give its address with --url"
        ) from error


def parse(text: str) -> Scrape:
    """The parts of an exposition in Prometheus' text format that matter here.

    Raises:
        ValueError: when the text is not in that format.
    """
    samples = [
        Sample(sample.name, dict(sample.labels), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    single: dict[str, float] = {name: value for name, labels, value in samples if not labels}
    outcomes: Counter[str] = Counter()
    for name, labels, value in samples:
        if name == "retention_events_total":
            outcomes[labels["outcome"]] += int(value)
    lags = [value for name, _, value in samples if name == "retention_lag_events"]
    as_of_seconds = single.get("retention_as_of_timestamp_seconds")
    return Scrape(
        samples=[sample for sample in samples if sample.name in METRICS],
        as_of_ms=None if as_of_seconds is None else round(as_of_seconds * 1000),
        partitions_ready=int(single.get("retention_partitions_ready", 0)),
        partitions_expected=int(single.get("retention_partitions_expected", 0)),
        lag_events=int(sum(lags)) if lags else None,
        outcomes=outcomes,
    )


def wait_until_settled(
    url: str, seconds: float, steady_seconds: float, token: Secret | None = None
) -> Scrape:
    """Fetch until everything is read and the gauges have stood still for ``steady_seconds``.

    A worker tells its lag, and sends events on to their own partition, when it flushes: no lag is
    only true when it still holds some flushes later.

    Raises:
        CommandError: when that has not happened after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    steady: Scrape | None = None
    steady_since = 0.0
    while True:
        try:
            current = scrape(url, token)
        except CommandError:
            # A worker that is just starting; past the deadline it is an error.
            if time.monotonic() >= deadline:
                raise
            current = None
        now = time.monotonic()
        if current is None or not current.has_read_everything:
            steady = None
        elif steady is None or (steady.samples, steady.outcomes) != (
            current.samples,
            current.outcomes,
        ):
            steady, steady_since = current, now
        elif now - steady_since >= steady_seconds:
            return current
        if now >= deadline:
            raise CommandError(
                f"after {seconds:g} s the worker's gauges have not stood still for "
                f"{steady_seconds:g} s ({_state_of(current)}): stop the producers, "
                "or give --wait more seconds"
            )
        time.sleep(min(POLL_SECONDS, max(deadline - now, 0.01)))


def _state_of(current: Scrape | None) -> str:
    if current is None:
        return "it does not answer"
    lag = "unknown" if current.lag_events is None else f"{current.lag_events:,}"
    return (
        f"events not read yet: {lag}; partitions ready: "
        f"{current.partitions_ready} of {current.partitions_expected}"
    )
