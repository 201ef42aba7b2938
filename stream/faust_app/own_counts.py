"""What this worker says at the meeting: what the engine holds, while its group says it is ours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stream.faust_app.app import wall_clock_ms
from stream.meeting.messages import Standing
from stream.meeting.overview import covered_partitions

if TYPE_CHECKING:
    from stream.domain.totals import Totals
    from stream.faust_app.app import RetentionApp


class OwnCounts:
    """Implements ``stream.meeting.attendee.Counts`` over a running app.

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
        app = self._app
        generation = app.shards_generation
        # The consumer's thread knows of a new generation before the shards follow it.
        if generation is None or generation != app.consumer_generation_id:
            return None
        if app.should_stop or app.fuse.burnt or time.monotonic() >= self.member_until:
            return None
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

    def share(self, as_of_ms: int) -> tuple[Standing, Totals] | None:
        """Totals as of an instant and what they cover; None while that is not certain."""
        standing = self.standing()
        if standing is None or not standing.partitions:
            return None
        # One that is restored but has no position yet would be in the totals, too.
        if standing.partitions != self._app.engine.ready_partitions:
            return None
        return standing, self._app.engine.totals(as_of_ms)

    def same_moment(self, one_ms: int, other_ms: int) -> bool:
        """Whether totals as of two instants are the same if no event comes between."""
        return self._app.engine.same_moment(one_ms, other_ms)
