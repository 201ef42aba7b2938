"""Single customers at a running worker: their outlook."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.integration.stream_harness import Stream
from tests.integration.worker_harness import Worker
from tests.unit.test_outlook import crowd


def looked_up(worker: Worker, customer_id: str) -> dict[str, Any] | None:
    """What the worker says of a customer; None: it knows nothing."""
    status, body = worker.get(f"/api/v1/customers/default/{customer_id}")
    assert status in (200, 404), body
    answer: dict[str, Any] = json.loads(body)
    return answer if status == 200 else None


def test_a_worker_fits_models_to_its_customers_and_tells_their_outlook(
    broker_address: str, tmp_path: Path
) -> None:
    stream = Stream(broker_address)
    events = crowd(300)
    stream.send(stream.settings.topic_purchases, events)
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_ready().wait_for_events(len(events))
        deadline = time.monotonic() + 30
        while (answer := looked_up(worker, "7")) is None or answer["outlook"] is None:
            assert time.monotonic() < deadline, worker.log
            time.sleep(0.2)
        assert 0 < answer["outlook"]["probability_alive"] < 1
        assert 0 < answer["outlook"]["expected_orders_90d"] < 90
        assert worker.terminate() == 0
