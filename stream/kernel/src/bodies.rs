//! The records of Kafka's record batches, format 2, written in one pass:
//! `stream/wire/record_bodies.py`, compiled.
//!
//! Format: <https://kafka.apache.org/documentation/#record>

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

/// An attribute byte and the time's distance from that of the batch, none of which is used.
const NO_ATTRIBUTES_NO_DELAY: [u8; 2] = [0, 0];

/// Records of a batch, and how many.
pub type Body<'py> = (Bound<'py, PyBytes>, u32);

/// Records in the order they come, in batches of bounded size.
pub struct Bodies {
    max_bytes: usize,
    records: Vec<u8>,
    count: u32,
    done: Vec<(Vec<u8>, u32)>,
}

impl Bodies {
    pub const fn new(max_bytes: usize) -> Self {
        Self { max_bytes, records: Vec::new(), count: 0, done: Vec::new() }
    }

    /// Append a record; `headers` are written already.
    pub fn push(&mut self, key: Option<&[u8]>, value: Option<&[u8]>, headers: &[u8]) {
        let content = sized_length(key) + sized_length(value) + headers.len();
        let mut length = self.length_of(content);
        if self.count > 0 && self.records.len() + varint_length(length) + length > self.max_bytes {
            self.finish();
            length = self.length_of(content);
        }
        let records = &mut self.records;
        put_varint(records, length);
        records.extend_from_slice(&NO_ATTRIBUTES_NO_DELAY);
        put_varint(records, self.count as usize);
        put_sized(records, key);
        put_sized(records, value);
        records.extend_from_slice(headers);
        self.count += 1;
    }

    pub fn into_python(mut self, py: Python<'_>) -> Vec<Body<'_>> {
        self.finish();
        self.done.iter().map(|(body, count)| (PyBytes::new(py, body), *count)).collect()
    }

    fn length_of(&self, content: usize) -> usize {
        NO_ATTRIBUTES_NO_DELAY.len() + varint_length(self.count as usize) + content
    }

    fn finish(&mut self) {
        if self.count > 0 {
            let next = Vec::with_capacity(self.records.len());
            self.done.push((std::mem::replace(&mut self.records, next), self.count));
            self.count = 0;
        }
    }
}

/// The records of as few batches as they go into.
///
/// Args:
///     keys: of the records.
///     values: as many.
///     headers: as many, each written as `header_block` in the reference writes them.
///     `max_bytes`: of a batch's records; one that is larger by itself is alone in its batch.
#[pyfunction]
pub fn record_bodies<'py>(
    py: Python<'py>,
    keys: &Bound<'py, PyList>,
    values: &Bound<'py, PyList>,
    headers: &Bound<'py, PyList>,
    max_bytes: usize,
) -> PyResult<Vec<Body<'py>>> {
    if keys.len() != values.len() || keys.len() != headers.len() {
        return Err(PyValueError::new_err("columns are not of one length"));
    }
    let mut bodies = Bodies::new(max_bytes);
    for ((key, value), headers) in keys.iter().zip(values).zip(headers) {
        let key = key.extract::<Option<Bound<'py, PyBytes>>>()?;
        let value = value.extract::<Option<Bound<'py, PyBytes>>>()?;
        bodies.push(
            key.as_ref().map(PyBytesMethods::as_bytes),
            value.as_ref().map(PyBytesMethods::as_bytes),
            headers.cast::<PyBytes>()?.as_bytes(),
        );
    }
    Ok(bodies.into_python(py))
}

const fn zigzag(number: usize) -> u64 {
    (number as u64) << 1
}

fn varint_length(number: usize) -> usize {
    let bits = u64::BITS - (zigzag(number) | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

#[inline]
fn put_varint(out: &mut Vec<u8>, number: usize) {
    let mut left = zigzag(number);
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "less than 128")]
    out.push(left as u8);
}

fn sized_length(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| varint_length(bytes.len()) + bytes.len())
}

/// Bytes with their length in front, which is -1 where there are none.
#[inline]
fn put_sized(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => out.push(1),
        Some(bytes) => {
            put_varint(out, bytes.len());
            out.extend_from_slice(bytes);
        }
    }
}
