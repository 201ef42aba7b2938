"""The caller's side, message by message."""

from __future__ import annotations

import logging

import pytest

from stream.domain.segments import Segment
from stream.domain.totals import Counts, Totals
from stream.meeting.messages import Present, Question, RollCall, Share, Standing, terms_of
from stream.meeting.rounds import FRESH_SECONDS, ROUND_TIMEOUT_SECONDS, Rounds
from stream.settings import load_settings

HOUR_MS = 3_600_000
NOW_MS = 1_000 * HOUR_MS
GENERATION = 5
KEY = (Segment("shop", "all", "all"), "7d")
WALL = load_settings({"RETENTION_PARTITIONS": "3"}).engine_config()
EVENT = load_settings({"RETENTION_PARTITIONS": "3", "RETENTION_CLOCK": "event"}).engine_config()


def standing(
    worker: str, *partitions: int, at: int = 0, latest_ms: int | None = NOW_MS, generation: int = 5
) -> Standing:
    positions = {("purchases", partition): at for partition in partitions}
    return Standing(worker, generation, frozenset(partitions), positions, latest_ms)


class Caller:
    """Rounds, with their answers made by hand."""

    def __init__(self, *, clock: str = "wall") -> None:
        self.config = WALL if clock == "wall" else EVENT
        self.terms = terms_of(self.config)
        self.rounds = Rounds(
            "w1", self.config, lambda one, other: one // HOUR_MS == other // HOUR_MS
        )
        self.at = 100.0
        self.number = 0

    def call(self) -> RollCall:
        call = self.rounds.call(GENERATION, self.at)
        assert call is not None
        self.number = call.number
        return call

    def present(self, *standings: Standing, now_ms: int = NOW_MS) -> list[Question | None]:
        return [
            self.rounds.hear_present(Present(self.terms, self.number, one), now_ms)
            for one in standings
        ]

    def share(self, of: Standing, active: int, as_of_ms: int = NOW_MS) -> None:
        totals = Totals(as_of_ms, counts={KEY: Counts(active=active)})
        self.rounds.hear_share(Share(self.terms, self.number, of, totals))

    def active(self) -> int | None:
        totals = self.rounds.overview(self.at).totals
        return None if totals is None else totals.counts[KEY].active

    def ready(self) -> int:
        return self.rounds.overview(self.at).partitions_ready

    def complete(self, *parts: tuple[Standing, int]) -> None:
        """A round from call to sum."""
        self.call()
        assert self.present(*(one for one, _ in parts))[-1] is not None
        for one, active in parts:
            self.share(one, active)


def test_the_parts_of_all_partitions_are_the_sum() -> None:
    caller = Caller()
    caller.call()
    first, second = standing("w1", 0, 2, at=7), standing("w2", 1, at=9)

    questions = caller.present(first, second)

    assert questions == [None, Question(caller.terms, "w1", caller.number, GENERATION, NOW_MS)]
    caller.share(second, 4)
    assert caller.active() is None
    caller.share(first, 3)
    overview = caller.rounds.overview(caller.at)
    assert caller.active() == 7
    assert (overview.as_of_ms, overview.partitions_ready) == (NOW_MS, 3)
    assert overview.positions == {("purchases", p): at for p, at in ((0, 7), (1, 9), (2, 7))}


@pytest.mark.parametrize(
    "parts",
    [
        [standing("w1", 0)],
        [standing("w1", 0), standing("w2", 1)],
        [standing("w1", 0), standing("w2", 1, 2, generation=GENERATION - 1)],
        [standing("w1", 0), standing("w2", 1, 2, generation=GENERATION + 1)],
        [standing("w1", 0), standing("w2", 0, 1, 2)],
        [standing("w3", 2), standing("w2", 1, 2), standing("w1", 0)],
        [standing("w1", 0), standing("w2", 1, 2, 3)],
    ],
)
def test_no_sum_unless_each_partition_is_covered_once_in_this_generation(
    parts: list[Standing],
) -> None:
    caller = Caller()
    caller.call()
    assert set(caller.present(*parts)) == {None}
    for one in parts:
        caller.share(one, 1)
    assert caller.active() is None
    # The next round may be as it should be; one that covers nothing is not missed in it.
    caller.at += ROUND_TIMEOUT_SECONDS
    caller.call()
    caller.present(standing("w3"), standing("w1", 0), standing("w2", 1, 2))
    for one in (standing("w1", 0), standing("w2", 1, 2)):
        caller.share(one, 1)
    assert caller.active() == 2


def test_parts_that_changed_since_the_call_count_as_they_are_now() -> None:
    caller = Caller()
    caller.call()
    caller.present(standing("w1", 0), standing("w2", 1, 2))
    # It answers that it covers less by now, then again with all.
    caller.share(standing("w1", 0), 1)
    caller.share(standing("w2", 1), 1)
    assert caller.active() is None
    caller.share(standing("w2", 1, 2, at=8), 5)
    assert caller.active() == 6
    assert caller.rounds.overview(caller.at).positions["purchases", 2] == 8


def test_answers_to_another_round_or_as_of_another_instant_do_not_count() -> None:
    caller = Caller()
    one = standing("w1", 0, 1, 2)
    caller.call()
    caller.number += 1
    assert caller.present(one) == [None]
    caller.number -= 1
    caller.share(one, 3)
    assert caller.present(one) != [None]
    caller.share(one, 3, as_of_ms=NOW_MS - 1)
    assert caller.active() is None
    caller.share(one, 3)
    assert caller.active() == 3


def test_a_round_has_its_time_and_then_the_next_begins() -> None:
    caller = Caller()
    caller.call()
    caller.at += ROUND_TIMEOUT_SECONDS - 0.1
    assert caller.rounds.call(GENERATION, caller.at) is None
    caller.present(standing("w1", 0), standing("w2", 1))
    assert caller.ready() == 0
    caller.at += 0.2
    caller.call()
    assert caller.ready() == 2


def test_a_sum_is_shown_until_it_is_too_old() -> None:
    caller = Caller()
    caller.complete((standing("w1", 0, 1, 2), 3))
    caller.at += 1
    caller.call()
    caller.rounds.nobody_answers()
    caller.at += FRESH_SECONDS - 1.1
    assert (caller.active(), caller.ready()) == (3, 3)
    caller.at += 0.2
    assert (caller.active(), caller.ready()) == (None, 0)
    assert caller.rounds.overview(caller.at).as_of_ms is None


def test_a_sum_is_as_old_as_the_call_that_led_to_it() -> None:
    caller = Caller()
    caller.call()
    one = standing("w1", 0, 1, 2)
    caller.at += 1.5
    caller.present(one)
    caller.share(one, 3)
    caller.at += FRESH_SECONDS - 1.6
    assert caller.active() == 3
    caller.at += 0.2
    assert caller.active() is None


def test_nothing_is_asked_while_nothing_changes_and_the_sum_stays_fresh() -> None:
    caller = Caller()
    one = standing("w1", 0, 1, 2, at=7)
    caller.complete((one, 3))
    for second in range(1, 20):
        caller.at += 1.0
        caller.call()
        assert caller.present(one, now_ms=NOW_MS + second * 1000) == [None]
        assert caller.active() == 3
        assert caller.rounds.overview(caller.at).as_of_ms == NOW_MS + second * 1000


@pytest.mark.parametrize(
    ("changed", "now_ms"),
    [
        (standing("w1", 0, 1, 2, at=8), NOW_MS),
        (standing("w1", 0, 1, 2, at=7), NOW_MS + HOUR_MS),
        (standing("w2", 0, 1, 2, at=7), NOW_MS),
    ],
)
def test_a_new_event_bucket_or_worker_is_asked_about(changed: Standing, now_ms: int) -> None:
    caller = Caller()
    caller.complete((standing("w1", 0, 1, 2, at=7), 3))
    caller.at += 1.0
    caller.call()
    (question,) = caller.present(changed, now_ms=now_ms)
    assert question is not None
    assert question.as_of_ms == now_ms


def test_in_event_time_all_are_asked_as_of_the_latest_event_of_any() -> None:
    caller = Caller(clock="event")
    caller.call()
    questions = caller.present(
        standing("w1", 0, latest_ms=NOW_MS),
        standing("w2", 1, latest_ms=None),
        standing("w3", 2, latest_ms=NOW_MS + 5),
        now_ms=NOW_MS * 2,
    )
    assert questions[-1] is not None
    assert questions[-1].as_of_ms == NOW_MS + 5


def test_in_event_time_there_is_nothing_to_show_before_the_first_event() -> None:
    caller = Caller(clock="event")
    caller.call()
    assert caller.present(standing("w1", 0, 1, 2, latest_ms=None)) == [None]
    overview = caller.rounds.overview(caller.at)
    assert (overview.totals, overview.as_of_ms, overview.partitions_ready) == (None, None, 3)
    caller.complete((standing("w1", 0, 1, 2, at=1), 3))
    assert caller.active() == 3


def test_who_does_not_call_any_more_shows_no_sum_later() -> None:
    caller = Caller()
    caller.complete((standing("w1", 0, 1, 2), 3))
    caller.rounds.forget()
    assert (caller.active(), caller.ready()) == (None, 0)


def test_workers_with_other_settings_are_named_once_and_not_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caller = Caller()
    stranger = standing("w2", 1, 2)
    with caplog.at_level(logging.WARNING, "stream.worker.meeting"):
        for _ in range(3):
            caller.call()
            caller.present(standing("w1", 0))
            message = Present("other terms", caller.number, stranger)
            assert caller.rounds.hear_present(message, NOW_MS) is None
            caller.at += ROUND_TIMEOUT_SECONDS
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "worker w2 runs with other settings or another version"
    ]
    assert caller.active() is None
