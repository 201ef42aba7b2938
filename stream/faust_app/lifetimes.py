"""Fits the lifetime models anew now and then, beside the event loop."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mode import Service

from stream.domain.outlook import LEAST_CUSTOMERS, fit_stores
from stream.faust_app.app import wall_clock_ms
from stream.faust_app.log import logger

if TYPE_CHECKING:
    from stream.faust_app.fuse import Fuse
    from stream.faust_app.live_state import LiveState

LOOK_EVERY_SECONDS = 5.0
FIT_EVERY_SECONDS = 3600.0
#: Further behind than this a worker is catching up: it needs its time for that, and what it would
#: fit to is past as soon as it is fitted.
BEHIND_EVENTS = 10_000
#: With so many times the customers of the last fit there is another before its time.
GROWTH = 2


@dataclass(slots=True)
class Schedule:
    """When a fit is due; pure, for any clock."""

    fitted_at: float | None = None
    customers: int = 0

    def is_due(self, now_seconds: float, customers: int) -> bool:
        """Whether to fit now."""
        if customers < LEAST_CUSTOMERS:
            return False
        if self.fitted_at is None or customers >= GROWTH * self.customers:
            return True
        return now_seconds - self.fitted_at >= FIT_EVERY_SECONDS

    def note(self, now_seconds: float, customers: int) -> None:
        """A fit to so many customers has begun."""
        self.fitted_at, self.customers = now_seconds, customers


class LifetimeFits(Service):
    """Gives the engine its lifetime models. What fails here ends the worker.

    A sample of bounded size is read in the event loop, in a moment; the fit takes seconds and
    runs in a thread, on that copy alone. With several workers each fits to its own partitions:
    customers are spread over them at random, so each has a sample of all.
    """

    mundane_level = "debug"

    def __init__(self, state: LiveState, fuse: Fuse) -> None:
        self._state = state
        self._fuse = fuse
        super().__init__()

    @Service.task  # type: ignore[untyped-decorator] # mode is untyped here
    async def _fit(self) -> None:
        schedule = Schedule()
        while not self.should_stop:
            try:
                await self._fit_if_due(schedule)
            except Exception as error:  # noqa: BLE001 - whatever it is, the worker has to end
                self._fuse.burn(error, "fitting lifetime models")
                return
            await self.sleep(LOOK_EVERY_SECONDS)

    async def _fit_if_due(self, schedule: Schedule) -> None:
        engine = self._state.engine
        as_of_ms = engine.as_of_ms(wall_clock_ms())
        # While a partition is restored what is there is no fair sample.
        if as_of_ms is None or engine.ready_partitions != engine.owned_partitions:
            return
        if sum(self._state.lag_events.values()) > BEHIND_EVENTS:
            return
        if not schedule.is_due(time.monotonic(), engine.customers):
            return
        schedule.note(time.monotonic(), engine.customers)
        sample = engine.lifetime_sample(as_of_ms)
        began = time.monotonic()
        engine.lifetime_models = await asyncio.to_thread(fit_stores, sample, engine.lifetime_models)
        logger.info(
            "lifetime models of %d stores fitted in %.1f s",
            len(engine.lifetime_models),
            time.monotonic() - began,
        )
