"""When parts make a whole."""

from __future__ import annotations

from collections.abc import Iterable

from stream.meeting.messages import Standing


def are_whole(standings: Iterable[Standing], partitions: frozenset[int]) -> bool:
    """Whether each partition is covered by exactly one of these, and no other is."""
    covered = [partition for standing in standings for partition in standing.partitions]
    return len(covered) == len(partitions) and set(covered) == partitions
