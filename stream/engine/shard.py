"""One partition of an engine: its customers, and what is known of its changelog."""

from __future__ import annotations

from collections.abc import Callable

from stream.domain.arrays import NEVER_MS
from stream.domain.customers import Customers
from stream.domain.erasure import Moves
from stream.domain.stages import Stages
from stream.kernel import LatestRecords
from stream.wire.customer_state import CLOCK_KEY, CODES_KEY, Changes, StateCodec
from stream.wire.erased_customers import customer_changes


class Shard:
    """A partition, empty at first and to be restored.

    Args:
        customers: none yet.
        stages_of: gives the stages of customers, as they are then.
        codec: of its changelog records.
        records: none yet; of its changelog, to be restored from.
    """

    def __init__(
        self,
        customers: Customers,
        stages_of: Callable[[Customers], Stages],
        codec: StateCodec,
        records: LatestRecords,
    ) -> None:
        self.customers = customers
        self.stages = stages_of(customers)
        #: Whether all its customers are here.
        self.ready = False
        #: Of erased customers, until the changelog has them where they belong.
        self.moves = Moves()
        self._stages_of = stages_of
        self._codec = codec
        #: Of the changelog, as far as it was read; None when all of it was.
        self.records: LatestRecords | None = records
        #: Value codes in the changelog; 0: their record has to be written even if there are none,
        #: as with pseudonyms it says under which key.
        self._codes_written = 0 if codec.has_pseudonyms else 1
        self._clock_written = (NEVER_MS, NEVER_MS)

    def finish_restore(self) -> None:
        """The changelog has been read: derive everything else; the partition is ready.

        Raises:
            StateError: when the changelog cannot be read by this program.
        """
        records, self.records = self.records, None
        if records is None:
            raise RuntimeError("the partition is restored already")
        self.moves = self._codec.load(self.customers, records)
        self.stages = self._stages_of(self.customers)
        if self._codec.has_codes(records):
            self._codes_written = len(self.customers.codes.texts)
        self._clock_written = self.customers.clock
        self.ready = True

    def unload(self) -> None:
        """Take the customers' part out of the totals."""
        if self.ready:
            self.customers.unload()

    def take_changes(self) -> Changes:
        """Changelog records of everything that changed since the last call."""
        customers = self.customers
        changes = Changes([], [])
        if len(customers.codes.texts) > self._codes_written:
            self._codes_written = len(customers.codes.texts)
            changes.keys.append(CODES_KEY)
            changes.values.append(self._codec.encode_codes(customers))
        if customers.clock != self._clock_written:
            self._clock_written = customers.clock
            changes.keys.append(CLOCK_KEY)
            changes.values.append(self._codec.encode_clock(customers))
        some = customer_changes(self._codec, customers, self.moves)
        changes.keys.extend(some.keys)
        changes.values.extend(some.values)
        return changes
