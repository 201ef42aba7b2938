"""The topics of the stream: created where missing, checked where present, never altered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict, cast

from kafka.admin import ConfigResource
from kafka.errors import TopicAlreadyExistsError, for_code
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from stream.tools.console import CommandError
from stream.tools.kafka_clients import kafka_admin

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence

    from kafka import KafkaAdminClient

    from stream.settings import Settings

READY_TIMEOUT_MS = 30_000
#: A dead letter is its event with more headers, so the largest event must still fit.
FORWARDED_MAX_BYTES = 2 * 1024 * 1024
#: The state of a customer with very many orders is one record.
STATE_MAX_BYTES = 10 * 1024 * 1024
#: The segment that is written to is never compacted, and a restore reads it whole. At Kafka's 1 GiB
#: that would be every state that was written in days.
STATE_SEGMENT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TopicStatus:
    """A topic as it is on the broker after the check."""

    name: str
    use: str
    partitions: int
    cleanup_policy: str
    state: Literal["created", "exists"]


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    use: str
    configs: Mapping[str, str]


class _PartitionInfo(TypedDict):
    partition_index: int


class _TopicInfo(TypedDict):
    name: str
    error_code: int
    partitions: list[_PartitionInfo]


def ensure_topics(settings: Settings) -> list[TopicStatus]:
    """Create the topics that are missing, check those that exist.

    Nothing is created when one that exists is wrong.

    Raises:
        CommandError: when the broker cannot be reached, a topic has the wrong number of
            partitions, or the changelog is not compacted.
    """
    with kafka_admin(settings.kafka) as admin:
        return _ensure(admin, settings)


def _ensure(admin: KafkaAdminClient, settings: Settings) -> list[TopicStatus]:
    wanted = _wanted_topics(settings)
    names = [topic.name for topic in wanted]
    existing = _partition_counts(admin, names)
    _check_partitions(existing, settings.partitions)
    _check_compaction(admin, settings, existing)
    created = _create(admin, [topic for topic in wanted if topic.name not in existing], settings)
    admin.wait_for_topics(names, timeout_ms=READY_TIMEOUT_MS)
    # Another worker may have created them meanwhile, with other settings.
    counts = _partition_counts(admin, names)
    _check_partitions(counts, settings.partitions)
    return [
        TopicStatus(
            name=topic.name,
            use=topic.use,
            partitions=counts[topic.name],
            cleanup_policy=topic.configs.get("cleanup.policy", "delete"),
            state="created" if topic.name in created else "exists",
        )
        for topic in wanted
    ]


def _wanted_topics(settings: Settings) -> list[_Wanted]:
    forwarded = {"max.message.bytes": str(FORWARDED_MAX_BYTES)}
    compacted = {
        "cleanup.policy": "compact",
        "max.message.bytes": str(STATE_MAX_BYTES),
        "segment.bytes": str(STATE_SEGMENT_BYTES),
    }
    return [
        _Wanted(settings.topic_purchases, "purchases", {}),
        _Wanted(settings.topic_signups, "signups", {}),
        _Wanted(settings.topic_returns, "returns", {}),
        _Wanted(settings.topic_rerouted, "rerouted", forwarded),
        _Wanted(settings.topic_dead_letters, "dead letters", forwarded),
        _Wanted(settings.topic_lifecycle, "changes of stages", {}),
        _Wanted(settings.changelog_topic, "state", compacted),
    ]


def _partition_counts(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    topics = cast("list[_TopicInfo]", admin.describe_topics(list(names)))
    return {topic["name"]: len(topic["partitions"]) for topic in topics if not topic["error_code"]}


def _check_partitions(counts: Mapping[str, int], partitions: int) -> None:
    wrong = {name: count for name, count in counts.items() if count != partitions}
    if not wrong:
        return
    listed = ", ".join(f"{name} has {count}" for name, count in sorted(wrong.items()))
    ways_out = "delete them and run: retention-stream topics"
    if len(set(counts.values())) == 1:
        ways_out = f"set RETENTION_PARTITIONS={next(iter(wrong.values()))}, or {ways_out}"
    raise CommandError(
        f"every topic must have {partitions} partitions (RETENTION_PARTITIONS), but {listed}; "
        f"{ways_out}"
    )


def _check_compaction(
    admin: KafkaAdminClient, settings: Settings, existing: Mapping[str, int]
) -> None:
    name = settings.changelog_topic
    if name not in existing:
        return
    described = admin.describe_configs([ConfigResource("topic", name)], config_filter="all")
    entry = described["topic"][name].get("cleanup.policy")
    # The embedded broker tells only what was set; Kafka always tells the policy.
    policy = "delete" if entry is None else cast("str", entry["value"])
    if policy != "compact":
        raise CommandError(
            f"topic {name} must have cleanup.policy=compact, but has {policy}: state would be "
            f"lost; run: kafka-configs.sh --bootstrap-server {settings.broker} --alter "
            f"--entity-type topics --entity-name {name} --add-config cleanup.policy=compact"
        )


def _create(admin: KafkaAdminClient, topics: Sequence[_Wanted], settings: Settings) -> set[str]:
    if not topics:
        return set()
    response = admin.create_topics(
        {
            topic.name: {"num_partitions": settings.partitions, "configs": dict(topic.configs)}
            for topic in topics
        },
        raise_errors=False,
    )
    created = set()
    for result in response["topics"]:
        error = for_code(result["error_code"])
        if not result["error_code"]:
            created.add(cast("str", result["name"]))
        elif error is not TopicAlreadyExistsError:
            raise CommandError(
                f"topic {result['name']} cannot be created: {result['error_message'] or error}; "
                "create it yourself or let this user create topics; if it is there already, "
                "let this user describe it (docs/security.md)"
            )
    return created


def add_arguments(parser: ArgumentParser) -> None:
    """``topics`` has no options of its own."""
    parser.epilog = "Names and the number of partitions come from the settings (RETENTION_...)."


def run(settings: Settings, _args: Namespace) -> int:
    """Create or check the topics, and print them as a table."""
    table = Table(title=f"topics on {settings.broker}", title_justify="left", box=SIMPLE)
    for heading in ("topic", "partitions", "cleanup", "state", "for"):
        table.add_column(heading, no_wrap=heading == "topic")
    for topic in ensure_topics(settings):
        table.add_row(
            topic.name, str(topic.partitions), topic.cleanup_policy, topic.state, topic.use
        )
    Console().print(table)
    return 0
