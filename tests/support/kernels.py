"""Both ways to do what the compiled kernel does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from stream import engine, kernel
from stream.domain import cohorts, money_tallies, nets, tallies
from stream.domain.paged import PagedArray
from stream.wire.event_reader import EventReader
from stream.wire.partitioning import home_partitions

if TYPE_CHECKING:
    from stream.domain.events import TextColumn

NEEDS_KERNEL = pytest.mark.skipif(
    kernel.compiled is None, reason="the compiled kernel is not installed"
)
#: For parametrised tests: the kernel, and None for the reference alone.
KERNELS = [
    pytest.param(kernel.compiled, id="compiled", marks=NEEDS_KERNEL),
    pytest.param(None, id="reference"),
]


def installed() -> kernel.Kernel:
    """The kernel, for tests that need it."""
    assert kernel.compiled is not None
    return kernel.compiled


def use_kernel(patch: pytest.MonkeyPatch, compiled: kernel.Kernel | None) -> None:
    """Have engines made from now on work with the kernel, or with the reference alone."""
    patch.setattr(engine, "EventReader", partial(EventReader, compiled=compiled))
    patch.setattr(engine, "home_partitions", partial(home_partitions, compiled=compiled))
    for module in (cohorts, money_tallies, nets, tallies):
        patch.setattr(module, "PagedArray", partial(PagedArray, compiled=compiled))


def texts_of(column: TextColumn) -> list[str]:
    """The text in each place of a column, "" for none."""
    return [column.texts[place] for place in column.places.tolist()]
