//! Every customer's entries in one pool: `stream/domain/ledger.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

use std::collections::HashMap;

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;

use crate::entry::Entry;

/// Holes are packed away when they are this part of the pool.
const HOLES_DIVISOR: usize = 6;
const LEAST_ROOM: usize = 64;

/// Where a customer's entries are, counted in entries.
#[derive(Clone, Copy, Default)]
struct Run {
    start: u32,
    length: u32,
    room: u32,
}

/// Runs of entries by row.
#[pyclass(module = "stream.kernel._compiled")]
pub struct Ledger {
    entry_type: Py<PyAny>,
    entry_size: usize,
    pool: Vec<u8>,
    runs: Vec<Run>,
    /// By room, where holes begin.
    free: HashMap<u32, Vec<u32>>,
    /// Entries that fit into holes.
    holes: usize,
}

type Gathered<'py> = (Bound<'py, PyAny>, Bound<'py, PyArray1<i64>>);

impl Ledger {
    pub fn entry_size(&self) -> usize {
        self.entry_size
    }

    pub fn rows(&self) -> usize {
        self.runs.len()
    }

    /// The entries of a row, which must be there.
    #[inline]
    pub fn run(&self, row: usize) -> &[u8] {
        let run = self.runs[row];
        let first = run.start as usize * self.entry_size;
        &self.pool[first..first + run.length as usize * self.entry_size]
    }

    /// Put entries in place of those of a row that come after its first `keep` bytes.
    pub fn put(&mut self, row: usize, keep: usize, entries: &[u8]) {
        let needed = (keep + entries.len()) / self.entry_size;
        if needed > self.runs[row].room as usize {
            self.move_to_larger(row, needed, keep);
        }
        let first = self.runs[row].start as usize * self.entry_size + keep;
        self.pool[first..first + entries.len()].copy_from_slice(entries);
        self.runs[row].length = small(needed);
    }

    /// Pack the pool when it is full of holes; not to be called between reading and writing.
    pub fn pack_if_holey(&mut self) {
        let used = self.pool.len() / self.entry_size;
        if self.holes * HOLES_DIVISOR <= used || used < LEAST_ROOM {
            return;
        }
        let mut packed = Vec::with_capacity(self.pool.len() - self.holes * self.entry_size);
        for run in &mut self.runs {
            let first = run.start as usize * self.entry_size;
            let bytes = run.room as usize * self.entry_size;
            run.start = small(packed.len() / self.entry_size);
            packed.extend_from_slice(&self.pool[first..first + bytes]);
        }
        self.pool = packed;
        self.free.clear();
        self.holes = 0;
    }

    /// Give a row a larger run, with its first `keep` bytes.
    fn move_to_larger(&mut self, row: usize, needed: usize, keep: usize) {
        let old = self.runs[row];
        let room = room_for(needed);
        let start = self.take(room);
        let kept = old.start as usize * self.entry_size;
        self.pool.copy_within(kept..kept + keep, start as usize * self.entry_size);
        if old.room > 0 {
            self.free.entry(old.room).or_default().push(old.start);
            self.holes += old.room as usize;
        }
        self.runs[row] = Run { start, room, ..old };
    }

    /// Where a run of this room may begin: in a hole, or at the end of the pool.
    fn take(&mut self, room: u32) -> u32 {
        if let Some(hole) = self.free.get_mut(&room).and_then(Vec::pop) {
            self.holes -= room as usize;
            return hole;
        }
        let start = small(self.pool.len() / self.entry_size);
        self.reserve(room as usize * self.entry_size);
        self.pool.resize(self.pool.len() + room as usize * self.entry_size, 0);
        start
    }

    /// Half as much again, and not twice: the pool is most of the memory of a worker.
    fn reserve(&mut self, bytes: usize) {
        if self.pool.len() + bytes > self.pool.capacity() {
            self.pool.reserve_exact(bytes + self.pool.len() / 2);
        }
    }

    /// The place of a row, when there is such a row.
    pub fn checked(&self, row: i64) -> PyResult<usize> {
        usize::try_from(row)
            .ok()
            .filter(|row| *row < self.runs.len())
            .ok_or_else(|| PyIndexError::new_err("no such row"))
    }

    /// Distinct rows with the part of the entries that is each one's.
    fn parts<'a>(
        &self,
        rows: &PyReadonlyArray1<'_, i64>,
        lengths: &PyReadonlyArray1<'_, i64>,
        entries: &'a [u8],
    ) -> PyResult<Vec<(usize, &'a [u8])>> {
        let mut rest = entries;
        let mut parts = Vec::with_capacity(rows.as_array().len());
        for (row, length) in rows.as_array().iter().zip(lengths.as_array()) {
            let bytes = usize::try_from(*length).ok().and_then(|n| n.checked_mul(self.entry_size));
            let split = bytes.and_then(|bytes| rest.split_at_checked(bytes));
            let (part, after) = split.ok_or_else(|| PyValueError::new_err("too few entries"))?;
            parts.push((self.checked(*row)?, part));
            rest = after;
        }
        Ok(parts)
    }
}

#[pymethods]
#[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
impl Ledger {
    /// `entry_type`: numpy's type of an entry.
    #[new]
    fn new(entry_type: Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            entry_size: entry_type.getattr("itemsize")?.extract()?,
            entry_type: entry_type.unbind(),
            pool: Vec::new(),
            runs: Vec::new(),
            free: HashMap::new(),
            holes: 0,
        })
    }

    #[getter(rows)]
    fn py_rows(&self) -> usize {
        self.runs.len()
    }

    #[getter]
    fn nbytes(&self) -> usize {
        self.pool.len() + size_of_val(self.runs.as_slice())
    }

    #[getter]
    fn entries(&self) -> usize {
        self.runs.iter().map(|run| run.length as usize).sum()
    }

    /// Append rows without entries.
    fn add_rows(&mut self, count: usize) {
        self.runs.resize(self.runs.len() + count, Run::default());
    }

    /// How many entries each row has.
    fn lengths<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let lengths = rows
            .as_array()
            .into_iter()
            .map(|row| self.checked(*row).map(|row| i64::from(self.runs[row].length)));
        Ok(PyArray1::from_vec(py, lengths.collect::<PyResult<_>>()?))
    }

    /// Time of each row's last entry, or `never_ms`.
    fn latest_ms<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'_, i64>,
        never_ms: i64,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let times = rows.as_array().into_iter().map(|row| {
            let run = self.run(self.checked(*row)?);
            let last = run.rchunks_exact(self.entry_size).next();
            Ok(last.map_or(never_ms, |last| Entry(last).time_ms()))
        });
        Ok(PyArray1::from_vec(py, times.collect::<PyResult<_>>()?))
    }

    /// All entries of some rows, in the order given, and how many each row has.
    fn gather<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Gathered<'py>> {
        let rows = rows.as_array().into_iter().map(|row| self.checked(*row));
        let rows = rows.collect::<PyResult<Vec<_>>>()?;
        let total: usize = rows.iter().map(|row| self.runs[*row].length as usize).sum();
        let mut bytes = Vec::with_capacity(total * self.entry_size);
        for row in &rows {
            bytes.extend_from_slice(self.run(*row));
        }
        let lengths = rows.iter().map(|row| i64::from(self.runs[*row].length)).collect();
        let entries = PyArray1::from_vec(py, bytes);
        Ok((entries.call_method1("view", (&self.entry_type,))?, PyArray1::from_vec(py, lengths)))
    }

    /// Append to the runs of distinct rows: the next `added[i]` of the entries go to `rows[i]`.
    #[pyo3(name = "append")]
    fn py_append(
        &mut self,
        rows: PyReadonlyArray1<'_, i64>,
        added: PyReadonlyArray1<'_, i64>,
        entries: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let entries = bytes_of(&entries)?;
        for (row, part) in self.parts(&rows, &added, entries.as_slice()?)? {
            self.put(row, self.run(row).len(), part);
        }
        self.pack_if_holey();
        Ok(())
    }

    /// Give distinct rows new runs: the next `lengths[i]` of the entries are `rows[i]`'s.
    #[pyo3(name = "replace")]
    fn py_replace(
        &mut self,
        rows: PyReadonlyArray1<'_, i64>,
        lengths: PyReadonlyArray1<'_, i64>,
        entries: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let entries = bytes_of(&entries)?;
        for (row, part) in self.parts(&rows, &lengths, entries.as_slice()?)? {
            self.put(row, 0, part);
        }
        self.pack_if_holey();
        Ok(())
    }

    /// Append rows with their runs, packed.
    fn load(
        &mut self,
        lengths: PyReadonlyArray1<'_, i64>,
        entries: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let entries = bytes_of(&entries)?;
        let entries = entries.as_slice()?;
        let total: i64 = lengths.as_array().iter().sum();
        if usize::try_from(total).ok().and_then(|total| total.checked_mul(self.entry_size))
            != Some(entries.len())
        {
            return Err(PyValueError::new_err("entries are not as many as their rows have"));
        }
        let mut start = small(self.pool.len() / self.entry_size);
        for length in lengths.as_array() {
            let length = u32::try_from(*length)?;
            self.runs.push(Run { start, length, room: length });
            start += length;
        }
        self.reserve(entries.len());
        self.pool.extend_from_slice(entries);
        Ok(())
    }
}

/// An array of entries as bytes.
pub fn bytes_of<'py>(entries: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray1<'py, u8>> {
    entries.call_method1("view", ("u1",))?.extract::<PyReadonlyArray1<u8>>()
}

/// Few sizes, so that the hole one leaves fits another. Most customers have one order; three fit
/// exactly.
fn room_for(needed: usize) -> u32 {
    if needed <= 1 {
        return small(needed);
    }
    let mut room = 3;
    while room < needed {
        room *= 2;
    }
    small(room)
}

/// Places in the pool are 32 bits: two billion entries are 80 GB.
fn small(number: usize) -> u32 {
    u32::try_from(number).expect("more than four billion entries do not fit memory")
}
