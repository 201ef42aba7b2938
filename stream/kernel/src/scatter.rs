//! Adding terms to the cells of paged rows: the inner loop of `stream/domain/paged.py`.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

const PAGE_BITS: i64 = 9;
const CELL_MASK: i64 = (1 << PAGE_BITS) - 1;

/// Additions to one row under each base: (row, of, cells, amount or amounts).
type Term<'py> = (i64, Option<Bound<'py, PyAny>>, Bound<'py, PyAny>, Bound<'py, PyAny>);

/// What could not be placed, for the caller to make room for and add.
type Unplaced<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

enum Amounts {
    Same(i64),
    Each(PyBuffer<i64>),
}

struct Read {
    row: i64,
    of: Option<PyBuffer<i64>>,
    cells: PyBuffer<i64>,
    amounts: Amounts,
}

/// A contiguous buffer as a slice. The caller holds the buffer, and nothing writes to it: the
/// arrays belong to one engine, which is in this very call.
fn slice<T: pyo3::buffer::Element>(buffer: &PyBuffer<T>) -> PyResult<&[T]> {
    if !buffer.is_c_contiguous() {
        return Err(PyValueError::new_err("an array is not contiguous"));
    }
    if buffer.item_count() == 0 {
        return Ok(&[]);
    }
    // SAFETY: contiguous, of this type (checked by PyBuffer), alive and unchanged during the call.
    Ok(unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast::<T>(), buffer.item_count()) })
}

fn slice_mut<T: pyo3::buffer::Element>(buffer: &mut PyBuffer<T>) -> PyResult<&mut [T]> {
    if !buffer.is_c_contiguous() || buffer.readonly() {
        return Err(PyValueError::new_err("an array is not contiguous and writable"));
    }
    if buffer.item_count() == 0 {
        return Ok(&mut []);
    }
    // SAFETY: as above, and writable; each target is a different array.
    Ok(unsafe { std::slice::from_raw_parts_mut(buffer.buf_ptr().cast::<T>(), buffer.item_count()) })
}

macro_rules! scatter {
    ($name:ident, $cell:ty) => {
        /// Add terms in every dimension; returns what has no page yet.
        ///
        /// `pages`: all pages' cells; `directory` and `stale`: `[row, block]`, `width` blocks from
        /// `first_block` on; `bases`: `[dimension, order]`, `orders` of them in a dimension.
        #[pyfunction]
        #[allow(clippy::too_many_arguments)]
        pub fn $name<'py>(
            py: Python<'py>,
            mut pages: PyBuffer<$cell>,
            directory: PyBuffer<i64>,
            mut stale: PyBuffer<u8>,
            width: i64,
            first_block: i64,
            bases: PyBuffer<i64>,
            orders: usize,
            terms: Vec<Term<'py>>,
        ) -> PyResult<Unplaced<'py>> {
            let terms = terms.iter().map(read).collect::<PyResult<Vec<_>>>()?;
            let directory = slice(&directory)?;
            let bases = slice(&bases)?;
            let pages = slice_mut(&mut pages)?;
            let stale = slice_mut(&mut stale)?;
            let mut unplaced: [Vec<u8>; 3] = Default::default();
            for term in &terms {
                let cells = slice(&term.cells)?;
                let of = term.of.as_ref().map(slice).transpose()?;
                let amounts = match &term.amounts {
                    Amounts::Same(_) => None,
                    Amounts::Each(buffer) => Some(slice(buffer)?),
                };
                let same = if let Amounts::Same(amount) = term.amounts { amount } else { 0 };
                py.detach(|| {
                    for bases in bases.chunks_exact(orders.max(1)) {
                        for (at, cell) in cells.iter().enumerate() {
                            let order = of.map_or(at, |of| of[at] as usize);
                            let amount = amounts.map_or(same, |amounts| amounts[at]);
                            let row = bases[order] + term.row;
                            let block = (cell >> PAGE_BITS) - first_block;
                            let place = (row * width + block) as usize;
                            if block >= 0 && block < width {
                                let page = directory[place];
                                if page != 0 {
                                    let sum = &mut pages[(page + (cell & CELL_MASK)) as usize];
                                    *sum = sum.wrapping_add(amount as $cell);
                                    stale[place] = 1;
                                    continue;
                                }
                            }
                            for (list, number) in unplaced.iter_mut().zip([row, *cell, amount]) {
                                list.extend_from_slice(&number.to_ne_bytes());
                            }
                        }
                    }
                });
            }
            let [rows, cells, amounts] = unplaced.map(|list| PyBytes::new(py, &list));
            Ok((rows, cells, amounts))
        }
    };
}

fn read(term: &Term<'_>) -> PyResult<Read> {
    let (row, of, cells, amount) = term;
    let amounts = match amount.extract::<i64>() {
        Ok(same) => Amounts::Same(same),
        Err(_) => Amounts::Each(PyBuffer::get(amount)?),
    };
    let of = of.as_ref().map(PyBuffer::get).transpose()?;
    Ok(Read { row: *row, of, cells: PyBuffer::get(cells)?, amounts })
}

scatter!(scatter_i32, i32);
scatter!(scatter_i64, i64);
