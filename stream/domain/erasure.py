"""Erasing customers: what they did goes on counting, and nobody can tell whose it was.

A customer's entries move to a row with a key that means nothing, and without the ids of orders and
returns. No tally changes: its terms are those of the entries, whoever they belong to.

In the changelog the move takes two steps, so that a crash at any moment neither loses the entries
nor counts them twice (see decision 11). First the customer's record holds the entries that are on
their way beside its own, in one value. Once that is committed, with the offsets it came from, the
anonymous row gets its record and the customer's is written without them, or deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from stream.domain.arrays import I64, U8
from stream.domain.customers import Customers
from stream.domain.entries import ERASURE, ORDER, is_live_order
from stream.domain.key_column import KeyColumn


def between_erasures(events: I64, kinds: U8) -> Iterator[tuple[I64, int | None]]:
    """Events up to each erasure, and the erasure; the last ones with none.

    Args:
        events: what to hand on of each event.
        kinds: of the events.
    """
    begin = 0
    for end in np.flatnonzero(kinds == ERASURE).tolist():
        yield events[begin:end], int(events[end])
        begin = end + 1
    yield events[begin:], None


class Stage(Enum):
    """How far a move is in the changelog."""

    BEGUN = "begun"
    #: The customer's record holds what is on its way.
    WRITTEN = "written"
    #: And so it is committed.
    COMMITTED = "committed"


@dataclass(slots=True)
class Move:
    """Entries on their way from a customer's row to one that nobody finds."""

    customer: int
    #: None where nothing of the customer counts, and its row has to be deleted only.
    anonymous: int | None
    stage: Stage


class Moves:
    """The moves of one partition that are not at their end in the changelog."""

    def __init__(self, moves: Iterable[Move] = ()) -> None:
        self._moves = list(moves)

    def __bool__(self) -> bool:
        return bool(self._moves)

    def erase(self, customers: Customers, row: int, key: bytes) -> None:
        """Move what counts of a customer to a new row, and forget the rest.

        Args:
            customers: of the partition.
            row: the customer's.
            key: of the new row; no customer's, and new.
        """
        at = np.array([row], np.int64)
        entries, lengths = customers.ledger.gather(at)
        if not lengths.any():
            return
        # Orders that were cancelled, or never placed, count for nothing.
        kept = entries[(entries["kind"] != ORDER) | is_live_order(entries)]
        # Whoever knows an order's number must not find the rest by it.
        kept["id_hash"] = 0
        target: int | None = None
        if len(kept):
            (target,) = customers.add(KeyColumn.of([key])).tolist()
        customers.move(row, target, kept)
        self._moves.append(Move(row, target, Stage.BEGUN))

    def on_their_way(self) -> dict[int, list[int]]:
        """By customer's row the anonymous rows that its record has to hold; some hold none."""
        found: dict[int, list[int]] = {}
        for move in self._moves:
            rows = found.setdefault(move.customer, [])
            if move.anonymous is not None:
                rows.append(move.anonymous)
        return found

    def note_written(self) -> None:
        """All there are stand in the customers' records that were given out."""
        for move in self._moves:
            if move.stage is Stage.BEGUN:
                move.stage = Stage.WRITTEN

    def note_committed(self, customers: Customers, positions: I64) -> None:
        """What was given out is safe, and offsets are committed.

        After a crash these may be behind the erasure: then events of before it are still to be
        read, and the customer's row has to say that it had them.

        Args:
            customers: of the partition.
            positions: by topic the next offset that is to be read.
        """
        for move in self._moves:
            if move.stage is Stage.WRITTEN and (
                (customers.applied[move.customer] < positions).all()
            ):
                move.stage = Stage.COMMITTED

    def take_committed(self) -> list[Move]:
        """Moves whose second step is due; it has to be written now."""
        due = [move for move in self._moves if move.stage is Stage.COMMITTED]
        self._moves = [move for move in self._moves if move.stage is not Stage.COMMITTED]
        return due
