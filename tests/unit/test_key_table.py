from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import kernel
from stream.domain.key_column import KeyColumn
from stream.domain.key_table import PlainKeyTable
from tests.support.kernels import KERNELS, NEEDS_KERNEL, installed

if TYPE_CHECKING:
    from stream.domain.arrays import I64


@pytest.fixture(params=KERNELS)
def table(request: pytest.FixtureRequest) -> kernel.KeyTable:
    return PlainKeyTable() if request.param is None else installed().KeyTable()


def find(table: kernel.KeyTable, *keys: bytes) -> list[int]:
    column = KeyColumn.of(keys)
    return [int(row) for row in table.find(column.text, column.begins, column.ends)]


def add(table: kernel.KeyTable, *keys: bytes) -> list[int]:
    column = KeyColumn.of(keys)
    return [int(row) for row in table.add(column.text, column.begins, column.ends)]


def rows(*numbers: int) -> I64:
    return np.array(numbers, np.int64)


def test_new_keys_get_rows_in_the_order_in_which_they_come(table: kernel.KeyTable) -> None:
    assert add(table, b"\0b", b"\0a", b"\0b") == [0, 1, 0]
    assert add(table, b"\0c", b"\0a") == [2, 1]
    assert len(table) == 3
    assert find(table, b"\0a", b"\0d", b"", b"\0c") == [1, -1, -1, 2]


def test_keys_of_rows_come_in_any_order(table: kernel.KeyTable) -> None:
    add(table, b"\0b", b"north\0a", b"")
    assert table.keys(rows(2, 0, 1, 0)) == [b"", b"\0b", b"north\0a", b"\0b"]
    assert table.keys(rows()) == []


def test_stores_are_told_from_a_row_on(table: kernel.KeyTable) -> None:
    add(table, b"\0a", b"north\0a", b"north\0\0order", b"\0b")
    stores, of_rows = table.stores(0)
    assert [stores[place] for place in of_rows.tolist()] == [b"", b"north", b"north", b""]
    assert len(stores) == 2
    stores, of_rows = table.stores(1)
    assert (stores, of_rows.tolist()) == ([b"north", b""], [0, 0, 1])
    assert table.stores(4)[0] == []


def test_a_forgotten_key_leads_nowhere_and_is_not_there_any_more(table: kernel.KeyTable) -> None:
    add(table, b"\0a", b"\0secret", b"\0c")
    table.forget(rows(1))
    table.forget(rows(1))
    assert find(table, b"\0a", b"\0secret", b"\0c") == [0, -1, 2]
    assert table.keys(rows(1)) == [bytes(len(b"\0secret"))]
    # Who comes again is somebody else.
    assert add(table, b"\0secret") == [3]
    assert find(table, b"\0secret", b"\0c") == [3, 2]


@NEEDS_KERNEL
@pytest.mark.parametrize("bounds", [(0, 3), (-1, 1), (2, 1)])
def test_a_key_outside_its_text_is_an_error(bounds: tuple[int, int]) -> None:
    table = installed().KeyTable()
    for use in (table.find, table.add):
        with pytest.raises(ValueError, match="not within its text"):
            use(b"ab", rows(bounds[0]), rows(bounds[1]))


@NEEDS_KERNEL
@pytest.mark.parametrize("row", [-1, 1])
def test_a_row_that_is_not_there_is_an_error(row: int) -> None:
    table = installed().KeyTable()
    add(table, b"\0a")
    with pytest.raises(IndexError):
        table.keys(rows(row))
    with pytest.raises(IndexError):
        table.forget(rows(row))


KEYS = st.lists(st.binary(max_size=3), max_size=30)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "find", "forget"]), KEYS), max_size=12)


@NEEDS_KERNEL
@given(STEPS)
def test_the_kernels_table_is_that_of_the_reference(steps: list[tuple[str, list[bytes]]]) -> None:
    plain, compiled = PlainKeyTable(), installed().KeyTable()
    for step, keys in steps:
        if step == "forget":
            known = sorted({row for row in find(plain, *keys) if row >= 0})
            for table in (plain, compiled):
                table.forget(rows(*known))
        else:
            do = add if step == "add" else find
            assert do(plain, *keys) == do(compiled, *keys)
    everything = np.arange(len(plain), dtype=np.int64)
    assert len(compiled) == len(plain)
    assert compiled.keys(everything) == plain.keys(everything)
    for first in range(len(plain) + 1):
        ours, of_ours = compiled.stores(first)
        theirs, of_theirs = plain.stores(first)
        assert (ours, of_ours.tolist()) == (theirs, of_theirs.tolist())


def test_a_column_gives_the_keys_it_was_made_of() -> None:
    column = KeyColumn.of([b"one", b"", b"three"])
    assert (len(column), list(column)) == (3, [b"one", b"", b"three"])
    assert list(column.take(rows(2, 0, 2))) == [b"three", b"one", b"three"]
    assert column.take(rows(2, 1))[0] == b"three"
    assert list(KeyColumn.of([])) == []


def test_replaced_keys_stand_among_the_others() -> None:
    column = KeyColumn.of([b"a", b"", b"ccc", b""])
    filled = column.replaced(rows(3, 1), KeyColumn.of([b"last", b"second"]))
    assert list(filled) == [b"a", b"second", b"ccc", b"last"]
    assert list(column) == [b"a", b"", b"ccc", b""]


def test_keys_that_all_have_a_nul_are_told_from_others(table: kernel.KeyTable) -> None:
    assert table.have_nuls()
    add(table, b"\0a", b"north\0a", b"c\0")
    assert table.have_nuls()
    add(table, b"north")
    assert not table.have_nuls()
