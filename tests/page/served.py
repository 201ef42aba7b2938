"""A page to look at: a real engine with half a year of a simulated shop, served on loopback."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING

from stream.engine import Engine
from stream.publish.http import start_http
from stream.settings import load_settings
from stream.tools.shop import ShopConfig, shop_events
from tests.support.worker import PARTITION, Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from stream.settings import Secret
    from stream.tools.shop_delivery import Delivery

DAY_MS = 86_400_000
#: 2025-01-01
START_MS = 1_735_689_600_000
END_MS = START_MS + 200 * DAY_MS
TOPICS = {"purchase": "purchases", "signup": "signups"}


class PageWorker(Worker):
    """Reads what a simulated shop sends."""

    def __init__(self) -> None:
        settings = load_settings({"RETENTION_PARTITIONS": "1", "RETENTION_CLOCK": "event"})
        super().__init__(engine=Engine(settings.engine_config()))
        self.offsets = dict.fromkeys(self.engine.config.topics, 0)
        self.counted: dict[tuple[str, str], int] = {}
        self.outcomes = self.counted

    @property
    def positions(self) -> dict[tuple[str, int], int]:
        return {(topic, PARTITION): offset for topic, offset in self.offsets.items()}

    def receive(self, deliveries: Iterable[Delivery]) -> None:
        """Events arrive, whatever their topic."""
        by_topic: dict[str, list[Delivery]] = {}
        for one in deliveries:
            by_topic.setdefault(TOPICS.get(one.type, "returns"), []).append(one)
        for topic, some in by_topic.items():
            first = self.offsets[topic]
            self.offsets[topic] += len(some)
            self.engine.apply(
                topic,
                PARTITION,
                range(first, first + len(some)),
                [None if one.key is None else one.key.encode() for one in some],
                [one.line for one in some],
                START_MS + 10_000 * DAY_MS,
            )
            key = (topic, "applied")
            self.counted[key] = self.counted.get(key, 0) + len(some)
        self.last_event_ms = self.engine.latest_event_ms


def shop_worker() -> PageWorker:
    """A worker that has read half a year of two simulated shops."""
    worker = PageWorker()
    worker.restore()
    worker.receive(_arrived())
    worker.lag_events = dict.fromkeys(worker.positions, 0)
    return worker


@lru_cache(maxsize=1)
def _arrived() -> list[Delivery]:
    arrived: list[Delivery] = []
    for seed, store in enumerate(("shop", "outlet"), start=1):
        shop = ShopConfig(START_MS, seed=seed, store=store, customers_per_day=16 / seed)
        arrived += takewhile(lambda one: one.arrival_ms < END_MS, shop_events(shop))
    return arrived


@asynccontextmanager
async def served(
    worker: Worker, *, port: int = 0, token: Secret | None = None
) -> AsyncIterator[str]:
    """The address of a server that shows a worker."""
    runner = await start_http("127.0.0.1", port, worker, token)
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _main() -> None:
    async with served(shop_worker(), port=6077) as address:
        print(address, flush=True)  # noqa: T201 - for whoever started it
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
