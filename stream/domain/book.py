"""Where the tallies are kept, and what adds customers to them: compiled, or the reference."""

from __future__ import annotations

from typing import Protocol

from stream import kernel
from stream.domain.arrays import I64
from stream.domain.calendar import Timeline
from stream.domain.gaps import GAP_LIMITS_MS
from stream.domain.nets import NET_LIMITS
from stream.domain.plain_book import PlainBook
from stream.domain.windows import RollingWindow, Window


class Book(Protocol):
    """What both have; rows of the arrays: see ``rows.py``, ``money_tallies.py``, ``cohorts.py``."""

    @property
    def counts(self) -> kernel.Paged:
        """Customers, orders and signups, under segment rows."""

    @property
    def sums(self) -> kernel.Paged:
        """Units and milliseconds, under segment rows."""

    @property
    def gaps(self) -> kernel.Paged:
        """The histogram of times between orders, under segment rows."""

    @property
    def money_places(self) -> kernel.PlaceTable:
        """Places of (segment row, currency)."""

    @property
    def money_sums(self) -> kernel.Paged:
        """Money, under those places."""

    @property
    def money_nets(self) -> kernel.Paged:
        """Customers by what they brought, under those places."""

    @property
    def order_cohort_places(self) -> kernel.PlaceTable:
        """Places of (segment row, month of first order)."""

    @property
    def order_cohorts(self) -> kernel.Paged:
        """Customers of those."""

    @property
    def signup_cohort_places(self) -> kernel.PlaceTable:
        """Places of (segment row, month of signup)."""

    @property
    def signup_cohorts(self) -> kernel.Paged:
        """Customers of those."""

    def add_segment_row(self) -> int:
        """A new segment row, all zeros."""

    def occupied(self) -> I64:
        """Segment rows with any order, return or signup; cancellations may empty one again."""


class CompiledBook:
    """The kernel's book, with the kernel that made it."""

    def __init__(
        self, compiled: kernel.Kernel, timeline: Timeline, windows: tuple[Window, ...]
    ) -> None:
        self.compiled = compiled
        self.tallies = compiled.TallyBook(
            timeline.bucket_ms,
            *timeline.utc_offsets(),
            [
                (window.length_buckets, "")
                if isinstance(window, RollingWindow)
                else (0, window.unit.value)
                for window in windows
            ],
            NET_LIMITS.tolist(),
            GAP_LIMITS_MS.tolist(),
        )
        self.counts, self.sums, self.gaps = (
            self.tallies.counts,
            self.tallies.sums,
            self.tallies.gaps,
        )
        self.money_places = self.tallies.money_places
        self.money_sums = self.tallies.money_sums
        self.money_nets = self.tallies.money_nets
        self.order_cohort_places = self.tallies.order_cohort_places
        self.order_cohorts = self.tallies.order_cohorts
        self.signup_cohort_places = self.tallies.signup_cohort_places
        self.signup_cohorts = self.tallies.signup_cohorts

    def add_segment_row(self) -> int:
        """A new segment row, all zeros."""
        return self.tallies.add_segment_row()

    def occupied(self) -> I64:
        """Segment rows with any order, return or signup; cancellations may empty one again."""
        return self.tallies.occupied()


def new_book(
    timeline: Timeline, windows: tuple[Window, ...], compiled: kernel.Kernel | None
) -> PlainBook | CompiledBook:
    """An empty book; ``compiled`` is the kernel, None for the reference."""
    if compiled is None:
        return PlainBook(timeline, windows)
    return CompiledBook(compiled, timeline, windows)
