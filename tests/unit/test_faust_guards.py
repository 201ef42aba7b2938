from __future__ import annotations

import asyncio

import pytest

from stream.faust_app.chunk import SourcePartition
from stream.faust_app.fuse import BrokenWorldError, Fuse
from stream.faust_app.watchdog import Progress

PURCHASES = SourcePartition("purchases", 0)


def test_the_first_reason_stays() -> None:
    fuse = Fuse()
    fuse.burn(BrokenWorldError("the first"), "trying")
    fuse.burn(BrokenWorldError("the second"), "trying")
    assert fuse.burnt
    assert fuse.reason == "trying: the first"


def test_an_error_that_may_quote_an_event_is_logged_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fuse = Fuse()
    customer_id, states = "customer-17", dict[str, int]()
    with pytest.raises(KeyError) as caught:
        states[customer_id]
    fuse.burn(caught.value, "applying")
    assert fuse.reason is not None
    assert fuse.reason.startswith("applying: KeyError at ")
    assert "test_faust_guards.py" in fuse.reason
    assert "states[customer_id]" in caplog.text
    assert "customer-17" in str(caught.value)
    assert "customer-17" not in caplog.text + fuse.reason


async def test_who_waits_for_the_fuse_gets_the_reason() -> None:
    fuse = Fuse()
    waiting = asyncio.create_task(fuse.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    fuse.burn(BrokenWorldError("over"), "running")
    assert await waiting == "running: over"


def test_waiting_events_without_progress_are_a_stall() -> None:
    progress = Progress(0.0)
    assert progress.stalled_seconds({PURCHASES: 1}, waiting=True, now_seconds=10.0) == 0
    assert progress.stalled_seconds({PURCHASES: 1}, waiting=True, now_seconds=50.0) == 40


def test_a_moving_position_is_no_stall() -> None:
    progress = Progress(0.0)
    progress.stalled_seconds({PURCHASES: 1}, waiting=True, now_seconds=10.0)
    assert progress.stalled_seconds({PURCHASES: 2}, waiting=True, now_seconds=50.0) == 0


def test_no_waiting_events_are_no_stall() -> None:
    progress = Progress(0.0)
    progress.stalled_seconds({PURCHASES: 1}, waiting=True, now_seconds=10.0)
    assert progress.stalled_seconds({PURCHASES: 1}, waiting=False, now_seconds=500.0) == 0
    assert progress.stalled_seconds({PURCHASES: 1}, waiting=True, now_seconds=510.0) == 10
