"""Many rows over one unbounded axis of cells, stored in pages made when first touched.

A tally is a row: cells are buckets (or slots), a cell holds what changes there, and a value is
a prefix sum. Rows are many and mostly sparse (a small segment, a short history), so pages are
allocated on first touch; sums of whole pages are kept, so that a prefix sum reads one number a
page and the cells of one page only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stream.domain.arrays import I64, Array, Bools, grown
from stream.kernel import Paged

PAGE_BITS = 9
PAGE_CELLS = 1 << PAGE_BITS
_CELL_MASK = PAGE_CELLS - 1
#: Page 0 stays empty and stands for every page not made yet.
_NO_PAGE = 0


class Term(NamedTuple):
    """Additions of one kind for some of a batch's orders."""

    #: The row they go to, counted from each order's base.
    row: int
    #: The places of these orders in the batch; None for all.
    of: I64 | None
    #: For each the cell to add to.
    cells: I64
    #: What to add, or for each.
    amount: int | I64


class PagedArray:
    """Rows of integer cells.

    Args:
        dtype: int32 or int64; must hold the largest cell.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self.rows = 0
        self._pages: NDArray[np.int32] | NDArray[np.int64] = np.zeros((16, PAGE_CELLS), dtype)
        self._page_count = 1
        self._page_sums: I64 = np.zeros(16, np.int64)
        #: ``[row, block]`` → first cell of its page among all pages' cells; a block is a page's
        #: worth of cells.
        self._directory: I64 = np.zeros((16, 0), np.int64)
        #: ``[row, block]``: the page changed since its sum was taken.
        self._stale: Bools = np.zeros((16, 0), np.bool_)
        self._first_block = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return int(self._pages.nbytes + self._directory.nbytes + self._page_sums.nbytes)

    def add_rows(self, count: int) -> int:
        """Append empty rows; returns the number of the first."""
        first = self.rows
        self.rows += count
        if self.rows > len(self._directory):
            shape = (max(self.rows, 2 * len(self._directory)), self._directory.shape[1])
            self._directory = _placed(self._directory, shape, 0)
            self._stale = _placed(self._stale, shape, 0)
        return first

    def add_terms(self, bases: I64, terms: Sequence[Term]) -> None:
        """Add terms to cells; the same place may stand several times.

        Args:
            bases: ``[dimension, order]``: the row from which terms count, in each dimension.
            terms: what to add for these orders.
        """
        if terms:
            self.add(*_unrolled(bases, terms))

    def add(self, rows: I64, cells: I64, amounts: I64) -> None:
        """Add amounts to cells of rows; the same place may stand several times."""
        if len(cells) == 0:
            return
        blocks = (cells >> PAGE_BITS) - self._first_block
        low, high = int(blocks.min()), int(blocks.max())
        if low < 0 or high >= self._directory.shape[1]:
            self._widen(low, high)
            blocks = (cells >> PAGE_BITS) - self._first_block
        within = cells & _CELL_MASK
        # The same type on both sides: numpy's fast path, an order of magnitude faster.
        values = amounts.astype(self._pages.dtype)
        places = rows * self._directory.shape[1] + blocks
        flat = self._directory.ravel()[places]
        if not flat.all():
            self._make_pages(places[flat == _NO_PAGE])
            flat = self._directory.ravel()[places]
        self._stale.ravel()[places] = True
        np.add.at(self._pages.ravel(), flat + within, values)

    def sum_to(self, rows: I64, cell: int) -> I64:
        """For each row the sum of its cells up to and including ``cell``."""
        self._refresh()
        block, within = cell >> PAGE_BITS, cell & _CELL_MASK
        at = block - self._first_block
        if at < 0:
            return np.zeros(len(rows), np.int64)
        pages = self._directory[rows] >> PAGE_BITS
        sums: I64 = self._page_sums[pages[:, :at]].sum(axis=1)
        if at < pages.shape[1]:
            sums += self._pages[pages[:, at], : within + 1].sum(axis=1, dtype=np.int64)
        return sums

    def row_cells(self, row: int) -> list[tuple[int, int]]:
        """The cells of a row that are not 0, ascending, with their values."""
        cells, values, _ = self.row_cells_beside(row, row)
        return list(zip(cells, values, strict=True))

    def row_cells_beside(self, row: int, other: int) -> tuple[list[int], list[int], list[int]]:
        """The same as three columns: cells, their values, and what another row holds there."""
        blocks = np.flatnonzero(self._directory[row])
        pages, beside = (
            self._pages[self._directory[each, blocks] >> PAGE_BITS] for each in (row, other)
        )
        at, within = np.nonzero(pages)
        cells = ((self._first_block + blocks[at]) << PAGE_BITS) + within
        return cells.tolist(), pages[at, within].tolist(), beside[at, within].tolist()

    def first_cell(self, row: int) -> int | None:
        """The first cell of a row that is not 0; None when all are."""
        for at in np.flatnonzero(self._directory[row]):
            cells = np.flatnonzero(self._pages[self._directory[row, at] >> PAGE_BITS])
            if len(cells):
                return int(((self._first_block + int(at)) << PAGE_BITS) + cells[0])
        return None

    def _refresh(self) -> None:
        stale = np.flatnonzero(self._stale)
        if len(stale):
            pages = self._directory.ravel()[stale] >> PAGE_BITS
            self._page_sums[pages] = self._pages[pages].sum(axis=1, dtype=np.int64)
            self._stale.ravel()[stale] = False

    def _widen(self, low: int, high: int) -> None:
        width = self._directory.shape[1]
        if width == 0:
            self._first_block += low
            low, high = 0, high - low
        before = max(0, -low)
        after = max(0, high - width + 1)
        # A quarter more than asked, so that a moving clock does not widen every time.
        slack = (width + before + after) // 4 + 1
        before, after = (before + slack if before else 0), (after + slack if after else 0)
        shape = (len(self._directory), before + width + after)
        self._directory = _placed(self._directory, shape, before)
        self._stale = _placed(self._stale, shape, before)
        self._first_block -= before

    def _make_pages(self, places: I64) -> None:
        wanted = np.unique(places)
        first, self._page_count = self._page_count, self._page_count + len(wanted)
        if self._page_count > len(self._pages):
            self._pages = grown(self._pages, self._page_count)
            self._page_sums = grown(self._page_sums, self._page_count)
        starts = np.arange(first, self._page_count, dtype=np.int64) << PAGE_BITS
        self._directory.ravel()[wanted] = starts


def _placed(array: Array, shape: tuple[int, int], before: int) -> Array:
    """A larger table of zeros with this one in it, its columns from ``before`` on."""
    larger = np.zeros(shape, array.dtype)
    larger[: len(array), before : before + array.shape[1]] = array
    return larger  # type: ignore[return-value] # numpy does not carry the type through zeros()


def _unrolled(bases: I64, terms: Sequence[Term]) -> tuple[I64, I64, I64]:
    """Rows, cells and amounts of every single addition, dimension after dimension."""
    everyone = np.arange(bases.shape[1], dtype=np.int64)
    rows = [bases[:, everyone if term.of is None else term.of] + term.row for term in terms]
    cells = [
        np.broadcast_to(term.cells, some.shape) for some, term in zip(rows, terms, strict=True)
    ]
    amounts = [
        np.broadcast_to(np.asarray(term.amount, np.int64), some.shape)
        for some, term in zip(rows, terms, strict=True)
    ]
    return tuple(np.concatenate(part, axis=1).ravel() for part in (rows, cells, amounts))  # type: ignore[return-value] # three of them


def dense(array: Paged) -> dict[tuple[int, int], int]:
    """Every cell that is not 0, by (row, cell): for comparisons in tests."""
    return {(row, cell): value for row in range(array.rows) for cell, value in array.row_cells(row)}
