"""Changelog records as they are read: of each key its latest value."""

from __future__ import annotations

from collections.abc import Sequence

from stream import kernel
from stream.domain.arrays import I64
from stream.domain.key_column import KeyColumn
from stream.domain.key_table import PlainKeyTable
from stream.wire.state_parts import state_parts

#: No text in UTF-8 has such a byte: keys that begin with it are no customers'.
NO_TEXT = b"\xff"


class PlainLatestRecords:
    """Implements ``LatestRecords``: what the kernel does, in Python."""

    def __init__(self) -> None:
        self._others: dict[bytes, bytes] = {}
        self._customers: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return len(self._customers)

    def take(self, keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> None:
        """Take records, in the order of the log."""
        for any_key, value in zip(keys, values, strict=True):
            key = any_key or b""
            latest = self._others if key.startswith(NO_TEXT) else self._customers
            if value is None:
                latest.pop(key, None)
            else:
                latest[key] = value

    def others(self) -> dict[bytes, bytes]:
        """The records whose keys are no customers'."""
        return dict(self._others)

    def keys(self) -> PlainKeyTable:
        """The keys of all rows."""
        keys, column = PlainKeyTable(), KeyColumn.of(self._customers)
        keys.add(column.text, column.begins, column.ends)
        return keys

    def get(self, key: bytes) -> bytes | None:
        """A customer's value; None where there is none."""
        return self._customers.get(key)

    def at(self, row: int) -> tuple[bytes, bytes]:
        """The key and the value of a row.

        Raises:
            IndexError: when there is no such row.
        """
        return list(self._customers.items())[row]

    def parts(
        self, header_size: int, count_at: int, entry_size: int
    ) -> tuple[kernel.Bytes, kernel.Bytes, I64]:
        """All values taken apart into headers and entries, and the bytes of each."""
        return state_parts(list(self._customers.values()), header_size, count_at, entry_size)


def latest_records(compiled: kernel.Kernel | None) -> kernel.LatestRecords:
    """None yet; with the kernel, or the reference alone."""
    return PlainLatestRecords() if compiled is None else compiled.LatestRecords()
