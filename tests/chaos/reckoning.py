"""The end of every test here: nothing lost, nothing counted twice, every gauge as recomputed."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from kafka import KafkaConsumer, TopicPartition

from stream.tools.oracle import OracleParameters, broken_identities, compare, recompute
from stream.tools.verify import lifecycle_parameters
from stream.tools.verify_scrape import Scrape, scrape
from tests.chaos.sizes import WHOLE_HISTORY
from tests.chaos.watch import business_gauges, read_shown
from tests.chaos.workload import is_bad, write_lines
from tests.integration.worker_harness import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kafka.consumer.fetcher import ConsumerRecord

    from stream.settings import Settings
    from stream.tools.oracle import Recomputed
    from tests.chaos.fleet import Fleet
    from tests.chaos.watch import Shown
    from tests.chaos.workload import Sent
    from tests.integration.stream_harness import Stream

SETTLE_SECONDS = 600.0
FEWEST_GAUGES = 500


class Coordinates(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


def assert_reckoning(
    stream: Stream, fleet: Fleet, records: Sequence[Sent], folder: Path
) -> Recomputed:
    """Wait until the fleet has committed everything, end it, and hold what is left to the oracle.

    The gauges are those of a worker that starts on what the fleet has left in Kafka and reads
    nothing else: they show that the state is right, and that it is safe. Before that, workers that
    meet in a Redis show together the same.
    """
    settings = stream.settings
    shown_by_fleet = None
    with _consumer(settings) as consumer:
        fleet.until(lambda: _all_committed(consumer, settings), "all committed", SETTLE_SECONDS)
        _assert_sent_once(consumer, settings, records)
        if settings.redis.url:
            shown_by_fleet = _shown_by_fleet(fleet, consumer, settings)
    _assert_dead_letters(settings, records)
    for number in fleet.numbers:
        fleet.stop(number)
    shown = _shown_by_a_new_worker(stream, folder)
    expected = recompute([write_lines(folder / "sent.jsonl.gz", records)], parameters(settings))
    assert shown.as_of_ms == expected.as_of_ms
    assert compare(expected.samples, shown.samples) == []
    assert broken_identities(shown.samples) == []
    assert len(expected.samples) >= FEWEST_GAUGES
    if shown_by_fleet is not None:
        assert shown_by_fleet.as_of_ms == expected.as_of_ms
        assert compare(expected.samples, shown_by_fleet.samples) == []
    _assert_every_event_counts(records, shown)
    assert sum(expected.outcomes.values()) == len(records)
    return expected


def parameters(settings: Settings) -> OracleParameters:
    """What the oracle has to know of a worker in event time."""
    return OracleParameters(
        windows=tuple(window.name for window in settings.windows),
        dimensions=settings.dimensions,
        timezone=settings.timezone,
        bucket_ms=settings.bucket_ms,
        horizon_ms=settings.horizon_ms,
        clock="event",
        now_ms=time.time_ns() // 1_000_000,
        lifecycle=lifecycle_parameters(settings),
    )


def committed_records(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """Everything in a topic of ours that was committed, now that no transaction is open.

    Offsets may be there a moment before the records of the same transaction, so the ends are
    those of the log.
    """
    partitions = _partitions(topic, settings.partitions)
    records: list[ConsumerRecord] = []
    with _consumer(settings) as consumer:
        ends = consumer.end_offsets(partitions)
    with _consumer(settings, isolation_level="read_committed") as consumer:
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        while any(consumer.position(tp) < end for tp, end in ends.items()):
            for batch in consumer.poll(timeout_ms=200).values():
                records.extend(batch)
    return records


@contextmanager
def _consumer(
    settings: Settings, *, isolation_level: str = "read_uncommitted"
) -> Iterator[KafkaConsumer]:
    """Reading what is committed, it takes the first open transaction for the end of the log."""
    consumer = KafkaConsumer(
        bootstrap_servers=settings.broker,
        group_id=settings.app_id,
        enable_auto_commit=False,
        isolation_level=isolation_level,
        auto_offset_reset="earliest",
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _all_committed(consumer: KafkaConsumer, settings: Settings) -> bool:
    # In this order: once the sources are committed, the strays they held are in the log.
    return all(
        _committed(consumer, topic, settings.partitions)
        for topic in (*settings.source_topics, settings.topic_rerouted)
    )


def _committed(consumer: KafkaConsumer, topic: str, partitions: int) -> bool:
    ends = consumer.end_offsets(_partitions(topic, partitions))
    return all((consumer.committed(tp) or 0) >= end for tp, end in ends.items())


def _assert_sent_once(consumer: KafkaConsumer, settings: Settings, records: Sequence[Sent]) -> None:
    """What the oracle is told is what the topics hold."""
    sent = Counter((record.topic, record.partition) for record in records)
    for topic in settings.source_topics:
        ends = consumer.end_offsets(_partitions(topic, settings.partitions))
        assert {tp: end for tp, end in ends.items() if end} == {
            TopicPartition(*place): number for place, number in sent.items() if place[0] == topic
        }


def _assert_dead_letters(settings: Settings, records: Sequence[Sent]) -> None:
    """Each bad event is one dead letter, whole, and nothing else is."""
    topic = settings.topic_dead_letters
    letters = [_dead_letter(found) for found in committed_records(settings, topic)]
    bad = [
        (Coordinates(record.topic, record.partition, record.offset), record.key, record.line)
        for record in records
        if is_bad(record.line)
    ]
    assert not Counter(bad) - Counter(letters), "bad events without a dead letter"
    assert not Counter(letters) - Counter(bad), "dead letters of no bad event, or a second one"


def _dead_letter(record: ConsumerRecord) -> tuple[Coordinates, bytes | None, bytes]:
    headers = dict(record.headers)
    place = Coordinates(
        headers["dl-topic"].decode(), int(headers["dl-partition"]), int(headers["dl-offset"])
    )
    return place, record.key, record.value


def _shown_by_a_new_worker(stream: Stream, folder: Path) -> Scrape:
    alone = {**stream.environ, "RETENTION_REDIS_URL": ""}
    with Worker(alone, folder) as worker:
        # Hundreds of thousands of customers, and other work on the machine.
        worker.wait_until_owning(stream.settings.partitions, SETTLE_SECONDS)
        worker.wait_until_committed()
        assert worker.outcomes() == {}, "it read events again though all were committed"
        return scrape(f"http://127.0.0.1:{worker.port}/metrics")


def _shown_by_fleet(fleet: Fleet, consumer: KafkaConsumer, settings: Settings) -> Scrape:
    """The gauges of the one that speaks for all, once they reach as far as what is committed."""
    reached = {
        tuple(tp): consumer.committed(tp) or 0
        for topic in (*settings.source_topics, settings.topic_rerouted)
        for tp in _partitions(topic, settings.partitions)
    }
    last: list[Shown] = []

    def shows_all() -> bool:
        texts = [business_gauges(fleet.ports[number]) for number in fleet.numbers]
        last[:] = [read_shown(text) for text in texts if text is not None]
        return [shown.positions for shown in last] == [reached]

    fleet.until(shows_all, "gauges of everything", SETTLE_SECONDS)
    return last[0].scrape


def _assert_every_event_counts(records: Sequence[Sent], shown: Scrape) -> None:
    """Counted from the lines themselves: the longest window holds the whole history."""
    seen: defaultdict[str, set[tuple[str, str | None, str | None]]] = defaultdict(set)
    for line in {record.line for record in records if not is_bad(record.line)}:
        event = json.loads(line)
        event_id = event.get("return_id" if event["type"] == "return" else "order_id")
        seen[event["type"]].add((event.get("store", "default"), event.get("customer_id"), event_id))
    kept = seen["purchase"] - seen["cancellation"]
    assert _whole_history(shown, "retention_orders") == len(kept) > 0
    assert _whole_history(shown, "retention_signups", status="total") == len(seen["signup"])


def _whole_history(shown: Scrape, name: str, **labels: str) -> float:
    """A count over all stores and all of the time."""
    whole = {"dimension": "all", "segment": "all", "window": WHOLE_HISTORY, **labels}
    return sum(
        sample.value
        for sample in shown.samples
        if sample.name == name and whole.items() <= sample.labels.items()
    )


def _partitions(topic: str, partitions: int) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for partition in range(partitions)]
