"""What becomes of a chunk's records: applied to their customers, or handed back with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stream import kernel
from stream.domain.arrays import I64
from stream.domain.config import EngineConfig
from stream.domain.customers import Customers
from stream.domain.entries import GUEST_ORDER
from stream.domain.erasure import between_erasures
from stream.domain.events import (
    DeadLetter,
    EventBatch,
    Outcome,
    Stray,
    anonymous_key,
    routing_id,
    store_of,
)
from stream.domain.key_column import KeyColumn
from stream.domain.verdicts import Verdicts
from stream.engine.event_clock import EventClock
from stream.engine.shard import Shard
from stream.wire.dialects.canonical import NOT_USED, DialectConfig
from stream.wire.dialects.reading import DialectReader
from stream.wire.dialects.translator import HeadersOf, Translator
from stream.wire.event_reader import EventReader
from stream.wire.partitioning import home_partitions

#: How far ahead of the worker's clock an event may be.
MAX_AHEAD_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a chunk; the outcomes add up to its records."""

    outcomes: Mapping[Outcome, int]
    dead_letters: Sequence[DeadLetter]
    strays: Sequence[Stray]


class Applier:
    """Applies chunks to partitions of one engine.

    Args:
        config: what is counted, and how.
        clock: moved on by the events.
        compiled: the kernel; None for the references alone.
        new_token: gives the keys of erased customers' rows: texts that mean nothing, never twice.
    """

    def __init__(
        self,
        config: EngineConfig,
        clock: EventClock,
        compiled: kernel.Kernel | None,
        new_token: Callable[[], str],
    ) -> None:
        self._config = config
        self._clock = clock
        self._compiled = compiled
        self._new_token = new_token
        self._reader = DialectReader(
            EventReader(config.dimensions, compiled).read,
            Translator(DialectConfig(config.dimensions, config.event_names)),
        )
        self._topics = {topic: number for number, topic in enumerate(config.topics)}

    def apply(
        self,
        shard: Shard,
        source: tuple[str, int],
        offsets: Sequence[int],
        values: Sequence[bytes | None],
        now_ms: int,
        headers: HeadersOf | None,
    ) -> Applied:
        """Apply the records of one chunk.

        Args:
            shard: of the partition they come from, ready.
            source: topic and partition they come from.
            offsets: their offsets, ascending.
            values: their values.
            now_ms: the worker's clock.
            headers: gives the headers of the record at a place of the chunk.
        """
        topic, partition = source
        customers = shard.customers
        dialect = self._config.dialects.get(topic, "auto")
        batch, letters = self._reader.read(values, headers, dialect)
        verdicts = Verdicts(batch.index)
        number = self._topics[topic]
        at = np.asarray(offsets, np.int64)[batch.index]
        kept = self.kept_keys(batch.keys)
        rows = customers.find(kept)
        known = np.flatnonzero(rows >= 0)
        replayed = np.zeros(len(rows), np.bool_)
        replayed[known] = at[known] <= customers.applied[rows[known], number]
        verdicts.set(np.flatnonzero(replayed), Outcome.REPLAYED)
        usable = np.flatnonzero(~replayed)
        strays: list[Stray] = []
        if topic != self._config.rerouted_topic:
            usable = self._without_strays(batch, rows, usable, partition, strays, verdicts)
        # From here on nothing has to do with real ids, by which partitions go.
        batch.keys = kept
        # After the strays, whose time is for their own partition to note.
        usable = self._in_time(batch, usable, now_ms, verdicts)
        if len(usable):
            if number == 0:
                latest_ms = int(batch.entries["time_ms"][usable].max())
                customers.purchases_ms = max(customers.purchases_ms, latest_ms)
            self._apply_in_turn(shard, batch, rows, usable, verdicts, (number, at))
        outcomes, out_of_time = verdicts.count()
        outcomes.update(letter.outcome for letter in letters)
        if self._config.ignore_not_used:
            letters = [letter for letter in letters if letter.reason != NOT_USED]
        return Applied(outcomes, letters + out_of_time, strays)

    def kept_keys(self, keys: KeyColumn) -> KeyColumn:
        """What keys are kept as: with pseudonyms, or as they are."""
        pseudonyms = self._config.pseudonyms
        return keys if pseudonyms is None else KeyColumn.of(map(pseudonyms.key_of, keys))

    def _in_time(self, batch: EventBatch, usable: I64, now_ms: int, verdicts: Verdicts) -> I64:
        """The usable events that are neither too far ahead nor beyond the horizon."""
        time_ms = batch.entries["time_ms"][usable]
        ahead = time_ms > now_ms + MAX_AHEAD_MS
        if self._config.clock == "wall":
            as_of_ms = np.full(len(usable), now_ms, np.int64)
        else:
            as_of_ms = self._clock.before_each(time_ms, ~ahead)
        late = time_ms < as_of_ms - self._config.horizon_ms
        if not (ahead.any() or late.any()):
            return usable
        verdicts.set(usable[late], Outcome.TOO_LATE)
        verdicts.set(usable[ahead], Outcome.REJECTED)
        result: I64 = usable[~(ahead | late)]
        return result

    def _without_strays(
        self,
        batch: EventBatch,
        rows: I64,
        usable: I64,
        partition: int,
        strays: list[Stray],
        verdicts: Verdicts,
    ) -> I64:
        """The usable events whose customer belongs here; a customer known here does."""
        unknown = usable[rows[usable] < 0]
        if len(unknown) == 0:
            return usable
        keys = list(batch.keys.take(unknown))
        homes = home_partitions(keys, self._config.partitions, self._compiled)
        away = homes != partition
        if not away.any():
            return usable
        verdicts.set(unknown[away], Outcome.REROUTED)
        for place in np.flatnonzero(away).tolist():
            index = int(batch.index[unknown[place]])
            # A record of several events, all of one customer, moves once.
            if not strays or strays[-1].index != index:
                strays.append(Stray(index, routing_id(keys[place]), int(homes[place])))
        return np.setdiff1d(usable, unknown[away], assume_unique=True)

    def _apply_in_turn(
        self,
        shard: Shard,
        batch: EventBatch,
        rows: I64,
        usable: I64,
        verdicts: Verdicts,
        offsets: tuple[int, I64],
    ) -> None:
        """Apply usable events; an erasure bears on those before it and not on those after it."""
        customers, (topic, at) = shard.customers, offsets
        for part, erasure in between_erasures(usable, batch.entries["kind"][usable]):
            if len(part):
                self._apply_usable(customers, batch, rows, part, verdicts)
                customers.applied[rows[part], topic] = at[part]
            if erasure is not None:
                self._erase(shard, batch, erasure, topic, int(at[erasure]))
                rows[:] = customers.find(batch.keys)

    def _erase(self, shard: Shard, batch: EventBatch, place: int, topic: int, offset: int) -> None:
        time_ms = int(batch.entries["time_ms"][place])
        customers, key = shard.customers, batch.keys[place]
        customers.latest_ms = max(customers.latest_ms, time_ms)
        self._clock.advance(time_ms)
        row = customers.row_of(key)
        if row is not None:
            customers.applied[row, topic] = offset
            shard.moves.erase(customers, row, anonymous_key(store_of(key), self._new_token()))

    def _apply_usable(
        self,
        customers: Customers,
        batch: EventBatch,
        rows: I64,
        usable: I64,
        verdicts: Verdicts,
    ) -> None:
        if len(usable) < len(rows):
            batch = batch.take(usable)
            chosen = rows[usable]
        else:
            chosen = rows
        for dimension, column in enumerate(batch.values):
            batch.entries["values"][:, dimension] = customers.codes.encode(column)
        new = np.flatnonzero(chosen < 0)
        if len(new):
            chosen[new] = customers.add(batch.keys.take(new))
        rows[usable] = chosen
        latest_ms = int(batch.entries["time_ms"].max())
        customers.latest_ms = max(customers.latest_ms, latest_ms)
        self._clock.advance(latest_ms)
        duplicates = customers.apply(chosen, batch.entries)
        verdicts.set(usable[batch.entries["kind"] == GUEST_ORDER], Outcome.GUEST)
        verdicts.set(usable[duplicates], Outcome.DUPLICATE)
