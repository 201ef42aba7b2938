//! Rows of integer cells in pages made when first touched: `stream/domain/paged.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

use std::ops::Range;

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;

const PAGE_BITS: i64 = 9;
const PAGE_CELLS: usize = 1 << PAGE_BITS;
const CELL_MASK: i64 = (1 << PAGE_BITS) - 1;
/// Page 0 stays empty and stands for every page not made yet.
const NO_PAGE: u32 = 0;

/// Cells are held in as few bytes as the largest needs; sums wrap, as numpy's do.
enum Cells {
    Narrow(Vec<i32>),
    Wide(Vec<i64>),
}

type Columns = (Vec<i64>, Vec<i64>, Vec<i64>);

impl Cells {
    /// Add a page of other cells, which begins at `theirs`, to that which begins at `ours`.
    fn add_page(&mut self, ours: usize, others: &Self, theirs: usize) {
        let (ours, theirs) = (ours..ours + PAGE_CELLS, theirs..theirs + PAGE_CELLS);
        match (self, others) {
            (Self::Narrow(cells), Self::Narrow(others)) => {
                for (cell, other) in cells[ours].iter_mut().zip(&others[theirs]) {
                    *cell = cell.wrapping_add(*other);
                }
            }
            (Self::Wide(cells), Self::Wide(others)) => {
                for (cell, other) in cells[ours].iter_mut().zip(&others[theirs]) {
                    *cell = cell.wrapping_add(*other);
                }
            }
            (Self::Wide(cells), Self::Narrow(others)) => {
                for (cell, other) in cells[ours].iter_mut().zip(&others[theirs]) {
                    *cell = cell.wrapping_add(i64::from(*other));
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "as numpy casts")]
            (Self::Narrow(cells), Self::Wide(others)) => {
                for (cell, other) in cells[ours].iter_mut().zip(&others[theirs]) {
                    *cell = cell.wrapping_add(*other as i32);
                }
            }
        }
    }
}

/// Rows of integer cells over one unbounded axis.
#[pyclass(module = "stream.kernel._compiled")]
pub struct PagedArray {
    cells: Cells,
    /// The sum of each page.
    sums: Vec<i64>,
    /// `[row, block]`: its page.
    directory: Vec<u32>,
    #[pyo3(get)]
    rows: usize,
    /// Blocks of a row.
    width: usize,
    first_block: i64,
}

impl PagedArray {
    /// Append empty rows; the number of the first.
    pub fn add_rows(&mut self, count: usize) -> usize {
        let first = self.rows;
        self.rows += count;
        self.directory.resize(self.rows * self.width, NO_PAGE);
        first
    }

    /// Add to one cell. The row must be there.
    #[inline]
    pub fn add(&mut self, row: usize, cell: i64, amount: i64) {
        let page = self.page(row, cell >> PAGE_BITS);
        self.sums[page] = self.sums[page].wrapping_add(amount);
        let at = page * PAGE_CELLS + low_bits(cell);
        match &mut self.cells {
            #[expect(clippy::cast_possible_truncation, reason = "as numpy casts")]
            Cells::Narrow(cells) => cells[at] = cells[at].wrapping_add(amount as i32),
            Cells::Wide(cells) => cells[at] = cells[at].wrapping_add(amount),
        }
    }

    /// Add rows of another array to as many of this one, from `first` on. These must be there.
    pub fn add_rows_of(&mut self, first: usize, other: &Self, rows: Range<usize>) {
        for (row, from) in (first..).zip(rows) {
            let pages = &other.directory[from * other.width..(from + 1) * other.width];
            for (block, theirs) in (other.first_block..).zip(pages) {
                let theirs = *theirs as usize;
                if theirs != NO_PAGE as usize {
                    let ours = self.page(row, block);
                    self.sums[ours] = self.sums[ours].wrapping_add(other.sums[theirs]);
                    self.cells.add_page(ours * PAGE_CELLS, &other.cells, theirs * PAGE_CELLS);
                }
            }
        }
    }

    /// Have so many rows, all empty.
    pub fn clear(&mut self, rows: usize) {
        match &mut self.cells {
            Cells::Narrow(cells) => cells.truncate(PAGE_CELLS),
            Cells::Wide(cells) => cells.truncate(PAGE_CELLS),
        }
        self.sums.truncate(1);
        self.rows = rows;
        self.directory.clear();
        self.directory.resize(rows * self.width, NO_PAGE);
    }

    /// The page of a row's block, made if there is none.
    #[inline]
    fn page(&mut self, row: usize, block: i64) -> usize {
        let at = match usize::try_from(block.wrapping_sub(self.first_block)) {
            Ok(at) if at < self.width => at,
            _ => self.widen(block),
        };
        let place = row * self.width + at;
        match self.directory[place] {
            NO_PAGE => self.make_page(place),
            page => page as usize,
        }
    }

    #[cold]
    fn make_page(&mut self, place: usize) -> usize {
        let page = self.sums.len();
        self.sums.push(0);
        match &mut self.cells {
            Cells::Narrow(cells) => cells.resize(cells.len() + PAGE_CELLS, 0),
            Cells::Wide(cells) => cells.resize(cells.len() + PAGE_CELLS, 0),
        }
        self.directory[place] = u32::try_from(page).expect("four billion pages do not fit memory");
        page
    }

    /// Make room for a block; its place in every row.
    #[cold]
    fn widen(&mut self, block: i64) -> usize {
        if self.width == 0 {
            self.first_block = block;
        }
        let (mut before, mut after) = (0, 0);
        if block < self.first_block {
            before = usize::try_from(self.first_block - block).expect("counted up");
        } else {
            let at = usize::try_from(block - self.first_block).expect("counted up");
            after = (at + 1).saturating_sub(self.width);
        }
        // A quarter more than asked, so that a moving clock does not widen every time.
        let slack = (self.width + before + after) / 4 + 1;
        if before > 0 {
            before += slack;
        }
        if after > 0 {
            after += slack;
        }
        let width = before + self.width + after;
        let mut wider = vec![NO_PAGE; self.rows * width];
        if self.width > 0 {
            let old_rows = self.directory.chunks_exact(self.width);
            for (new, old) in wider.chunks_exact_mut(width).zip(old_rows) {
                new[before..before + self.width].copy_from_slice(old);
            }
        }
        self.directory = wider;
        self.width = width;
        self.first_block -= i64::try_from(before).expect("it is within the cells there are");
        usize::try_from(block - self.first_block).expect("it was made room for")
    }

    /// The pages of a row, block by block.
    fn pages(&self, row: usize) -> &[u32] {
        &self.directory[row * self.width..(row + 1) * self.width]
    }

    #[inline]
    fn cell(&self, at: usize) -> i64 {
        match &self.cells {
            Cells::Narrow(cells) => i64::from(cells[at]),
            Cells::Wide(cells) => cells[at],
        }
    }

    fn sum_of_row_to(&self, row: usize, cell: i64) -> i64 {
        let block = (cell >> PAGE_BITS).saturating_sub(self.first_block);
        let Ok(at) = usize::try_from(block) else { return 0 };
        let pages = self.pages(row);
        let whole = pages.iter().take(at);
        let mut sum = whole.fold(0i64, |sum, page| sum.wrapping_add(self.sums[*page as usize]));
        if let Some(page) = pages.get(at).filter(|page| **page != NO_PAGE) {
            sum = sum.wrapping_add(self.sum_of_page_to(*page as usize, low_bits(cell)));
        }
        sum
    }

    /// The sum of a page's cells up to one of them, from the side that has fewer to add.
    fn sum_of_page_to(&self, page: usize, within: usize) -> i64 {
        let (first, behind) = (page * PAGE_CELLS, within + 1);
        if behind <= PAGE_CELLS / 2 {
            self.sum_of_cells(first..first + behind)
        } else {
            let rest = self.sum_of_cells(first + behind..first + PAGE_CELLS);
            self.sums[page].wrapping_sub(rest)
        }
    }

    /// Which width they have is asked once, so that the loops are of the kind that is vectorised.
    fn sum_of_cells(&self, places: Range<usize>) -> i64 {
        match &self.cells {
            Cells::Narrow(cells) => cells[places].iter().map(|cell| i64::from(*cell)).sum(),
            Cells::Wide(cells) => cells[places].iter().fold(0, |sum, cell| sum.wrapping_add(*cell)),
        }
    }

    /// The cells of a row that are not 0, ascending, and their values.
    fn filled(&self, row: usize) -> impl Iterator<Item = (i64, i64)> + '_ {
        (self.first_block..).zip(self.pages(row)).filter(|(_, page)| **page != NO_PAGE).flat_map(
            |(block, page)| {
                let first = *page as usize * PAGE_CELLS;
                let values = (first..first + PAGE_CELLS).map(|at| self.cell(at));
                (block << PAGE_BITS..).zip(values).filter(|(_, value)| *value != 0)
            },
        )
    }

    fn checked_row(&self, row: i64) -> PyResult<usize> {
        usize::try_from(row)
            .ok()
            .filter(|row| *row < self.rows)
            .ok_or_else(|| PyIndexError::new_err("no such row"))
    }
}

#[pymethods]
impl PagedArray {
    /// `wide`: cells of 64 bits, not 32.
    #[new]
    pub fn new(wide: bool) -> Self {
        let cells = if wide {
            Cells::Wide(vec![0; PAGE_CELLS])
        } else {
            Cells::Narrow(vec![0; PAGE_CELLS])
        };
        Self { cells, sums: vec![0], directory: Vec::new(), rows: 0, width: 0, first_block: 0 }
    }

    #[getter]
    fn nbytes(&self) -> usize {
        let cells = match &self.cells {
            Cells::Narrow(cells) => size_of_val(cells.as_slice()),
            Cells::Wide(cells) => size_of_val(cells.as_slice()),
        };
        cells + size_of_val(self.sums.as_slice()) + size_of_val(self.directory.as_slice())
    }

    #[pyo3(name = "add_rows")]
    fn py_add_rows(&mut self, count: usize) -> usize {
        self.add_rows(count)
    }

    /// Add amounts to cells of rows.
    #[pyo3(name = "add")]
    #[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
    fn py_add(
        &mut self,
        rows: PyReadonlyArray1<'_, i64>,
        cells: PyReadonlyArray1<'_, i64>,
        amounts: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<()> {
        let (rows, cells, amounts) = (rows.as_array(), cells.as_array(), amounts.as_array());
        if rows.len() != cells.len() || rows.len() != amounts.len() {
            return Err(PyValueError::new_err("columns are not of one length"));
        }
        for ((row, cell), amount) in rows.iter().zip(cells).zip(amounts) {
            self.add(self.checked_row(*row)?, *cell, *amount);
        }
        Ok(())
    }

    /// For each row the sum of its cells up to and including `cell`.
    #[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
    fn sum_to<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'_, i64>,
        cell: i64,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let sums = rows
            .as_array()
            .into_iter()
            .map(|row| self.checked_row(*row).map(|row| self.sum_of_row_to(row, cell)));
        Ok(PyArray1::from_vec(py, sums.collect::<PyResult<_>>()?))
    }

    /// The cells of a row that are not 0, ascending, with their values.
    fn row_cells(&self, row: i64) -> PyResult<Vec<(i64, i64)>> {
        Ok(self.filled(self.checked_row(row)?).collect())
    }

    /// The same as three columns: cells, their values, and what another row holds there.
    fn row_cells_beside(&self, row: i64, other: i64) -> PyResult<Columns> {
        let (pages, beside) = (self.pages(self.checked_row(row)?), self.checked_row(other)?);
        let mut columns = Columns::default();
        for ((block, page), other) in (self.first_block..).zip(pages).zip(self.pages(beside)) {
            if *page == NO_PAGE {
                continue;
            }
            let (first, other) = (*page as usize * PAGE_CELLS, *other as usize * PAGE_CELLS);
            for (within, cell) in (0..PAGE_CELLS).zip(block << PAGE_BITS..) {
                let value = self.cell(first + within);
                if value != 0 {
                    columns.0.push(cell);
                    columns.1.push(value);
                    columns.2.push(self.cell(other + within));
                }
            }
        }
        Ok(columns)
    }

    /// The first cell of a row that is not 0; none when all are.
    fn first_cell(&self, row: i64) -> PyResult<Option<i64>> {
        Ok(self.filled(self.checked_row(row)?).next().map(|(cell, _)| cell))
    }
}

#[expect(clippy::cast_sign_loss, reason = "it is masked")]
fn low_bits(cell: i64) -> usize {
    (cell & CELL_MASK) as usize
}
