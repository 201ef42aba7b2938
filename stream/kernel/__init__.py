"""The compiled kernel, where it is installed: the inner loops of the hot path, in Rust.

Every function in it has a reference in Python that does the same for all input, and that the
tests hold it against. Without a compiled kernel (no wheel, no Rust compiler when installing) the
references do all the work: slower, never different.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from stream.kernel.interface import Kernel, PlainEvents
from stream.kernel.state import (
    Bytes,
    CompiledLatestRecords,
    EntryLedger,
    KeyTable,
    LatestRecords,
    Lifecycle,
    Merge,
    Paged,
    PlaceTable,
    Records,
    StageColumns,
    TallyBook,
)

__all__ = [
    "ABOUT",
    "NAME",
    "Bytes",
    "CompiledLatestRecords",
    "EntryLedger",
    "Kernel",
    "KernelPanic",
    "KeyTable",
    "LatestRecords",
    "Lifecycle",
    "Merge",
    "Paged",
    "PlaceTable",
    "PlainEvents",
    "Records",
    "StageColumns",
    "TallyBook",
    "compiled",
]


def _installed() -> Kernel | None:
    try:
        return cast("Kernel", import_module("stream.kernel._compiled"))
    except ModuleNotFoundError:  # built only where there is a compiler
        return None


class _NeverRaisedError(BaseException):
    """In place of a panic where there is no kernel."""


#: The kernel; None where it is not installed.
compiled = _installed()
#: A bug in the kernel; no Exception, so that nobody takes it for a failure to go on from.
KernelPanic = _NeverRaisedError if compiled is None else compiled.PanicException
#: Which of the two does the work.
NAME = "python" if compiled is None else "compiled"
#: The same, for whoever reads the log.
ABOUT = (
    "python, at less than half the speed; install Rust and then this again"
    if compiled is None
    else NAME
)
