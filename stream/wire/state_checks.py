"""Whether restored records can be what this program wrote: foreign ones are refused, not loaded."""

from __future__ import annotations

import numpy as np

from stream.domain.arrays import I64, Bools, Records, starts_of_groups
from stream.domain.calendar import END_OF_TIME_MS
from stream.domain.entries import CANCELLED, GUEST_ORDER, ORDER, PLACED, SIGNUP
from stream.domain.lifecycle import STAGE_NAMES
from stream.domain.money import CURRENCY_NUMBERS, LARGEST_CURRENCY, MAX_MINOR_UNITS

_KNOWN_CURRENCY: Bools = np.zeros(LARGEST_CURRENCY + 1, np.bool_)
_KNOWN_CURRENCY[list(CURRENCY_NUMBERS)] = True


def are_told(told: Records) -> bool:
    """Whether this can be what was told of customers' lifecycles."""
    through_ms = told["through_ms"]
    in_time = (through_ms >= 0) & (through_ms < END_OF_TIME_MS)
    return bool((in_time & (told["stage"] < len(STAGE_NAMES))).all())


def are_entries(entries: Records, lengths: I64, codes: int) -> bool:
    """Whether these can be customers' entries.

    Args:
        entries: of all customers, each one's together.
        lengths: how many each customer has.
        codes: how many value codes there are.
    """
    time_ms, kinds, flags = entries["time_ms"], entries["kind"], entries["flags"]
    if not ((time_ms >= 0) & (time_ms < END_OF_TIME_MS)).all():
        return False
    owners = np.repeat(np.arange(len(lengths)), lengths)
    if not ((time_ms[1:] >= time_ms[:-1]) | starts_of_groups(owners)[1:]).all():
        return False
    if not ((kinds <= GUEST_ORDER) & (flags <= PLACED | CANCELLED)).all():
        return False
    if not (entries["values"] < codes).all():
        return False
    # A cancelled order that never came has no money, a signup neither.
    priced = (kinds != SIGNUP) & ((kinds != ORDER) | ((flags & PLACED) != 0))
    amounts = entries["amount_minor_units"][priced]
    currencies = np.minimum(entries["currency"][priced], LARGEST_CURRENCY)
    return bool(((amounts >= 0) & (amounts <= MAX_MINOR_UNITS) & _KNOWN_CURRENCY[currencies]).all())
