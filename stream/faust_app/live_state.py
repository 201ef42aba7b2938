"""The worker's state as the HTTP side and Prometheus read it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from faust.types import TP

from stream.faust_app.app import wall_clock_ms
from stream.meeting.overview import covered_partitions, overview_of_one
from stream.publish.state import NotHereError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.domain.lookup import CustomerView
    from stream.domain.reading import Scope
    from stream.domain.totals import Totals
    from stream.engine import Engine
    from stream.faust_app.app import RetentionApp
    from stream.faust_app.meeting_side import MeetingSide
    from stream.meeting.overview import Overview


class LiveState:
    """Implements ``stream.publish.state.WorkerState`` over a running app.

    Args:
        app: gives its own part.
        partitions_expected: how many partitions there are, over all workers.
        meeting: knows about all workers; None for one that is alone.
    """

    def __init__(
        self, app: RetentionApp, partitions_expected: int, meeting: MeetingSide | None = None
    ) -> None:
        self._app = app
        self._meeting = meeting
        self._partitions_expected = partitions_expected

    @property
    def engine(self) -> Engine:
        """The counts of the partitions this worker owns."""
        return self._app.engine

    def overview(self) -> Overview | None:
        """All partitions together, at one moment; None when another worker speaks for all."""
        if self._meeting is not None:
            return self._meeting.overview()
        return overview_of_one(
            self._app.engine, self._app.intake.reached, wall_clock_ms(), self._partitions_expected
        )

    async def history(self, at_ms: Sequence[int], scope: Scope) -> Sequence[Totals] | None:
        """All partitions together as of several instants; None while that cannot be told.

        Between the instants the event loop goes on: events may come in between, but each
        instant is read at one moment.
        """
        if self._meeting is not None:
            return await self._meeting.past(at_ms, scope)
        overview = self.overview()
        if overview is None or overview.totals is None:
            return None
        past = []
        for at in at_ms:
            past.append(self._app.engine.totals(at, scope))
            await asyncio.sleep(0)
        return past

    async def customer(self, store: str, customer_id: str) -> CustomerView | None:
        """What is known of one customer; None when nothing is.

        Raises:
            NotHereError: while that cannot be told.
        """
        engine = self._app.engine
        partition = engine.home_of(customer_id)
        if self._meeting is not None:
            kept_id = engine.kept_id(store, customer_id)
            answer = await self._meeting.customer(partition, store, kept_id)
            if answer is None:
                raise NotHereError(
                    f"no worker answers for partition {partition}: try again when /readyz of every "
                    "worker says 200"
                )
            return answer.customer
        if partition not in covered_partitions(engine, self._app.intake.reached):
            raise NotHereError(
                f"partition {partition} is not restored yet, or another worker's: try again when "
                "/readyz says 200; set RETENTION_REDIS_URL so that workers can ask one another"
            )
        as_of_ms = engine.as_of_ms(wall_clock_ms())
        return None if as_of_ms is None else engine.customer(store, customer_id, as_of_ms)

    @property
    def partitions_expected(self) -> int:
        """How many partitions the application has, over all workers."""
        return self._partitions_expected

    @property
    def ready(self) -> bool:
        """Recovered, owning its partitions and not rebalancing."""
        if self._app.fuse.burnt or self._app.should_stop or self._app.rebalancing:
            return False
        return bool(self._app.tables.actives_ready)

    @property
    def restore_progress(self) -> tuple[int, int] | None:
        """Changelog records restored and their total; None when nothing is being restored."""
        reader = self._app.tables.recovery.reader
        return None if reader is None else reader.progress

    @property
    def outcomes(self) -> Mapping[tuple[str, str], int]:
        """Events since start by (topic, outcome)."""
        return self._app.intake.outcomes

    @property
    def dead_letters(self) -> Mapping[str, int]:
        """Dead letters since start by reason."""
        return self._app.intake.dead_letters

    @property
    def lag_events(self) -> Mapping[tuple[str, int], int]:
        """Events between the position and the high watermark, by (topic, partition)."""
        positions = self._app.intake.positions
        # Before the first assignment there is no consumer to ask yet.
        if self._app.rebalancing or not positions:
            return {}
        consumer = self._app.consumer
        assigned = consumer.assignment()
        lags = {}
        for source, position in positions.items():
            if source in assigned:
                highwater: int | None = consumer.highwater(TP(*source))
                if highwater is not None:
                    lags[source.topic, source.partition] = max(0, highwater - position)
        return lags

    @property
    def last_event_ms(self) -> int | None:
        """Greatest event time among usable events; None before the first."""
        return self._app.engine.latest_event_ms
