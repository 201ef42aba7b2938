"""Finding the compiled kernel, or doing without."""

from __future__ import annotations

import sys
from importlib import reload
from typing import TYPE_CHECKING

import pytest

from stream import kernel
from stream.publish.prometheus import Exposition
from tests.support.kernels import KERNELS
from tests.support.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPILED = "stream.kernel._compiled"


@pytest.fixture(autouse=True)
def found_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    reload(kernel)


def test_without_a_compiled_kernel_the_references_do_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, COMPILED, None)
    reload(kernel)
    assert kernel.compiled is None
    assert kernel.NAME == "python"


def test_a_kernel_that_cannot_be_loaded_is_a_broken_world(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str) -> None:
        raise ImportError(f"{name}: undefined symbol: PyUnicode_New")

    monkeypatch.setattr("importlib.import_module", import_module)
    with pytest.raises(ImportError, match="undefined symbol"):
        reload(kernel)


@pytest.mark.parametrize("compiled", KERNELS)
def test_the_kernel_at_work_is_shown(
    compiled: kernel.Kernel | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiled is None:
        monkeypatch.setitem(sys.modules, COMPILED, None)
    reload(kernel)
    body, _ = Exposition(Worker()).scrape()
    name = "python" if compiled is None else "compiled"
    assert f'kernel="{name}"' in body.decode()
