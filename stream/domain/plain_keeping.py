"""How entries and their tallies are kept by the reference: in numpy, with columns beside them.

The columns follow from the entries; with them, events that come in order need not read a history.
"""

from __future__ import annotations

import numpy as np

from stream.domain.apply import NO_CURRENCY, SEVERAL, apply_entries
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
    SIGNUP,
    Histories,
    carried_values,
    contribute,
    is_live_order,
    nets,
)
from stream.domain.id_filter import IdFilter, id_fingerprints
from stream.domain.ledger import Ledger
from stream.domain.plain_book import PlainBook
from stream.domain.segments import CustomerSegments

#: Customers whose terms are computed together: few enough that the arrays stay in the cache.
_BLOCK = 4096

_TIMES = ("last_order_ms", "before_order_ms", "first_order_ms", "signup_ms")
_COLUMNS = (*_TIMES, "orders", "currency", "net_minor_units")


class PlainKeeping:
    """Implements ``Keeping``.

    Args:
        book: gets the terms of customers.
        segments: of these customers.
        dimensions: values in an entry.
    """

    def __init__(self, book: PlainBook, segments: CustomerSegments, dimensions: int) -> None:
        self.book = book
        self.segments = segments
        self.ledger = Ledger(dimensions)
        self.ids = IdFilter()
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

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        columns = sum(getattr(self, name).nbytes for name in _COLUMNS)
        return self.ledger.nbytes + self.ids.nbytes + int(columns)

    def add_rows(self, count: int) -> None:
        """Append rows without entries."""
        first = self.ledger.rows
        self.ledger.add_rows(count)
        if self.ledger.rows > len(self.orders):
            for name in _COLUMNS:
                setattr(self, name, grown(getattr(self, name), self.ledger.rows))
        for name in _TIMES:
            getattr(self, name)[first : self.ledger.rows] = NEVER_MS

    def apply(self, rows: I64, events: Records) -> tuple[I64, Bools]:
        """Apply events to their customers."""
        return np.unique(rows), apply_entries(self, rows, events)

    def load(self, lengths: I64, entries: Records) -> None:
        """Fill all rows, which must be empty."""
        rows = np.arange(self.ledger.rows, dtype=np.int64)
        # Rows without entries are there already; the ledger takes them again, packed.
        self.ledger = Ledger(self.ledger.dimensions)
        self.ledger.load(lengths, entries)
        self.derive(rows, np.repeat(rows, lengths), entries)
        self.rebuild_ids()
        self._contribute_all(1)

    def replace(self, rows: I64, lengths: I64, entries: Records) -> None:
        """Give distinct rows other entries, without a change of the tallies."""
        self.ledger.replace(rows, lengths, entries)
        self.derive(rows, np.repeat(np.arange(len(rows)), lengths), entries)

    def unload(self) -> None:
        """Take every customer's part out of the tallies."""
        self._contribute_all(-1)

    def derive(self, rows: I64, owners: I64, entries: Records) -> None:
        """Set the columns of rows that follow from all their entries.

        Args:
            rows: distinct rows.
            owners: for each entry the place of its row in ``rows``.
            entries: all entries of these rows, each row's together and in order.
        """
        self.segments.resolve(rows, carried_values(entries, owners, len(rows)))
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
        return self.segments.resolver.is_known(self.segments.of(rows)[:, 1 + dimension])

    def note_ids(self, rows: I64, entries: Records) -> None:
        """Put entries' ids into the filter, which grows when it is full."""
        self.ids.add(id_fingerprints(rows, entries))
        if self.ids.full:
            self.rebuild_ids()

    def rebuild_ids(self) -> None:
        """Size the filter for the entries there are and fill it."""
        rows = np.arange(self.ledger.rows, dtype=np.int64)
        entries, lengths = self.ledger.gather(rows)
        self.ids.rebuild(id_fingerprints(np.repeat(rows, lengths), entries))

    def _contribute_all(self, sign: int) -> None:
        for first in range(0, self.ledger.rows, _BLOCK):
            rows = np.arange(first, min(first + _BLOCK, self.ledger.rows), dtype=np.int64)
            entries, lengths = self.ledger.gather(rows)
            owners = np.repeat(rows - first, lengths)
            contribute(self.book, Histories(entries, owners, self.segments.of(rows)), sign)
