"""The engine as others see it: partitions come and go, events are applied, totals are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from secrets import token_hex

import numpy as np

from stream import kernel
from stream.domain.arrays import F64, NEVER_MS
from stream.domain.book import new_book
from stream.domain.calendar import Timeline
from stream.domain.config import EngineConfig
from stream.domain.customers import Customers
from stream.domain.events import (
    customer_key,
    routing_id,
)
from stream.domain.key_column import KeyColumn
from stream.domain.lookup import CustomerView, customer_view
from stream.domain.outlook import StoreModels, outlook, sampled_histories
from stream.domain.reading import EVERYTHING, Scope, totals
from stream.domain.segments import Segments
from stream.domain.stages import Stages
from stream.domain.tallies import Tallies
from stream.domain.totals import Totals
from stream.engine.applying import Applied, Applier
from stream.engine.event_clock import EventClock
from stream.engine.shard import Shard
from stream.wire.customer_state import Changes, StateCodec
from stream.wire.dialects.translator import HeadersOf
from stream.wire.latest_records import latest_records
from stream.wire.partitioning import partitions_of
from stream.wire.record_bodies import Body
from stream.wire.stage_events import stage_events


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
        self._timeline = Timeline(config.bucket_ms, config.timezone)
        self._book = new_book(self._timeline, config.windows, compiled)
        self._tallies = Tallies(self._timeline, config.windows, self._book)
        self._segments = Segments(self._tallies, config.dimensions)
        self._clock = EventClock()
        self._applier = Applier(config, self._clock, compiled, new_token)
        self._codec = StateCodec(config.dimensions, len(config.topics), config.pseudonyms)
        self._shards: dict[int, Shard] = {}
        #: By store, what :meth:`customer` tells customers' chances from; for others to fit.
        self.lifetime_models: Mapping[str, StoreModels] = {}

    @property
    def latest_event_ms(self) -> int | None:
        """The greatest time of all usable events; None before the first."""
        return self._clock.latest_ms

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
        records = latest_records(self._compiled)
        self._shards[partition] = Shard(customers, self._stages_of, self._codec, records)

    def records_of(self, partition: int) -> kernel.LatestRecords:
        """What takes the changelog records of a partition that is to be restored."""
        records = self._shards[partition].records
        if records is None:
            raise RuntimeError(f"partition {partition} is restored already")
        return records

    def restore(
        self, partition: int, keys: Sequence[bytes | None], values: Sequence[bytes | None]
    ) -> None:
        """Take changelog records, in the order of the log; None deletes a key."""
        self.records_of(partition).take(keys, values)

    def finish_restore(self, partition: int) -> None:
        """The changelog has been read: derive everything else; the partition is ready.

        Raises:
            StateError: when the changelog cannot be read by this program.
        """
        shard = self._shards[partition]
        shard.finish_restore()
        if shard.customers.latest_ms != NEVER_MS:
            self._clock.advance(shard.customers.latest_ms)

    def revoke(self, partition: int) -> None:
        """Let a partition go, with its part in the totals."""
        self._shards.pop(partition).unload()

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
        applied = self._applier.apply(shard, (topic, partition), offsets, values, now_ms, headers)
        shard.stages.note_time(self._stages_bound_ms(shard, now_ms))
        return applied

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
        shard.stages.advance(self._stages_bound_ms(shard, now_ms))
        return shard.take_changes()

    def take_stage_events(self, partition: int) -> list[Body]:
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
        (key,) = self._applier.kept_keys(KeyColumn.of([customer_key(store, customer_id)]))
        return routing_id(key).decode()

    def kept_customer(
        self, partition: int, store: str, kept_id: str, as_of_ms: int
    ) -> CustomerView | None:
        """The same by what the id is kept as, which does not tell the partition."""
        shard = self._shards[partition]
        if not shard.ready:
            raise RuntimeError("the customer's partition is not restored yet")
        customers = shard.customers
        row = customers.row_of(customer_key(store, kept_id))
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

    def _stages_bound_ms(self, shard: Shard, now_ms: int) -> int:
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

    def _stages_of(self, customers: Customers) -> Stages:
        return Stages(
            customers, self.config.lifecycle, self._compiled, tells=self.config.stage_events
        )
