"""What the worker shows of itself to the HTTP side and to Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.domain.lookup import CustomerView
    from stream.domain.reading import Scope
    from stream.domain.totals import Totals
    from stream.engine import Engine
    from stream.meeting.overview import Overview


class NotHereError(Exception):
    """What is asked for cannot be told here now; the message is one line with the way out."""


class WorkerState(Protocol):
    """A live view: every read gives the value of this moment. Read it in the event loop only."""

    @property
    def engine(self) -> Engine:
        """The counts of the partitions this worker owns."""

    def overview(self) -> Overview | None:
        """All partitions together, at one moment; None when another worker speaks for all."""

    async def history(self, at_ms: Sequence[int], scope: Scope) -> Sequence[Totals] | None:
        """All partitions together as of several instants; None while that cannot be told."""

    async def customer(self, store: str, customer_id: str) -> CustomerView | None:
        """What is known of one customer; None when nothing is.

        Raises:
            NotHereError: while that cannot be told.
        """

    @property
    def partitions_expected(self) -> int:
        """How many partitions the application has, over all workers."""

    @property
    def ready(self) -> bool:
        """Recovered, owning its partitions and not rebalancing."""

    @property
    def restore_progress(self) -> tuple[int, int] | None:
        """Changelog records restored and their total; None when nothing is being restored."""

    @property
    def outcomes(self) -> Mapping[tuple[str, str], int]:
        """Events since start by (topic, outcome)."""

    @property
    def dead_letters(self) -> Mapping[str, int]:
        """Dead letters since start by reason."""

    @property
    def lag_events(self) -> Mapping[tuple[str, int], int]:
        """Events between the position and the high watermark, by (topic, partition)."""

    @property
    def last_event_ms(self) -> int | None:
        """Greatest event time among usable events; None before the first."""
