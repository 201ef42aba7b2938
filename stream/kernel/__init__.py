"""The compiled kernel, where it is installed: the inner loops of the hot path, in Rust.

Every function in it has a reference in Python that does the same for all input, and that the
tests hold it against. Without a compiled kernel (no wheel, no Rust compiler when installing) the
references do all the work: slower, never different.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

I64: TypeAlias = NDArray[np.int64]


class PlainEvents(Protocol):
    """Reads event JSON that is written plainly; reference: ``stream/wire/event_json.py``."""

    def read(
        self, values: list[bytes | None]
    ) -> tuple[list[int], bytearray, list[bytes], list[list[str]]]:
        """Read a chunk.

        Returns:
            The places left to the reference; for each value the record of an entry, whose
            ``values`` are codes of this chunk's own, and its key (zeros and b"" where left);
            and for each dimension the texts that its codes stand for, the first "".
        """


class Kernel(Protocol):
    """What there is in the compiled module."""

    def EventReader(  # noqa: N802 - a class
        self, dimensions: Sequence[str], currencies: Sequence[tuple[str, int, int]]
    ) -> PlainEvents:
        """A reader for these dimensions; currencies as :func:`stream.domain.money.currencies`."""

    def read_records(
        self, data: bytes, part: tuple[int, int], base_offset: int, count: int, from_offset: int
    ) -> tuple[bytes, list[bytes | None], list[bytes | None], bytes]:
        """The records of a batch from an offset on; reference: aiokafka.

        Args:
            data: bytes of which a part is the records of a batch, uncompressed.
            part: from where to where they go.
            base_offset: as the batch's header says.
            count: likewise.
            from_offset: leave out those before.

        Returns:
            Offsets as int64, keys, values, and as int64 where in ``data`` headers begin.

        Raises:
            ValueError: when these are not records.
        """

    def read_headers(self, data: bytes, at: int) -> list[tuple[str, bytes | None]]:
        """The headers that begin at a place that ``read_records`` gave."""

    def home_partitions(self, keys: list[bytes], partitions: int) -> bytes:
        """The partition of each key, as int64; reference: ``stream/wire/partitioning.py``."""

    def scatter(
        self,
        pages: I64 | NDArray[np.int32],
        directory: I64,
        stale: NDArray[np.uint8],
        first_block: int,
        bases: I64,
        terms: Sequence[tuple[int, I64 | None, I64, int | I64]],
    ) -> tuple[bytes, bytes, bytes]:
        """Add terms to cells of pages; reference: ``stream/domain/paged.py``.

        Returns:
            As int64 the rows, cells and amounts of what has no page yet.

        Raises:
            ValueError: when columns that belong together are not of one length.
            IndexError: when there is no such order or row.
        """


def _installed() -> Kernel | None:
    try:
        return cast("Kernel", import_module("stream.kernel._compiled"))
    except ModuleNotFoundError:  # built only where there is a compiler
        return None


#: The kernel; None where it is not installed.
compiled = _installed()
#: Which of the two does the work.
NAME = "python" if compiled is None else "compiled"
#: The same, for whoever reads the log.
ABOUT = "python, at half the speed; install Rust and then this again" if compiled is None else NAME
