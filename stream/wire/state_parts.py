"""Changelog records of customers → all their headers, and all their entries."""

from __future__ import annotations

import numpy as np

from stream import kernel
from stream.domain.arrays import I64, Records, concatenated_ranges

#: The field of a header that says how many entries follow it.
COUNT = "count"


def state_parts(
    values: list[bytes],
    header: np.dtype[np.void],
    entry: np.dtype[np.void],
    compiled: kernel.Kernel | None = kernel.compiled,
) -> tuple[Records, Records]:
    """Take records apart into the headers in front and the entries that follow them.

    Args:
        values: the records; what stands behind their entries is left out.
        header: the type of a header, with a field ``count``, of 32 bits.
        entry: the type of an entry.
        compiled: the kernel; None for the reference alone.

    Raises:
        ValueError: when a record is shorter than its header, or than it says.
    """
    if compiled is None:
        headers, entries = _state_parts(values, header, entry)
    else:
        count_at = header.fields[COUNT][1]  # type: ignore[index] # it has fields
        headers, entries = compiled.state_parts(values, header.itemsize, count_at, entry.itemsize)
    return headers.view(header), entries.view(entry)


def _state_parts(
    values: list[bytes], header: np.dtype[np.void], entry: np.dtype[np.void]
) -> tuple[kernel.Bytes, kernel.Bytes]:
    lengths: I64 = np.array(list(map(len, values)), np.int64)
    if (lengths < header.itemsize).any():
        raise ValueError("a record is shorter than its header")
    data = np.frombuffer(b"".join(values), np.uint8)
    starts = np.cumsum(lengths) - lengths
    headers = data[concatenated_ranges(starts, np.full(len(values), header.itemsize, np.int64))]
    sizes = headers.view(header)[COUNT].astype(np.int64) * entry.itemsize
    if (sizes > lengths - header.itemsize).any():
        raise ValueError("a record is shorter than it says")
    return headers, data[concatenated_ranges(starts + header.itemsize, sizes)]
