from __future__ import annotations

import dataclasses
import gzip
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource

from stream.settings import Settings, load_settings
from stream.tools.console import CommandError
from stream.tools.produce import produce_lines
from stream.tools.topics import ensure_topics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka_server import KafkaServer

REPOSITORY = Path(__file__).parents[2]
PARTITIONS = 3


class Record(NamedTuple):
    partition: int
    key: bytes | None
    value: bytes


@pytest.fixture
def settings(broker_address: str) -> Settings:
    """Settings with topics of their own on each broker in turn."""
    run = uuid.uuid4().hex[:8]
    return load_settings(
        {
            "RETENTION_BROKER": broker_address,
            "RETENTION_PARTITIONS": str(PARTITIONS),
            "RETENTION_APP_ID": f"app-{run}",
            "RETENTION_TOPIC_PURCHASES": f"purchases-{run}",
            "RETENTION_TOPIC_SIGNUPS": f"signups-{run}",
            "RETENTION_TOPIC_RETURNS": f"returns-{run}",
            "RETENTION_TOPIC_REROUTED": f"rerouted-{run}",
            "RETENTION_TOPIC_DEAD_LETTERS": f"dead-letters-{run}",
            "RETENTION_TOPIC_LIFECYCLE": f"lifecycle-{run}",
        }
    )


def records(broker: str, topic: str, count: int) -> list[Record]:
    consumer = KafkaConsumer(
        bootstrap_servers=broker, auto_offset_reset="earliest", consumer_timeout_ms=10_000
    )
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
        found = [next(consumer) for _ in range(count)]
        assert not consumer.poll(timeout_ms=200)
    finally:
        consumer.close()
    return [Record(record.partition, record.key, record.value) for record in found]


def command(
    *argv: str, settings: Settings | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    env = dict(os.environ)
    if settings is not None:
        env["RETENTION_BROKER"] = settings.broker
        env["RETENTION_PARTITIONS"] = str(settings.partitions)
        for name in ("purchases", "signups", "returns", "rerouted", "dead_letters"):
            env[f"RETENTION_TOPIC_{name.upper()}"] = getattr(settings, f"topic_{name}")
    return subprocess.run(
        [sys.executable, "-m", "stream", *argv],
        cwd=REPOSITORY,
        env=env,
        input=stdin,
        capture_output=True,
        check=False,
    )


def purchases(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield b'{"type":"purchase","customer_id":"c%d","order_id":"%d"}' % (number % 50, number)


def test_topics_are_created_once_with_partitions_and_a_compacted_changelog(
    settings: Settings,
) -> None:
    first = ensure_topics(settings)
    again = ensure_topics(settings)
    assert [topic.name for topic in first] == [
        *settings.source_topics,
        settings.topic_rerouted,
        settings.topic_dead_letters,
        settings.topic_lifecycle,
        settings.changelog_topic,
    ]
    assert [topic.state for topic in first] == ["created"] * 7
    assert [topic.state for topic in again] == ["exists"] * 7
    assert {topic.partitions for topic in again} == {PARTITIONS}
    assert [topic.cleanup_policy for topic in again] == ["delete"] * 6 + ["compact"]


@pytest.mark.kafka
def test_segments_of_the_changelog_are_small_enough_to_be_compacted_soon(
    kafka_server: KafkaServer, settings: Settings
) -> None:
    here = dataclasses.replace(
        settings, kafka=dataclasses.replace(settings.kafka, bootstrap_servers=kafka_server.address)
    )
    ensure_topics(here)
    admin = KafkaAdminClient(bootstrap_servers=kafka_server.address)
    try:
        topics = [here.changelog_topic, here.topic_purchases]
        configs = admin.describe_configs(
            [ConfigResource("topic", topic) for topic in topics], config_filter="all"
        )["topic"]
        sizes = [int(configs[topic]["segment.bytes"]["value"]) for topic in topics]
    finally:
        admin.close()
    # A segment in use is left out by compaction; Kafka's own size suits events, which are kept.
    assert sizes == [64 * 2**20, 2**30]


def test_wrong_number_of_partitions_is_refused_and_nothing_created(settings: Settings) -> None:
    admin = KafkaAdminClient(bootstrap_servers=settings.broker)
    try:
        admin.create_topics({settings.topic_returns: {"num_partitions": 2}}, wait_for_metadata=True)
        with pytest.raises(CommandError, match=f"{settings.topic_returns} has 2; set RETENTION_"):
            ensure_topics(settings)
        assert settings.topic_purchases not in admin.list_topics()
    finally:
        admin.close()


def test_changelog_that_is_not_compacted_is_refused(settings: Settings) -> None:
    admin = KafkaAdminClient(bootstrap_servers=settings.broker)
    try:
        admin.create_topics(
            {settings.changelog_topic: {"num_partitions": PARTITIONS}}, wait_for_metadata=True
        )
    finally:
        admin.close()
    with pytest.raises(CommandError, match=r"must have cleanup\.policy=compact.*kafka-configs"):
        ensure_topics(settings)


def test_topics_command_shows_every_topic(settings: Settings) -> None:
    done = command("topics", settings=settings)
    assert done.returncode == 0
    assert all(topic in done.stdout.decode() for topic in settings.source_topics)
    again = command("topics", settings=dataclasses.replace(settings, partitions=2))
    assert again.returncode == 1
    assert b"RETENTION_PARTITIONS" in again.stderr
    assert again.stderr.count(b"\n") == 1


def test_events_arrive_in_the_topic_of_their_type_as_they_were(settings: Settings) -> None:
    ensure_topics(settings)
    lines = [
        b'{"type":"purchase", "customer_id":"a"}',
        b'{"type":"purchase"}',
        b"not json",
        b'{"type":"signup","customer_id":"a"}',
        b'{"type":"return","customer_id":"b"}',
        b'{"type":"cancellation","customer_id":"b"}',
    ]
    produced = produce_lines(settings.kafka, lines, settings.source_topics)
    assert list(produced.events.values()) == [3, 1, 2]
    sent = [
        set(records(settings.broker, topic, 6 // n))
        for topic, n in zip(settings.source_topics, (2, 6, 3), strict=True)
    ]
    assert [{(key, value) for _, key, value in topic} for topic in sent] == [
        {(b"a", lines[0]), (None, lines[1]), (None, lines[2])},
        {(b"a", lines[3])},
        {(b"b", lines[4]), (b"b", lines[5])},
    ]


def test_partition_is_that_of_the_default_partitioner(settings: Settings) -> None:
    ensure_topics(settings)
    lines = list(purchases(200))
    produce_lines(settings.kafka, lines, settings.source_topics)
    producer = KafkaProducer(bootstrap_servers=settings.broker)
    for line in lines:
        producer.send(settings.topic_signups, line, json.loads(line)["customer_id"].encode())
    producer.close()
    ours = records(settings.broker, settings.topic_purchases, 200)
    theirs = records(settings.broker, settings.topic_signups, 200)
    assert sorted(ours) == sorted(theirs)
    assert {record.partition for record in ours} == set(range(PARTITIONS))


def test_events_of_a_customer_keep_their_order(settings: Settings) -> None:
    ensure_topics(settings)
    produce_lines(settings.kafka, purchases(5_000), settings.source_topics)
    orders: dict[bytes | None, list[int]] = {}
    for _, key, value in records(settings.broker, settings.topic_purchases, 5_000):
        orders.setdefault(key, []).append(int(json.loads(value)["order_id"]))
    assert len(orders) == 50
    assert all(numbers == sorted(numbers) for numbers in orders.values())


def test_missing_topic_is_told_with_the_way_out(settings: Settings) -> None:
    with pytest.raises(CommandError, match=f"no topic .*{settings.topic_signups}.* topics"):
        produce_lines(settings.kafka, [b"{}"], settings.source_topics)


def test_event_larger_than_kafka_takes_is_an_error(settings: Settings) -> None:
    ensure_topics(settings)
    with pytest.raises(CommandError, match=r"message is .* bytes"):
        produce_lines(settings.kafka, [b"x" * 2_000_000], settings.source_topics)


def test_produce_command_sends_files_and_stdin(settings: Settings, tmp_path: Path) -> None:
    ensure_topics(settings)
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(purchases(10)))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"\n".join(purchases(20))))
    done = command(
        *("produce", str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl.gz"), "-"),
        settings=settings,
        stdin=b'{"type":"signup","customer_id":"c"}\n',
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"sent 31 events in ")
    assert len(records(settings.broker, settings.topic_purchases, 30)) == 30
    assert len(records(settings.broker, settings.topic_signups, 1)) == 1


def test_produce_command_repeats_the_share_asked_for(settings: Settings, tmp_path: Path) -> None:
    ensure_topics(settings)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(purchases(100)))
    options = ("--shuffle", "--repeat-share", "0.05", "--seed", "7")
    done = command("produce", str(path), *options, settings=settings)
    assert done.stdout.startswith(b"sent 105 events in ")
    values = {record.value for record in records(settings.broker, settings.topic_purchases, 105)}
    assert values == set(purchases(100))
