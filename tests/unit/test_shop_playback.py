from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event

import pytest

from stream.tools.shop_delivery import Delivery
from stream.tools.shop_pace import Pace
from stream.tools.shop_playback import Playback, Played

LIVE_FROM_MS = 1_735_689_600_000
LONG_AFTER_MS = LIVE_FROM_MS + 10**12


@dataclass
class Sink:
    sent: list[bytes] = field(default_factory=list)
    flushed: list[int] = field(default_factory=list)

    def send(self, line: bytes) -> None:
        self.sent.append(line)

    def flush(self) -> None:
        self.flushed.append(len(self.sent))


def deliveries(history: int, live: int, live_gap_ms: int = 1) -> list[Delivery]:
    arrivals = [LIVE_FROM_MS - history + n for n in range(history)]
    arrivals += [LIVE_FROM_MS + n * live_gap_ms for n in range(live)]
    return [Delivery(at, "purchase", "c", b"%d" % n) for n, at in enumerate(arrivals)]


def test_history_is_due_at_once_even_before_the_live_part_began() -> None:
    pace = Pace(LIVE_FROM_MS, speed=0.001)
    assert (
        pace.wait_seconds(LIVE_FROM_MS - 1, sent=0, elapsed_seconds=0, wall_ms=LONG_AFTER_MS) <= 0
    )


@pytest.mark.parametrize(("speed", "wait"), [(1.0, 60.0), (60.0, 1.0), (0.5, 120.0)])
def test_a_minute_of_the_shop_takes_a_minute_by_its_speed(speed: float, wait: float) -> None:
    pace = Pace(LIVE_FROM_MS, speed=speed)
    due = pace.wait_seconds(
        LIVE_FROM_MS + 60_000, sent=99, elapsed_seconds=0.25, wall_ms=LONG_AFTER_MS
    )
    assert due == pytest.approx(wait - 0.25)


def test_a_rate_goes_by_the_number_sent_whatever_the_simulated_time() -> None:
    pace = Pace(LIVE_FROM_MS, speed=7.0, rate=50.0)
    for arrival_ms in (LIVE_FROM_MS, LIVE_FROM_MS + 10**9):
        due = pace.wait_seconds(arrival_ms, sent=100, elapsed_seconds=1.5, wall_ms=LONG_AFTER_MS)
        assert due == pytest.approx(0.5)


@pytest.mark.parametrize("pace", [Pace(LIVE_FROM_MS, 1e6), Pace(LIVE_FROM_MS, rate=1e6)])
def test_simulated_time_never_overtakes_the_real_one(pace: Pace) -> None:
    arrival_ms = LIVE_FROM_MS + 5_000
    due = pace.wait_seconds(arrival_ms, sent=0, elapsed_seconds=100, wall_ms=arrival_ms - 3_000)
    assert due == pytest.approx(3.0)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_a_pace_must_move(value: float) -> None:
    with pytest.raises(ValueError, match="the speed must be above 0"):
        Pace(LIVE_FROM_MS, speed=value)
    with pytest.raises(ValueError, match="the rate must be above 0 events per second"):
        Pace(LIVE_FROM_MS, rate=value)


def test_everything_is_sent_in_order_and_flushed() -> None:
    sink, events = Sink(), deliveries(history=500, live=300)
    played = Playback(sink, Pace(LIVE_FROM_MS, speed=1e9)).run(events)
    assert sink.sent == [one.line for one in events]
    assert (played.history_events, played.live_events) == (500, 300)
    assert played.simulated_until_ms == events[-1].arrival_ms
    # The history is acknowledged before live events go out, all of it at the end.
    assert sink.flushed[0] == 500
    assert sink.flushed[-1] == 800


def test_a_duration_of_0_sends_the_whole_history_and_nothing_live() -> None:
    sink = Sink()
    played = Playback(sink, Pace(LIVE_FROM_MS), live_seconds=0).run(deliveries(400, 50))
    assert len(sink.sent) == played.history_events == sink.flushed[-1] == 400


def test_live_events_never_come_faster_than_the_rate() -> None:
    sink, rate, seconds = Sink(), 200.0, 0.4
    start = time.monotonic()
    Playback(sink, Pace(LIVE_FROM_MS, rate=rate), live_seconds=seconds).run(deliveries(10, 10_000))
    assert time.monotonic() - start >= seconds
    assert 10 < len(sink.sent) <= 10 + rate * seconds + 1


def test_whoever_sets_stop_ends_the_playback_with_a_flush() -> None:
    stop = Event()

    class Stopping(Sink):
        def send(self, line: bytes) -> None:
            super().send(line)
            if len(self.sent) == 7:
                stop.set()

    sink = Stopping()
    played = Playback(sink, Pace(LIVE_FROM_MS), stop=stop).run(deliveries(100, 100))
    assert played.history_events == len(sink.sent) == sink.flushed[-1] == 7


def test_a_long_wait_ends_when_stop_is_set() -> None:
    stop, reports = Event(), list[int]()

    def on_progress(played: Played) -> None:
        reports.append(played.live_events)
        if played.live_events:
            stop.set()

    sink = Sink()
    hours_apart = deliveries(history=3, live=5, live_gap_ms=3_600_000)
    playback = Playback(sink, Pace(LIVE_FROM_MS), stop=stop, on_progress=on_progress)
    assert playback.run(hours_apart).live_events == 1
    assert reports[-1] == 1


def test_a_failing_sink_ends_the_playback() -> None:
    class Failing(Sink):
        def flush(self) -> None:
            raise ConnectionError("the broker is gone")

    with pytest.raises(ConnectionError):
        Playback(Failing(), Pace(LIVE_FROM_MS)).run(deliveries(3, 3))


def test_what_was_played_reads_well() -> None:
    played = Played(1_200, 30, 10.0, LIVE_FROM_MS)
    assert str(played) == (
        "1,200 events of history, 30 live ones (3.0/s), until 2025-01-01 00:00 UTC"
    )
    assert str(Played(5, 0, 0.0, LIVE_FROM_MS)) == "5 events of history, until 2025-01-01 00:00 UTC"
