"""Scrapes every worker each second, as Prometheus would, and keeps what was shown."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from prometheus_client.parser import text_string_to_metric_families

from stream.tools.verify_scrape import Scrape, parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

EVERY_SECONDS = 1.0
#: A worker that answers later is not there for Prometheus either; the next second comes.
ANSWER_SECONDS = 5.0
_BUSINESS_GAUGE = "\nretention_customers{"
_POSITION = "retention_position_events"

Positions = dict[tuple[str, int], int]


class Tick(NamedTuple):
    """One second: when it was, and the texts of those workers that showed business gauges."""

    at_seconds: float
    shown: list[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """One scrape, and how far into each source partition it reaches."""

    scrape: Scrape
    positions: Positions


def read_shown(text: str) -> Shown:
    """What an exporting worker's answer says."""
    positions = {
        (sample.labels["topic"], int(sample.labels["partition"])): int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == _POSITION
    }
    return Shown(parse(text), positions)


def business_gauges(port: int) -> str | None:
    """A worker's whole answer, when there are business gauges in it."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/metrics", timeout=ANSWER_SECONDS
        ) as answer:
            text: str = answer.read().decode()
    except OSError:
        return None
    return text if _BUSINESS_GAUGE in text else None


class Watch:
    """A thread that scrapes until the block is left.

    Args:
        ports: of every worker; read anew each second, so workers may come and go.
    """

    def __init__(self, ports: Mapping[int, int]) -> None:
        self._ports = ports
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.ticks: list[Tick] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def shows_now(self) -> bool:
        """Whether there were business gauges at the last tick."""
        return bool(self.ticks) and bool(self.ticks[-1].shown)

    def absent_seconds(self) -> float:
        """How long nobody showed business gauges, over all ticks."""
        return sum(
            later.at_seconds - earlier.at_seconds
            for earlier, later in zip(self.ticks, self.ticks[1:], strict=False)
            if not earlier.shown
        )

    def _run(self) -> None:
        began = time.monotonic()
        while not self._ended.wait(max(0.0, began - time.monotonic())):
            answers = [business_gauges(port) for port in list(self._ports.values())]
            self.ticks.append(Tick(began, [text for text in answers if text is not None]))
            began = max(began + EVERY_SECONDS, time.monotonic())
