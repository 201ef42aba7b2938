"""Scrapes of a worker, one after another over one connection, compressed as Prometheus asks."""

from __future__ import annotations

import gzip
import http.client
import re
import time
from dataclasses import dataclass

from stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Scrape:
    """One answer: when it was complete (``time.perf_counter``), how long it took, its text."""

    at_seconds: float
    took_seconds: float
    text: bytes

    @property
    def series(self) -> int:
        """How many samples it has."""
        return sum(1 for line in self.text.splitlines() if line and not line.startswith(b"#"))

    def value(self, pattern: re.Pattern[bytes]) -> float | None:
        """The number behind the first series that the pattern matches; None without one."""
        found = pattern.search(self.text)
        return None if found is None else float(self.text[found.end() :].split(maxsplit=1)[0])

    def total(self, name: str) -> float:
        """The sum of all series of a metric."""
        lines = re.findall(rb"^%s(?:\{[^\n]*\})? (\S+)" % name.encode(), self.text, re.MULTILINE)
        return sum(map(float, lines))


class Scraper:
    """Asks one worker for ``/metrics``."""

    def __init__(self, settings: Settings) -> None:
        self._connection = http.client.HTTPConnection(
            settings.web_host, settings.web_port, timeout=30
        )

    def scrape(self) -> Scrape:
        """One scrape.

        Raises:
            OSError: when the worker does not answer.
        """
        started = time.perf_counter()
        self._connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        answer = self._connection.getresponse()
        text = answer.read()
        done = time.perf_counter()
        if answer.status != http.client.OK:
            raise OSError(f"/metrics answered {answer.status}")
        if answer.headers.get("Content-Encoding") == "gzip":
            text = gzip.decompress(text)
        return Scrape(done, done - started, text)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
