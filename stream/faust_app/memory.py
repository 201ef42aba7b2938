"""How the process keeps memory: what Python and C decide for small programs is wrong here."""

from __future__ import annotations

import ctypes
import gc

#: Chunks make and drop tens of thousands of short-lived objects; collecting after every 700 of
#: them, Python's default, finds nothing and costs a tenth of the time.
_GC_THRESHOLDS = (100_000, 50, 50)
#: Arrays from this size on are given back to the system when dropped. The C library raises its
#: own limit to 32 MB as it goes, and then keeps the holes that growing arrays leave behind.
_MMAP_THRESHOLD_BYTES = 4 * 1024 * 1024
_M_MMAP_THRESHOLD = -3  # malloc.h


def tune_memory() -> None:
    """Set both for this process; call once, at its start."""
    gc.set_threshold(*_GC_THRESHOLDS)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # other C libraries than GNU's have no such knob
        mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)
