"""Values of changelog records → all their headers, and all their entries."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64, concatenated_ranges
from stream.kernel import Bytes

_COUNT = np.dtype("<u4")


def state_parts(
    values: list[bytes], header_size: int, count_at: int, entry_size: int
) -> tuple[Bytes, Bytes, I64]:
    """The reference of ``parts`` of ``LatestRecords``, for these values.

    Raises:
        ValueError: when a value is shorter than its header, or than it says.
    """
    sizes: I64 = np.array(list(map(len, values)), np.int64)
    if (sizes < header_size).any():
        raise ValueError("a record is shorter than its header")
    data = np.frombuffer(b"".join(values), np.uint8)
    begins = np.cumsum(sizes) - sizes
    headers = data[concatenated_ranges(begins, np.full(len(values), header_size, np.int64))]
    counts = headers.reshape(-1, header_size)[:, count_at : count_at + _COUNT.itemsize]
    lengths = counts.copy().view(_COUNT)[:, 0].astype(np.int64) * entry_size
    if (lengths > sizes - header_size).any():
        raise ValueError("a record is shorter than it says")
    return headers, data[concatenated_ranges(begins + header_size, lengths)], sizes
