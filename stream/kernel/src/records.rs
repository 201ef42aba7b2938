//! The records of Kafka's record batches, format 2, taken apart in one pass.
//!
//! Format: <https://kafka.apache.org/documentation/#record>

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A record as it stands among the bytes.
pub struct Record<'a> {
    offset_delta: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    headers_at: usize,
}

/// Where a batch's records are, and what its header says of them.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// Bytes of which a part is what follows the header, uncompressed.
    pub data: &'a [u8],
    /// From where to where.
    pub part: (usize, usize),
    pub base_offset: i64,
    pub count: i64,
}

type Header<'a> = (&'a str, Option<&'a [u8]>);

/// `None` anywhere means that the bytes are not what they should be.
impl<'a> Reader<'a> {
    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn varint(&mut self) -> Option<i64> {
        let mut raw: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            raw |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                // Zigzag: 0, -1, 1, -2, …
                #[expect(clippy::cast_possible_wrap, reason = "the sign bit is what was encoded")]
                return Some((raw >> 1) as i64 ^ -((raw & 1) as i64));
            }
        }
        None
    }

    /// Bytes with their length in front; nothing for a negative length.
    #[inline]
    fn sized(&mut self) -> Option<Option<&'a [u8]>> {
        let length = self.varint()?;
        if length < 0 {
            return Some(None);
        }
        let end = self.at.checked_add(usize::try_from(length).ok()?)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(Some(bytes))
    }

    #[inline]
    fn header_count(&mut self) -> Option<i64> {
        self.varint().filter(|count| *count >= 0)
    }

    #[inline]
    fn header(&mut self) -> Option<Header<'a>> {
        let name = std::str::from_utf8(self.sized()??).ok()?;
        Some((name, self.sized()?))
    }

    /// One whole record; its headers are looked through, so that to read them later cannot fail.
    #[inline]
    fn record(&mut self) -> Option<Record<'a>> {
        let length = usize::try_from(self.varint()?).ok()?;
        let end = self.at.checked_add(length)?;
        self.varint()?; // attributes: none are in use, and aiokafka reads them so
        self.varint()?; // the time Kafka took it, which decides nothing
        let offset_delta = self.varint()?;
        let (key, value) = (self.sized()?, self.sized()?);
        let headers_at = self.at;
        for _ in 0..self.header_count()? {
            self.header()?;
        }
        (self.at == end).then_some(Record { offset_delta, key, value, headers_at })
    }
}

fn corrupt() -> PyErr {
    PyValueError::new_err("a record batch is cut short, or not what its format says")
}

/// Offsets (as int64 bytes), keys, values, and where each record's headers begin (int64 bytes).
type Columns<'py> =
    (Bound<'py, PyBytes>, Bound<'py, PyList>, Bound<'py, PyList>, Bound<'py, PyBytes>);

impl<'a> Batch<'a> {
    /// Hand on each record from an offset on, with its offset, but none that goes back.
    pub fn each_from(
        self,
        from_offset: i64,
        mut take: impl FnMut(i64, &Record<'a>) -> PyResult<()>,
    ) -> PyResult<()> {
        let (first, end) = self.part;
        if self.count < 0 {
            return Err(corrupt());
        }
        let bytes = self.data.get(..end).ok_or_else(corrupt)?;
        let mut reader = Reader { bytes, at: first };
        let mut next_offset = from_offset;
        for _ in 0..self.count {
            let record = reader.record().ok_or_else(corrupt)?;
            let offset = self.base_offset.checked_add(record.offset_delta).ok_or_else(corrupt)?;
            if offset >= next_offset {
                next_offset = offset.checked_add(1).ok_or_else(corrupt)?;
                take(offset, &record)?;
            }
        }
        if reader.at != end {
            return Err(corrupt());
        }
        Ok(())
    }
}

/// The records of a batch from an offset on.
///
/// `data`: bytes of which a `part`, from a place to a place, is what follows the header, uncompressed;
/// `base_offset` and `count`: as the header says.
#[pyfunction]
pub fn read_records<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyBytes>,
    part: (usize, usize),
    base_offset: i64,
    count: i64,
    from_offset: i64,
) -> PyResult<Columns<'py>> {
    let batch = Batch { data: data.as_bytes(), part, base_offset, count };
    let (mut offsets, mut headers) = (Vec::new(), Vec::new());
    let (keys, values) = (PyList::empty(py), PyList::empty(py));
    batch.each_from(from_offset, |offset, record| {
        offsets.extend_from_slice(&offset.to_ne_bytes());
        headers.extend_from_slice(&(record.headers_at as u64).to_ne_bytes());
        keys.append(record.key.map(|key| PyBytes::new(py, key)))?;
        values.append(record.value.map(|value| PyBytes::new(py, value)))
    })?;
    Ok((PyBytes::new(py, &offsets), keys, values, PyBytes::new(py, &headers)))
}

/// The headers of the record whose headers begin at a place of `data`.
#[pyfunction]
pub fn read_headers<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyBytes>,
    at: usize,
) -> PyResult<Vec<(String, Option<Bound<'py, PyBytes>>)>> {
    let mut reader = Reader { bytes: data.as_bytes(), at };
    let count = reader.header_count().ok_or_else(corrupt)?;
    (0..count)
        .map(|_| {
            let (name, value) = reader.header().ok_or_else(corrupt)?;
            Ok((name.to_owned(), value.map(|value| PyBytes::new(py, value))))
        })
        .collect()
}
