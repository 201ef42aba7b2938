"""What this worker says at the meeting: what the engine holds, while its group says it is ours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stream.faust_app.app import wall_clock_ms
from stream.meeting.messages import Standing
from stream.meeting.overview import covered_partitions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.domain.lookup import CustomerView
    from stream.domain.reading import Scope
    from stream.domain.totals import Totals
    from stream.faust_app.app import RetentionApp

FIRST_PARTITION = 0


class OwnCounts:
    """Implements ``stream.meeting.counts.Counts`` over a running app.

    A worker that was stopped for longer than its session and woke up must not speak of
    partitions that have another owner by now, so it speaks only while the group's coordinator
    confirmed its membership not too long ago.
    """

    def __init__(self, app: RetentionApp, name: str) -> None:
        self._app = app
        self._name = name
        #: Until when (``time.monotonic``) no other worker can own its partitions.
        self.member_until = 0.0

    def now_ms(self) -> int:
        """The worker's clock, in milliseconds since the epoch."""
        return wall_clock_ms()

    def standing(self) -> Standing | None:
        """What it covers now; None while it is not sure to be a member of its group."""
        generation = self._generation()
        if generation is None:
            return None
        app = self._app
        reached = app.intake.reached
        partitions = covered_partitions(app.engine, reached)
        return Standing(
            worker=self._name,
            generation=generation,
            partitions=partitions,
            positions={
                source: offset for source, offset in reached.items() if source[1] in partitions
            },
            latest_event_ms=app.engine.latest_event_ms,
        )

    def speaks(self) -> bool:
        """Whether it owns partition 0, ready or not, and so adds up and speaks for all."""
        return (
            self._generation() is not None and FIRST_PARTITION in self._app.engine.owned_partitions
        )

    def share(self, as_of_ms: int) -> tuple[Standing, Totals] | None:
        """Totals as of an instant and what they cover; None while that is not certain."""
        standing = self._whole_standing()
        return None if standing is None else (standing, self._app.engine.totals(as_of_ms))

    def past(self, at_ms: Sequence[int], scope: Scope) -> tuple[Standing, list[Totals]] | None:
        """Totals as of several instants, read at one moment; None while that is not certain."""
        standing = self._whole_standing()
        if standing is None:
            return None
        return standing, [self._app.engine.totals(at, scope) for at in at_ms]

    def customer(
        self, partition: int, store: str, kept_id: str, seen_ms: int | None
    ) -> tuple[Standing, CustomerView | None] | None:
        """What it knows of a customer; None when that is not certain, or another's to know."""
        engine = self._app.engine
        standing = self.standing()
        if standing is None or partition not in standing.partitions:
            return None
        as_of_ms = engine.as_of_ms(self.now_ms())
        if engine.config.clock == "event" and seen_ms is not None:
            # Its own events may be behind those of others.
            as_of_ms = max(seen_ms, as_of_ms or seen_ms)
        if as_of_ms is None:
            return standing, None
        return standing, engine.kept_customer(partition, store, kept_id, as_of_ms)

    def same_moment(self, one_ms: int, other_ms: int) -> bool:
        """Whether totals as of two instants are the same if no event comes between."""
        return self._app.engine.same_moment(one_ms, other_ms)

    def _whole_standing(self) -> Standing | None:
        """What it covers, when that is all its engine counts; None when it counts nothing."""
        standing = self.standing()
        if standing is None or not standing.partitions:
            return None
        # One that is restored but has no position yet would be in the totals, too.
        return standing if standing.partitions == self._app.engine.ready_partitions else None

    def _generation(self) -> int | None:
        """The generation whose shards the engine has; None while it may be over."""
        app = self._app
        generation = app.shards_generation
        # The consumer's thread knows of a new generation before the shards follow it.
        if generation is None or generation != app.consumer_generation_id:
            return None
        if app.should_stop or app.fuse.burnt or time.monotonic() >= self.member_until:
            return None
        return generation
