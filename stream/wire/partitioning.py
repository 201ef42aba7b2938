"""Which partition a key belongs to: Kafka's murmur2, for many keys at once.

Source: ``org.apache.kafka.common.utils.Utils.murmur2``, the default of the Java, aiokafka and
kafka-python producers (librdkafka's default is another hash: its events arrive as strays).
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from stream import kernel
from stream.domain.arrays import I64, U64
from stream.domain.events import routing_id

_M = np.uint64(0x5BD1E995)
_MASK = np.uint64(0xFFFFFFFF)
_SEED = 0x9747B28C
_POSITIVE = np.uint64(0x7FFFFFFF)


def home_partitions(
    keys: list[bytes], partitions: int, compiled: kernel.Kernel | None = kernel.compiled
) -> I64:
    """The partition of each customer's or guest order's state key.

    Args:
        keys: see :func:`stream.domain.events.customer_key`.
        partitions: how many there are.
        compiled: the kernel; None for the reference alone.
    """
    if compiled is None:
        return partitions_of(list(map(routing_id, keys)), partitions)
    return np.frombuffer(compiled.home_partitions(keys, partitions), np.int64)


def partitions_of(keys: list[bytes], partitions: int) -> I64:
    """The partition of each key, of ``partitions``."""
    result = np.empty(len(keys), np.int64)
    places: dict[int, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[len(key)].append(place)
    for length, some in places.items():
        joined = b"".join([keys[place] for place in some])
        data = np.frombuffer(joined, np.uint8).reshape(len(some), length)
        result[some] = (_murmur2(data) & _POSITIVE) % np.uint64(partitions)
    return result


def _murmur2(data: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> U64:
    count, length = data.shape
    hashed = np.full(count, np.uint64(_SEED ^ length))
    words = length // 4
    for word in range(words):
        value = np.zeros(count, np.uint64)
        for byte in range(4):
            value |= data[:, 4 * word + byte].astype(np.uint64) << np.uint64(8 * byte)
        value = (value * _M) & _MASK
        value ^= value >> np.uint64(24)
        value = (value * _M) & _MASK
        hashed = ((hashed * _M) & _MASK) ^ value
    rest = data[:, 4 * words :]
    if rest.shape[1]:
        for byte in range(rest.shape[1]):
            hashed ^= rest[:, byte].astype(np.uint64) << np.uint64(8 * byte)
        hashed = (hashed * _M) & _MASK
    hashed ^= hashed >> np.uint64(13)
    hashed = (hashed * _M) & _MASK
    return hashed ^ (hashed >> np.uint64(15))
