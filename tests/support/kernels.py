"""Both ways to do what the compiled kernel does."""

from __future__ import annotations

from functools import partialmethod
from typing import TYPE_CHECKING

import pytest

from stream import kernel
from stream.engine import Engine

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
    patch.setattr(Engine, "__init__", partialmethod(Engine.__init__, compiled=compiled))


def texts_of(column: TextColumn) -> list[str]:
    """The text in each place of a column, "" for none."""
    return [column.texts[place] for place in column.places.tolist()]
