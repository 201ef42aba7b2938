"""Records of erased customers whose entries are on their way to anonymous rows.

Behind the value of such a customer stand, one after the other: the key of an anonymous row after
its store and NUL, its length in four bytes before it, and the value of that row, its length in
eight bytes before it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

_KEY_LENGTH = struct.Struct("<I")
_VALUE_LENGTH = struct.Struct("<Q")
#: Where the byte stands that says so: behind the version.
MARK_AT = 1


class CutShortError(ValueError):
    """The value ends too early."""


def with_moving(value: bytes, moving: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A customer's value with what is on its way, as keys and values of anonymous rows."""
    parts = [value[:MARK_AT], b"\1", value[MARK_AT + 1 :]]
    for key, anonymous in moving:
        name = key[key.index(0) + 1 :]
        parts += [_KEY_LENGTH.pack(len(name)), name]
        parts += [_VALUE_LENGTH.pack(len(anonymous)), anonymous]
    return b"".join(parts)


def moving_in(key: bytes, rest: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of anonymous rows, from what stands behind a customer's own value.

    Raises:
        CutShortError: when it is not what :func:`with_moving` writes.
    """
    store = key[: key.index(0) + 1]
    at = 0
    while at < len(rest):
        name, at = _taken(rest, at, _KEY_LENGTH)
        value, at = _taken(rest, at, _VALUE_LENGTH)
        yield store + name, value


def _taken(data: bytes, at: int, length: struct.Struct) -> tuple[bytes, int]:
    begin = at + length.size
    if begin > len(data):
        raise CutShortError
    end = begin + length.unpack_from(data, at)[0]
    if end > len(data):
        raise CutShortError
    return data[begin:end], end
