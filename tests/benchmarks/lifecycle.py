"""What customers' lifecycles cost: CPU time of an engine that reads a shop's history and flushes.

Run as ``python -m tests.benchmarks.lifecycle [EVENTS]``. The events are those of ``make bench``: a
year of a shop as fast as it goes, when many changes are told. Chunks and flushes are as a worker
has them at 70,000 events/s. Sending is not in it.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict

from stream.engine import Engine
from stream.settings import load_settings
from stream.tools.event_address import Addresses
from stream.tools.shop_bulk import bulk_events
from stream.wire.partitioning import partitions_of

EVENTS = 300_000
EVENTS_A_CUSTOMER = 5
PARTITIONS = 8
EVENTS_A_CHUNK = 2_500
EVENTS_A_FLUSH = 210_000
NOW_MS = 2_000_000_000_000


def main(events: int) -> None:
    """Print CPU seconds by part."""
    settings = load_settings(
        {
            "RETENTION_CLOCK": "event",
            "RETENTION_WINDOWS": "7d,30d,90d,365d",
            "RETENTION_PARTITIONS": str(PARTITIONS),
            "RETENTION_STAGE_EVENTS": "on",
        }
    )
    engine = Engine(settings.engine_config())
    for partition in range(PARTITIONS):
        engine.assign(partition)
        engine.finish_restore(partition)
    addresses = Addresses()
    topics = settings.source_topics
    waiting: defaultdict[tuple[str, int], list[bytes]] = defaultdict(list)
    offsets: Counter[tuple[str, int]] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    told = touched = 0

    def apply(source: tuple[str, int]) -> None:
        values = waiting.pop(source)
        first = offsets[source]
        offsets[source] += len(values)
        began = time.process_time()
        engine.apply(
            *source, range(first, first + len(values)), [None] * len(values), values, NOW_MS
        )
        seconds["apply"] += time.process_time() - began

    def flush() -> None:
        nonlocal told, touched
        for source in list(waiting):
            apply(source)
        for partition in range(PARTITIONS):
            shard = engine._shards[partition]
            began = time.process_time()
            shard.stages.advance(shard.customers.purchases_ms)
            looked = time.process_time()
            told += sum(body.count for body in engine.take_stage_events(partition))
            written = time.process_time()
            touched += len(engine.take_changes(partition, NOW_MS).keys)
            seconds["stages looked at"] += looked - began
            seconds["changes of stages as JSON"] += written - looked
            seconds["the rest of the flush"] += time.process_time() - written

    lines = (
        each.line for each in bulk_events(customers=events // EVENTS_A_CUSTOMER, events=events)
    )
    for number, line in enumerate(lines, start=1):
        index, key = addresses.of(line)
        partition = int(partitions_of([key or b""], PARTITIONS)[0])
        source = (topics[index], partition)
        waiting[source].append(line)
        if len(waiting[source]) == EVENTS_A_CHUNK:
            apply(source)
        if number % EVENTS_A_FLUSH == 0:
            flush()
    flush()
    for name, spent in seconds.items():
        print(f"{name:28} {spent:6.2f} s")
    print(json.dumps({"events": events, "customers written": touched, "changes told": told}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
