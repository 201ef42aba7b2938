"""Every record of a changelog, where a worker keeps the latest of each key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.wire.latest_records import PlainLatestRecords

if TYPE_CHECKING:
    from collections.abc import Sequence


class AllRecords(PlainLatestRecords):
    """Keeps them as they came, and has none to restore from."""

    def __init__(self) -> None:
        super().__init__()
        self.all_keys: list[bytes | None] = []
        self.all_values: list[bytes | None] = []

    def take(self, keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> None:
        """Take records, in the order of the log."""
        self.all_keys += keys
        self.all_values += values
