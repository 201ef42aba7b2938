"""What the compiled kernel saves: ``python -m tests.benchmarks.kernel``.

CPU time of each inner loop with and without it, best of several runs.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords

from stream import kernel
from stream.domain.paged import PagedArray, Term
from stream.faust_app.record_batches import BatchwiseRecords, RecordBatches, RecordColumns
from stream.tools.shop_bulk import bulk_events
from stream.wire.event_reader import EventReader
from tests.support.batches import batch

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 9
EVENTS = 10_000
#: Terms of an order in each dimension, and rows of a segment.
TERMS, ROWS = 17, 24
#: Segments of the dimensions: the whole store, channels, countries.
SEGMENTS = (1, 5, 20)
PARTITION = TopicPartition("purchases", 0)


def microseconds(work: Callable[[], object], count: int) -> float:
    """CPU time of one of ``count`` things that ``work`` does, in its best run."""
    best = float("inf")
    for _ in range(RUNS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best / count * 1e6


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


def scattering(compiled: kernel.Kernel | None) -> float:
    """Of one term in one row: orders in order of time, and when they leave each window."""
    random = np.random.default_rng(1)
    paged = PagedArray(np.int32, compiled)
    paged.add_rows(sum(SEGMENTS) * ROWS)
    firsts = np.cumsum((0, *SEGMENTS[:-1]))
    bases = np.stack(
        [
            (first + random.integers(0, segments, EVENTS)) * ROWS
            for first, segments in zip(firsts, SEGMENTS, strict=True)
        ]
    )
    slots = np.sort(random.integers(8_000, 8_100, EVENTS))
    terms = [
        Term(row, None, slots + later, 1)
        for row, later in enumerate(random.integers(0, 9_000, TERMS).tolist())
    ]
    paged.add(bases, terms)
    return microseconds(lambda: paged.add(bases, terms), bases.size * TERMS)


def main() -> None:
    """Measure, and print a table."""
    if kernel.compiled is None:
        raise SystemExit("the compiled kernel is not installed: nothing to compare")
    lines = [one.line for one in islice(bulk_events(customers=3_000, events=EVENTS), EVENTS)]
    for what, measure in (
        ("event JSON, an event", lambda compiled: reading_events(compiled, lines)),
        ("record batch, a record", lambda compiled: reading_records(compiled, lines)),
        ("scatter, an addition", scattering),
    ):
        ours, theirs = measure(kernel.compiled), measure(None)
        print(f"{what:24} {ours:7.4f} µs, without {theirs:7.4f} µs: {theirs / ours:.1f} times")


if __name__ == "__main__":
    main()
