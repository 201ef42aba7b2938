"""Changes of customers' stages while workers are killed: the oracle's, each of them once."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from stream.tools.oracle import stage_changes
from stream.wire.partitioning import partitions_of
from tests.chaos.feeder import Feeder
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import assert_reckoning, committed_records, parameters
from tests.chaos.sizes import ENVIRON, SENDING_SECONDS
from tests.chaos.workload import placed
from tests.support.naive.stages import STAGES
from tests.support.online_retail import online_retail_lines

if TYPE_CHECKING:
    from pathlib import Path

    from kafka.consumer.fetcher import ConsumerRecord

    from stream.settings import Settings
    from tests.chaos.sizes import Size
    from tests.integration.stream_harness import Stream
    from tests.support.kafka_server import KafkaServer
    from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(3600)]

WORKERS = 2
#: The data ends on 2011-12-09; the year and all that follows stay in the longest window.
CLOSED_AT = "2012-02-15T00:00:00Z"


@pytest.fixture
def stream(kafka_server: KafkaServer, redis_server: RedisServer) -> Stream:
    from tests.integration.stream_harness import Stream  # noqa: PLC0415 - see conftest

    return Stream(
        kafka_server.address,
        **ENVIRON,
        RETENTION_REDIS_URL=redis_server.url,
        RETENTION_STAGE_EVENTS="on",
        # Within the data, or nobody would lapse.
        RETENTION_STAGE_LAPSED_AFTER="180d",
    )


def test_kill_9_at_random_moments_tells_each_change_once(
    stream: Stream, size: Size, tmp_path: Path
) -> None:
    rng = random.Random(12)
    settings = stream.settings
    lines = [*online_retail_lines(), *_guests_everywhere(settings.partitions)]
    records = placed(lines, settings, seed=3)
    with (
        Fleet(stream.environ, tmp_path, WORKERS) as fleet,
        Feeder(settings.broker, records, seconds=size.seconds) as feeder,
    ):
        for _ in range(size.kills):
            fleet.rest(rng.uniform(0.5, 1.5) * size.seconds / size.kills)
            victim = rng.choice(fleet.numbers)
            fleet.kill(victim)
            fleet.start(victim)
        fleet.until(lambda: feeder.done, "everything sent", SENDING_SECONDS)
        assert_reckoning(stream, fleet, records, tmp_path)
        assert fleet.ended_by_themselves == []
    told = committed_records(settings, settings.topic_lifecycle)
    expected = stage_changes([tmp_path / "sent.jsonl.gz"], parameters(settings))
    assert {change.after for change in expected} == set(STAGES)
    assert Counter(_change(record) for record in told) == Counter(map(tuple, expected))
    _assert_well_told(told, settings)


def _guests_everywhere(partitions: int) -> list[bytes]:
    """A guest's order in each partition, which moves its clock: what time brings is told."""
    lines: dict[int, bytes] = {}
    for number in count():
        order_id = f"guest-{number}"
        home = int(partitions_of([order_id.encode()], partitions)[0])
        event = {
            "type": "purchase",
            "order_id": order_id,
            "occurred_at": CLOSED_AT,
            "amount": "1.00",
            "currency": "GBP",
            "store": "uci",
        }
        lines[home] = json.dumps(event).encode()
        if len(lines) == partitions:
            return list(lines.values())
    raise AssertionError


def _change(record: ConsumerRecord) -> tuple[object, ...]:
    event: dict[str, Any] = json.loads(record.value)
    since = datetime.fromisoformat(event["time"]) - datetime(1970, 1, 1, tzinfo=UTC)
    data = event["data"]
    return (
        data["store"],
        data["customer_id"],
        since // timedelta(milliseconds=1),
        data["from"],
        data["to"],
        data["orders"],
    )


def _assert_well_told(told: list[ConsumerRecord], settings: Settings) -> None:
    """Keyed and placed as the customer's own events, and numbered in order."""
    numbers: defaultdict[bytes, list[int]] = defaultdict(list)
    ids = set()
    for record in told:
        event = json.loads(record.value)
        assert record.key.decode() == event["subject"]
        assert record.partition == partitions_of([record.key], settings.partitions)[0]
        numbers[record.key].append(event["data"]["change"])
        ids.add(event["id"])
    assert all(some == list(range(1, len(some) + 1)) for some in numbers.values())
    assert len(ids) == len(told)
