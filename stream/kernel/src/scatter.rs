//! Adding terms to the cells of paged rows: the inner loop of `stream/domain/paged.py`.

use std::cell::Cell;

use pyo3::buffer::{Element, PyBuffer, ReadOnlyCell};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

const PAGE_BITS: i64 = 9;
const CELL_MASK: i64 = (1 << PAGE_BITS) - 1;

#[derive(FromPyObject)]
pub enum Amount {
    Same(i64),
    Each(PyBuffer<i64>),
}

/// Additions to one row under each base: (row, of, cells, amount or amounts).
type Term = (i64, Option<PyBuffer<i64>>, PyBuffer<i64>, Amount);

/// Rows, cells and amounts (int64 bytes) that could not be placed, for the caller to make room
/// for and add.
type Unplaced<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// A cell's type; sums wrap, as numpy's do.
trait Sum: Element {
    fn plus(self, amount: i64) -> Self;
}

impl Sum for i32 {
    #[expect(clippy::cast_possible_truncation, reason = "as numpy casts")]
    fn plus(self, amount: i64) -> Self {
        self.wrapping_add(amount as Self)
    }
}

impl Sum for i64 {
    fn plus(self, amount: i64) -> Self {
        self.wrapping_add(amount)
    }
}

/// Where cells are.
struct Pages<'a, T> {
    cells: &'a [Cell<T>],
    /// `[row, block]`: the first cell of a page; 0 where there is none.
    directory: &'a [ReadOnlyCell<i64>],
    stale: &'a [Cell<u8>],
    /// Blocks of a row.
    width: i64,
    first_block: i64,
}

/// A term whose columns fit each other.
struct Columns<'a> {
    row: i64,
    of: Option<&'a [ReadOnlyCell<i64>]>,
    cells: &'a [ReadOnlyCell<i64>],
    amounts: Amounts<'a>,
}

enum Amounts<'a> {
    Same(i64),
    Each(&'a [ReadOnlyCell<i64>]),
}

impl<T: Sum> Pages<'_, T> {
    /// Add to one cell; false when it has no page. `None`: there is no such row.
    #[inline]
    fn add(&self, row: i64, cell: i64, amount: i64) -> Option<bool> {
        let block = (cell >> PAGE_BITS).wrapping_sub(self.first_block);
        if block < 0 || block >= self.width {
            return Some(false);
        }
        let place = usize::try_from(row.checked_mul(self.width)?.checked_add(block)?).ok()?;
        let page = self.directory.get(place)?.get();
        if page == 0 {
            return Some(false);
        }
        let sum = self.cells.get(usize::try_from(page.checked_add(cell & CELL_MASK)?).ok()?)?;
        sum.set(sum.get().plus(amount));
        self.stale.get(place)?.set(1);
        Some(true)
    }
}

impl Columns<'_> {
    /// Add this term under each order's base. `None`: an order or row is none of these.
    #[inline]
    fn scatter<T: Sum>(
        &self,
        bases: &[ReadOnlyCell<i64>],
        pages: &Pages<'_, T>,
        unplaced: &mut [Vec<u8>; 3],
    ) -> Option<()> {
        for (at, cell) in self.cells.iter().enumerate() {
            let order = match self.of {
                None => at,
                Some(of) => usize::try_from(of.get(at)?.get()).ok()?,
            };
            let amount = match self.amounts {
                Amounts::Same(amount) => amount,
                Amounts::Each(amounts) => amounts.get(at)?.get(),
            };
            let row = bases.get(order)?.get().checked_add(self.row)?;
            if !pages.add(row, cell.get(), amount)? {
                for (list, number) in unplaced.iter_mut().zip([row, cell.get(), amount]) {
                    list.extend_from_slice(&number.to_ne_bytes());
                }
            }
        }
        Some(())
    }
}

/// Add terms in every dimension; returns what has no page yet.
///
/// `pages`: all pages' cells, int32 or int64; `directory` and `stale`: `[row, block]`, blocks
/// counted from `first_block`; `bases`: `[dimension, order]`.
#[pyfunction]
pub fn scatter<'py>(
    py: Python<'py>,
    pages: &Bound<'py, PyAny>,
    directory: PyBuffer<i64>,
    stale: PyBuffer<u8>,
    first_block: i64,
    bases: PyBuffer<i64>,
    terms: Vec<Term>,
) -> PyResult<Unplaced<'py>> {
    let tables = Tables { directory, stale, first_block, bases, terms };
    match pages.extract::<PyBuffer<i32>>() {
        Ok(pages) => tables.scatter(py, &pages),
        Err(_) => tables.scatter(py, &pages.extract::<PyBuffer<i64>>()?),
    }
}

struct Tables {
    directory: PyBuffer<i64>,
    stale: PyBuffer<u8>,
    first_block: i64,
    bases: PyBuffer<i64>,
    terms: Vec<Term>,
}

impl Tables {
    fn scatter<'py, T: Sum>(
        &self,
        py: Python<'py>,
        pages: &PyBuffer<T>,
    ) -> PyResult<Unplaced<'py>> {
        let ([_, width], [_, orders]) = (self.directory.shape(), self.bases.shape()) else {
            return Err(PyValueError::new_err("directory and bases are not of two dimensions"));
        };
        let pages = Pages {
            cells: pages.as_mut_slice(py).ok_or_else(not_contiguous)?,
            directory: slice(py, &self.directory)?,
            stale: self.stale.as_mut_slice(py).ok_or_else(not_contiguous)?,
            width: i64::try_from(*width)?,
            first_block: self.first_block,
        };
        if pages.stale.len() != pages.directory.len() {
            return Err(PyValueError::new_err("stale and directory are not of one shape"));
        }
        let bases = slice(py, &self.bases)?;
        let terms = self.terms.iter().map(|term| columns(py, term, *orders));
        let terms = terms.collect::<PyResult<Vec<_>>>()?;
        let mut unplaced: [Vec<u8>; 3] = Default::default();
        for term in &terms {
            for of_dimension in bases.chunks_exact((*orders).max(1)) {
                term.scatter(of_dimension, &pages, &mut unplaced)
                    .ok_or_else(|| PyIndexError::new_err("no such order or row"))?;
            }
        }
        let [rows, cells, amounts] = unplaced.map(|list| PyBytes::new(py, &list));
        Ok((rows, cells, amounts))
    }
}

fn columns<'a>(py: Python<'a>, term: &'a Term, orders: usize) -> PyResult<Columns<'a>> {
    let (row, of, cells, amount) = term;
    let of = of.as_ref().map(|of| slice(py, of)).transpose()?;
    let cells = slice(py, cells)?;
    let amounts = match amount {
        Amount::Same(amount) => Amounts::Same(*amount),
        Amount::Each(amounts) => Amounts::Each(slice(py, amounts)?),
    };
    let amounts_fit = match amounts {
        Amounts::Same(_) => true,
        Amounts::Each(amounts) => amounts.len() == cells.len(),
    };
    if !amounts_fit || cells.len() != of.map_or(orders, <[_]>::len) {
        return Err(PyValueError::new_err("a term's columns are not of one length"));
    }
    Ok(Columns { row: *row, of, cells, amounts })
}

fn slice<'a>(py: Python<'a>, array: &'a PyBuffer<i64>) -> PyResult<&'a [ReadOnlyCell<i64>]> {
    array.as_slice(py).ok_or_else(not_contiguous)
}

fn not_contiguous() -> PyErr {
    PyValueError::new_err("an array is not contiguous, or not writable")
}
