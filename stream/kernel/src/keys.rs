//! Customers' keys by row, and rows by key: `stream/domain/key_table.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use rustc_hash::FxHashMap;

/// Distinct texts, and for each row which of them is its own.
type Stores<'py> = (Vec<Bound<'py, PyBytes>>, Bound<'py, PyArray1<i64>>);

/// Rows are numbered from 0 in order of arrival; a key is held once, in one text with all others.
#[pyclass(module = "stream.kernel._compiled")]
#[derive(Default)]
pub struct KeyTable {
    text: Vec<u8>,
    /// Where in it the key of each row ends, and the next one begins.
    ends: Vec<u32>,
    rows: HashTable<u32>,
    /// With a secret of its own: ids come from outside, and may be chosen to collide.
    hasher: RandomState,
}

impl KeyTable {
    /// The key of a row, which must be there.
    #[inline]
    pub fn key(&self, row: usize) -> &[u8] {
        key_of(&self.text, &self.ends, row)
    }

    pub fn row_of(&self, key: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.rows.find(hash, |row| self.key(*row as usize) == key).copied()
    }

    pub fn row_or_new(&mut self, key: &[u8]) -> u32 {
        let Self { text, ends, rows, hasher } = self;
        let hash = hasher.hash_one(key);
        let is_it = |row: &u32| key_of(text, ends, *row as usize) == key;
        if let Some(row) = rows.find(hash, is_it) {
            return *row;
        }
        let row = small(ends.len());
        text.extend_from_slice(key);
        ends.push(small(text.len()));
        let hash_of = |row: &u32| hasher.hash_one(key_of(text, ends, *row as usize));
        rows.insert_unique(hash, row, hash_of);
        row
    }

    /// Have nothing lead to a row any more, and overwrite its key.
    pub fn forget_row(&mut self, row: usize) {
        let Self { text, ends, rows, hasher } = self;
        let hash = hasher.hash_one(key_of(text, ends, row));
        if let Ok(found) = rows.find_entry(hash, |found| *found as usize == row) {
            found.remove();
        }
        let begin = row.checked_sub(1).map_or(0, |before| ends[before] as usize);
        text[begin..ends[row] as usize].fill(0);
    }

    fn checked(&self, row: i64) -> PyResult<usize> {
        usize::try_from(row)
            .ok()
            .filter(|row| *row < self.ends.len())
            .ok_or_else(|| PyIndexError::new_err("no such row"))
    }
}

#[pymethods]
#[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
impl KeyTable {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn __len__(&self) -> usize {
        self.ends.len()
    }

    #[getter]
    fn nbytes(&self) -> usize {
        self.text.len() + size_of_val(self.ends.as_slice()) + self.rows.allocation_size()
    }

    /// The row of each key, -1 where there is none.
    fn find<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyBytes>,
        begins: PyReadonlyArray1<'_, i64>,
        ends: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        rows_of(py, text, &begins, &ends, |key| self.row_of(key).map_or(-1, i64::from))
    }

    /// The row of each key; those that have none get the next ones.
    fn add<'py>(
        &mut self,
        py: Python<'py>,
        text: &Bound<'py, PyBytes>,
        begins: PyReadonlyArray1<'_, i64>,
        ends: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        rows_of(py, text, &begins, &ends, |key| i64::from(self.row_or_new(key)))
    }

    /// The keys of some rows.
    fn keys<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let rows = rows.as_array().into_iter().map(|row| self.checked(*row));
        let rows = rows.collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, rows.into_iter().map(|row| PyBytes::new(py, self.key(row))))
    }

    /// What stands before the NUL in the keys of all rows from one on.
    fn stores<'py>(&self, py: Python<'py>, first_row: usize) -> Stores<'py> {
        let mut places = FxHashMap::default();
        let mut stores = Vec::new();
        let mut next = 0;
        let of_rows = (first_row..self.ends.len()).map(|row| {
            let key = self.key(row);
            let store = key.split(|byte| *byte == 0).next().unwrap_or(key);
            *places.entry(store).or_insert_with(|| {
                stores.push(PyBytes::new(py, store));
                next += 1;
                next - 1
            })
        });
        let of_rows = of_rows.collect();
        (stores, PyArray1::from_vec(py, of_rows))
    }

    /// Whether there is a NUL in every key.
    fn have_nuls(&self) -> bool {
        (0..self.ends.len()).all(|row| self.key(row).contains(&0))
    }

    /// Have nothing lead to some rows any more, and overwrite their keys.
    fn forget(&mut self, rows: PyReadonlyArray1<'_, i64>) -> PyResult<()> {
        for row in rows.as_array() {
            let row = self.checked(*row)?;
            self.forget_row(row);
        }
        Ok(())
    }
}

#[inline]
fn key_of<'a>(text: &'a [u8], ends: &[u32], row: usize) -> &'a [u8] {
    let begin = row.checked_sub(1).map_or(0, |before| ends[before] as usize);
    &text[begin..ends[row] as usize]
}

/// The row of each key of a text, while other threads may run Python.
fn rows_of<'py>(
    py: Python<'py>,
    text: &Bound<'py, PyBytes>,
    begins: &PyReadonlyArray1<'_, i64>,
    ends: &PyReadonlyArray1<'_, i64>,
    mut row_of: impl FnMut(&[u8]) -> i64 + Send,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let (text, begins, ends) = (text.as_bytes(), begins.as_slice()?, ends.as_slice()?);
    let rows = py.detach(|| {
        let keys = begins.iter().zip(ends).map(|(begin, end)| {
            text.get(usize::try_from(*begin).ok()?..usize::try_from(*end).ok()?)
        });
        keys.map(|key| Some(row_of(key?))).collect::<Option<Vec<_>>>()
    });
    let outside = || PyValueError::new_err("a key is not within its text");
    Ok(PyArray1::from_vec(py, rows.ok_or_else(outside)?))
}

/// Places in the text are 32 bits: four billion bytes are the keys of 200 million customers.
fn small(number: usize) -> u32 {
    u32::try_from(number).expect("a partition's keys do not fit four gigabytes")
}
