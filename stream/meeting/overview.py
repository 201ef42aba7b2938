"""What is known of all partitions together; one worker alone knows it by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream.domain.totals import Totals
from stream.engine import Engine

#: By source topic and partition, the offset of the next event that is not yet counted.
Positions = Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Overview:
    """All partitions at one moment.

    Attributes:
        as_of_ms: the instant the totals stand for; None while nothing was seen in event time.
        partitions_ready: how many partitions are restored and counted.
        totals: what all partitions add up to; None while one of them is missing.
        positions: up to where each source partition is in the totals.
    """

    as_of_ms: int | None
    partitions_ready: int
    totals: Totals | None
    positions: Positions


def covered_partitions(engine: Engine, positions: Positions) -> frozenset[int]:
    """The engine's ready partitions of which it is known up to where they are counted."""
    topics = engine.config.topics
    return frozenset(
        partition
        for partition in engine.ready_partitions
        if all((topic, partition) in positions for topic in topics)
    )


def overview_of_one(
    engine: Engine, positions: Positions, now_ms: int, partitions_expected: int
) -> Overview:
    """What a worker without others knows."""
    as_of_ms = engine.as_of_ms(now_ms)
    covered = covered_partitions(engine, positions)
    whole = as_of_ms is not None and len(covered) == partitions_expected
    return Overview(
        as_of_ms=as_of_ms,
        partitions_ready=len(covered),
        totals=engine.totals(as_of_ms) if whole and as_of_ms is not None else None,
        positions=dict(positions),
    )
