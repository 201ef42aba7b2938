"""One worker that could have others: it meets nobody but itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.stream_harness import PARTITIONS, Stream, purchases, record_of
from tests.integration.worker_harness import Worker
from tests.support.fleet import Fleet

if TYPE_CHECKING:
    from pathlib import Path

    from stream.tools.embedded_broker import EmbeddedBroker
    from tests.support.redis_server import RedisServer


def test_one_worker_adds_up_with_itself_and_stops_in_order(
    embedded_broker: EmbeddedBroker, redis_server: RedisServer, tmp_path: Path
) -> None:
    stream = Stream(embedded_broker.address, RETENTION_REDIS_URL=redis_server.url)
    fleet = Fleet(stream)
    fleet.send([record_of(order) for order in purchases(100)])
    with Worker(stream.environ, tmp_path) as worker:
        fleet.workers.append(worker)
        fleet.watch_until_all_is_counted()
        worker.wait_until_owning(PARTITIONS)
        redis_server.kill()
        fleet.watch_until_absent()
        assert worker.gauge("retention_partitions_ready") == 0
        redis_server.start()
        fleet.send([record_of(order) for order in purchases(20, first=100)])
        fleet.watch_until_all_is_counted()
        assert worker.terminate() == 0
        assert worker.last_log_line.endswith("everything applied is committed")
