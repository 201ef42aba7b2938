"""A worker at the meeting: it answers every call, and calls when it owns partition 0."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from stream.domain.config import EngineConfig
from stream.domain.reading import Scope
from stream.domain.totals import Totals
from stream.meeting.counts import Counts
from stream.meeting.inquiries import Inquiries
from stream.meeting.messages import (
    CustomerAnswer,
    CustomerQuestion,
    Message,
    PastQuestion,
    PastShare,
    Present,
    Question,
    RollCall,
    Share,
    Standing,
    UnreadableMessageError,
    decode,
    encode,
    terms_of,
)
from stream.meeting.overview import Overview
from stream.meeting.place import Place, PlaceAwayError, PlaceRefusedError
from stream.meeting.rounds import Rounds

ROUND_EVERY_SECONDS = 1.0
RETRY_SECONDS = 0.5
#: So many are read at once: events wait meanwhile, and a message stays small.
INSTANTS_A_QUESTION = 8

logger = logging.getLogger("stream.worker.meeting")


class Attendee:
    """One worker's part in the meeting. All of it runs in the event loop that owns the counts.

    Args:
        name: of this worker, never used before.
        app_id: workers of the same application meet.
        config: what they must agree on.
        place: where they meet.
        counts: what this worker can say.
        clock_seconds: a clock that never goes back and counts time spent stopped.
    """

    def __init__(
        self,
        *,
        name: str,
        app_id: str,
        config: EngineConfig,
        place: Place,
        counts: Counts,
        clock_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hall = f"{app_id}:meeting"
        self._desk = f"{app_id}:meeting:{name}"
        self._place = place
        self._counts = counts
        self._clock_seconds = clock_seconds
        self._terms = terms_of(config)
        self._rounds = Rounds(name, config, counts.same_moment)
        #: The latest "as of" of all workers that was heard of.
        self._seen_ms: int | None = None
        self._inquiries = Inquiries(name, config, self._post_to_all)
        self._away = False
        self._warned_of_unreadable = False

    def overview(self) -> Overview | None:
        """All partitions together; None when it is not this worker that speaks for them."""
        if not self._counts.speaks():
            return None
        return self._rounds.overview(self._clock_seconds())

    async def past(self, at_ms: Sequence[int], scope: Scope) -> list[Totals] | None:
        """All partitions together as of several instants; None while that cannot be told."""
        past: list[Totals] = []
        for first in range(0, len(at_ms), INSTANTS_A_QUESTION):
            standing = self._counts.standing()
            if standing is None or not self._counts.speaks():
                return None
            piece = tuple(at_ms[first : first + INSTANTS_A_QUESTION])
            some = await self._inquiries.past(standing.generation, piece, scope)
            if some is None:
                return None
            past += some
        return past

    async def customer(self, partition: int, store: str, kept_id: str) -> CustomerAnswer | None:
        """What the worker that covers a partition says of a customer; None while nobody does."""
        standing = self._counts.standing()
        if standing is None:
            return None
        return await self._inquiries.customer(standing.generation, partition, store, kept_id)

    async def attend(self) -> None:
        """Take part until cancelled.

        Raises:
            PlaceRefusedError: when this worker may not.
        """
        while True:
            refusal: Exception | None = None
            try:
                await self._meet()
            except* PlaceAwayError as errors:
                self._went_away(errors.exceptions[0])
            except* PlaceRefusedError as errors:
                refusal = errors.exceptions[0]
            if refusal is not None:
                raise refusal
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # A group of tasks that fails while it is cancelled tells of the failure only.
                raise asyncio.CancelledError
            await asyncio.sleep(RETRY_SECONDS)

    async def _meet(self) -> None:
        """Take part until the place goes away."""
        async with self._place.listen(self._hall, self._desk) as messages:
            self._came_back()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._call_regularly())
                async for data in messages:
                    await self._hear(data)

    async def _call_regularly(self) -> None:
        while True:
            standing = self._counts.standing()
            if standing is not None:
                await self._call(standing)
            await asyncio.sleep(ROUND_EVERY_SECONDS)

    async def _call(self, standing: Standing) -> None:
        if not self._counts.speaks():
            self._rounds.forget()
            return
        call = self._rounds.call(standing.generation, self._clock_seconds())
        if call is not None:
            await self._place.post(self._hall, encode(call))

    async def _hear(self, data: bytes) -> None:
        try:
            message = decode(data)
        except UnreadableMessageError:
            if not self._warned_of_unreadable:
                self._warned_of_unreadable = True
                logger.warning(
                    "a message of another worker cannot be read: does another version run under "
                    "the same RETENTION_APP_ID?"
                )
            return
        answer = self._answer(message)
        if answer is not None:
            channel, reply = answer
            await self._place.post(channel, encode(reply))

    def _answer(self, message: Message) -> tuple[str, Message] | None:
        """The channel and what to post there; None when there is nothing to say."""
        match message:
            case RollCall() | Question() | PastQuestion() | CustomerQuestion():
                answer = self._own_part(message)
                channel = f"{self._hall}:{message.caller}"
            case Present():
                answer = self._rounds.hear_present(message, self._counts.now_ms())
                channel = self._hall
            case Share():
                self._rounds.hear_share(message)
                return None
            case PastShare() | CustomerAnswer():
                self._inquiries.hear(message)
                return None
        return None if answer is None else (channel, answer)

    def _own_part(
        self, message: RollCall | Question | PastQuestion | CustomerQuestion
    ) -> Message | None:
        number = message.number
        if isinstance(message, RollCall):
            # Also under other terms: so the caller learns with whom it does not agree.
            standing = self._counts.standing()
            return None if standing is None else Present(self._terms, number, standing)
        if message.terms != self._terms:
            return None
        match message:
            case Question():
                self._seen_ms = max(message.as_of_ms, self._seen_ms or message.as_of_ms)
                share = self._counts.share(message.as_of_ms)
                return None if share is None else Share(self._terms, number, *share)
            case PastQuestion():
                past = self._counts.past(message.at_ms, message.scope)
                return None if past is None else PastShare(self._terms, number, *past)
            case CustomerQuestion():
                known = self._counts.customer(
                    message.partition, message.store, message.kept_id, self._seen_ms
                )
                return None if known is None else CustomerAnswer(self._terms, number, *known)

    async def _post_to_all(self, message: Message) -> None:
        await self._place.post(self._hall, encode(message))

    def _went_away(self, error: Exception) -> None:
        self._rounds.nobody_answers()
        if not self._away:
            self._away = True
            logger.warning("no business gauges until Redis answers: %s", error)

    def _came_back(self) -> None:
        if self._away:
            logger.info("Redis answers again")
        self._away = False
