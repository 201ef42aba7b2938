"""The customers of one partition: who they are, their entries, and what was applied to them."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import (
    I32,
    I64,
    NEVER_MS,
    U16,
    Bools,
    Records,
    grown,
    starts_of_groups,
)
from stream.domain.entries import (
    GUEST_ORDER,
    ORDER,
    SIGNUP,
    Histories,
    carried_values,
    contribute,
    is_live_order,
    nets,
)
from stream.domain.events import store_of
from stream.domain.id_filter import IdFilter, fingerprint
from stream.domain.ledger import Ledger
from stream.domain.money import LARGEST_CURRENCY
from stream.domain.segments import SegmentResolver, Segments, ValueCodes
from stream.domain.tallies import Tallies

#: Customers whose terms are computed together: few enough that the arrays stay in the cache.
_BLOCK = 4096


#: In place of a currency number: no order or return yet, or more than one currency.
NO_CURRENCY = 0
SEVERAL = LARGEST_CURRENCY + 1

_COLUMNS = (
    "applied",
    "last_order_ms",
    "before_order_ms",
    "first_order_ms",
    "orders",
    "signup_ms",
    "currency",
    "net_minor_units",
    "segments",
    "_changed",
)


class Customers:
    """Customers as rows of columns, numbered from 0 in order of arrival."""

    def __init__(self, tallies: Tallies, segments: Segments, topics: int) -> None:
        self.tallies = tallies
        self.dimensions = len(segments.dimensions)
        #: Row by key; as rows are never removed, the keys stand in the order of their rows.
        self.index: dict[bytes, int] = {}
        self.codes = ValueCodes()
        self.ledger = Ledger(self.dimensions)
        self.ids = IdFilter()
        #: Greatest event time of all usable events that came to this partition.
        self.latest_ms = NEVER_MS
        #: Per topic the offset last applied to a customer: what makes a replay harmless.
        self.applied: I64 = np.zeros((0, topics), np.int64)
        #: Times of each customer's last live order and of the one before.
        self.last_order_ms: I64 = np.zeros(0, np.int64)
        self.before_order_ms: I64 = np.zeros(0, np.int64)
        #: Time of each customer's first live order, and how many there are.
        self.first_order_ms: I64 = np.zeros(0, np.int64)
        self.orders: I32 = np.zeros(0, np.int32)
        #: Time of each customer's earliest signup.
        self.signup_ms: I64 = np.zeros(0, np.int64)
        #: The one currency of each customer's orders and returns, and what is left of it;
        #: NO_CURRENCY before the first, and SEVERAL where the entries have to be asked.
        self.currency: U16 = np.zeros(0, np.uint16)
        self.net_minor_units: I64 = np.zeros(0, np.int64)
        self.segments: I32 = np.zeros((0, 1 + self.dimensions), np.int32)
        self._changed: Bools = np.zeros(0, np.bool_)
        self.resolver = SegmentResolver(segments, self.codes)

    def __len__(self) -> int:
        return len(self.index)

    def add(self, keys: list[bytes]) -> I64:
        """Make rows for new, distinct keys; returns their numbers."""
        first, count = len(self), len(self) + len(keys)
        self.index.update(zip(keys, range(first, count), strict=True))
        self.ledger.add_rows(len(keys))
        if count > len(self._changed):
            for name in _COLUMNS:
                setattr(self, name, grown(getattr(self, name), count))
        new = slice(first, count)
        self.applied[new] = -1
        for times_ms in (
            self.last_order_ms,
            self.before_order_ms,
            self.first_order_ms,
            self.signup_ms,
        ):
            times_ms[new] = NEVER_MS
        self.segments[new, 0] = self._whole_stores(keys)
        return np.arange(first, count, dtype=np.int64)

    def mark_changed(self, rows: I64) -> None:
        """Note rows whose state must be written at the next flush."""
        self._changed[rows] = True

    def take_changed(self) -> I64:
        """Rows changed since the last call."""
        rows = np.flatnonzero(self._changed[: len(self)])
        self._changed[rows] = False
        return rows

    def load(self, keys: list[bytes], applied: I64, lengths: I64, entries: Records) -> None:
        """Fill an empty partition with restored customers and derive all else from them."""
        rows = self.add(keys)
        self.applied[rows] = applied
        # `add` made rows without entries; the ledger takes them again, packed.
        self.ledger = Ledger(self.dimensions)
        self.ledger.load(lengths, entries)
        owners = np.repeat(rows, lengths)
        self.derive(rows, owners, entries)
        self.rebuild_ids()
        self._contribute_all(1)

    def unload(self) -> None:
        """Take every customer's part out of the tallies."""
        self._contribute_all(-1)

    def _contribute_all(self, sign: int) -> None:
        for first in range(0, len(self), _BLOCK):
            rows = np.arange(first, min(first + _BLOCK, len(self)), dtype=np.int64)
            entries, lengths = self.ledger.gather(rows)
            owners = np.repeat(rows - first, lengths)
            segments = self.segments[rows].astype(np.int64)
            contribute(self.tallies, Histories(entries, owners, segments), sign)

    def derive(self, rows: I64, owners: I64, entries: Records) -> None:
        """Set the columns of rows that follow from all their entries.

        Args:
            rows: distinct rows.
            owners: for each entry the place of its row in ``rows``.
            entries: all entries of these rows, each row's together and in order.
        """
        codes = carried_values(entries, owners, len(rows))
        self.segments[rows] = self.resolver.rows(self.segments[rows, 0].astype(np.int64), codes)
        live = np.flatnonzero(is_live_order(entries))
        counts = np.bincount(owners[live], minlength=len(rows))
        ends = np.cumsum(counts)
        times = np.concatenate([entries["time_ms"][live], [NEVER_MS]])
        self.orders[rows] = counts
        self.first_order_ms[rows] = np.where(counts > 0, times[ends - counts], NEVER_MS)
        self.last_order_ms[rows] = np.where(counts > 0, times[ends - 1], NEVER_MS)
        self.before_order_ms[rows] = np.where(counts > 1, times[np.maximum(ends - 2, 0)], NEVER_MS)
        signups = np.flatnonzero(entries["kind"] == SIGNUP)
        signups = signups[starts_of_groups(owners[signups])]
        signup_ms = np.full(len(rows), NEVER_MS, np.int64)
        signup_ms[owners[signups]] = entries["time_ms"][signups]
        self.signup_ms[rows] = signup_ms
        self._derive_money(rows, owners, entries)

    def _derive_money(self, rows: I64, owners: I64, entries: Records) -> None:
        customers, currency, net, _ = nets(entries, owners)
        number = np.bincount(customers, minlength=len(rows))
        currencies = np.full(len(rows), NO_CURRENCY, np.int64)
        currencies[customers] = currency
        currencies[number > 1] = SEVERAL
        totals = np.zeros(len(rows), np.int64)
        totals[customers] = net
        self.currency[rows] = currencies
        self.net_minor_units[rows] = totals

    def has_segment(self, rows: I64, dimension: int) -> Bools:
        """Whether each row is in a segment of a dimension, not ``unknown``."""
        return self.resolver.is_known(self.segments[rows, 1 + dimension].astype(np.int64))

    def note_ids(self, rows: I64, entries: Records) -> None:
        """Put entries' ids into the filter, which grows when it is full."""
        self.ids.add(id_fingerprints(rows, entries))
        if self.ids.full:
            self.rebuild_ids()

    def rebuild_ids(self) -> None:
        """Size the filter for the entries there are and fill it."""
        rows = np.arange(len(self), dtype=np.int64)
        entries, lengths = self.ledger.gather(rows)
        self.ids.rebuild(id_fingerprints(np.repeat(rows, lengths), entries))

    def _whole_stores(self, keys: list[bytes]) -> I64:
        row_of = dict.fromkeys({key[: key.index(0)] for key in keys}, -1)
        for prefix in row_of:
            row_of[prefix] = self.resolver.whole_store(store_of(prefix + b"\0"))
        if len(row_of) == 1:
            return np.full(len(keys), next(iter(row_of.values())), np.int64)
        return np.array([row_of[key[: key.index(0)]] for key in keys], np.int64)


def id_fingerprints(rows: I64, entries: Records) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Fingerprints of the entries that have an id: all but signups."""
    kinds, hashes = entries["kind"], entries["id_hash"]
    with_id = kinds != SIGNUP
    if not with_id.all():
        rows, kinds, hashes = rows[with_id], kinds[with_id], hashes[with_id]
    # A cancellation (kind past the others) bears on its order's id.
    kinds = np.where(kinds > GUEST_ORDER, ORDER, kinds).astype(np.uint64)
    return fingerprint(rows.astype(np.uint64), hashes, kinds)
