"""Questions outside of rounds, each asked of all workers and waited for."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import TypeVar

from stream.domain.config import EngineConfig
from stream.domain.reading import Scope
from stream.domain.totals import Totals
from stream.meeting.messages import (
    CustomerAnswer,
    CustomerQuestion,
    Message,
    PastQuestion,
    PastShare,
    terms_of,
)
from stream.meeting.past_sum import PastSum
from stream.meeting.place import PlaceAwayError, PlaceRefusedError

T = TypeVar("T")
Answer = PastShare | CustomerAnswer

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
        self._hearers: dict[int, Callable[[Answer], None]] = {}

    async def past(
        self, generation: int, at_ms: tuple[int, ...], scope: Scope
    ) -> list[Totals] | None:
        """What all count as of some instants, in a generation; None when not all answer."""
        number = next(self._numbers)
        question = PastQuestion(self._terms, self._caller, number, generation, at_ms, scope)
        parts = PastSum(question, self._partitions)

        def take(answer: Answer) -> list[Totals] | None:
            return parts.hear(answer) if isinstance(answer, PastShare) else None

        return await self._ask(question, number, take)

    async def customer(
        self, generation: int, partition: int, store: str, kept_id: str
    ) -> CustomerAnswer | None:
        """What the worker that covers a partition in a generation knows; None when none answers."""
        number = next(self._numbers)
        question = CustomerQuestion(
            self._terms, self._caller, number, generation, partition, store, kept_id
        )

        def take(answer: Answer) -> CustomerAnswer | None:
            if not isinstance(answer, CustomerAnswer) or answer.terms != self._terms:
                return None
            standing = answer.standing
            covers = standing.generation == generation and partition in standing.partitions
            return answer if covers else None

        return await self._ask(question, number, take)

    def hear(self, answer: Answer) -> None:
        """Note an answer, or a part of one; one to a question that is over is nothing."""
        hearer = self._hearers.get(answer.number)
        if hearer is not None:
            hearer(answer)

    async def _ask(
        self, question: Message, number: int, take: Callable[[Answer], T | None]
    ) -> T | None:
        """Ask all, and give their answers to ``take`` until it has what was asked for."""
        answered: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def hear(answer: Answer) -> None:
            whole = take(answer)
            if whole is not None and not answered.done():
                answered.set_result(whole)

        self._hearers[number] = hear
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                await self._post(question)
                return await answered
        except (TimeoutError, PlaceAwayError, PlaceRefusedError):
            # Whoever attends tells of a place that is away or refuses.
            return None
        finally:
            del self._hearers[number]
