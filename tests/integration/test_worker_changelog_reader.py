"""Reading whole changelogs, over each broker in turn."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from stream.faust_app import changelog_reader
from stream.faust_app.changelog_reader import ChangelogReader
from stream.faust_app.fuse import BrokenWorldError
from tests.integration.stream_harness import (
    PARTITIONS,
    Record,
    Stream,
)
from tests.support.all_records import AllRecords

if TYPE_CHECKING:
    from collections.abc import Sequence

READ = tuple[list[bytes | None], list[bytes | None], int]


async def read(stream: Stream, partitions: Sequence[int]) -> dict[int, READ]:
    """Keys and values by partition, and how often it was said to be read."""
    settings = stream.settings
    records = {partition: AllRecords() for partition in partitions}
    reader = ChangelogReader(settings.kafka, settings.changelog_topic, records)
    ends = Counter([partition async for partition in reader.partitions()])
    done, total = reader.progress
    assert done == total == sum(len(each.all_keys) for each in records.values())
    return {p: (each.all_keys, each.all_values, ends[p]) for p, each in records.items()}


async def test_every_record_is_read_once_in_order_and_then_the_end(broker_address: str) -> None:
    stream = Stream(broker_address)
    records = [Record(0, b"k%d" % n, b"v" * 500 + b"%d" % n, []) for n in range(20_000)]
    stream.send_raw(stream.settings.changelog_topic, [*records, Record(1, b"gone", None, [])])
    assert await read(stream, range(PARTITIONS)) == {
        0: ([r.key for r in records], [r.value for r in records], 1),
        1: ([b"gone"], [None], 1),
        2: ([], [], 1),
    }


async def test_only_the_partitions_asked_for_are_read(broker_address: str) -> None:
    stream = Stream(broker_address)
    stream.send_raw(
        stream.settings.changelog_topic, [Record(p, b"k", b"v", []) for p in range(PARTITIONS)]
    )
    assert await read(stream, [2]) == {2: ([b"k"], [b"v"], 1)}


async def test_a_read_that_stalls_ends_with_an_error(
    broker_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = ChangelogReader._start

    async def start_without_fetching(reader: ChangelogReader) -> None:
        await start(reader)
        reader._consumer.pause(*reader._open)

    monkeypatch.setattr(changelog_reader, "STALL_SECONDS", 2.0)
    monkeypatch.setattr(ChangelogReader, "_start", start_without_fetching)
    stream = Stream(broker_address)
    topic = stream.settings.changelog_topic
    stream.send_raw(topic, [Record(0, b"k", b"v", [])])
    with pytest.raises(BrokenWorldError, match=f"reading {topic} gave nothing for 2 s, after 0 of"):
        await read(stream, [0])
