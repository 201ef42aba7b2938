"""What the compiled kernel saves: ``python -m tests.benchmarks.kernel``.

CPU time of each inner loop with and without it, best of several runs.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords

from stream import kernel
from stream.engine import Engine
from stream.faust_app.record_batches import BatchwiseRecords, RecordBatches, RecordColumns
from stream.settings import load_settings
from stream.tools.shop_bulk import bulk_events
from stream.wire.event_reader import EventReader
from tests.support.batches import batch

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 9
EVENTS = 10_000
NOW_MS = 1_900_000_000_000
PARTITION = TopicPartition("purchases", 0)


def microseconds(work: Callable[[], object], things: int) -> float:
    """CPU time of one of some things that ``work`` does, in its best run."""
    best = float("inf")
    for _ in range(RUNS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best / things * 1e6


def reading_events(compiled: kernel.Kernel | None, lines: list[bytes]) -> float:
    """Of one event."""
    reader = EventReader(("channel", "country"), compiled)
    return microseconds(lambda: reader.read(lines), len(lines))


def reading_records(compiled: kernel.Kernel | None, lines: list[bytes]) -> float:
    """Of one record."""
    data = batch([(number, b"customer-0000001", line, []) for number, line in enumerate(lines)])

    def batchwise() -> object:
        about: Any = (data, [], 0, None, None, True, READ_COMMITTED)
        return list(BatchwiseRecords(PARTITION, RecordBatches(about[0]), *about[1:]))

    def record_by_record() -> object:
        reading: Any = PartitionRecords(
            PARTITION, MemoryRecords(data), [], 0, None, None, True, READ_COMMITTED
        )
        reading._consumer_record = lambda _tp, record: record
        return RecordColumns.of(list(reading))

    return microseconds(batchwise if compiled else record_by_record, len(lines))


def applying(compiled: kernel.Kernel | None, lines: list[bytes]) -> float:
    """From event JSON to entries and tallies, in four windows and two dimensions."""
    config = load_settings({"RETENTION_CLOCK": "event", "RETENTION_PARTITIONS": "1"})

    def apply() -> None:
        engine = Engine(config.engine_config(), compiled)
        engine.assign(0)
        engine.finish_restore(0)
        engine.apply("purchases", 0, range(len(lines)), [None] * len(lines), lines, NOW_MS)

    return microseconds(apply, len(lines))


def main() -> None:
    """Measure, and print a table."""
    if kernel.compiled is None:
        raise SystemExit("the compiled kernel is not installed: nothing to compare")
    lines = [one.line for one in islice(bulk_events(customers=3_000, events=EVENTS), EVENTS)]
    loops: tuple[tuple[str, Callable[[kernel.Kernel | None], float]], ...] = (
        ("event JSON, an event", lambda compiled: reading_events(compiled, lines)),
        ("record batch, a record", lambda compiled: reading_records(compiled, lines)),
        ("all of an event", lambda compiled: applying(compiled, lines)),
    )
    for what, measure in loops:
        ours, theirs = measure(kernel.compiled), measure(None)
        print(f"{what:24} {ours:7.4f} µs, without {theirs:7.4f} µs: {theirs / ours:.1f} times")


if __name__ == "__main__":
    main()
