"""What is remembered of customers: entries (orders, signups, returns), many customers at once.

Entries of a customer stand together, by time, then kind, then order of arrival. A purchase of
nobody known is an entry of a customer of its own, with the kind GUEST_ORDER.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.domain.arrays import (
    I64,
    NEVER_MS,
    Bools,
    Records,
    starts_of_groups,
)
from stream.domain.money import LARGEST_CURRENCY
from stream.domain.plain_book import Amounts, Orders, PlainBook

# Kinds, in the order that breaks ties of time for a customer's segment.
ORDER, SIGNUP, RETURN, GUEST_ORDER = range(4)
#: Kind of an event, never of an entry: it marks the entry of its order.
CANCELLATION = 4
#: Kind of an event that no entry stands for: see :mod:`stream.domain.erasure`.
ERASURE = 5

# Flags of an ORDER entry: it counts when it was placed and not cancelled.
PLACED = 1
CANCELLED = 2


def entry_type(dimensions: int) -> np.dtype[np.void]:
    """The record of one entry, also its durable form: little-endian, 8-byte aligned."""
    padding = -(32 + 2 * dimensions) % 8
    return np.dtype(
        [
            ("time_ms", "<i8"),
            # xxh3 of the order or return id; 0 for a signup.
            ("id_hash", "<u8"),
            ("amount_minor_units", "<i8"),
            ("units", "<u4"),
            ("currency", "<u2"),
            ("kind", "u1"),
            ("flags", "u1"),
            # Per dimension the code of the value the event carried; 0 = carried none.
            ("values", "<u2", (dimensions,)),
            ("padding", "u1", (padding,)),
        ]
    )


def is_live_order(entries: Records) -> Bools:
    """Orders that count for their customer."""
    live: Bools = (entries["kind"] == ORDER) & (entries["flags"] == PLACED)
    return live


@dataclass(frozen=True, slots=True)
class Histories:
    """All entries of some customers, each customer's together and in order."""

    entries: Records
    #: For each entry its customer, numbered from 0.
    owners: I64
    #: Segment rows of each customer, ``[customer, dimension]``.
    segments: I64


def contribute(
    book: PlainBook, histories: Histories, sign: int, since_ms: I64 | None = None
) -> None:
    """Add what these customers are to the tallies, or take it out.

    Args:
        book: what to change.
        histories: the customers.
        sign: 1 or -1.
        since_ms: per customer, leave out what is before: an order's terms depend on the orders
            before it only, so two histories that agree up to a time have those terms in common.
    """
    entries, owners, segments = histories.entries, histories.owners, histories.segments
    time_ms, kinds = entries["time_ms"], entries["kind"]
    wanted = np.ones(len(entries), np.bool_) if since_ms is None else time_ms >= since_ms[owners]
    live = np.flatnonzero(is_live_order(entries))
    signups = np.flatnonzero(kinds == SIGNUP)
    signups = signups[starts_of_groups(owners[signups])]
    signup_ms = np.full(len(segments), NEVER_MS, np.int64)
    signup_ms[owners[signups]] = time_ms[signups]
    orders = _orders(entries[live], owners[live], segments, signup_ms)
    book.add_orders(orders.at(np.flatnonzero(wanted[live])), sign)
    for kind, add in ((RETURN, book.add_returns), (GUEST_ORDER, book.add_guest_orders)):
        some = np.flatnonzero((kinds == kind) & wanted)
        add(amounts_of(entries[some], segments[owners[some]]), sign)
    earliest = signups[wanted[signups]]
    book.add_signups(segments[owners[earliest]], time_ms[earliest], sign)
    _contribute_wholes(book, histories, live, signup_ms, sign)


def _orders(orders: Records, owners: I64, segments: I64, signup_ms: I64) -> Orders:
    """Live orders, all that their customers have, with what came before each."""
    time_ms = orders["time_ms"]
    previous_ms, before_ms = previous_two(owners, time_ms)
    firsts = np.flatnonzero(starts_of_groups(owners))
    counts = np.diff(np.append(firsts, len(owners)))
    is_first_paid = np.zeros(len(owners), np.bool_)
    pairs = owners * (LARGEST_CURRENCY + 1) + orders["currency"]
    is_first_paid[np.unique(pairs, return_index=True)[1]] = True
    return Orders(
        amounts=amounts_of(orders, segments[owners]),
        previous_ms=previous_ms,
        before_ms=before_ms,
        first_ms=np.repeat(time_ms[firsts], counts),
        earlier_orders=np.arange(len(owners)) - np.repeat(firsts, counts),
        is_first_paid=is_first_paid,
        signup_ms=signup_ms[owners],
    )


def _contribute_wholes(
    book: PlainBook, histories: Histories, live: I64, signup_ms: I64, sign: int
) -> None:
    """Add what depends on a customer as a whole, not on single orders."""
    entries, owners, segments = histories.entries, histories.owners, histories.segments
    firsts = live[starts_of_groups(owners[live])]
    firsts = firsts[signup_ms[owners[firsts]] != NEVER_MS]
    both = owners[firsts]
    book.add_activations(segments[both], signup_ms[both], entries["time_ms"][firsts], sign)
    customers, currency, net, has_paid = nets(entries, owners)
    customers, currency, net = customers[has_paid], currency[has_paid], net[has_paid]
    book.add_nets(segments[customers], currency, net, sign)


def nets(entries: Records, owners: I64) -> tuple[I64, I64, I64, Bools]:
    """What customers brought, by currency.

    Returns:
        For each (customer, currency) with an order or a return: the customer, the currency
        number, gross less refunded in minor units, and whether there is an order.
    """
    is_order = is_live_order(entries)
    some = np.flatnonzero(is_order | (entries["kind"] == RETURN))
    pairs = owners[some] * (LARGEST_CURRENCY + 1) + entries["currency"][some]
    distinct, which = np.unique(pairs, return_inverse=True)
    signed = np.where(is_order[some], 1, -1) * entries["amount_minor_units"][some]
    net = np.zeros(len(distinct), np.int64)
    np.add.at(net, which, signed)
    has_paid = np.zeros(len(distinct), np.bool_)
    has_paid[which[is_order[some]]] = True
    customers, currency = np.divmod(distinct, LARGEST_CURRENCY + 1)
    return customers, currency, net, has_paid


def amounts_of(entries: Records, segments: I64) -> Amounts:
    """The amounts of entries, each with the segment rows of its customer."""
    return Amounts(
        segments=segments,
        time_ms=entries["time_ms"],
        units=entries["units"].astype(np.int64),
        minor_units=entries["amount_minor_units"],
        currency=entries["currency"].astype(np.int64),
    )


def previous_two(owners: I64, time_ms: I64) -> tuple[I64, I64]:
    """For each order the times of its customer's order before, and of the one before that."""
    previous = np.full(len(owners), NEVER_MS, np.int64)
    before = np.full(len(owners), NEVER_MS, np.int64)
    same = owners[1:] == owners[:-1]
    previous[1:][same] = time_ms[:-1][same]
    same = owners[2:] == owners[:-2]
    before[2:][same] = time_ms[:-2][same]
    return previous, before


def carried_values(entries: Records, owners: I64, customers: int) -> I64:
    """Each customer's segment in each dimension, as the value code of its earliest carrier.

    Returns:
        Codes ``[customer, dimension]``; 0 where no entry that counts carries a value.
    """
    values = entries["values"]
    codes = np.zeros((customers, values.shape[1]), np.int64)
    carrier = (
        is_live_order(entries) | (entries["kind"] == SIGNUP) | (entries["kind"] == GUEST_ORDER)
    )
    for dimension in range(values.shape[1]):
        carriers = np.flatnonzero(carrier & (values[:, dimension] != 0))
        earliest = carriers[starts_of_groups(owners[carriers])]
        codes[owners[earliest], dimension] = values[earliest, dimension]
    return codes


def merge(old: Records, old_owners: I64, new: Records, new_owners: I64) -> Merged:
    """Customers' entries with new events put in, whatever their order: the exact path.

    Of events with one id the first to arrive counts, a cancelled id never; the result is the
    same for every order of arrival, except that of two different events with the same id the
    first one stays.

    Args:
        old: entries of some customers, each customer's together and in order.
        old_owners: the customer of each.
        new: events in order of arrival, as entries; cancellations with kind CANCELLATION.
        new_owners: the customer of each.
    """
    entries = np.concatenate([old, new])
    owners = np.concatenate([old_owners, new_owners])
    is_new = np.arange(len(entries)) >= len(old)
    cancels = entries["kind"] == CANCELLATION
    entries["kind"][cancels] = ORDER
    entries["flags"][cancels] = CANCELLED

    # One entry an id: group equal (customer, kind, id), keep the first to arrive; for orders,
    # the first that was placed, with the flags of all.
    kinds = entries["kind"]
    is_order = kinds == ORDER
    placed = is_order & ((entries["flags"] & PLACED) != 0)
    tombstone = is_order & ~placed
    order = np.lexsort((tombstone, entries["id_hash"], kinds, owners))
    order = _signups_apart(order, entries, owners)
    first = _starts_of_ids(entries[order], owners[order])
    group = np.cumsum(first) - 1
    flags = entries["flags"][order].astype(np.int64)
    all_flags = np.zeros(int(group[-1]) + 1 if len(group) else 0, np.int64)
    np.bitwise_or.at(all_flags, group, flags)

    repeated = np.zeros(len(entries), np.bool_)
    repeated[order] = _repeats(order, flags, group, first)
    kept = order[first]
    entries["flags"][kept] = np.where(is_order[kept], all_flags, entries["flags"][kept])
    by_time = np.lexsort((kept, entries["kind"][kept], entries["time_ms"][kept], owners[kept]))
    kept = kept[by_time]
    return Merged(entries[kept], owners[kept], repeated[is_new])


class Merged:
    """Customers' entries after a merge, and which of the new events said nothing new."""

    __slots__ = ("duplicates", "entries", "owners")

    def __init__(self, entries: Records, owners: I64, duplicates: Bools) -> None:
        self.entries = entries
        self.owners = owners
        self.duplicates = duplicates


def _signups_apart(order: I64, entries: Records, owners: I64) -> I64:
    """Re-sort signups, which have no id: by time and values, so that equal ones stand together."""
    kinds = entries["kind"][order]
    at = np.flatnonzero(kinds == SIGNUP)
    if len(at) > 1:
        some = order[at]
        values = entries["values"][some]
        keys = [some, *(values[:, d] for d in range(values.shape[1]))]
        # Same customers in the same places: only the order within a customer changes.
        order = order.copy()
        order[at] = some[np.lexsort((*keys, entries["time_ms"][some], owners[some]))]
    return order


def _starts_of_ids(entries: Records, owners: I64) -> Bools:
    starts = starts_of_groups(owners)
    signup = entries["kind"][1:] == SIGNUP
    differs = (entries["kind"][1:] != entries["kind"][:-1]) | (
        entries["id_hash"][1:] != entries["id_hash"][:-1]
    )
    differs |= signup & (
        (entries["time_ms"][1:] != entries["time_ms"][:-1])
        | (entries["values"][1:] != entries["values"][:-1]).any(axis=1)
    )
    starts[1:] |= differs
    return starts


def _repeats(order: I64, flags: I64, group: I64, first: Bools) -> Bools:
    """Which elements add no flag that an earlier arrival of their group had not set."""
    repeats = np.zeros(len(order), np.bool_)
    for flag in (PLACED, CANCELLED):
        carriers = np.flatnonzero(flags & flag)
        # Arrival is the element's place; per group the earliest carrier is the one that counts.
        by_arrival = carriers[np.lexsort((order[carriers], group[carriers]))]
        later = by_arrival[~starts_of_groups(group[by_arrival])]
        repeats[later] = True
    plain = np.flatnonzero((flags == 0) & ~first)
    repeats[plain] = True
    return repeats
