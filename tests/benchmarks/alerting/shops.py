"""The simulated shops that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stream.tools.shop import ShopConfig
from tests.support.shop_gauges import write_gauges

#: A Monday.
START_MS = 1_735_516_800_000
#: How long the shop has traded before anything is measured; what `simulate` sends, too.
HISTORY_DAYS = 200
MEASURED_DAYS = 26 * 7
#: Three weeks back, and what the gauges of then go back to.
LEAD_DAYS = 25
#: After two weeks a drop is the median of the past.
AFTER_DROP_DAYS = 16
#: `retention-drop` makes customers buy 60 % less often.
WHOLE_DROP = 0.6

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Run:
    """One simulated shop; ``drop`` is the share of their orders that customers stop placing."""

    customers_per_day: float
    seed: int
    drop: float = 0.0

    @property
    def store(self) -> str:
        """Its name, which says which run it is."""
        return f"{self.customers_per_day:g}-{self.seed}-{self.drop:g}"

    @property
    def measured_from_seconds(self) -> int:
        """The moment from which alerts are looked at: that of the drop, if there is one."""
        return self._seconds(self._switch_day if self.drop else HISTORY_DAYS)

    @property
    def written_from_seconds(self) -> int:
        """The moment of the first gauges."""
        return self._seconds(self._days[0])

    @property
    def measured_until_seconds(self) -> int:
        """The moment of the last gauges."""
        return self._seconds(self._days[1])

    def write_gauges(self, path: Path) -> None:
        """Write its gauges; of a shop with a drop only those of the whole store."""
        from_day, to_day = self._days
        shop = ShopConfig(
            start_ms=START_MS,
            seed=self.seed,
            store=self.store,
            customers_per_day=self.customers_per_day,
            scenario="retention-drop" if self.drop else "steady",
            scenario_from_day=self._switch_day,
            scenario_strength=self.drop / WHOLE_DROP,
        )
        write_gauges(
            path,
            shop,
            from_day=from_day,
            to_day=to_day,
            dimensions=() if self.drop else ("channel",),
            labels={"job": "retention-stream", "instance": "a:6066"},
        )

    @property
    def _switch_day(self) -> int:
        """The first day of the drop: each seed another day of the week."""
        return HISTORY_DAYS + self.seed % 7

    @property
    def _days(self) -> tuple[int, int]:
        """The first day whose gauges are written, and the one after the last."""
        if self.drop:
            return self._switch_day - LEAD_DAYS, self._switch_day + AFTER_DROP_DAYS
        return HISTORY_DAYS - LEAD_DAYS, HISTORY_DAYS + MEASURED_DAYS

    @staticmethod
    def _seconds(day: int) -> int:
        return START_MS // 1000 + day * _DAY_SECONDS
