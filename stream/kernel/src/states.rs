//! Changelog records → headers and entries: `stream/wire/state_parts.py`, compiled.

use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

/// Bytes of all headers, and of all entries.
type Parts<'py> = (Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<u8>>);

/// Take records apart into the headers in front and the entries that follow them.
///
/// Args:
///     values: the records.
///     `header_size`: bytes of a header.
///     `count_at`: where in it the number of entries stands, 32 bits.
///     `entry_size`: bytes of an entry.
#[pyfunction]
pub fn state_parts<'py>(
    py: Python<'py>,
    values: &Bound<'py, PyList>,
    header_size: usize,
    count_at: usize,
    entry_size: usize,
) -> PyResult<Parts<'py>> {
    let too_short = || PyValueError::new_err("a record is shorter than it says");
    let values: Vec<Bound<'py, PyBytes>> =
        values.iter().map(|value| Ok(value.cast_into::<PyBytes>()?)).collect::<PyResult<_>>()?;
    let records: Vec<&[u8]> = values.iter().map(PyBytesMethods::as_bytes).collect();
    let parts = py.detach(|| {
        let mut headers = Vec::with_capacity(records.len() * header_size);
        let total: usize = records.iter().map(|record| record.len()).sum();
        let mut entries = Vec::with_capacity(total.saturating_sub(headers.capacity()));
        for record in &records {
            let (header, rest) = record.split_at_checked(header_size)?;
            let count = header.get(count_at..)?.first_chunk::<4>()?;
            let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
            headers.extend_from_slice(header);
            entries.extend_from_slice(rest.get(..count.checked_mul(entry_size)?)?);
        }
        Some((headers, entries))
    });
    let (headers, entries) = parts.ok_or_else(too_short)?;
    Ok((PyArray1::from_vec(py, headers), PyArray1::from_vec(py, entries)))
}
