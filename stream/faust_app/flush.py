"""What a flush is: making safe what was applied, and committing the offsets it came from."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from stream.faust_app.intake import PartitionSnapshot

    #: Asks the group's coordinator: until when (``time.monotonic``) no other worker can own
    #: this one's partitions, or None when it is no member of its generation any more.
    Heartbeat = Callable[[], Awaitable[float | None]]
    #: Told of every step of every partition, as soon as the broker has acknowledged it; what it
    #: raises ends the flush, and with it the worker.
    FlushObserver = Callable[["FlushStep", PartitionSnapshot], None]


class FlushStep(StrEnum):
    """Where the flush of a partition has come to."""

    NOTHING_SENT = "nothing sent"
    BEGUN = "begun"
    CHANGELOG_SENT = "changelog sent"
    FORWARDS_SENT = "forwards sent"
    OFFSETS_SENT = "offsets sent"
    COMMITTED = "committed"


def look_away(step: FlushStep, part: PartitionSnapshot) -> None:
    """The observer of a worker that nobody tests."""


class LostPartitionsError(Exception):
    """Another worker owns the partitions by now; what was written is not to be seen."""


class Flush(Protocol):
    """Writes snapshots, and lets no earlier owner of the partitions write after it."""

    async def take_over(self, partitions: Collection[int]) -> None:
        """Own exactly these partitions from now on; call before anything of theirs is read.

        Raises:
            BrokenWorldError: when the broker does not let it.
        """

    async def may_write(self) -> bool:
        """Whether the group still counts this worker as the owner of its partitions.

        Ask before a snapshot is taken: what is taken must be written, or all is lost.
        """

    async def write(self, parts: Sequence[PartitionSnapshot]) -> bool:
        """Make the parts safe and commit their positions; whether they are committed.

        Raises:
            LostPartitionsError: when another worker owns the partitions by now; this one has
                to read them anew when it gets them again.
            BrokenWorldError: when the worker has to end for another reason.
            KafkaError: when the broker did not take all of it.
        """

    async def close(self) -> None:
        """Let go of what it holds of the broker; nothing can be written after."""
