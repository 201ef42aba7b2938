"""Every customer's entries in one pool: each customer a contiguous run, sorted by time.

A run that outgrows its room moves and leaves a hole for another of that size; when holes are a
sixth of the pool it is packed. One array of fixed-size records costs a customer no object, is
read for many customers in one gather, and is its own durable form.
"""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64, LEAST_ROOM, Records, concatenated_ranges, grown
from stream.domain.entries import entry_type

#: Room a run may have: few sizes, so that the hole one leaves fits another. Most customers have
#: one order; three fit exactly.
_ROOMS = np.array([0, 1, *(3 << n for n in range(30))], np.int64)
_HOLES_DIVISOR = 6


class Ledger:
    """Runs of entries by row; rows are numbered from 0 and only ever added."""

    def __init__(self, dimensions: int) -> None:
        self.rows = 0
        self.dimensions = dimensions
        self._pool: Records = np.zeros(LEAST_ROOM, entry_type(dimensions))
        self._used = 0
        #: By room, where holes begin; ``_holes`` counts their entries.
        self._free: dict[int, I64] = {}
        self._holes = 0
        self._start = np.zeros(LEAST_ROOM, np.int32)
        self._length = np.zeros(LEAST_ROOM, np.int32)
        self._room = np.zeros(LEAST_ROOM, np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return int(self._pool.nbytes + 3 * self._start.nbytes)

    @property
    def entries(self) -> int:
        """Entries held."""
        return int(self._length[: self.rows].sum(dtype=np.int64))

    def add_rows(self, count: int) -> None:
        """Append rows without entries."""
        self.rows += count
        if self.rows > len(self._start):
            for name in ("_start", "_length", "_room"):
                setattr(self, name, grown(getattr(self, name), self.rows))

    def lengths(self, rows: I64) -> I64:
        """How many entries each row has."""
        return self._length[rows].astype(np.int64)

    def latest_ms(self, rows: I64, never_ms: int) -> I64:
        """Time of each row's last entry, or ``never_ms``."""
        lengths = self._length[rows]
        last = self._start[rows].astype(np.int64) + np.maximum(lengths, 1) - 1
        return np.where(lengths > 0, self._pool["time_ms"][last], never_ms)

    def gather(self, rows: I64) -> tuple[Records, I64]:
        """All entries of some rows, in the order given, and how many each row has."""
        lengths = self._length[rows].astype(np.int64)
        at = concatenated_ranges(self._start[rows].astype(np.int64), lengths)
        return self._pool[at], lengths

    def append(self, rows: I64, added: I64, entries: Records) -> None:
        """Append to the runs of distinct rows: ``added[i]`` of the entries go to ``rows[i]``."""
        lengths = self._length[rows].astype(np.int64)
        needed = lengths + added
        moving = np.flatnonzero(needed > self._room[rows])
        if len(moving):
            self._move(rows[moving], lengths[moving], needed[moving])
        self._pool[concatenated_ranges(self._start[rows].astype(np.int64) + lengths, added)] = (
            entries
        )
        self._length[rows] = needed
        self._pack_if_holey()

    def replace(self, rows: I64, lengths: I64, entries: Records) -> None:
        """Give distinct rows new runs: the next ``lengths[i]`` of the entries are ``rows[i]``'s."""
        moving = np.flatnonzero(lengths > self._room[rows])
        if len(moving):
            self._move(rows[moving], np.zeros(len(moving), np.int64), lengths[moving])
        self._pool[concatenated_ranges(self._start[rows].astype(np.int64), lengths)] = entries
        self._length[rows] = lengths
        self._pack_if_holey()

    def load(self, lengths: I64, entries: Records) -> None:
        """Append rows with their runs, packed."""
        first = self.rows
        self.add_rows(len(lengths))
        rows = slice(first, self.rows)
        ends = np.cumsum(lengths)
        self._start[rows] = self._used + ends - lengths
        self._length[rows] = lengths
        self._room[rows] = lengths
        self._reserve(len(entries))
        self._pool[self._used : self._used + len(entries)] = entries
        self._used += len(entries)

    def _move(self, rows: I64, keep: I64, needed: I64) -> None:
        """Give rows larger runs, with their first ``keep`` entries."""
        room = _ROOMS[np.searchsorted(_ROOMS, needed)]
        starts = self._take(room)
        old_starts = self._start[rows].astype(np.int64)
        old_rooms = self._room[rows].astype(np.int64)
        kept = self._pool[concatenated_ranges(old_starts, keep)]
        self._pool[concatenated_ranges(starts, keep)] = kept
        self._give_back(old_starts, old_rooms)
        self._start[rows] = starts
        self._room[rows] = room

    def _take(self, room: I64) -> I64:
        """Where runs of these rooms may begin: in holes, or at the end of the pool."""
        starts = np.full(len(room), -1, np.int64)
        for size in np.unique(room).tolist():
            holes = self._free.get(size)
            if holes is None or len(holes) == 0:
                continue
            wanting = np.flatnonzero(room == size)[: len(holes)]
            starts[wanting] = holes[len(holes) - len(wanting) :]
            self._free[size] = holes[: len(holes) - len(wanting)]
            self._holes -= size * len(wanting)
        rest = np.flatnonzero(starts < 0)
        ends = np.cumsum(room[rest])
        starts[rest] = self._used + ends - room[rest]
        if len(rest):
            self._reserve(int(ends[-1]))
            self._used += int(ends[-1])
        return starts

    def _give_back(self, starts: I64, rooms: I64) -> None:
        for size in np.unique(rooms).tolist():
            if size:
                holes = self._free.get(size, np.empty(0, np.int64))
                self._free[size] = np.concatenate([holes, starts[rooms == size]])
        self._holes += int(rooms.sum())

    def _reserve(self, count: int) -> None:
        if self._used + count > len(self._pool):
            self._pool = grown(self._pool, self._used + count)

    def _pack_if_holey(self) -> None:
        if self._holes * _HOLES_DIVISOR <= self._used or self._used < LEAST_ROOM:
            return
        rows = slice(0, self.rows)
        room = self._room[rows].astype(np.int64)
        lengths = self._length[rows].astype(np.int64)
        starts = np.cumsum(room) - room
        packed = np.empty(int(room.sum()) + LEAST_ROOM, self._pool.dtype)
        old = concatenated_ranges(self._start[rows].astype(np.int64), lengths)
        packed[concatenated_ranges(starts, lengths)] = self._pool[old]
        self._pool = packed
        self._start[rows] = starts
        self._used = int(room.sum())
        self._free = {}
        self._holes = 0
