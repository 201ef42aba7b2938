"""Several workers on one stream, where every single scrape is held against a plain recount."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from stream.engine import Engine
from tests.support.engines import NOW_MS, gauges_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.integration.stream_harness import Record, Stream
    from tests.integration.worker_harness import Worker
    from tests.support.naive import Gauges

TIMEOUT_SECONDS = 90.0
POSITION = "retention_position_events"


class Shown:
    """The business gauges of one scrape, and what they say they stand for."""

    def __init__(self, text: str) -> None:
        self.gauges: Gauges = {}
        self.positions: dict[int, int] = {}
        self.ready: float | None = None
        as_of_seconds = 0.0
        for family in text_string_to_metric_families(text):
            for name, labels, value, *_ in family.samples:
                if "store" in labels:
                    self.gauges[name, frozenset(labels.items())] = value
                elif name == POSITION and labels["topic"].startswith("purchases"):
                    self.positions[int(labels["partition"])] = int(value)
                elif name == "retention_as_of_timestamp_seconds":
                    as_of_seconds = value
                elif name == "retention_partitions_ready":
                    self.ready = value
        self.as_of_ms = round(as_of_seconds * 1000)

    @property
    def events(self) -> int:
        return sum(self.positions.values())


class Fleet:
    """The workers, what was sent to them, and the check of all they show."""

    def __init__(self, stream: Stream) -> None:
        self.workers: list[Worker] = []
        self._stream = stream
        self._sent: defaultdict[int, list[bytes]] = defaultdict(list)

    def send(self, records: Sequence[Record]) -> None:
        """Send purchases to where they belong."""
        self._stream.send_raw(self._stream.settings.topic_purchases, records)
        for record in records:
            assert record.value is not None
            self._sent[record.partition].append(record.value)

    @property
    def sent(self) -> int:
        return sum(map(len, self._sent.values()))

    def watch(
        self,
        until: Callable[[list[Shown]], bool],
        what: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> float:
        """Scrape all workers, check what they show, until it is as it should be; the seconds."""
        began_at = time.monotonic()
        while not until(shown := self.scrape()):
            if time.monotonic() - began_at > timeout_seconds:
                seen = [(found.events, found.as_of_ms) for found in shown]
                raise AssertionError(f"{what}: not in {timeout_seconds} s; shown now: {seen}")
            time.sleep(0.1)
        return time.monotonic() - began_at

    def watch_until_all_is_counted(self) -> float:
        """Until exactly one worker shows gauges, and they have everything that was sent."""
        return self.watch(
            lambda shown: [found.events for found in shown] == [self.sent], "count everything"
        )

    def watch_until_absent(self) -> float:
        """Until nobody shows gauges."""
        return self.watch(lambda shown: not shown, "show nothing")

    def scrape(self) -> list[Shown]:
        """What the one shows that shows anything; it is right for its positions, or this fails."""
        answers = (worker.get("/metrics") for worker in self.workers if worker.exit_code is None)
        all_shown = [Shown(body) for status, body in answers if status == 200]
        some = [shown for shown in all_shown if shown.gauges]
        assert len(some) <= 1
        for shown in some:
            assert shown.gauges == self.expected(shown.positions, shown.as_of_ms)
            assert shown.ready == self._stream.settings.partitions
        return some

    def expected(self, positions: Mapping[int, int], as_of_ms: int) -> Gauges:
        """What one engine makes of the events before these positions."""
        config = self._stream.settings.engine_config()
        engine = Engine(config)
        assert set(positions) == set(range(config.partitions))
        for partition, end in positions.items():
            engine.assign(partition)
            engine.finish_restore(partition)
            values = self._sent[partition][:end]
            assert len(values) == end
            keys = [None] * end
            topic = self._stream.settings.topic_purchases
            engine.apply(topic, partition, range(end), keys, values, NOW_MS)
        return gauges_of(engine, as_of_ms)
