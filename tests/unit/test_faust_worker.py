from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stream.faust_app import worker


class App:
    """Stops at once, or never by itself; what it makes of being cancelled is told."""

    def __init__(self, *, stops: bool, minds_cancelling: bool = True) -> None:
        self._stops = stops
        self._minds_cancelling = minds_cancelling

    async def stop(self) -> None:
        if self._stops:
            return
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self._minds_cancelling:
                raise


@pytest.fixture(autouse=True)
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "STOP_TIMEOUT_SECONDS", 0.01)


async def test_a_stop_that_comes_to_its_end_is_told_as_such() -> None:
    app: Any = App(stops=True)
    assert await worker._stop(app)


@pytest.mark.parametrize("minds_cancelling", [True, False])
async def test_a_stop_that_is_cut_short_is_not_taken_for_its_end(*, minds_cancelling: bool) -> None:
    app: Any = App(stops=False, minds_cancelling=minds_cancelling)
    assert not await worker._stop(app)
