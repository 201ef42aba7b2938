"""The place where workers meet is lost, and comes back empty."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.chaos.feeder import Feeder
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import assert_reckoning
from tests.chaos.sizes import ENVIRON, SENDING_SECONDS, WORKERS
from tests.chaos.watch import Watch
from tests.chaos.workload import DATA, MIXED_CLIENTS, lines_of, placed
from tests.integration.stream_harness import Stream
from tests.support.redis_server import RedisServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.sizes import Size
    from tests.support.kafka_server import KafkaServer

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(3600)]
#: A sum may be shown so long after it was made, and no longer.
GONE_SECONDS = 15.0
BACK_SECONDS = 60.0


@pytest.mark.parametrize("data", DATA)
def test_redis_killed_and_restarted_empty_changes_no_gauge(
    kafka_server: KafkaServer, size: Size, tmp_path: Path, data: str
) -> None:
    rng = random.Random(13)
    with RedisServer(tmp_path) as redis:
        stream = Stream(kafka_server.address, **ENVIRON, RETENTION_REDIS_URL=redis.url)
        lines = lines_of(data, size.events, seed=23, bad_share=0.002)
        records = placed(lines, stream.settings, MIXED_CLIENTS, seed=24)
        with (
            Fleet(stream.environ, tmp_path, WORKERS) as fleet,
            Feeder(stream.settings.broker, records, seconds=size.seconds) as feeder,
            Watch(fleet.ports) as watch,
        ):
            for _ in range(size.outages):
                fleet.until(lambda: watch.shows_now, "gauges", BACK_SECONDS)
                fleet.rest(rng.uniform(0.0, 3.0))
                redis.kill()
                fleet.until(lambda: not watch.shows_now, "no gauges without Redis", GONE_SECONDS)
                fleet.rest(rng.uniform(1.0, 5.0))
                redis.start()
            fleet.until(lambda: watch.shows_now, "gauges again", BACK_SECONDS)
            fleet.until(lambda: feeder.done, "everything sent", SENDING_SECONDS)
            assert_reckoning(stream, fleet, records, tmp_path)
            # Losing Redis stops nobody: what is counted does not pass through it.
            assert fleet.ended_by_themselves == []
        assert all(len(tick.shown) <= 1 for tick in watch.ticks)
