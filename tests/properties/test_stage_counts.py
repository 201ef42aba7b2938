"""Customers counted by stage as they are told, and whose turn comes soon: beside plain recounts."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.agenda import Agenda
from stream.domain.arrays import I64
from stream.domain.stage_counts import WIDTH, StageCounts

STAGES = st.integers(0, WIDTH - 1)
CUSTOMERS = 12
#: Small and large against how far an agenda looks ahead.
INSTANTS_MS = st.integers(-5, 60).map(lambda tenth: tenth * 360_000)


def counted(table: I64) -> dict[tuple[int, int], int]:
    assert table.shape[1:] == (WIDTH,)
    places = zip(*np.nonzero(table), strict=True)
    return {(int(store), int(stage)): int(table[store, stage]) for store, stage in places}


@given(st.lists(st.dictionaries(st.integers(0, CUSTOMERS), STAGES), max_size=6))
def test_everybody_is_counted_once_in_the_stage_put_last(told: list[dict[int, int]]) -> None:
    counts = StageCounts()
    stage_of: dict[int, int] = {}
    for of_some in told:
        rows = np.array(list(of_some), np.int64)
        stages = np.array(list(of_some.values()), np.int64)
        before = counted(counts.table_with(*([np.zeros(0, np.int64)] * 3)))

        if stage_of.keys() >= of_some.keys():
            would_be = counted(counts.table_with(rows, rows % 3, stages))
            assert would_be == recount(stage_of | of_some)
        assert before == recount(stage_of)

        counts.put(rows, rows % 3, stages)
        stage_of |= of_some
    assert counted(counts.table_with(*([np.zeros(0, np.int64)] * 3))) == recount(stage_of)


def recount(stage_of: dict[int, int]) -> Counter[tuple[int, int]]:
    return Counter((row % 3, stage) for row, stage in stage_of.items())


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.integers(0, CUSTOMERS - 1), INSTANTS_MS),
            st.integers(0, CUSTOMERS),
            INSTANTS_MS,
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_an_agenda_finds_whom_asking_everybody_finds(
    steps: list[tuple[dict[int, int], int, int, bool]],
) -> None:
    agenda, column_ms = Agenda(), np.zeros(0, np.int64)
    for instants_of, count, at_ms, settles in steps:
        # Rows are added and never go; theirs is an instant long past until it is set.
        column_ms = np.append(column_ms, np.zeros(max(0, count - len(column_ms)), np.int64))
        agenda.note(np.arange(len(column_ms)), column_ms)
        some = [(row, ms) for row, ms in instants_of.items() if row < len(column_ms)]
        rows = np.array([row for row, _ in some], np.int64)
        column_ms[rows] = [ms for _, ms in some]
        agenda.note(rows, column_ms[rows])

        found = agenda.up_to(at_ms, column_ms)

        assert found.tolist() == np.flatnonzero(column_ms <= at_ms).tolist()
        if settles:
            earliest_ms = agenda.settle(column_ms)
            assert (column_ms >= earliest_ms).all()
            assert earliest_ms > at_ms or earliest_ms in column_ms
            assert agenda.up_to(at_ms, column_ms).tolist() == found.tolist()
