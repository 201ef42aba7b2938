"""Time as the metrics see it: buckets, local days, calendar periods, and slots.

A *slot* is the finest piece of time a sum is kept for: a bucket, cut at local midnights. Every
rolling window is a range of whole buckets and every calendar window a range of whole local
days, so each is a range of slots, whatever the time zone's offset. ``slot = bucket + local
day`` numbers the pieces without gaps to speak of: it grows by one where either does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from stream.domain.arrays import I64
from stream.domain.windows import CalendarUnit

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
#: Changes of offset are known up to here: 2100-01-01T00:00:00Z.
END_OF_TIME_MS = 4_102_444_800_000
_LARGEST_OFFSET_MS = 26 * 3_600_000


class Timeline:
    """Buckets of ``bucket_ms`` since the epoch, and the local days of one time zone."""

    def __init__(self, bucket_ms: int, timezone: str) -> None:
        self.bucket_ms = bucket_ms
        self._changes_ms, self._offsets_ms = _utc_offsets(ZoneInfo(timezone))
        self._first_slots: dict[int, int] = {}
        self._first_ms: dict[int, int] = {}

    def utc_offsets(self) -> tuple[list[int], list[int]]:
        """Instants at which the offset changes, and the offsets before, between and after."""
        return self._changes_ms.tolist(), self._offsets_ms.tolist()

    def bucket(self, time_ms: I64) -> I64:
        """The bucket each time falls in."""
        return time_ms // self.bucket_ms

    def local_day(self, time_ms: I64) -> I64:
        """The local date of each time, as days since 1970-01-01."""
        if len(self._offsets_ms) == 1:
            offset: I64 | np.int64 = self._offsets_ms[0]
        else:
            offset = self._offsets_ms[np.searchsorted(self._changes_ms, time_ms, side="right")]
        day: I64 = (time_ms + offset) // DAY_MS
        return day

    def slot(self, time_ms: I64) -> I64:
        """The slot each time falls in."""
        return self.bucket(time_ms) + self.local_day(time_ms)

    def slot_at(self, time_ms: int) -> int:
        """The slot one time falls in."""
        return int(self.slot(np.array([time_ms], np.int64))[0])

    def first_slot_of_bucket(self, bucket: int) -> int:
        """The first slot of a bucket."""
        return self.slot_at(bucket * self.bucket_ms)

    def last_slot_of_bucket(self, bucket: int) -> int:
        """The last slot of a bucket."""
        return self.slot_at((bucket + 1) * self.bucket_ms - 1)

    def first_slot_of_day(self, day: int) -> int:
        """The first slot of a local day."""
        slot = self._first_slots.get(day)
        if slot is None:
            slot = self._first_slots[day] = self.slot_at(self.first_ms_of_day(day))
        return slot

    def day_at(self, time_ms: int) -> int:
        """The local date of one time, as days since 1970-01-01."""
        return int(self.local_day(np.array([time_ms], np.int64))[0])

    def first_ms_of_day(self, day: int) -> int:
        """When a local day begins."""
        first_ms = self._first_ms.get(day)
        if first_ms is None:
            first_ms = self._first_ms[day] = self._search_first_ms(day)
        return first_ms

    def _search_first_ms(self, day: int) -> int:
        low, high = day * DAY_MS - _LARGEST_OFFSET_MS, day * DAY_MS + _LARGEST_OFFSET_MS
        while high - low > 1:
            middle = (low + high) // 2
            if self.day_at(middle) >= day:
                high = middle
            else:
                low = middle
        return high


def period_of_day(unit: CalendarUnit, day: I64) -> I64:
    """The number of the calendar period each local day falls in, counted from 1970's first."""
    if unit is CalendarUnit.DAY:
        return day
    if unit is CalendarUnit.WEEK:
        # 1970-01-01 was a Thursday; ISO weeks begin on Monday.
        return (day + 3) // 7
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return month // {CalendarUnit.MONTH: 1, CalendarUnit.QUARTER: 3, CalendarUnit.YEAR: 12}[unit]


def first_day_of_period(unit: CalendarUnit, period: int) -> int:
    """The first local day of a calendar period, as days since 1970-01-01."""
    if unit is CalendarUnit.DAY:
        return period
    if unit is CalendarUnit.WEEK:
        return period * 7 - 3
    months = period * {CalendarUnit.MONTH: 1, CalendarUnit.QUARTER: 3, CalendarUnit.YEAR: 12}[unit]
    return int(np.datetime64(months, "M").astype("datetime64[D]").astype(np.int64))


@lru_cache(maxsize=16)
def _utc_offsets(zone: ZoneInfo) -> tuple[I64, I64]:
    """Instants at which the zone's offset changes, and the offsets before, between and after."""

    def offset_ms(instant: datetime) -> int:
        offset = instant.astimezone(zone).utcoffset()
        if offset is None:
            raise ValueError(f"{zone.key} has no UTC offset")
        return round(offset.total_seconds() * 1000)

    changes: list[int] = []
    instant = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    offsets = [offset_ms(instant)]
    while instant.year < _LAST_YEAR:
        following = instant + timedelta(days=1)
        if offset_ms(following) != offsets[-1]:
            low, high = instant, following
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
                if offset_ms(middle) == offsets[-1]:
                    low = middle
                else:
                    high = middle
            changes.append(round((high - _EPOCH).total_seconds() * 1000))
            offsets.append(offset_ms(high))
        instant = following
    return np.array(changes, np.int64), np.array(offsets, np.int64)
