"""A worker's state for tests of what is published: a real engine, and the rest set by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.engine import Engine
from stream.meeting.overview import Overview, overview_of_one
from stream.publish.state import NotHereError
from stream.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.domain.lookup import CustomerView
    from stream.domain.reading import Scope
    from stream.domain.totals import Totals

NOW_MS = 1_700_000_000_000
PARTITION = 0


def new_engine(clock: str = "wall") -> Engine:
    """An engine of one partition that is not ready yet."""
    return Engine(
        load_settings(
            {
                "RETENTION_PARTITIONS": "1",
                "RETENTION_WINDOWS": "7d,month",
                "RETENTION_DIMENSIONS": "channel",
                "RETENTION_CLOCK": clock,
            }
        ).engine_config()
    )


@dataclass
class Worker:
    """Fits the protocol WorkerState."""

    engine: Engine = field(default_factory=new_engine)
    partitions_expected: int = 1
    ready: bool = False
    restore_progress: tuple[int, int] | None = None
    outcomes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    lag_events: Mapping[tuple[str, int], int] = field(default_factory=dict)
    last_event_ms: int | None = None
    clock_ms: int = NOW_MS
    next_offset: int = 0
    another_speaks: bool = False

    def overview(self) -> Overview | None:
        if self.another_speaks:
            return None
        return overview_of_one(self.engine, self.positions, self.clock_ms, self.partitions_expected)

    async def history(self, at_ms: Sequence[int], scope: Scope) -> Sequence[Totals] | None:
        overview = self.overview()
        if overview is None or overview.totals is None:
            return None
        return [self.engine.totals(at, scope) for at in at_ms]

    async def customer(self, store: str, customer_id: str) -> CustomerView | None:
        if not self.ready:
            raise NotHereError("partition 0 is not restored yet")
        return self.engine.customer(store, customer_id, self.clock_ms)

    @property
    def positions(self) -> Mapping[tuple[str, int], int]:
        """Only purchases arrive here."""
        topics = self.engine.config.topics
        return {(topic, PARTITION): 0 for topic in topics} | {
            ("purchases", PARTITION): self.next_offset
        }

    def restore(self) -> None:
        """Its only partition, empty, becomes ready."""
        self.engine.assign(PARTITION)
        self.engine.finish_restore(PARTITION)
        self.ready = True

    def purchase(self, customer_id: str, order_id: str, **fields: object) -> None:
        """A purchase of 9.99 EUR an hour ago arrives."""
        event = {
            "type": "purchase",
            "customer_id": customer_id,
            "order_id": order_id,
            "occurred_at": (NOW_MS - 3_600_000) / 1000,
            "amount": "9.99",
            "currency": "EUR",
            **fields,
        }
        value = json.dumps(event).encode()
        key = customer_id.encode()
        self.engine.apply("purchases", PARTITION, [self.next_offset], [key], [value], NOW_MS)
        self.next_offset += 1
