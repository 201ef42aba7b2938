"""The array types of the core, and arithmetic over groups of consecutive elements."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

I32: TypeAlias = NDArray[np.int32]
F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
U8: TypeAlias = NDArray[np.uint8]
U16: TypeAlias = NDArray[np.uint16]
U64: TypeAlias = NDArray[np.uint64]
Bools: TypeAlias = NDArray[np.bool_]
Array = TypeVar("Array", bound=NDArray[Any])
Records: TypeAlias = NDArray[np.void]

#: "No such time": so far back that adding any window leaves it before every event.
NEVER_MS = -(1 << 60)
#: Arrays that grow begin with room for this many.
LEAST_ROOM = 64


def starts_of_groups(owners: I64) -> Bools:
    """True where a new owner begins; equal owners must stand together."""
    starts = np.empty(len(owners), np.bool_)
    starts[:1] = True
    np.not_equal(owners[1:], owners[:-1], out=starts[1:])
    return starts


def concatenated_ranges(starts: I64, lengths: I64) -> I64:
    """``[s0, s0+1, …, s0+l0-1, s1, …]``: the elements of many ranges as one index array."""
    total = int(lengths.sum())
    if total == 0:
        return np.empty(0, np.int64)
    ends = np.cumsum(lengths)
    shift = np.repeat(starts - (ends - lengths), lengths)
    places: I64 = np.arange(total, dtype=np.int64) + shift
    return places


def grown(array: Array, needed: int) -> Array:
    """A copy with room for ``needed`` elements and half as many more, zeros after the old ones.

    The room is of zeroed pages that nobody touched yet, so it takes address space, not memory.
    """
    room = max(needed, len(array)) * 3 // 2 + LEAST_ROOM
    larger = np.zeros((room, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger  # type: ignore[return-value] # numpy does not carry the type through zeros()
