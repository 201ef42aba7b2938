"""Applying a batch of events to the customers of a partition, exactly and mostly at once.

Events that come in order (each after all that is known of its customer, with a new id, and no
change of segment) only *append*: their terms need the customer's last two orders and nothing
else is touched. All events of any other customer in the batch take the exact path: their
entries are merged, and the terms from the first change on are taken out of the tallies and
added again as they are now. Both end in the same state and the same tallies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stream.domain.arrays import I64, NEVER_MS, Bools, Records, starts_of_groups
from stream.domain.entries import (
    CANCELLATION,
    GUEST_ORDER,
    ORDER,
    RETURN,
    SIGNUP,
    Histories,
    amounts_of,
    contribute,
    merge,
    previous_two,
)
from stream.domain.id_filter import id_fingerprints
from stream.domain.money import LARGEST_CURRENCY
from stream.domain.plain_book import Orders

if TYPE_CHECKING:
    from stream.domain.plain_keeping import PlainKeeping

#: In place of a currency number: no order or return yet, or more than one currency.
NO_CURRENCY = 0
SEVERAL = LARGEST_CURRENCY + 1


def apply_entries(customers: PlainKeeping, rows: I64, entries: Records) -> Bools:
    """Apply events to their customers.

    Args:
        customers: the partition's customers; every row must exist.
        rows: the customer of each event.
        entries: the events in order of arrival, orders with the flag PLACED.

    Returns:
        True for each event that was a duplicate and changed nothing.
    """
    order = np.argsort(rows, kind="stable")
    grouped = _Grouped(customers, rows[order], entries[order])
    exact = grouped.needs_exact_path()
    duplicates = np.zeros(len(rows), np.bool_)
    chosen = order[exact]
    if len(chosen) == 0:
        _append(customers, grouped.rows, grouped.entries)
        return duplicates
    plain = np.flatnonzero(~exact)
    _append(customers, grouped.rows[plain], grouped.entries[plain])
    # Back in order of arrival, which decides between two events with one id.
    chosen.sort()
    duplicates[chosen] = _merge(customers, rows[chosen], entries[chosen])
    return duplicates


class _Grouped:
    """A batch sorted by customer, each customer's events in order of arrival."""

    def __init__(self, customers: PlainKeeping, rows: I64, entries: Records) -> None:
        self.customers = customers
        self.rows = rows
        self.entries = entries
        self.first = starts_of_groups(rows)

    def needs_exact_path(self) -> Bools:
        """True for all events of each customer with an event that does not simply append."""
        group = np.cumsum(self.first) - 1
        irregular = self._out_of_order() | self._id_may_be_known() | self._changes_segment(group)
        kinds = self.entries["kind"]
        irregular |= kinds == CANCELLATION
        signups = kinds == SIGNUP
        # A signup has a say in the terms of every order: it appends before the first one only.
        knows = self.customers.signup_ms[self.rows] != NEVER_MS
        knows |= self.customers.orders[self.rows] > 0
        irregular |= signups & (~self.first | knows)
        irregular |= self._has_other_currency(group)
        bad = np.zeros(int(group[-1]) + 1 if len(group) else 0, np.bool_)
        bad[group[irregular]] = True
        result: Bools = bad[group]
        return result

    def _out_of_order(self) -> Bools:
        time_ms = self.entries["time_ms"]
        known_ms = np.empty(len(time_ms), np.int64)
        known_ms[1:] = time_ms[:-1]
        firsts = np.flatnonzero(self.first)
        known_ms[firsts] = self.customers.ledger.latest_ms(self.rows[firsts], NEVER_MS)
        result: Bools = time_ms <= known_ms
        return result

    def _id_may_be_known(self) -> Bools:
        known = np.zeros(len(self.rows), np.bool_)
        with_id = np.flatnonzero(self.entries["kind"] != SIGNUP)
        fingerprints = id_fingerprints(self.rows, self.entries)
        known[with_id] = self.customers.ids.may_contain(fingerprints)
        ordered = np.sort(fingerprints)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(twice):
            known[with_id] |= np.isin(fingerprints, twice)
        return known

    def _has_other_currency(self, group: I64) -> Bools:
        """Orders and returns not in the one currency of their customer, or of its first here."""
        kinds, currency = self.entries["kind"], self.entries["currency"]
        paid = np.flatnonzero((kinds == ORDER) | (kinds == RETURN))
        other = np.zeros(len(self.rows), np.bool_)
        known = self.customers.currency[self.rows[paid]]
        first = starts_of_groups(group[paid])
        first_here = currency[paid[np.flatnonzero(first)]][np.cumsum(first) - 1]
        expected = np.where(known == NO_CURRENCY, first_here, known)
        other[paid] = currency[paid] != expected
        return other

    def _changes_segment(self, group: I64) -> Bools:
        """Events that carry a value their customer has none of yet, but for the very first."""
        values = self.entries["values"]
        changes = np.zeros(len(self.rows), np.bool_)
        firsts = np.flatnonzero(self.first)
        rows = self.rows[firsts]
        is_new = self.customers.ledger.lengths(rows) == 0
        for dimension in range(values.shape[1]):
            carried = values[:, dimension] != 0
            known = np.where(is_new, carried[firsts], self.customers.has_segment(rows, dimension))
            changes |= carried & ~known[group]
        return changes


def _append(customers: PlainKeeping, rows: I64, entries: Records) -> None:
    if len(rows) == 0:
        return
    first = starts_of_groups(rows)
    firsts = np.flatnonzero(first)
    distinct = rows[firsts]
    counts = np.diff(np.append(firsts, len(rows)))
    new = np.flatnonzero(customers.ledger.lengths(distinct) == 0)
    if len(new):
        customers.segments.resolve(distinct[new], entries["values"][firsts[new]].astype(np.int64))
    segments = customers.segments.of(rows)
    kinds = entries["kind"]
    signups = np.flatnonzero(kinds == SIGNUP)
    if len(signups):
        time_ms = entries["time_ms"][signups]
        customers.signup_ms[rows[signups]] = time_ms
        customers.book.add_signups(segments[signups], time_ms, 1)
    for kind, add in (
        (RETURN, customers.book.add_returns),
        (GUEST_ORDER, customers.book.add_guest_orders),
    ):
        some = np.flatnonzero(kinds == kind)
        add(amounts_of(entries[some], segments[some]), 1)
    orders = np.flatnonzero(kinds == ORDER)
    _append_nets(customers, rows, entries, orders)
    if len(orders):
        _append_orders(customers, rows[orders], segments[orders], entries[orders])
    customers.ledger.append(distinct, counts, entries)
    customers.note_ids(rows, entries)


def _append_orders(customers: PlainKeeping, rows: I64, segments: I64, orders: Records) -> None:
    time_ms = orders["time_ms"]
    previous_ms, before_ms = previous_two(rows, time_ms)
    firsts = np.flatnonzero(starts_of_groups(rows))
    distinct, counts = rows[firsts], np.diff(np.append(firsts, len(rows)))
    seconds = firsts[counts > 1] + 1
    previous_ms[firsts] = customers.last_order_ms[distinct]
    before_ms[firsts] = customers.before_order_ms[distinct]
    before_ms[seconds] = customers.last_order_ms[rows[seconds]]
    known = customers.orders[distinct].astype(np.int64)
    first_ms = np.where(known > 0, customers.first_order_ms[distinct], time_ms[firsts])
    earlier = np.arange(len(rows)) + np.repeat(known - firsts, counts)
    customers.book.add_orders(
        Orders(
            amounts=amounts_of(orders, segments),
            previous_ms=previous_ms,
            before_ms=before_ms,
            first_ms=np.repeat(first_ms, counts),
            earlier_orders=earlier,
            # All of its orders are in one currency, or this would not be an append.
            is_first_paid=earlier == 0,
            signup_ms=customers.signup_ms[rows],
        ),
        1,
    )
    began = firsts[(known == 0) & (customers.signup_ms[distinct] != NEVER_MS)]
    customers.book.add_activations(
        segments[began], customers.signup_ms[rows[began]], time_ms[began], 1
    )
    lasts = firsts + counts - 1
    customers.first_order_ms[distinct] = first_ms
    customers.orders[distinct] = known + counts
    customers.last_order_ms[distinct] = time_ms[lasts]
    customers.before_order_ms[distinct] = previous_ms[lasts]


def _append_nets(customers: PlainKeeping, rows: I64, entries: Records, orders: I64) -> None:
    """Move customers to where their new net stands among those who paid."""
    kinds = entries["kind"]
    paid = np.flatnonzero((kinds == ORDER) | (kinds == RETURN))
    if len(paid) == 0:
        return
    signs = np.where(kinds[paid] == ORDER, 1, -1)
    firsts = np.flatnonzero(starts_of_groups(rows[paid]))
    distinct = rows[paid[firsts]]
    change = np.add.reduceat(signs * entries["amount_minor_units"][paid], firsts)
    currency = entries["currency"][paid[firsts]].astype(np.int64)
    segments = customers.segments.of(distinct)
    before = customers.net_minor_units[distinct]
    had_paid = customers.orders[distinct] > 0
    has_paid = had_paid.copy()
    has_paid[np.isin(distinct, rows[orders])] = True
    book = customers.book
    book.add_nets(segments[had_paid], currency[had_paid], before[had_paid], -1)
    after = before + change
    book.add_nets(segments[has_paid], currency[has_paid], after[has_paid], 1)
    customers.currency[distinct] = currency
    customers.net_minor_units[distinct] = after


def _merge(customers: PlainKeeping, rows: I64, events: Records) -> Bools:
    distinct, owners = np.unique(rows, return_inverse=True)
    entries, lengths = customers.ledger.gather(distinct)
    old_segments = customers.segments.of(distinct)
    old_signup_ms = customers.signup_ms[distinct]
    old = Histories(entries, np.repeat(np.arange(len(distinct)), lengths), old_segments)
    merged = merge(old.entries, old.owners, events, owners)
    customers.ledger.replace(
        distinct, np.bincount(merged.owners, minlength=len(distinct)), merged.entries
    )
    customers.derive(distinct, merged.owners, merged.entries)
    new_segments = customers.segments.of(distinct)
    since_ms = _first_changes_ms(events, owners, len(distinct))
    # Segments and signup are part of every term.
    since_ms[(old_segments != new_segments).any(axis=1)] = NEVER_MS
    since_ms[old_signup_ms != customers.signup_ms[distinct]] = NEVER_MS
    contribute(customers.book, old, -1, since_ms)
    new = Histories(merged.entries, merged.owners, new_segments)
    contribute(customers.book, new, 1, since_ms)
    customers.note_ids(rows, events)
    return merged.duplicates


def _first_changes_ms(events: Records, owners: I64, customers: int) -> I64:
    """Per customer the time before which these events change nothing."""
    first_ms = np.full(customers, np.iinfo(np.int64).max)
    # A cancellation changes the time of its order, whenever that was.
    time_ms = np.where(events["kind"] == CANCELLATION, NEVER_MS, events["time_ms"])
    np.minimum.at(first_ms, owners, time_ms)
    return first_ms
