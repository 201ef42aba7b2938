//! The latest value of every key of a changelog: `stream/wire/latest_records.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

use std::collections::HashMap;

use numpy::PyArray1;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::keys::KeyTable;
use crate::records::Batch;

/// No text in UTF-8 has such a byte: keys that begin with it are no customers'.
const NO_TEXT: u8 = 0xff;
/// Values that came too late are thrown away when they are this part of all.
const OUTDATED_DIVISOR: usize = 2;

/// Bytes of all headers and of all entries, and of how many each value is.
type Parts<'py> = (Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<i64>>);

/// Where a value is; nowhere when its key was deleted.
type Place = Option<(usize, usize)>;

/// Records of customers by row, in the order in which their keys came, and other ones.
#[pyclass(module = "stream.kernel._compiled")]
pub struct LatestRecords {
    keys: Py<KeyTable>,
    values: Values,
    others: HashMap<Vec<u8>, Vec<u8>>,
}

/// Values by row, in one text.
#[derive(Default)]
struct Values {
    text: Vec<u8>,
    places: Vec<Place>,
    /// Rows without a value.
    deleted: usize,
    /// Bytes that are nobody's value any more.
    outdated: usize,
}

impl Values {
    fn set(&mut self, row: usize, value: &[u8]) {
        self.drop_old(row);
        let begin = self.text.len();
        self.text.extend_from_slice(value);
        let place = Some((begin, self.text.len()));
        if row < self.places.len() {
            self.places[row] = place;
        } else {
            self.places.push(place);
        }
    }

    fn delete(&mut self, row: usize) {
        self.drop_old(row);
        self.places[row] = None;
        self.deleted += 1;
    }

    fn drop_old(&mut self, row: usize) {
        let Some((begin, end)) = self.places.get(row).copied().flatten() else { return };
        self.outdated += end - begin;
        if self.outdated * OUTDATED_DIVISOR > self.text.len() {
            self.places[row] = None;
            self.pack();
        }
    }

    fn pack(&mut self) {
        let mut text = Vec::with_capacity(self.text.len() - self.outdated);
        for (begin, end) in self.places.iter_mut().flatten() {
            let first = text.len();
            text.extend_from_slice(&self.text[*begin..*end]);
            (*begin, *end) = (first, text.len());
        }
        self.text = text;
        self.outdated = 0;
    }

    /// All values there are, by row.
    fn all(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.places.iter().flatten().map(|(begin, end)| &self.text[*begin..*end])
    }
}

/// All that records are put into, while other threads may run Python.
struct Table<'a> {
    keys: &'a mut KeyTable,
    values: &'a mut Values,
    others: &'a mut HashMap<Vec<u8>, Vec<u8>>,
}

impl Table<'_> {
    /// Take a record; none as its value deletes its key.
    fn take(&mut self, key: &[u8], value: Option<&[u8]>) {
        if key.first() == Some(&NO_TEXT) {
            match value {
                Some(value) => self.others.insert(key.to_vec(), value.to_vec()),
                None => self.others.remove(key),
            };
        } else if let Some(value) = value {
            let row = self.keys.row_or_new(key);
            self.values.set(row as usize, value);
        } else if let Some(row) = self.keys.row_of(key) {
            self.keys.forget_row(row as usize);
            self.values.delete(row as usize);
        }
    }
}

impl LatestRecords {
    fn with_table<T: Send>(
        &mut self,
        py: Python<'_>,
        work: impl FnOnce(&mut Table<'_>) -> T + Send,
    ) -> T {
        let Self { keys, values, others } = self;
        let mut keys = keys.borrow_mut(py);
        let mut table = Table { keys: &mut keys, values, others };
        py.detach(|| work(&mut table))
    }

    /// Number the rows anew, without those that were deleted.
    fn close_ranks(&mut self, py: Python<'_>) {
        if self.values.deleted == 0 {
            return;
        }
        let mut keys = self.keys.borrow_mut(py);
        let mut left = KeyTable::default();
        for (row, place) in self.values.places.iter().enumerate() {
            if place.is_some() {
                left.row_or_new(keys.key(row));
            }
        }
        *keys = left;
        self.values.places.retain(Option::is_some);
        self.values.deleted = 0;
    }
}

#[pymethods]
#[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
impl LatestRecords {
    #[new]
    fn new(py: Python<'_>) -> PyResult<Self> {
        let keys = Py::new(py, KeyTable::default())?;
        Ok(Self { keys, values: Values::default(), others: HashMap::new() })
    }

    fn __len__(&self) -> usize {
        self.values.places.len() - self.values.deleted
    }

    /// Take records one after the other.
    fn take(
        &mut self,
        py: Python<'_>,
        keys: Vec<Option<Bound<'_, PyBytes>>>,
        values: Vec<Option<Bound<'_, PyBytes>>>,
    ) -> PyResult<()> {
        if keys.len() != values.len() {
            return Err(PyValueError::new_err("keys are not as many as values"));
        }
        let keys = keys.iter().map(|key| key.as_ref().map_or(&[][..], PyBytesMethods::as_bytes));
        let values = values.iter().map(|value| value.as_ref().map(PyBytesMethods::as_bytes));
        let records: Vec<_> = keys.zip(values).collect();
        self.with_table(py, |table| {
            for (key, value) in records {
                table.take(key, value);
            }
        });
        Ok(())
    }

    /// Take the records of a batch from an offset on; arguments as of `read_records`.
    fn read(
        &mut self,
        py: Python<'_>,
        data: &Bound<'_, PyBytes>,
        part: (usize, usize),
        base_offset: i64,
        count: i64,
        from_offset: i64,
    ) -> PyResult<()> {
        let batch = Batch { data: data.as_bytes(), part, base_offset, count };
        self.with_table(py, |table| {
            batch.each_from(from_offset, |_, record| {
                table.take(record.key.unwrap_or_default(), record.value);
                Ok(())
            })
        })
    }

    /// Those whose keys are no customers'.
    fn others<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let others = PyDict::new(py);
        for (key, value) in &self.others {
            others.set_item(PyBytes::new(py, key), PyBytes::new(py, value))?;
        }
        Ok(others)
    }

    /// The customers' keys.
    fn keys(&mut self, py: Python<'_>) -> Py<KeyTable> {
        self.close_ranks(py);
        self.keys.clone_ref(py)
    }

    /// A customer's value.
    fn get<'py>(&self, py: Python<'py>, key: &[u8]) -> Option<Bound<'py, PyBytes>> {
        let row = self.keys.borrow(py).row_of(key)?;
        let (begin, end) = self.values.places[row as usize]?;
        Some(PyBytes::new(py, &self.values.text[begin..end]))
    }

    /// The key and the value of a row.
    fn at<'py>(
        &mut self,
        py: Python<'py>,
        row: usize,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        self.close_ranks(py);
        let place = self.values.places.get(row).copied().flatten();
        let (begin, end) = place.ok_or_else(|| PyIndexError::new_err("no such row"))?;
        let key = PyBytes::new(py, self.keys.borrow(py).key(row));
        Ok((key, PyBytes::new(py, &self.values.text[begin..end])))
    }

    /// Customers' values taken apart into the headers in front and the entries that follow them.
    ///
    /// Args:
    ///     `header_size`: bytes of a header.
    ///     `count_at`: where in it the number of entries stands, 32 bits.
    ///     `entry_size`: bytes of an entry.
    fn parts<'py>(
        &self,
        py: Python<'py>,
        header_size: usize,
        count_at: usize,
        entry_size: usize,
    ) -> PyResult<Parts<'py>> {
        let values = &self.values;
        let parts = py.detach(|| {
            let mut headers = Vec::with_capacity(values.places.len() * header_size);
            let total = values.text.len() - values.outdated;
            let mut entries = Vec::with_capacity(total.saturating_sub(headers.capacity()));
            let mut sizes = Vec::with_capacity(values.places.len());
            for value in values.all() {
                let (header, rest) = value.split_at_checked(header_size)?;
                let count = header.get(count_at..)?.first_chunk::<4>()?;
                let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
                headers.extend_from_slice(header);
                entries.extend_from_slice(rest.get(..count.checked_mul(entry_size)?)?);
                sizes.push(i64::try_from(value.len()).ok()?);
            }
            Some((headers, entries, sizes))
        });
        let too_short = || PyValueError::new_err("a record is shorter than it says");
        let (headers, entries, sizes) = parts.ok_or_else(too_short)?;
        let headers = PyArray1::from_vec(py, headers);
        Ok((headers, PyArray1::from_vec(py, entries), PyArray1::from_vec(py, sizes)))
    }
}
