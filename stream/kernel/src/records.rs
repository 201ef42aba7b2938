//! Kafka's record batches, format 2, taken apart in one pass.
//!
//! Format: <https://kafka.apache.org/documentation/#recordbatch>

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

const BASE_OFFSET_AT: usize = 0;
const COUNT_AT: usize = 57;
const HEADER_SIZE: usize = 61;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

fn cut_short() -> PyErr {
    PyValueError::new_err("a record batch is cut short or not of format 2")
}

impl<'a> Reader<'a> {
    #[inline]
    fn varint(&mut self) -> PyResult<i64> {
        let mut raw: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(cut_short)?;
            self.at += 1;
            raw |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((raw >> 1) as i64 ^ -((raw & 1) as i64));
            }
        }
        Err(cut_short())
    }

    /// Bytes with their length in front; None for the length -1.
    #[inline]
    fn sized(&mut self) -> PyResult<Option<&'a [u8]>> {
        let length = self.varint()?;
        if length < 0 {
            return Ok(None);
        }
        let end = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
        let end = end.ok_or_else(cut_short)?;
        let bytes = self.bytes.get(self.at..end).ok_or_else(cut_short)?;
        self.at = end;
        Ok(Some(bytes))
    }
}

fn bytes_of(buffer: &PyBuffer<u8>) -> PyResult<&[u8]> {
    if !buffer.is_c_contiguous() {
        return Err(PyValueError::new_err("a buffer is not contiguous"));
    }
    if buffer.item_count() == 0 {
        return Ok(&[]);
    }
    // SAFETY: contiguous bytes, held for the call; what Kafka sent is never written to.
    Ok(unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast::<u8>(), buffer.item_count()) })
}

/// Offsets (as int64 bytes), keys, values, and where each record's headers begin (int64 bytes).
type Columns<'py> =
    (Bound<'py, PyBytes>, Bound<'py, PyList>, Bound<'py, PyList>, Bound<'py, PyBytes>);

/// The records of a batch from an offset on.
///
/// `batch`: the batch with its header; `records`: what follows the header, uncompressed.
#[pyfunction]
pub fn read_records<'py>(
    py: Python<'py>,
    batch: PyBuffer<u8>,
    records: PyBuffer<u8>,
    from_offset: i64,
) -> PyResult<Columns<'py>> {
    let header = bytes_of(&batch)?.get(..HEADER_SIZE).ok_or_else(cut_short)?;
    let number = |at: usize, size: usize| {
        header[at..at + size].iter().fold(0i64, |number, byte| number << 8 | i64::from(*byte))
    };
    let base_offset = number(BASE_OFFSET_AT, 8);
    let count = number(COUNT_AT, 4);
    let mut reader = Reader { bytes: bytes_of(&records)?, at: 0 };
    let mut offsets = Vec::new();
    let mut headers = Vec::new();
    let (keys, values) = (PyList::empty(py), PyList::empty(py));
    for _ in 0..count {
        let length = usize::try_from(reader.varint()?).map_err(|_| cut_short())?;
        let end = reader.at + length;
        reader.at += 1; // attributes: none are in use
        reader.varint()?; // the time Kafka took it, which decides nothing
        let offset = base_offset + reader.varint()?;
        let (key, value) = (reader.sized()?, reader.sized()?);
        if offset >= from_offset {
            offsets.extend_from_slice(&offset.to_ne_bytes());
            headers.extend_from_slice(&(reader.at as i64).to_ne_bytes());
            keys.append(key.map(|key| PyBytes::new(py, key)))?;
            values.append(value.map(|value| PyBytes::new(py, value)))?;
        }
        if end < reader.at || end > reader.bytes.len() {
            return Err(cut_short());
        }
        reader.at = end;
    }
    Ok((PyBytes::new(py, &offsets), keys, values, PyBytes::new(py, &headers)))
}

/// The headers of the record whose headers begin at a place.
#[pyfunction]
pub fn read_headers<'py>(
    py: Python<'py>,
    records: PyBuffer<u8>,
    at: usize,
) -> PyResult<Vec<(String, Option<Bound<'py, PyBytes>>)>> {
    let mut reader = Reader { bytes: bytes_of(&records)?, at };
    let count = reader.varint()?;
    (0..count)
        .map(|_| {
            let name = reader.sized()?.ok_or_else(cut_short)?;
            let value = reader.sized()?;
            let name = String::from_utf8(name.to_vec()).map_err(|_| cut_short())?;
            Ok((name, value.map(|value| PyBytes::new(py, value))))
        })
        .collect()
}
