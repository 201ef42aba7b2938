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
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.chaos.workload import Sent
    from tests.integration.stream_harness import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

EVENTS = 5_000
BAD_SHARE = 0.05
#: Over so long, so that the fault finds flushes before it; the last ones are for after it.
SECONDS = 10.0
HELD_BACK = 1_000
FLUSHES_BEFORE = 1
FAULT_TIMEOUT_SECONDS = 60.0


@pytest.mark.parametrize("step", FlushStep)
def test_a_kill_at_any_step_of_a_flush_changes_no_gauge(
    stream: Stream, tmp_path: Path, step: FlushStep
) -> None:
    records = _records(stream)
    with (
        Fleet(stream.environ, tmp_path, 0) as fleet,
        _faulty(stream, tmp_path, step, signal.SIGKILL) as doomed,
    ):
        rest = _send_until(
            stream, fleet, records, lambda: doomed.exit_code is not None, f"dead at {step}"
        )
        assert doomed.exit_code == -signal.SIGKILL
        fleet.start(0)
        _send(stream, fleet, rest)
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
        _faulty(stream, tmp_path, step, signal.SIGSTOP) as zombie,
    ):
        process = psutil.Process(zombie.pid)
        rest = _send_until(
            stream,
            fleet,
            records,
            lambda: process.status() == psutil.STATUS_STOPPED,
            f"stopped at {step}",
        )
        fleet.start(0)
        fleet.until(lambda: fleet[0].get("/readyz")[0] == 200, "taken over", 5 * SESSION_SECONDS)
        _send(stream, fleet, rest)
        # Its successor has written in its place before it goes on.
        fleet.rest(2.0)
        os.kill(zombie.pid, signal.SIGCONT)
        fleet.until(lambda: "lost the partitions in the middle" in zombie.log, "refused", 30)
        # It is a member again, with a share of the partitions.
        fleet.until(lambda: zombie.get("/readyz")[0] == 200, "back", 60)
        assert zombie.terminate() == 0
        assert_reckoning(stream, fleet, records, tmp_path)
        assert fleet.ended_by_themselves == []
    _assert_no_stray_was_forwarded_twice(stream, records)


def _records(stream: Stream) -> list[Sent]:
    lines = shop_lines(EVENTS, seed=31, bad_share=BAD_SHARE)
    return placed(lines, stream.settings, MIXED_CLIENTS, seed=32)


def _send_until(
    stream: Stream,
    fleet: Fleet,
    records: Sequence[Sent],
    fault: Callable[[], bool],
    what: str,
) -> Sequence[Sent]:
    """Send at a pace until the fault has come; what is left to send."""
    with Feeder(stream.settings.broker, records[:-HELD_BACK], seconds=SECONDS) as feeder:
        fleet.until(fault, what, FAULT_TIMEOUT_SECONDS)
        return records[feeder.finish() :]


def _send(stream: Stream, fleet: Fleet, records: Sequence[Sent]) -> None:
    with Feeder(stream.settings.broker, records) as feeder:
        fleet.until(lambda: feeder.done, "everything sent", 60)


@contextmanager
def _faulty(
    stream: Stream, folder: Path, step: FlushStep, number: signal.Signals
) -> Iterator[Worker]:
    """A ready worker that will have flushed, and gets the signal in the middle of a flush."""
    command = ("-m", "tests.chaos.faulty_worker", step, number.name, str(FLUSHES_BEFORE))
    environ = {**stream.environ, "RETENTION_COMMIT_INTERVAL_SECONDS": "0.5"}
    with Worker(environ, folder, command=command) as worker:
        yield worker.wait_until_ready()


def _assert_no_stray_was_forwarded_twice(stream: Stream, records: Sequence[Sent]) -> None:
    forwarded = committed_records(stream.settings, stream.settings.topic_rerouted)
    assert forwarded
    assert not Counter(record.value for record in forwarded) - Counter(r.line for r in records)
