"""Three workers restarted one after the other under load, watched every second."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stream.settings import DEFAULTS
from stream.tools.oracle import compare, recompute
from tests.chaos.feeder import Feeder
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import assert_reckoning, parameters
from tests.chaos.sizes import ENVIRON, WHOLE_HISTORY, WORKERS
from tests.chaos.watch import Watch, read_shown
from tests.chaos.workload import AS_KAFKA_CLIENTS, placed, shop_lines, write_lines
from tests.integration.stream_harness import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stream.settings import Settings
    from tests.chaos.sizes import Size
    from tests.chaos.watch import Shown
    from tests.chaos.workload import Sent
    from tests.support.kafka_server import KafkaServer
    from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(3600)]
logger = logging.getLogger("chaos")
#: For each restart: one that nobody saw shows nothing.
LEAST_SCRAPES = 5
#: Long enough for them, with a scrape every second, however soon a worker is back.
REST_SECONDS = 1.5 * LEAST_SCRAPES
LONGEST_ABSENCE_SECONDS = 30.0
BACK_SECONDS = 90.0


@pytest.fixture
def stream(kafka_server: KafkaServer, redis_server: RedisServer) -> Stream:
    """With fewer gauges than the others' streams: every one is recomputed for every second."""
    fewer = {
        **ENVIRON,
        "RETENTION_WINDOWS": f"7d,30d,{WHOLE_HISTORY},month",
        "RETENTION_DIMENSIONS": "channel",
        # How long gauges are absent is a question of heartbeats: as users have them.
        "RETENTION_SESSION_TIMEOUT_SECONDS": DEFAULTS["RETENTION_SESSION_TIMEOUT_SECONDS"][0],
        "RETENTION_COMMIT_INTERVAL_SECONDS": DEFAULTS["RETENTION_COMMIT_INTERVAL_SECONDS"][0],
        "RETENTION_REDIS_URL": redis_server.url,
    }
    return Stream(kafka_server.address, **fewer)


def test_a_rolling_restart_shows_no_wrong_gauge_and_is_soon_over(
    stream: Stream, size: Size, tmp_path: Path
) -> None:
    settings = stream.settings
    lines = shop_lines(size.rolling_events, seed=21, bad_share=0.002)
    records = placed(lines, settings, AS_KAFKA_CLIENTS, seed=22)
    with Fleet(stream.environ, tmp_path, WORKERS) as fleet:
        for number in fleet.numbers:
            fleet[number].wait_until_ready()
        with (
            Feeder(settings.broker, records, seconds=size.rolling_seconds) as feeder,
            Watch(fleet.ports) as watch,
        ):
            fleet.until(lambda: watch.shows_now, "first gauges", BACK_SECONDS)
            before = watch.absent_seconds()
            for number in range(WORKERS):
                fleet.rest(REST_SECONDS)
                fleet.stop(number)
                fleet.start(number)
                fleet[number].wait_until_ready()
                fleet.until(lambda: watch.shows_now, "gauges again", BACK_SECONDS)
            absent = watch.absent_seconds() - before
            assert not feeder.done, "the restart was not under load to its end"
            del records[feeder.finish() :]
        assert_reckoning(stream, fleet, records, tmp_path)
        assert fleet.ended_by_themselves == []
    assert all(len(tick.shown) <= 1 for tick in watch.ticks)
    scrapes = [read_shown(text) for tick in watch.ticks for text in tick.shown]
    logger.info("%d scrapes, gauges absent for %.1f s", len(scrapes), absent)
    assert len(scrapes) > WORKERS * LEAST_SCRAPES
    _assert_each_is_right(scrapes, records, settings, tmp_path)
    assert absent <= LONGEST_ABSENCE_SECONDS


def _assert_each_is_right(
    scrapes: Sequence[Shown], records: Sequence[Sent], settings: Settings, folder: Path
) -> None:
    """Each scrape is what the records before its positions add up to, as of its as-of."""
    checked = None
    for shown in scrapes:
        if shown == checked:
            continue
        checked = shown
        assert len(shown.positions) == 4 * settings.partitions
        reached = [
            record
            for record in records
            if record.offset < shown.positions[record.topic, record.partition]
        ]
        assert len(reached) == sum(shown.positions.values())
        path = write_lines(folder / "reached.jsonl.gz", reached)
        # Other workers may have gone on while all were asked for one instant.
        as_of_ms = shown.scrape.as_of_ms
        assert as_of_ms is not None
        expected = recompute([path], replace(parameters(settings), as_of_ms=as_of_ms))
        assert compare(expected.samples, shown.scrape.samples) == []
