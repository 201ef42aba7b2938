"""Engines driven the way a worker drives them: chunks of records, offsets, strays sent on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from stream.domain.config import EngineConfig, Experiment
from stream.domain.events import DeadLetter, Outcome
from stream.domain.gaps import HISTOGRAM_ROWS
from stream.domain.metrics import samples
from stream.domain.money_tallies import ROWS as MONEY_ROWS
from stream.domain.nets import ROWS as NET_ROWS
from stream.domain.totals import Totals
from stream.domain.windows import parse_window
from stream.engine import Applied, Engine
from tests.support.naive import Event, Gauges, NaiveConfig

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
#: A clock past every event of made histories.
NOW_MS = 1_800_000_000_000

PURCHASES, SIGNUPS, RETURNS, REROUTED = "purchases", "signups", "returns", "retention-rerouted"
TOPIC_OF = {
    "purchase": PURCHASES,
    "signup": SIGNUPS,
    "return": RETURNS,
    "cancellation": RETURNS,
    "erasure": RETURNS,
}


def engine_config(
    naive: NaiveConfig, *, partitions: int = 1, horizon_ms: int = 4000 * DAY_MS
) -> EngineConfig:
    """The engine's configuration that asks for the same numbers; event clock."""
    return EngineConfig(
        windows=tuple(parse_window(name, naive.bucket_ms) for name in naive.windows),
        dimensions=naive.dimensions,
        timezone=naive.timezone,
        bucket_ms=naive.bucket_ms,
        horizon_ms=horizon_ms,
        partitions=partitions,
        topics=(PURCHASES, SIGNUPS, RETURNS, REROUTED),
        rerouted_topic=REROUTED,
        clock="event",
        experiment=Experiment(naive.experiment, naive.control) if naive.experiment else None,
    )


def ready_engine(config: EngineConfig) -> Engine:
    """A new engine that owns every partition, all of them empty."""
    engine = Engine(config)
    for partition in range(config.partitions):
        engine.assign(partition)
        engine.finish_restore(partition)
    return engine


def encoded(event: Event) -> bytes:
    """An event as a producer sends it."""
    return json.dumps(event).encode()


@dataclass(slots=True)
class Log:
    """One partition of every topic, with an engine's place in it."""

    engine: Engine
    partition: int = 0
    now_ms: int = NOW_MS
    offsets: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def send(
        self, events: Sequence[Event], chunk: int = 1 << 30, *, one_topic: bool = False
    ) -> None:
        """Append events in this order; consecutive ones of one topic arrive in one chunk."""

        def topic_of(event: Event) -> str:
            return PURCHASES if one_topic else TOPIC_OF[str(event["type"])]

        for topic, some in groupby(events, key=topic_of):
            run = [encoded(event) for event in some]
            for first in range(0, len(run), chunk):
                self.send_raw(topic, run[first : first + chunk])

    def send_raw(self, topic: str, values: Sequence[bytes | None]) -> Applied:
        """Append one chunk of raw records to a topic."""
        first = self.offsets[topic]
        self.offsets[topic] += len(values)
        applied = self.engine.apply(
            topic,
            self.partition,
            range(first, first + len(values)),
            [None] * len(values),
            values,
            self.now_ms,
        )
        assert sum(applied.outcomes.values()) == len(values)
        self.outcomes.update(applied.outcomes)
        self.dead_letters.extend(applied.dead_letters)
        return applied


def run(
    events: Sequence[Event], config: EngineConfig, *, chunk: int = 1 << 30, one_topic: bool = False
) -> Engine:
    """An engine with one partition that was sent these events."""
    engine = ready_engine(config)
    Log(engine).send(events, chunk, one_topic=one_topic)
    return engine


def gauges(totals: Totals) -> Gauges:
    """Totals as gauges; no gauge may come twice."""
    found: Gauges = {}
    for sample in samples(totals):
        key = (sample.name + sample.suffix, frozenset(sample.labels))
        assert key not in found
        found[key] = float(sample.value)
    return found


def gauges_of(engine: Engine, as_of_ms: int) -> Gauges:
    """All gauges of an engine as of an instant."""
    return gauges(engine.totals(as_of_ms))


def named_sums(engine: Engine) -> Mapping[tuple[object, ...], int]:
    """Every sum an engine holds that is not 0, by what it stands for and not by row number."""
    tallies, names = engine._tallies, engine._segments.names
    places = {place: pair for pair, place in tallies.money.places().items()}
    rows_of_segment = {
        "counts": tallies._counts_per_row,
        "sums": tallies._sums.rows // tallies.segment_rows if tallies.segment_rows else 1,
        "gaps": HISTOGRAM_ROWS,
    }
    rows_of_place = {"money": MONEY_ROWS, "nets": NET_ROWS}
    result: dict[tuple[object, ...], int] = {}
    for (part, *where), value in tallies.dense().items():
        row, *rest = map(int, where)
        if part in rows_of_place:
            place, within = divmod(row, rows_of_place[str(part)])
            segment, currency = places[place]
            result[part, names[segment], currency, within, *rest] = value
        elif part in rows_of_segment:
            segment, within = divmod(row, rows_of_segment[str(part)])
            result[part, names[segment], within, *rest] = value
        else:
            result[part, names[row], *rest] = value
    return result
