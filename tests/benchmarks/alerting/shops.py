"""The simulated shops that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stream.domain.alerts import HOURS_BACK, LONG, SHORT, Figures, Floats, columns
from stream.domain.reading import Scope
from stream.domain.segment_names import ALL
from stream.domain.segments import Segment
from stream.domain.totals import Counts
from stream.tools.shop import ShopConfig
from tests.support.shop_gauges import hourly_totals

#: A Monday.
START_MS = 1_735_516_800_000
#: How long the shop has traded before anything is measured; what `simulate` sends, too.
HISTORY_DAYS = 200
MEASURED_DAYS = 26 * 7
#: Three weeks back, and what the figures of then go back to.
LEAD_DAYS = 25
#: After two weeks a drop is the median of the past.
AFTER_DROP_DAYS = 16
#: `retention-drop` makes customers buy 60 % less often.
WHOLE_DROP = 0.6
#: From which hour of those written on there is a past to compare with.
FIRST_HOUR = max(HOURS_BACK)

_HOUR_SECONDS, _DAY_SECONDS = 3600, 86_400
CHANNEL = "channel"
_SCOPE = Scope(windows=frozenset({SHORT, LONG}), with_lifetimes=False)


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
    def measured_until_seconds(self) -> int:
        """The moment of the last figures."""
        return self._seconds(self._days[1])

    def seconds_at(self, hour: int) -> int:
        """The end of one of the hours there are figures of."""
        return self._seconds(self._days[0]) + (hour + 1) * _HOUR_SECONDS

    def figures(self, folder: Path) -> dict[Segment, Figures]:
        """Its figures hour by hour, as a worker would have shown them; kept in a folder."""
        path = folder / f"{self.store}.npz"
        if not path.exists():
            # There only when it is whole: one more run need not make it again.
            partial = path.with_suffix(".partial")
            with partial.open("wb") as file:
                np.savez_compressed(file, allow_pickle=False, **self._counted())
            partial.rename(path)
        with np.load(path) as kept:
            counted: dict[str, Floats] = dict(kept)

        def counts(segment: str, window: str) -> dict[str, Floats]:
            return {name: counted[f"{segment}/{window}/{name}"] for name in Counts.__slots__}

        return {
            Segment(self.store, ALL if name == ALL else CHANNEL, name): Figures.of(
                counts(name, SHORT), counts(name, LONG), np.ones((2, 1), np.bool_)
            )
            for name in sorted({key.partition("/")[0] for key in counted})
        }

    def _counted(self) -> dict[str, Floats]:
        """Counts by segment, window and name."""
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
        by_hour = [
            totals.counts
            for totals in hourly_totals(
                shop,
                from_day=from_day,
                to_day=to_day,
                # Of a shop with a drop only what is told of the whole store is looked at.
                dimensions=() if self.drop else (CHANNEL,),
                scope=_SCOPE,
            )
        ]
        return {
            f"{segment.name}/{window}/{name}": values
            for segment, window in by_hour[-1]
            for name, values in columns(
                [counts.get((segment, window), Counts()) for counts in by_hour]
            ).items()
        }

    @property
    def _switch_day(self) -> int:
        """The first day of the drop: each seed another day of the week."""
        return HISTORY_DAYS + self.seed % 7

    @property
    def _days(self) -> tuple[int, int]:
        """The first day whose figures there are, and the one after the last."""
        if self.drop:
            return self._switch_day - LEAD_DAYS, self._switch_day + AFTER_DROP_DAYS
        return HISTORY_DAYS - LEAD_DAYS, HISTORY_DAYS + MEASURED_DAYS

    @staticmethod
    def _seconds(day: int) -> int:
        return START_MS // 1000 + day * _DAY_SECONDS
