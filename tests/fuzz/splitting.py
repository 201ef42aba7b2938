"""Several byte strings in one, for a fuzzer that knows only one: each behind its length."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LENGTH_BYTES = 2


def joined(parts: Iterable[bytes]) -> bytes:
    """The parts, each with its length in front."""
    return b"".join(len(part).to_bytes(_LENGTH_BYTES, "little") + part for part in parts)


def split(data: bytes) -> list[bytes]:
    """The parts; any bytes are some parts, the last one perhaps shorter than it says."""
    parts = []
    while data:
        end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
        parts.append(data[_LENGTH_BYTES:end])
        data = data[end:]
    return parts
