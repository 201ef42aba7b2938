"""Records as they stand in Kafka's record batches, format 2: what follows a batch's header.

https://kafka.apache.org/documentation/#record. A record's time is that of its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from stream import kernel

Header: TypeAlias = tuple[str, bytes | None]

#: Below the 1 MB a broker takes at most unless told otherwise, with room for a batch's header.
BODY_MAX_BYTES = 900_000
#: What :func:`header_block` makes of none.
NO_HEADERS = b"\0"
#: An attribute byte and the time's distance from that of the batch, none of which is used.
_NO_ATTRIBUTES_NO_DELAY = b"\0\0"
#: The bit that says that another byte follows.
_MORE = 0x80


@dataclass(frozen=True, slots=True)
class Body:
    """The records of one batch, and how many they are."""

    records: bytes
    count: int


def header_block(headers: Sequence[Header]) -> bytes:
    """The headers of a record as they stand at its end."""
    parts = [_varint(len(headers))]
    parts += [_sized(name.encode()) + _sized(value) for name, value in headers]
    return b"".join(parts)


def record_bodies(
    keys: list[bytes | None],
    values: list[bytes | None],
    headers: list[bytes],
    max_bytes: int = BODY_MAX_BYTES,
    compiled: kernel.Kernel | None = kernel.compiled,
) -> list[Body]:
    """The records of as few batches as they go into, in their order.

    Args:
        keys: of the records.
        values: as many.
        headers: as many, each made by :func:`header_block`.
        max_bytes: of a body; a record that is larger by itself is alone in its own.
        compiled: the kernel; None for the reference alone.
    """
    write = plain_bodies if compiled is None else compiled.record_bodies
    return [Body(*body) for body in write(keys, values, headers, max_bytes)]


def plain_bodies(
    keys: list[bytes | None], values: list[bytes | None], headers: list[bytes], max_bytes: int
) -> list[tuple[bytes, int]]:
    """The reference of :func:`record_bodies`: the records of each batch, and how many."""
    bodies: list[tuple[bytes, int]] = []
    records: list[bytes] = []
    size = 0
    for key, value, block in zip(keys, values, headers, strict=True):
        content = _sized(key) + _sized(value) + block
        record = _record(len(records), content)
        if records and size + len(record) > max_bytes:
            bodies.append((b"".join(records), len(records)))
            records, size = [], 0
            record = _record(0, content)
        records.append(record)
        size += len(record)
    if records:
        bodies.append((b"".join(records), len(records)))
    return bodies


def _record(place: int, content: bytes) -> bytes:
    return _sized(_NO_ATTRIBUTES_NO_DELAY + _varint(place) + content)


def _sized(data: bytes | None) -> bytes:
    """Bytes with their length in front, which is -1 where there are none."""
    return b"\x01" if data is None else _varint(len(data)) + data


def _varint(number: int) -> bytes:
    """A number that is not negative: zigzag, seven bits a byte, the lowest first."""
    left = number << 1
    out = bytearray()
    while left >= _MORE:
        out.append(left % _MORE | _MORE)
        left //= _MORE
    out.append(left)
    return bytes(out)
