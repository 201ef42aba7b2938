"""A worker that dies, or stands still, at each step of a flush."""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from stream.faust_app.flush import FlushStep
from tests.chaos.feeder import Feeder
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import assert_reckoning, committed_records
from tests.chaos.sizes import SESSION_SECONDS
from tests.chaos.workload import MIXED_CLIENTS, placed, shop_lines
from tests.integration.worker_harness import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.chaos.workload import Sent
    from tests.integration.stream_harness import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

EVENTS = 6_000
BAD_SHARE = 0.05
#: So that the fault finds flushes before it, and events after it.
SECONDS = 15.0
FLUSHES_BEFORE = 2
FAULT_TIMEOUT_SECONDS = 60.0


@pytest.mark.parametrize("step", FlushStep)
def test_a_kill_at_any_step_of_a_flush_changes_no_gauge(
    stream: Stream, tmp_path: Path, step: FlushStep
) -> None:
    records = _records(stream)
    with (
        Fleet(stream.environ, tmp_path, 0) as fleet,
        Feeder(stream.settings.broker, records, seconds=SECONDS) as feeder,
    ):
        with _faulty(stream, tmp_path, step, signal.SIGKILL) as doomed:
            fleet.until(
                lambda: doomed.exit_code is not None, f"dead at {step}", FAULT_TIMEOUT_SECONDS
            )
            assert doomed.exit_code == -signal.SIGKILL
            assert not feeder.done
        fleet.start(0)
        fleet.until(lambda: feeder.done, "everything sent", 60)
        assert_reckoning(stream, fleet, records, tmp_path)
        assert fleet.ended_by_themselves == []
    _assert_no_stray_was_forwarded_twice(stream, records)


@pytest.mark.parametrize("step", list(FlushStep)[:-1])
def test_a_worker_that_wakes_in_the_middle_of_a_flush_is_refused_the_rest_of_it(
    stream: Stream, tmp_path: Path, step: FlushStep
) -> None:
    records = _records(stream)
    with (
        Fleet(stream.environ, tmp_path, 0) as fleet,
        Feeder(stream.settings.broker, records, seconds=SECONDS) as feeder,
        _faulty(stream, tmp_path, step, signal.SIGSTOP) as zombie,
    ):
        process = psutil.Process(zombie.pid)
        fleet.until(
            lambda: process.status() == psutil.STATUS_STOPPED,
            f"stopped at {step}",
            FAULT_TIMEOUT_SECONDS,
        )
        assert not feeder.done
        fleet.start(0)
        fleet.until(lambda: fleet[0].get("/readyz")[0] == 200, "taken over", 5 * SESSION_SECONDS)
        # Its successor has written in its place before it goes on.
        fleet.rest(2.0)
        os.kill(zombie.pid, signal.SIGCONT)
        fleet.until(lambda: "lost the partitions in the middle" in zombie.log, "refused", 30)
        fleet.until(lambda: feeder.done, "everything sent", 60)
        # It is a member again, with a share of the partitions.
        fleet.until(lambda: zombie.get("/readyz")[0] == 200, "back", 60)
        assert zombie.terminate() == 0
        assert_reckoning(stream, fleet, records, tmp_path)
        assert fleet.ended_by_themselves == []
    _assert_no_stray_was_forwarded_twice(stream, records)


def _records(stream: Stream) -> list[Sent]:
    lines = shop_lines(EVENTS, seed=31, bad_share=BAD_SHARE)
    return placed(lines, stream.settings, MIXED_CLIENTS, seed=32)


@contextmanager
def _faulty(
    stream: Stream, folder: Path, step: FlushStep, number: signal.Signals
) -> Iterator[Worker]:
    """A worker that has flushed, and gets the signal in the middle of a flush."""
    command = ("-m", "tests.chaos.faulty_worker", step, number.name, str(FLUSHES_BEFORE))
    environ = {**stream.environ, "RETENTION_COMMIT_INTERVAL_SECONDS": "0.5"}
    with Worker(environ, folder, command=command) as worker:
        yield worker


def _assert_no_stray_was_forwarded_twice(stream: Stream, records: Sequence[Sent]) -> None:
    forwarded = committed_records(stream.settings, stream.settings.topic_rerouted)
    assert forwarded
    assert not Counter(record.value for record in forwarded) - Counter(r.line for r in records)
