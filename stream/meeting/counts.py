"""What a worker brings to the meeting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from stream.domain.lookup import CustomerView
from stream.domain.reading import Scope
from stream.domain.totals import Totals
from stream.meeting.messages import Standing


class Counts(Protocol):
    """What a worker can say of its own partitions."""

    def now_ms(self) -> int:
        """The worker's clock, in milliseconds since the epoch."""

    def standing(self) -> Standing | None:
        """What it covers now; None while it is not sure to be a member of its group."""

    def speaks(self) -> bool:
        """Whether it owns partition 0, ready or not, and so adds up and speaks for all."""

    def share(self, as_of_ms: int) -> tuple[Standing, Totals] | None:
        """Totals as of an instant and what they cover; None while that is not certain."""

    def past(self, at_ms: Sequence[int], scope: Scope) -> tuple[Standing, list[Totals]] | None:
        """Totals as of several instants, read at one moment; None while that is not certain."""

    def customer(
        self, partition: int, store: str, kept_id: str, seen_ms: int | None
    ) -> tuple[Standing, CustomerView | None] | None:
        """What it knows of a customer; None when that is not certain, or another's to know.

        Args:
            partition: where its events are.
            store: of the customer.
            kept_id: what its id is kept as.
            seen_ms: the latest "as of" of all workers that was heard of.
        """

    def same_moment(self, one_ms: int, other_ms: int) -> bool:
        """Whether totals as of two instants are the same if no event comes between."""
