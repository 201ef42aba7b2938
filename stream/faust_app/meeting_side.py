"""The meeting as a service of the app."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from mode import Service

from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.own_counts import OwnCounts
from stream.meeting.attendee import Attendee
from stream.meeting.place import PlaceRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.domain.reading import Scope
    from stream.domain.totals import Totals
    from stream.faust_app.app import RetentionApp
    from stream.meeting.messages import CustomerAnswer
    from stream.meeting.overview import Overview
    from stream.meeting.place import Place
    from stream.settings import Settings

MEETING = "meeting the other workers"
#: Well below any session, so that a worker that woke up learns at once where it stands.
CONFIRM_EVERY_SECONDS = 1.0


class MeetingSide(Service):
    """Takes part from start to stop. What fails here, other than Redis, ends the worker."""

    def __init__(self, app: RetentionApp, settings: Settings, place: Place) -> None:
        self._app = app
        self._place = place
        name = uuid.uuid4().hex
        self._counts = OwnCounts(app, name)
        self._attendee = Attendee(
            name=name,
            app_id=settings.app_id,
            config=settings.engine_config(),
            place=place,
            counts=self._counts,
        )
        super().__init__()

    def overview(self) -> Overview | None:
        """All partitions together; None when it is not this worker that speaks for them."""
        return self._attendee.overview()

    async def past(self, at_ms: Sequence[int], scope: Scope) -> list[Totals] | None:
        """All partitions together as of several instants; None while that cannot be told."""
        return await self._attendee.past(at_ms, scope)

    async def customer(self, partition: int, store: str, kept_id: str) -> CustomerAnswer | None:
        """What the worker that covers a partition says of a customer; None while nobody does."""
        return await self._attendee.customer(partition, store, kept_id)

    @Service.task  # type: ignore[untyped-decorator] # mode is untyped here
    async def _attend(self) -> None:
        try:
            await self._attendee.attend()
        except PlaceRefusedError as error:
            self._app.fuse.burn(BrokenWorldError(str(error)), MEETING)
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker has to end
            self._app.fuse.burn(error, MEETING)

    @Service.task  # type: ignore[untyped-decorator] # mode is untyped here
    async def _confirm_membership(self) -> None:
        while not self.should_stop:
            if self._app.shards_generation is not None:
                until = await self._app.consumer.member_until()
                if until is not None:
                    self._counts.member_until = until
            await self.sleep(CONFIRM_EVERY_SECONDS)

    async def on_shutdown(self) -> None:
        """Let go of Redis; the tasks have ended."""
        await self._place.close()
