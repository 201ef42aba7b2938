"""What the kernel tells of customers' stages against the reference: the same, to the byte."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.arrays import NEVER_MS, Records
from stream.domain.calendar import DAY_MS, END_OF_TIME_MS
from stream.domain.customers import TOLD_TYPE
from stream.domain.entries import CANCELLED, ORDER, PLACED, SIGNUP, entry_type
from stream.domain.events import anonymous_key, customer_key, guest_key
from stream.domain.ledger import Ledger
from stream.domain.lifecycle_rules import LifecycleRules
from stream.domain.stage_changes import LookedAt, StageChanges, new_look_at
from stream.wire.record_bodies import header_block
from stream.wire.stage_events import _stage_events
from tests.support.kernels import NEEDS_KERNEL, installed

pytestmark = NEEDS_KERNEL

ROWS = 4
HEADERS = header_block([("a", b"header"), ("another", None)])
ENTRY_TYPE = entry_type(1)

#: Times near each other, so that what happens at one instant often meets.
RULES = st.builds(
    LifecycleRules,
    new_ms=st.integers(1, 12),
    at_risk_factor_hundredths=st.sampled_from((100, 150, 225, 300)),
    at_risk_least_ms=st.integers(1, 8),
    typical_interval_ms=st.integers(1, 20),
    lapsed_ms=st.integers(1, 40),
)
FEW_ORDERS = st.lists(st.integers(0, 100), max_size=8)
#: More than the reference sorts side by side.
MANY_ORDERS = st.tuples(
    st.integers(60, 90), st.lists(st.integers(0, 3), min_size=1, max_size=7), st.integers(0, 10)
).map(lambda many: [at * 3 + many[1][at % len(many[1])] + many[2] for at in range(many[0])])
TOLD = st.tuples(st.integers(0, 120), st.integers(0, 2**32 - 100), st.integers(0, 6))


class Step(NamedTuple):
    """What comes before customers are looked at: other entries of a row, and time."""

    row: int
    order_ms: list[int]
    dead: list[int]
    bound_ms: int
    looked_at: list[int]


STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, ROWS - 1),
        FEW_ORDERS | MANY_ORDERS,
        st.lists(st.sampled_from((CANCELLED, CANCELLED | PLACED)), max_size=3),
        st.integers(0, 350) | st.just(NEVER_MS),
        st.permutations(range(ROWS)).flatmap(
            lambda rows: st.integers(0, ROWS).map(lambda count: rows[:count])
        ),
    ),
    min_size=1,
    max_size=8,
)


def _entries(step: Step) -> Records:
    """Orders in order of time, between them some that do not count, and a signup."""
    times = sorted([(at, ORDER, PLACED) for at in step.order_ms])
    times += [(50, ORDER, flags) for flags in step.dead]
    times.append((50, SIGNUP, 0))
    entries = np.zeros(len(times), ENTRY_TYPE)
    for name, column in zip(
        ("time_ms", "kind", "flags"), zip(*sorted(times), strict=True), strict=True
    ):
        entries[name] = column
    return entries


def _shown(found: LookedAt) -> tuple[object, ...]:
    columns = [found.next_turn_ms, *found.changes]
    return found.told.tobytes(), [column.tolist() for column in columns]


@given(rules=RULES, told=st.lists(TOLD, min_size=ROWS, max_size=ROWS), steps=STEPS)
def test_customers_are_told_the_same_whatever_comes_and_was_told(
    rules: LifecycleRules, told: list[tuple[int, int, int]], steps: list[Step]
) -> None:
    ledgers = (installed().Ledger(ENTRY_TYPE), Ledger(1))
    look_at, expected = new_look_at(rules, installed()), new_look_at(rules, None)
    columns = np.zeros(ROWS, TOLD_TYPE)
    # The first row begins as one of whom nothing was told, the others as anything.
    for row, one in enumerate(told[1:], start=1):
        columns[["through_ms", "count", "stage"]][row] = one
    for ledger in ledgers:
        ledger.add_rows(ROWS)
    for step in steps:
        entries = _entries(step)
        for ledger in ledgers:
            ledger.replace(np.array([step.row]), np.array([len(entries)]), entries)
        rows = np.array(step.looked_at, np.int64)
        found = look_at(ledgers[0], rows, columns[rows], step.bound_ms)
        assert _shown(found) == _shown(expected(ledgers[1], rows, columns[rows], step.bound_ms))
        columns[rows] = found.told


ODD_CHARACTERS = "".join(map(chr, range(1, 33))) + '"\\/%?#&+~-._\x7f\x80é\u2028'
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12
) | st.text(st.sampled_from(ODD_CHARACTERS), min_size=1, max_size=12)
STORES = st.just("default") | TEXTS
KEYS = (
    st.builds(customer_key, STORES, TEXTS)
    | st.builds(guest_key, STORES, TEXTS)
    | st.builds(anonymous_key, STORES, TEXTS)
)
#: Ids of all lengths, as the hash takes long ones another way.
LONG_KEYS = st.builds(customer_key, STORES, st.integers(13, 256).map("né".__mul__))
#: Days apart, as most of one large range would be within weeks of 1970.
INSTANTS_MS = st.builds(
    lambda day, ms: day * DAY_MS + ms,
    st.integers(0, END_OF_TIME_MS // DAY_MS - 1),
    st.integers(0, DAY_MS - 1),
)
CHANGES = st.tuples(
    st.integers(0, 7),
    INSTANTS_MS,
    st.integers(0, 6),
    st.integers(0, 6),
    st.integers(1, 2**32),
    st.integers(0, 2**31),
    INSTANTS_MS,
)


@given(
    keys=st.lists(KEYS | LONG_KEYS, min_size=8, max_size=8),
    changes=st.lists(CHANGES, max_size=30),
    max_bytes=st.sampled_from((1, 1000, 2500, 1 << 20)),
)
def test_events_are_the_same_to_the_byte(
    keys: list[bytes], changes: list[tuple[int, ...]], max_bytes: int
) -> None:
    columns = StageChanges(*np.array(changes, np.int64).reshape(-1, 7).T.copy())
    whose = [keys[row] for row, _ in groupby(columns.rows.tolist())]
    written = (whose, columns, HEADERS, max_bytes)
    assert installed().stage_events(*written) == _stage_events(*written)
