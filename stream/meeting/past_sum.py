"""The sum of what all workers count as of some past instants. Pure.

The rules are those of a round: the parts cover each partition exactly once, in one generation.
"""

from __future__ import annotations

from collections.abc import Sequence

from stream.domain.totals import Totals
from stream.meeting.coverage import are_whole
from stream.meeting.messages import PastQuestion, PastShare


class PastSum:
    """Collects the answers to one question.

    Args:
        question: that was asked.
        partitions: all there are.
    """

    def __init__(self, question: PastQuestion, partitions: frozenset[int]) -> None:
        self._question = question
        self._partitions = partitions
        self._shares: dict[str, PastShare] = {}

    def hear(self, share: PastShare) -> list[Totals] | None:
        """Note a part; with the last one, the sum at each instant."""
        question = self._question
        if share.terms != question.terms or share.number != question.number:
            return None
        standing = share.standing
        if standing.generation != question.generation or not standing.partitions:
            return None
        if tuple(totals.as_of_ms for totals in share.totals) != question.at_ms:
            return None
        self._shares[standing.worker] = share
        shares = self._shares.values()
        if not are_whole((each.standing for each in shares), self._partitions):
            return None
        return [_sum(parts) for parts in zip(*(each.totals for each in shares), strict=True)]


def _sum(parts: Sequence[Totals]) -> Totals:
    first, *others = parts
    for other in others:
        first.add(other)
    return first
