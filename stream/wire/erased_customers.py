"""What changed of a partition's customers as records, those that were erased among them."""

from __future__ import annotations

import numpy as np

from stream.domain.customers import Customers
from stream.domain.erasure import Moves
from stream.wire.customer_state import Changes, StateCodec


def customer_changes(codec: StateCodec, customers: Customers, moves: Moves) -> Changes:
    """Records of the customers that changed since the last call, in the order to write them.

    Anonymous rows whose move is committed come first: only when a row has its record may that of
    the customer go without it. A customer of whom nothing is left is deleted, and forgotten.
    """
    due = moves.take_committed()
    anonymous = [move.anonymous for move in due if move.anonymous is not None]
    changes = codec.encode(customers, np.array(anonymous, np.int64))
    erased = np.array([move.customer for move in due], np.int64)
    customers.mark_changed(erased)
    rows = customers.take_changed()
    states = codec.encode(customers, rows)
    on_their_way = moves.on_their_way()
    if len(erased) or on_their_way:
        empty = customers.ledger.lengths(rows) == 0
        gone: list[int] = []
        for place, row in enumerate(rows.tolist()):
            value = states.values[place]
            if on_their_way.get(row) and value is not None:
                states.values[place] = codec.encode_moving(customers, value, on_their_way[row])
            elif empty[place] and row not in on_their_way:
                states.values[place] = None
                gone.append(row)
        customers.forget(np.array(gone, np.int64))
    moves.note_written()
    changes.keys.extend(states.keys)
    changes.values.extend(states.values)
    return changes
