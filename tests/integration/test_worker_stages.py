"""Changes of customers' stages that only time brings, told by a worker that gets no events."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.integration.stream_harness import Record, Stream, purchases
from tests.integration.worker_harness import Worker

if TYPE_CHECKING:
    from pathlib import Path

NEW_FOR_SECONDS = 60
#: Until the customer is new no more, when the worker starts.
SECONDS_LEFT = 15


def test_an_idle_worker_tells_what_time_brings_once(broker_address: str, tmp_path: Path) -> None:
    stream = Stream(
        broker_address,
        RETENTION_CLOCK="wall",
        RETENTION_STAGE_EVENTS="on",
        RETENTION_STAGE_NEW_FOR="1m",
        RETENTION_STAGE_AT_RISK_AT_LEAST="1d",
    )
    ordered_at = int(time.time()) - NEW_FOR_SECONDS + SECONDS_LEFT
    (order,) = purchases(1)
    stream.send(stream.settings.topic_purchases, [{**order, "occurred_at": ordered_at}])
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(1)
        worker.wait_until_committed()
        changes = stream.read(stream.settings.topic_lifecycle, 1)
        assert [_what(change) for change in changes] == [(None, "new", ordered_at)]
        assert dict(changes[0].headers)["content-type"].startswith(b"application/cloudevents+json")
        time.sleep(max(0.0, ordered_at + NEW_FOR_SECONDS - time.time()))
        changes = stream.read(stream.settings.topic_lifecycle, 2)
        assert _what(changes[1]) == ("new", "active", ordered_at + NEW_FOR_SECONDS)
        assert worker.outcomes() == {(stream.settings.topic_purchases, "applied"): 1}
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_until_committed()
        assert worker.gauge("retention_customers_in_stage", stage="active") == 1
        assert worker.terminate() == 0
    found = stream.read_all(stream.settings.topic_lifecycle)
    assert found == changes


def _what(record: Record) -> tuple[str | None, str, int]:
    event = json.loads(record.value or b"")
    since = datetime.fromisoformat(event["time"]).astimezone(UTC).timestamp()
    return event["data"]["from"], event["data"]["to"], int(since)
