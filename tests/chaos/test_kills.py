"""Workers that are killed, come and go, and are stopped for longer than their session."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.chaos.feeder import Feeder
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import assert_reckoning
from tests.chaos.sizes import SENDING_SECONDS, SESSION_SECONDS, WORKERS
from tests.chaos.workload import DATA, MIXED_CLIENTS, lines_of, placed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.sizes import Size
    from tests.integration.stream_harness import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("data", DATA)
def test_kill_9_at_random_moments_changes_no_gauge(
    stream: Stream, size: Size, tmp_path: Path, data: str
) -> None:
    rng = random.Random(9)
    lines = lines_of(data, size.events, seed=1, bad_share=0.002)
    records = placed(lines, stream.settings, MIXED_CLIENTS, seed=2)
    with (
        Fleet(stream.environ, tmp_path, WORKERS) as fleet,
        Feeder(stream.settings.broker, records, seconds=size.seconds) as feeder,
    ):
        for _ in range(size.kills):
            fleet.rest(rng.uniform(0.5, 1.5) * size.seconds / size.kills)
            victim = rng.choice(fleet.numbers)
            fleet.kill(victim)
            fleet.start(victim)
        fleet.until(lambda: feeder.done, "everything sent", SENDING_SECONDS)
        assert_reckoning(stream, fleet, records, tmp_path)
        assert fleet.ended_by_themselves == []


@pytest.mark.parametrize("data", DATA)
def test_workers_that_join_and_leave_change_no_gauge(
    stream: Stream, size: Size, tmp_path: Path, data: str
) -> None:
    rng = random.Random(10)
    lines = lines_of(data, size.events, seed=3, bad_share=0.002)
    records = placed(lines, stream.settings, MIXED_CLIENTS, seed=4)
    with (
        Fleet(stream.environ, tmp_path, 1) as fleet,
        Feeder(stream.settings.broker, records, seconds=size.seconds) as feeder,
    ):
        for change in range(2 * size.comings_and_goings):
            fleet.rest(rng.uniform(0.5, 1.5) * size.seconds / size.comings_and_goings / 2)
            # From one worker to three and back, with leavers chosen by chance.
            if len(fleet.numbers) == 1 or (len(fleet.numbers) < WORKERS and change % 2 == 0):
                fleet.start(max(fleet.numbers) + 1)
            else:
                fleet.stop(rng.choice(fleet.numbers))
        fleet.until(lambda: feeder.done, "everything sent", SENDING_SECONDS)
        assert_reckoning(stream, fleet, records, tmp_path)
        assert fleet.ended_by_themselves == []


@pytest.mark.parametrize("data", DATA)
def test_a_worker_stopped_past_its_session_and_continued_changes_no_gauge(
    stream: Stream, size: Size, tmp_path: Path, data: str
) -> None:
    rng = random.Random(11)
    lines = lines_of(data, size.events, seed=5, bad_share=0.002)
    records = placed(lines, stream.settings, MIXED_CLIENTS, seed=6)
    with (
        Fleet(stream.environ, tmp_path, WORKERS) as fleet,
        Feeder(stream.settings.broker, records, seconds=2 * SESSION_SECONDS + size.seconds) as feed,
    ):
        for _ in range(size.pauses):
            fleet.rest(rng.uniform(2.0, 5.0))
            sleeper = rng.choice(fleet.numbers)
            fleet.pause(sleeper)
            # Long enough that the others take its partitions and write to them.
            fleet.rest(1.5 * SESSION_SECONDS + rng.uniform(0.0, 3.0))
            fleet.wake(sleeper)
        fleet.until(lambda: feed.done, "everything sent", SENDING_SECONDS)
        assert_reckoning(stream, fleet, records, tmp_path)
