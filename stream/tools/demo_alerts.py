"""The alerts of a demo in the terminal: what begins and what ends, as the worker's API tells it."""

from __future__ import annotations

import http.client
import time
from datetime import UTC, datetime, timedelta

import msgspec

from stream.tools.console import say

TIMEOUT_SECONDS = 10.0
#: A look costs the worker something.
INTERVAL_SECONDS = 1.0
PATH = "/api/v1/alerts"
WHO_ASKS = (
    "alerts are the worker's own now, by the rules of deploy/prometheus; "
    "no Prometheus runs in the demo"
)


class AlertJson(msgspec.Struct, frozen=True):
    """One alert that fires."""

    alert: str
    labels: dict[str, str]
    since: datetime | None
    description: str
    runbook: str


class AlertsJson(msgspec.Struct, frozen=True):
    """The answer of ``/api/v1/alerts``."""

    as_of: datetime
    evaluated: bool
    why_not: str | None
    alerts: list[AlertJson]


_decoder = msgspec.json.Decoder(AlertsJson)


def ask(host: str, port: int) -> AlertsJson | None:
    """What the worker says; None while it cannot tell."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", PATH)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return _decoder.decode(body) if response.status == http.client.OK else None


class AlertNews:
    """Says what is new since the last look.

    Args:
        live_from: when the shop's history is over; before, nothing is asked.
        scenario: what happens in the shop.
        sets_in: when, in the shop's time; None when nothing does.
    """

    def __init__(self, live_from: datetime, scenario: str, sets_in: datetime | None) -> None:
        self._live_from = live_from
        self._scenario = scenario
        self._sets_in = sets_in
        self._set_in_at: datetime | None = None
        self._firing: dict[tuple[str, ...], AlertJson] = {}
        self._answer: AlertsJson | None = None
        self._next_at = 0.0

    def standing(self, host: str, port: int, as_of_seconds: float | None) -> str:
        """Ask the worker, say what is new, and return how it stands in one line.

        Args:
            host: the worker's.
            port: the worker's.
            as_of_seconds: the shop's present; None before its first event.
        """
        if as_of_seconds is None or as_of_seconds < self._live_from.timestamp():
            return "alerts: when the history has been read"
        now = time.monotonic()
        if now >= self._next_at:
            if self._next_at == 0:
                say(WHO_ASKS)
            self._next_at = now + INTERVAL_SECONDS
            self._answer = ask(host, port) or self._answer
            if self._answer is not None:
                for line in self.news(self._answer):
                    say(line)
        return _standing(self._answer)

    def news(self, answer: AlertsJson) -> list[str]:
        """What to say of an answer after those before it."""
        if not answer.evaluated:
            return []
        said: list[str] = []
        if self._sets_in is not None and answer.as_of >= self._sets_in:
            said.append(f"{_moment(self._sets_in)}  {self._scenario} sets in")
            self._set_in_at, self._sets_in = self._sets_in, None
        firing = {_key(each): each for each in answer.alerts}
        for key, alert in firing.items():
            if key not in self._firing:
                said += self._begun(alert, answer.as_of)
        said += [
            f"{_moment(answer.as_of)}  ended: {alert.alert} ({alert.labels['signal']})"
            for key, alert in self._firing.items()
            if key not in firing
        ]
        self._firing = firing
        return said

    def _begun(self, alert: AlertJson, as_of: datetime) -> list[str]:
        since, how_long = alert.since, ""
        if since is None:
            since, how_long = as_of, ", for more than a day"
        elif self._set_in_at is not None:
            hours = (since - self._set_in_at) // timedelta(hours=1)
            how_long = f", {hours} h after {self._scenario}"
        return [
            f"{_moment(since)}  ALERT {alert.alert}{how_long}",
            f"    {alert.description}",
            f"    what to do: {alert.runbook}",
        ]


def _standing(answer: AlertsJson | None) -> str:
    if answer is None:
        return "alerts: the worker cannot tell yet"
    if not answer.evaluated:
        return f"alerts: not asked, {answer.why_not}"
    names = sorted({alert.alert for alert in answer.alerts})
    return f"alerts at {_moment(answer.as_of)}: {', '.join(names) or 'none'}"


def _key(alert: AlertJson) -> tuple[str, ...]:
    return (alert.alert, alert.labels["store"], alert.labels["signal"])


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
