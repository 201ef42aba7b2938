"""Questions outside of rounds, each asked of all workers and waited for."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from stream.domain.config import EngineConfig
from stream.domain.reading import Scope
from stream.domain.totals import Totals
from stream.meeting.messages import Message, PastQuestion, PastShare, terms_of
from stream.meeting.past_sum import PastSum
from stream.meeting.place import PlaceAwayError, PlaceRefusedError

#: Workers that have not answered by then will not.
ANSWER_TIMEOUT_SECONDS = 5.0


class Inquiries:
    """What one worker asks of all, itself included.

    Args:
        caller: its name.
        config: what all workers must agree on.
        post: carries a message to all.
    """

    def __init__(
        self, caller: str, config: EngineConfig, post: Callable[[Message], Awaitable[None]]
    ) -> None:
        self._caller = caller
        self._terms = terms_of(config)
        self._partitions = frozenset(range(config.partitions))
        self._post = post
        self._numbers = itertools.count(1)
        self._pasts: dict[int, tuple[PastSum, asyncio.Future[list[Totals]]]] = {}

    async def past(
        self, generation: int, at_ms: tuple[int, ...], scope: Scope
    ) -> list[Totals] | None:
        """What all count as of some instants, in a generation; None when not all answer."""
        number = next(self._numbers)
        question = PastQuestion(self._terms, self._caller, number, generation, at_ms, scope)
        answered: asyncio.Future[list[Totals]] = asyncio.get_running_loop().create_future()
        self._pasts[number] = PastSum(question, self._partitions), answered
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                await self._post(question)
                return await answered
        except (TimeoutError, PlaceAwayError, PlaceRefusedError):
            # Whoever attends tells of a place that is away or refuses.
            return None
        finally:
            del self._pasts[number]

    def hear(self, share: PastShare) -> None:
        """Note a part of an answer; one to a question that is over is nothing."""
        inquiry = self._pasts.get(share.number)
        if inquiry is None:
            return
        collected, answered = inquiry
        whole = collected.hear(share)
        if whole is not None and not answered.done():
            answered.set_result(whole)
