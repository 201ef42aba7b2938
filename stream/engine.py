"""The engine: records in, customers' states and totals out. Pure: no broker, clock or server.

One engine holds the partitions of one worker. The shell around it fetches, forwards what the
engine hands back (dead letters, strays, changelog records) and commits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from secrets import token_hex

import numpy as np

from stream import kernel
from stream.domain.arrays import F64, I64, NEVER_MS
from stream.domain.book import new_book
from stream.domain.calendar import Timeline
from stream.domain.config import EngineConfig
from stream.domain.customers import Customers
from stream.domain.entries import GUEST_ORDER
from stream.domain.erasure import Moves, between_erasures
from stream.domain.events import (
    DeadLetter,
    EventBatch,
    Outcome,
    Stray,
    anonymous_key,
    customer_key,
    routing_id,
    store_of,
)
from stream.domain.lookup import CustomerView, customer_view
from stream.domain.outlook import StoreModels, outlook, sampled_histories
from stream.domain.reading import EVERYTHING, Scope, totals
from stream.domain.segments import Segments
from stream.domain.stages import Stages
from stream.domain.tallies import Tallies
from stream.domain.totals import Totals
from stream.domain.verdicts import Verdicts
from stream.wire.customer_state import CLOCK_KEY, CODES_KEY, Changes, StateCodec
from stream.wire.dialects.canonical import NOT_USED, DialectConfig
from stream.wire.dialects.reading import DialectReader
from stream.wire.dialects.translator import HeadersOf, Translator
from stream.wire.erased_customers import customer_changes
from stream.wire.event_reader import EventReader
from stream.wire.partitioning import home_partitions, partitions_of
from stream.wire.stage_events import stage_events

#: How far ahead of the worker's clock an event may be.
MAX_AHEAD_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a chunk; the outcomes add up to its records."""

    outcomes: Mapping[Outcome, int]
    dead_letters: Sequence[DeadLetter]
    strays: Sequence[Stray]


@dataclass(slots=True)
class _Shard:
    """One partition: its customers, and what is known of its changelog."""

    customers: Customers
    stages: Stages
    ready: bool = False
    #: Latest value of each key read so far, while restoring.
    restoring: dict[bytes, bytes] = field(default_factory=dict)
    #: Value codes in the changelog; 0: their record has to be written even if there are none.
    codes_written: int = 1
    clock_written: tuple[int, int] = (NEVER_MS, NEVER_MS)
    #: Of erased customers, until the changelog has them where they belong.
    moves: Moves = field(default_factory=Moves)


class Engine:
    """The customers of this worker's partitions and what they add up to.

    Args:
        config: what is counted, and how.
        compiled: the kernel; None for the references alone.
        new_token: gives the keys of erased customers' rows: texts that mean nothing, never twice.
    """

    def __init__(
        self,
        config: EngineConfig,
        compiled: kernel.Kernel | None = kernel.compiled,
        new_token: Callable[[], str] = token_hex,
    ) -> None:
        self.config = config
        self._compiled = compiled
        self._new_token = new_token
        self._timeline = Timeline(config.bucket_ms, config.timezone)
        self._book = new_book(self._timeline, config.windows, compiled)
        self._tallies = Tallies(self._timeline, config.windows, self._book)
        self._segments = Segments(self._tallies, config.dimensions)
        self._reader = DialectReader(
            EventReader(config.dimensions, compiled).read,
            Translator(DialectConfig(config.dimensions, config.event_names)),
        )
        self._codec = StateCodec(config.dimensions, len(config.topics), config.pseudonyms)
        self._topics = {topic: number for number, topic in enumerate(config.topics)}
        self._shards: dict[int, _Shard] = {}
        self.latest_event_ms: int | None = None
        #: By store, what :meth:`customer` tells customers' chances from; for others to fit.
        self.lifetime_models: Mapping[str, StoreModels] = {}

    # -- partitions come and go --------------------------------------------------------------

    @property
    def ready_partitions(self) -> frozenset[int]:
        """Partitions whose customers are all here."""
        return frozenset(number for number, shard in self._shards.items() if shard.ready)

    @property
    def owned_partitions(self) -> frozenset[int]:
        """Partitions that were assigned, restored or not."""
        return frozenset(self._shards)

    @property
    def customers(self) -> int:
        """Customers held, guest orders included."""
        return sum(len(shard.customers) for shard in self._shards.values())

    def assign(self, partition: int) -> None:
        """Begin to own a partition: empty, to be restored."""
        if partition in self._shards:
            raise ValueError(f"partition {partition} is owned already")
        customers = Customers(self._book, self._segments, len(self.config.topics))
        shard = _Shard(customers, self._stages_of(customers))
        # With pseudonyms this record says under which key.
        shard.codes_written = 1 if self.config.pseudonyms is None else 0
        self._shards[partition] = shard

    def restore(
        self, partition: int, keys: Sequence[bytes], values: Sequence[bytes | None]
    ) -> None:
        """Take changelog records, in the order of the log; None deletes a key."""
        latest = self._shards[partition].restoring
        if None in values:
            for key, value in zip(keys, values, strict=True):
                if value is None:
                    latest.pop(key, None)
                else:
                    latest[key] = value
        else:
            latest.update(zip(keys, values, strict=True))  # type: ignore[arg-type] # no None here

    def finish_restore(self, partition: int) -> None:
        """The changelog has been read: derive everything else; the partition is ready.

        Raises:
            StateError: when the changelog cannot be read by this program.
        """
        shard = self._shards[partition]
        records, shard.restoring = shard.restoring, {}
        shard.moves = self._codec.load(shard.customers, records)
        shard.stages = self._stages_of(shard.customers)
        if self._codec.has_codes(records):
            shard.codes_written = len(shard.customers.codes.texts)
        shard.clock_written = shard.customers.clock
        if shard.customers.latest_ms != NEVER_MS:
            self._advance(shard.customers.latest_ms)
        shard.ready = True

    def revoke(self, partition: int) -> None:
        """Let a partition go, with its part in the totals."""
        shard = self._shards.pop(partition)
        if shard.ready:
            shard.customers.unload()

    # -- events ------------------------------------------------------------------------------

    def apply(
        self,
        topic: str,
        partition: int,
        offsets: Sequence[int],
        keys: Sequence[bytes | None],  # noqa: ARG002 - the id in the event decides, not the key
        values: Sequence[bytes | None],
        now_ms: int,
        *,
        headers: HeadersOf | None = None,
    ) -> Applied:
        """Apply the records of one chunk.

        Args:
            topic: where the records come from.
            partition: the partition they come from, which must be ready.
            offsets: their offsets, ascending.
            keys: their keys.
            values: their values.
            now_ms: the worker's clock.
            headers: gives the headers of the record at a place of the chunk.
        """
        shard = self._shards[partition]
        if not shard.ready:
            raise RuntimeError(f"partition {partition} is not restored yet")
        customers = shard.customers
        dialect = self.config.dialects.get(topic, "auto")
        batch, letters = self._reader.read(values, headers, dialect)
        verdicts = Verdicts(batch.index)
        number = self._topics[topic]
        at = np.asarray(offsets, np.int64)[batch.index]
        kept = self._kept_keys(batch.keys)
        rows = np.array(list(map(customers.index.get, kept, repeat(-1))), np.int64)
        known = np.flatnonzero(rows >= 0)
        replayed = np.zeros(len(rows), np.bool_)
        replayed[known] = at[known] <= customers.applied[rows[known], number]
        verdicts.set(np.flatnonzero(replayed), Outcome.REPLAYED)
        usable = np.flatnonzero(~replayed)
        strays: list[Stray] = []
        if topic != self.config.rerouted_topic:
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
        if self.config.ignore_not_used:
            letters = [letter for letter in letters if letter.reason != NOT_USED]
        return Applied(outcomes, letters + out_of_time, strays)

    def has_due(self, partition: int, now_ms: int) -> bool:
        """Whether time alone brings something for :meth:`take_changes`."""
        shard = self._shards.get(partition)
        return (
            shard is not None
            and shard.ready
            and shard.stages.has_to_tell(self._stages_bound_ms(shard, now_ms))
        )

    def take_changes(self, partition: int, now_ms: int) -> Changes:
        """Changelog records of everything that changed in a partition since the last call.

        Customers' stages change by time, too: what they are to be told of, up to ``now_ms`` or
        the time of purchases, is in the records, and is handed out by
        :meth:`take_stage_events`. Who takes one must take the other.
        """
        shard = self._shards[partition]
        customers = shard.customers
        shard.stages.advance(self._stages_bound_ms(shard, now_ms))
        changes = Changes([], [])
        if len(customers.codes.texts) > shard.codes_written:
            shard.codes_written = len(customers.codes.texts)
            changes.keys.append(CODES_KEY)
            changes.values.append(self._codec.encode_codes(customers))
        if customers.clock != shard.clock_written:
            shard.clock_written = customers.clock
            changes.keys.append(CLOCK_KEY)
            changes.values.append(self._codec.encode_clock(customers))
        some = customer_changes(self._codec, customers, shard.moves)
        changes.keys.extend(some.keys)
        changes.values.extend(some.values)
        return changes

    def take_stage_events(self, partition: int) -> Changes:
        """Records for the topic of stages: what :meth:`take_changes` holds to be told."""
        shard = self._shards[partition]
        return stage_events(shard.customers, shard.stages.take(), self._compiled)

    def note_committed(self, partition: int, positions: Mapping[str, int]) -> None:
        """All changes of a partition that were taken are safe, and its positions are committed.

        Args:
            partition: the partition; one that left meanwhile is no matter.
            positions: by topic the next offset to read.
        """
        shard = self._shards.get(partition)
        if shard is not None:
            offsets = [positions.get(topic, 0) for topic in self.config.topics]
            shard.moves.note_committed(shard.customers, np.array(offsets, np.int64))

    def owes_changes(self, partition: int) -> bool:
        """Whether a partition has changes to take though no event comes: those of an erasure."""
        shard = self._shards.get(partition)
        return shard is not None and shard.ready and bool(shard.moves)

    # -- reading -----------------------------------------------------------------------------

    def as_of_ms(self, now_ms: int) -> int | None:
        """The instant the gauges stand for; None while nothing has been seen in event time."""
        return now_ms if self.config.clock == "wall" else self.latest_event_ms

    def totals(self, as_of_ms: int, scope: Scope = EVERYTHING) -> Totals:
        """What this worker's customers add up to as of an instant, past ones too."""
        result = totals(self._tallies, self._segments, as_of_ms, scope)
        result.experiment = self.config.experiment
        if scope.with_stages:
            self._read_stages(result, self._end_of_bucket_ms(as_of_ms))
        return result

    def home_of(self, customer_id: str) -> int:
        """The partition a customer's events are in."""
        return int(partitions_of([customer_id.encode()], self.config.partitions)[0])

    def customer(self, store: str, customer_id: str, as_of_ms: int) -> CustomerView | None:
        """What is known of a customer whose partition is ready here; None: nothing is."""
        kept_id = self.kept_id(store, customer_id)
        return self.kept_customer(self.home_of(customer_id), store, kept_id, as_of_ms)

    def kept_id(self, store: str, customer_id: str) -> str:
        """What a customer's id is kept as: its pseudonym, or itself."""
        (key,) = self._kept_keys([customer_key(store, customer_id)])
        return routing_id(key).decode()

    def kept_customer(
        self, partition: int, store: str, kept_id: str, as_of_ms: int
    ) -> CustomerView | None:
        """The same by what the id is kept as, which does not tell the partition."""
        shard = self._shards[partition]
        if not shard.ready:
            raise RuntimeError("the customer's partition is not restored yet")
        customers = shard.customers
        row = customers.index.get(customer_key(store, kept_id))
        if row is None:
            return None
        entries, _ = customers.ledger.gather(np.array([row], np.int64))
        if not len(entries):
            return None
        names = (self._segments.names[place] for place in customers.segments[row, 1:].tolist())
        segments = {name.dimension: name.name for name in names}
        view = customer_view(entries, segments, self.config, self._timeline, as_of_ms)
        models = self.lifetime_models.get(store)
        if models is None:
            return view
        return replace(view, outlook=outlook(models, entries, self._timeline, as_of_ms))

    def lifetime_sample(self, as_of_ms: int) -> Mapping[str, F64]:
        """By store, what to fit lifetime models to; a copy of bounded size."""
        ready = [shard.customers for shard in self._shards.values() if shard.ready]
        return sampled_histories(ready, self._segments.names, self._timeline, as_of_ms)

    def same_moment(self, one_ms: int, other_ms: int) -> bool:
        """Whether totals as of two instants read the same buckets and the same local day."""
        bucket_ms = self.config.bucket_ms
        same_bucket = one_ms // bucket_ms == other_ms // bucket_ms
        return same_bucket and self._timeline.day_at(one_ms) == self._timeline.day_at(other_ms)

    # -- inside ------------------------------------------------------------------------------

    def _stages_bound_ms(self, shard: _Shard, now_ms: int) -> int:
        """Up to when stages may be told: partitions are read at different speeds in a replay."""
        return now_ms if self.config.clock == "wall" else shard.customers.purchases_ms

    def _read_stages(self, result: Totals, at_ms: int) -> None:
        for shard in self._shards.values():
            if not shard.ready:
                continue
            # Time is only the clock's to move on, not that of whoever reads.
            shard.stages.advance(self._stages_bound_ms(shard, shard.stages.bound_ms))
            for row, (_, *counts) in shard.stages.count(at_ms).items():
                store = self._segments.names[row].store
                known = result.stages.get(store, [0] * len(counts))
                result.stages[store] = [one + more for one, more in zip(known, counts, strict=True)]

    def _end_of_bucket_ms(self, as_of_ms: int) -> int:
        """The last instant of a bucket: what is as of any instant of it counts up to there."""
        return (as_of_ms // self.config.bucket_ms + 1) * self.config.bucket_ms - 1

    def _kept_keys(self, keys: list[bytes]) -> list[bytes]:
        pseudonyms = self.config.pseudonyms
        return keys if pseudonyms is None else list(map(pseudonyms.key_of, keys))

    def _advance(self, event_ms: int) -> None:
        self.latest_event_ms = max(event_ms, self.latest_event_ms or event_ms)

    def _stages_of(self, customers: Customers) -> Stages:
        return Stages(
            customers, self.config.lifecycle, self._compiled, tells=self.config.stage_events
        )

    def _in_time(self, batch: EventBatch, usable: I64, now_ms: int, verdicts: Verdicts) -> I64:
        """The usable events that are neither too far ahead nor beyond the horizon."""
        time_ms = batch.entries["time_ms"][usable]
        ahead = time_ms > now_ms + MAX_AHEAD_MS
        if self.config.clock == "wall":
            as_of_ms = np.full(len(usable), now_ms, np.int64)
        else:
            seen = np.empty(len(usable) + 1, np.int64)
            seen[0] = NEVER_MS if self.latest_event_ms is None else self.latest_event_ms
            seen[1:] = np.where(ahead, NEVER_MS, time_ms)
            as_of_ms = np.maximum.accumulate(seen)[:-1]
        late = time_ms < as_of_ms - self.config.horizon_ms
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
        keys = [batch.keys[place] for place in unknown.tolist()]
        homes = home_partitions(keys, self.config.partitions, self._compiled)
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
        shard: _Shard,
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
                rows[:] = list(map(customers.index.get, batch.keys, repeat(-1)))

    def _erase(self, shard: _Shard, batch: EventBatch, place: int, topic: int, offset: int) -> None:
        time_ms = int(batch.entries["time_ms"][place])
        customers, key = shard.customers, batch.keys[place]
        customers.latest_ms = max(customers.latest_ms, time_ms)
        self._advance(time_ms)
        row = customers.index.get(key)
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
            keys = [batch.keys[place] for place in new.tolist()]
            customers.add(list(dict.fromkeys(keys)))
            chosen[new] = [customers.index[key] for key in keys]
        rows[usable] = chosen
        latest_ms = int(batch.entries["time_ms"].max())
        customers.latest_ms = max(customers.latest_ms, latest_ms)
        self._advance(latest_ms)
        duplicates = customers.apply(chosen, batch.entries)
        verdicts.set(usable[batch.entries["kind"] == GUEST_ORDER], Outcome.GUEST)
        verdicts.set(usable[duplicates], Outcome.DUPLICATE)
