"""The caller's side of a round: who is here, as of when, and what it adds up to. Pure.

A sum is taken only when its parts cover each partition exactly once, in one generation of the
consumer group and as of one instant. Within a generation Kafka gives each partition to one worker,
so parts that together cover all of them cannot count anything twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from stream.domain.config import EngineConfig
from stream.meeting.coverage import are_whole
from stream.meeting.messages import Present, Question, RollCall, Share, Standing, terms_of
from stream.meeting.overview import Overview

#: A worker that has not answered by then will not.
ROUND_TIMEOUT_SECONDS = 2.0
#: How long a sum is shown while no newer one can be had.
FRESH_SECONDS = 5.0

logger = logging.getLogger("stream.worker.meeting")


@dataclass(slots=True)
class _Round:
    number: int
    generation: int
    began_at: float
    #: None until everyone is here.
    question: Question | None = None
    present: dict[str, Standing] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sum:
    #: When its round began, on the monotonic clock: it is at least as new as that.
    at_seconds: float
    standings: Mapping[str, Standing]
    overview: Overview


class Rounds:
    """Rounds that one worker calls, one after the other, and the sum of the latest complete one.

    Args:
        caller: the name of that worker.
        config: what all workers must agree on.
        same_moment: whether totals as of two instants are the same if no event comes between.
    """

    def __init__(
        self, caller: str, config: EngineConfig, same_moment: Callable[[int, int], bool]
    ) -> None:
        self._caller = caller
        self._partitions = frozenset(range(config.partitions))
        self._wall_clock = config.clock == "wall"
        self._terms = terms_of(config)
        self._same_moment = same_moment
        self._number = 0
        self._round: _Round | None = None
        self._sum: _Sum | None = None
        self._ready = 0
        self._strangers: set[str] = set()

    def call(self, generation: int, now_seconds: float) -> RollCall | None:
        """Begin a round; None while the one before may still complete."""
        if self._round is not None:
            if now_seconds - self._round.began_at < ROUND_TIMEOUT_SECONDS:
                return None
            self._ready = len(_union(self._round.present.values()))
        self._number += 1
        self._round = _Round(self._number, generation, now_seconds)
        return RollCall(self._terms, self._caller, self._number, generation)

    def hear_present(self, message: Present, now_ms: int) -> Question | None:
        """Note who is here; what to ask once that is everyone.

        Nothing is asked when nothing has changed since the last sum: it stands, as of now.
        """
        current = self._answered(message)
        if current is None or current.question is not None:
            return None
        current.present[message.standing.worker] = message.standing
        if not are_whole(current.present.values(), self._partitions):
            return None
        as_of_ms = now_ms if self._wall_clock else _latest_event_ms(current.present.values())
        if as_of_ms is None:
            nothing = Overview(None, len(self._partitions), None, {})
            self._end(_Sum(current.began_at, current.present, nothing))
            return None
        if self._still_holds(current.present, as_of_ms):
            return None
        current.question = Question(
            self._terms, self._caller, current.number, current.generation, as_of_ms
        )
        return current.question

    def hear_share(self, message: Share) -> None:
        """Note a part; with the last one the sum is complete."""
        current = self._answered(message)
        if current is None or current.question is None:
            return
        if message.totals.as_of_ms != current.question.as_of_ms:
            return
        current.shares[message.standing.worker] = message
        standings = {name: share.standing for name, share in current.shares.items()}
        if not are_whole(standings.values(), self._partitions):
            return
        first, *others = (share.totals for share in current.shares.values())
        for totals in others:
            first.add(totals)
        positions = {
            source: offset
            for standing in standings.values()
            for source, offset in standing.positions.items()
        }
        overview = Overview(first.as_of_ms, len(self._partitions), first, positions)
        self._end(_Sum(current.began_at, standings, overview))

    def nobody_answers(self) -> None:
        """Note that the others cannot be reached; a sum stays until it is too old."""
        self._round = None
        self._ready = 0

    def forget(self) -> None:
        """Another worker calls now."""
        self.nobody_answers()
        self._sum = None

    def overview(self, now_seconds: float) -> Overview:
        """The latest sum; without one that is fresh, only how many partitions were covered."""
        if self._sum is not None and now_seconds - self._sum.at_seconds < FRESH_SECONDS:
            return self._sum.overview
        return Overview(None, self._ready, None, {})

    def _answered(self, message: Present | Share) -> _Round | None:
        current = self._round
        if current is None or message.number != current.number:
            return None
        if message.terms != self._terms:
            self._warn_of(message.standing.worker)
            return None
        standing = message.standing
        # A worker that covers nothing adds nothing, and must not make two rounds look different.
        counts = standing.generation == current.generation and bool(standing.partitions)
        return current if counts else None

    def _still_holds(self, present: Mapping[str, Standing], as_of_ms: int) -> bool:
        latest, current = self._sum, self._round
        if latest is None or current is None or latest.standings != present:
            return False
        before_ms = latest.overview.as_of_ms
        if before_ms is None or not self._same_moment(before_ms, as_of_ms):
            return False
        self._end(_Sum(current.began_at, present, replace(latest.overview, as_of_ms=as_of_ms)))
        return True

    def _end(self, complete: _Sum) -> None:
        self._sum = complete
        self._round = None
        self._ready = len(self._partitions)

    def _warn_of(self, stranger: str) -> None:
        if stranger in self._strangers:
            return
        self._strangers.add(stranger)
        logger.warning(
            "worker %s runs with other settings or another version: business gauges are absent "
            "until all workers agree",
            stranger,
        )


def _union(standings: Iterable[Standing]) -> frozenset[int]:
    return frozenset[int]().union(*(standing.partitions for standing in standings))


def _latest_event_ms(standings: Iterable[Standing]) -> int | None:
    seen = (standing.latest_event_ms for standing in standings)
    return max((event_ms for event_ms in seen if event_ms is not None), default=None)
