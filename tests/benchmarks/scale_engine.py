"""One engine with very many customers, stores or partitions, in a process of its own.

``-m tests.benchmarks.scale_engine CUSTOMERS PARTITIONS STORES`` prints one line of JSON. The
engine is what a worker holds; Kafka is left out, as its own memory would not do for ten million.
"""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Mapping

import msgspec
import psutil

from stream.faust_app.memory import tune_memory
from stream.publish.prometheus import Exposition
from stream.wire.customer_state import Changes
from tests.benchmarks.memory import NOW_MS, ORDERS, Crowd
from tests.support.worker import Worker

#: About what a commit interval of 3 s changes at 30,000 events/s.
FLUSHED_CUSTOMERS = 100_000
SCRAPES = 15


class EngineCosts(msgspec.Struct, frozen=True):
    """What one engine costs."""

    customers: int
    partitions: int
    stores: int
    #: resident, of the engine with its tallies
    bytes_per_customer: float
    #: applying events, decoded from JSON, without Kafka
    events_per_second: float
    #: encoding what 100,000 changed customers write to the changelog
    flush_seconds: float
    #: from changelog records in memory to totals
    restore_seconds: float
    #: most resident while it restores, the records in memory included
    restore_peak_bytes: int
    #: writing ``/metrics``, the middle of a few
    scrape_seconds: float
    series: int
    #: of a customer's key and value in the changelog
    changelog_bytes_per_customer: float


def measure(customers: int, partitions: int, stores: int) -> EngineCosts:
    """Fill an engine, flush it, scrape it, and restore another from its changelog."""
    tune_memory()
    crowd = Crowd(customers, partitions, stores)
    gc.collect()
    before = psutil.Process().memory_info().rss
    started = time.perf_counter()
    changes: list[Changes] = []
    for order in range(ORDERS):
        crowd.order(order)
    applying = time.perf_counter() - started
    gc.collect()
    resident = psutil.Process().memory_info().rss - before
    changes = [crowd.engine.take_changes(partition, NOW_MS) for partition in range(partitions)]
    crowd.order(ORDERS, 0, min(FLUSHED_CUSTOMERS, customers))
    started = time.perf_counter()
    for partition in range(partitions):
        crowd.engine.take_changes(partition, NOW_MS)
    flushing = time.perf_counter() - started
    scraping, series = _scrape(crowd)
    written = sum(
        len(key) + len(value or b"")
        for some in changes
        for key, value in zip(some.keys, some.values, strict=True)
    )
    crowd.engine = crowd.new_engine()
    gc.collect()
    started = time.perf_counter()
    for partition, some in enumerate(changes):
        crowd.engine.restore(partition, some.keys, some.values)
        crowd.engine.finish_restore(partition)
    restoring = time.perf_counter() - started
    assert crowd.engine.customers == customers
    return EngineCosts(
        customers=customers,
        partitions=partitions,
        stores=stores,
        bytes_per_customer=resident / customers,
        events_per_second=ORDERS * customers / applying,
        flush_seconds=flushing,
        restore_seconds=restoring,
        restore_peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        scrape_seconds=scraping,
        series=series,
        changelog_bytes_per_customer=written / customers,
    )


class _Whole(Worker):
    """One that has read every partition, so that its gauges are shown."""

    @property
    def positions(self) -> Mapping[tuple[str, int], int]:
        config = self.engine.config
        return {
            (topic, partition): 0
            for topic in config.topics
            for partition in range(config.partitions)
        }


def _scrape(crowd: Crowd) -> tuple[float, int]:
    partitions = crowd.config.partitions
    state = _Whole(crowd.engine, partitions_expected=partitions, ready=True, clock_ms=NOW_MS)
    exposition = Exposition(state)
    took = []
    for _ in range(SCRAPES):
        started = time.perf_counter()
        body, _ = exposition.scrape()
        took.append(time.perf_counter() - started)
    lines = body.splitlines()
    return sorted(took)[SCRAPES // 2], sum(1 for line in lines if not line.startswith(b"#"))


if __name__ == "__main__":
    print(msgspec.json.encode(measure(*map(int, sys.argv[1:]))).decode())
