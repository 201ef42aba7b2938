//! Events → customers' entries and tallies: `stream/domain/apply.py` and `contribute` of
//! `stream/domain/entries.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::entry::{entries, Entry};
use crate::ledger::{bytes_of, Ledger};
use crate::merge::{merge, Events};
use crate::paged::PagedArray;
use crate::places::Places;
use crate::scratch::{Groups, Scratch, ALONE};
use crate::terms::{Cohorts, Config, Money, Tallies, Whole, Window, SUM_ROWS};
use crate::timeline::{Timeline, Unit};

/// The arrays that hold the tallies, and what decides where terms go.
#[pyclass(module = "stream.kernel._compiled")]
pub struct TallyBook {
    config: Config,
    #[pyo3(get)]
    counts: Py<PagedArray>,
    #[pyo3(get)]
    sums: Py<PagedArray>,
    #[pyo3(get)]
    gaps: Py<PagedArray>,
    #[pyo3(get)]
    money_places: Py<Places>,
    #[pyo3(get)]
    money_sums: Py<PagedArray>,
    #[pyo3(get)]
    money_nets: Py<PagedArray>,
    #[pyo3(get)]
    order_cohort_places: Py<Places>,
    #[pyo3(get)]
    order_cohorts: Py<PagedArray>,
    #[pyo3(get)]
    signup_cohort_places: Py<Places>,
    #[pyo3(get)]
    signup_cohorts: Py<PagedArray>,
    kept: Vec<i64>,
}

/// A merge that is not part of the ledger and the tallies yet.
#[pyclass(module = "stream.kernel._compiled")]
pub struct Merge {
    /// Distinct rows; for each what stays of its entries and what follows that.
    parts: Vec<Part>,
    /// New entries of all rows, one after the other.
    entries: Vec<u8>,
    duplicates: Vec<u8>,
    dimensions: usize,
}

struct Part {
    row: usize,
    /// Bytes of its entries that stay as they are.
    same: usize,
    /// Where in `entries` its new ones end.
    end: usize,
}

impl Merge {
    fn parts(&self) -> impl Iterator<Item = (&Part, &[u8])> {
        let begins = std::iter::once(0).chain(self.parts.iter().map(|part| part.end));
        self.parts.iter().zip(begins).map(|(part, begin)| (part, &self.entries[begin..part.end]))
    }
}

#[pymethods]
#[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
impl Merge {
    /// The distinct rows.
    #[getter]
    fn rows<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        PyArray1::from_iter(py, self.parts.iter().map(|part| signed(part.row)))
    }

    /// For each event 1 when it said nothing new.
    #[getter]
    fn duplicates<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u8>> {
        PyArray1::from_slice(py, &self.duplicates)
    }

    /// Per row and dimension the value code of its earliest carrier, after the merge.
    fn codes<'py>(
        &self,
        py: Python<'py>,
        ledger: PyRef<'_, Ledger>,
    ) -> PyResult<Bound<'py, PyArray2<i64>>> {
        let size = ledger.entry_size();
        let mut codes = vec![0; self.parts.len() * self.dimensions];
        if self.dimensions > 0 {
            for ((part, added), codes) in self.parts().zip(codes.chunks_exact_mut(self.dimensions))
            {
                let kept = &ledger.run(part.row)[..part.same];
                set_codes(entries(kept, size).chain(entries(added, size)), codes);
            }
        }
        PyArray1::from_vec(py, codes).reshape([self.parts.len(), self.dimensions])
    }
}

#[pymethods]
#[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
impl TallyBook {
    /// Args:
    ///     `bucket_ms`, `changes_ms`, `offsets_ms`: as of `stream/domain/calendar.py`.
    ///     windows: (buckets, "") of rolling ones, (0, unit) of calendar ones.
    ///     `net_limits`: see `stream/domain/nets.py`.
    ///     `gap_limits_ms`: see `stream/domain/gaps.py`.
    #[new]
    fn new(
        py: Python<'_>,
        bucket_ms: i64,
        changes_ms: Vec<i64>,
        offsets_ms: Vec<i64>,
        windows: Vec<(i64, String)>,
        net_limits: Vec<i64>,
        gap_limits_ms: Vec<i64>,
    ) -> PyResult<Self> {
        let unsound = || PyValueError::new_err("no such timeline or window");
        let timeline = Timeline::new(bucket_ms, changes_ms, offsets_ms).ok_or_else(unsound)?;
        let windows = windows.iter().map(window).collect::<Option<_>>().ok_or_else(unsound)?;
        let paged = |wide| Py::new(py, PagedArray::new(wide));
        let places = || Py::new(py, Places::default());
        Ok(Self {
            config: Config { timeline, windows, net_limits, gap_limits_ms },
            counts: paged(false)?,
            sums: paged(true)?,
            gaps: paged(false)?,
            money_places: places()?,
            money_sums: paged(true)?,
            money_nets: paged(true)?,
            order_cohort_places: places()?,
            order_cohorts: paged(false)?,
            signup_cohort_places: places()?,
            signup_cohorts: paged(false)?,
            kept: Vec::new(),
        })
    }

    /// A new segment row, all zeros.
    fn add_segment_row(&mut self, py: Python<'_>) -> usize {
        self.counts.borrow_mut(py).add_rows(self.config.counts_per_row());
        self.sums.borrow_mut(py).add_rows(SUM_ROWS);
        self.gaps.borrow_mut(py).add_rows(self.config.histogram_rows());
        self.kept.push(0);
        self.kept.len() - 1
    }

    /// Segment rows with any order, return or signup.
    fn occupied<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        let rows = (0..).zip(&self.kept).filter(|(_, kept)| **kept != 0).map(|(row, _)| row);
        PyArray1::from_iter(py, rows)
    }

    /// Put a merge's entries into the ledger, and the difference they make into the tallies.
    ///
    /// Args:
    ///     `old_segments`, `segments`: segment rows of its rows before and after, `[row, dimension]`.
    fn commit(
        &mut self,
        py: Python<'_>,
        merge: PyRef<'_, Merge>,
        mut ledger: PyRefMut<'_, Ledger>,
        old_segments: PyReadonlyArray2<'_, i64>,
        segments: PyReadonlyArray2<'_, i64>,
    ) -> PyResult<()> {
        let (old, new) = (self.checked(&old_segments)?, self.checked(&segments)?);
        let width = segments.as_array().ncols();
        if old.len() != merge.parts.len() * width || new.len() != old.len() {
            return Err(PyValueError::new_err("segments are not as many as rows"));
        }
        let (merge, ledger) = (&*merge, &mut *ledger);
        self.with_tallies(py, ledger.entry_size(), |tallies| {
            let segments = old.chunks_exact(width).zip(new.chunks_exact(width));
            for ((part, added), (old, new)) in merge.parts().zip(segments) {
                apply_part(tallies, ledger, part, added, old, new);
            }
            ledger.pack_if_holey();
        });
        Ok(())
    }

    /// Add what the customers of all rows are, or take it out.
    ///
    /// Args:
    ///     segments: segment rows of each, `[row, dimension]`.
    ///     sign: 1 or -1.
    fn contribute(
        &mut self,
        py: Python<'_>,
        ledger: PyRef<'_, Ledger>,
        segments: PyReadonlyArray2<'_, i64>,
        sign: i64,
    ) -> PyResult<()> {
        let rows = self.checked(&segments)?;
        let width = segments.as_array().ncols();
        if rows.len() != ledger.rows() * width {
            return Err(PyValueError::new_err("segments are not as many as rows"));
        }
        let ledger = &*ledger;
        self.with_tallies(py, ledger.entry_size(), |tallies| {
            contribute_all(tallies, ledger, &rows, width, sign);
        });
        Ok(())
    }
}

impl TallyBook {
    /// Segment rows, each one that there is.
    fn checked(&self, segments: &PyReadonlyArray2<'_, i64>) -> PyResult<Vec<usize>> {
        let rows = segments.as_array();
        let known = |row: &i64| usize::try_from(*row).ok().filter(|row| *row < self.kept.len());
        rows.iter()
            .map(known)
            .collect::<Option<_>>()
            .ok_or_else(|| PyValueError::new_err("no such segment row"))
    }

    /// Work on all tallies, while other threads may run Python.
    fn with_tallies(
        &mut self,
        py: Python<'_>,
        size: usize,
        work: impl FnOnce(&mut Tallies<'_>) + Send,
    ) {
        let (mut counts, mut sums) = (self.counts.borrow_mut(py), self.sums.borrow_mut(py));
        let mut gaps = self.gaps.borrow_mut(py);
        let mut money_places = self.money_places.borrow_mut(py);
        let mut money_sums = self.money_sums.borrow_mut(py);
        let mut money_nets = self.money_nets.borrow_mut(py);
        let mut order_places = self.order_cohort_places.borrow_mut(py);
        let mut order_cohorts = self.order_cohorts.borrow_mut(py);
        let mut signup_places = self.signup_cohort_places.borrow_mut(py);
        let mut signup_cohorts = self.signup_cohorts.borrow_mut(py);
        let mut tallies = Tallies {
            config: &self.config,
            counts: &mut counts,
            sums: &mut sums,
            gaps: &mut gaps,
            money: Money {
                places: &mut money_places,
                sums: &mut money_sums,
                nets: &mut money_nets,
            },
            order_cohorts: Cohorts { places: &mut order_places, counts: &mut order_cohorts },
            signup_cohorts: Cohorts { places: &mut signup_places, counts: &mut signup_cohorts },
            kept: &mut self.kept,
            size,
            terms: Vec::new(),
        };
        py.detach(|| work(&mut tallies));
    }
}

/// Merge events into their customers' entries, for `TallyBook.commit` to put in place.
///
/// Args:
///     ledger: the entries there are.
///     rows: the row of each event, which must be there.
///     events: events as entries, in order of arrival; cancellations with their own kind.
///     dimensions: values in an entry.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
pub fn merge_events(
    py: Python<'_>,
    ledger: PyRef<'_, Ledger>,
    rows: PyReadonlyArray1<'_, i64>,
    events: Bound<'_, PyAny>,
    dimensions: usize,
) -> PyResult<Merge> {
    let bytes = bytes_of(&events)?;
    let events = Events { bytes: bytes.as_slice()?, size: ledger.entry_size() };
    let count = rows.as_array().len();
    let mut by_row = Vec::with_capacity(count);
    for (place, row) in rows.as_array().iter().enumerate() {
        let known = usize::try_from(*row).ok().filter(|row| *row < ledger.rows());
        by_row.push((known.ok_or_else(|| PyValueError::new_err("no such row"))?, place));
    }
    if count != events.len() {
        return Err(PyValueError::new_err("events are not as many as their rows"));
    }
    let ledger = &*ledger;
    Ok(py.detach(|| {
        // By row, and in order of arrival within one.
        by_row.sort_unstable();
        let mut merged = Merge {
            parts: Vec::with_capacity(count),
            entries: Vec::with_capacity(events.bytes.len()),
            duplicates: vec![0; count],
            dimensions,
        };
        let mut places = Vec::new();
        let mut groups: Vec<_> = by_row.chunk_by(|one, other| one.0 == other.0).collect();
        // In order of arrival, which is about that of time: neighbours then add to the same few
        // cells, which stay in the processor's cache.
        groups.sort_unstable_by_key(|group| group[0].1);
        for group in groups {
            let row = group[0].0;
            places.clear();
            places.extend(group.iter().map(|(_, place)| *place));
            let old = ledger.run(row);
            let same = merge(old, events, &places, &mut merged.entries, &mut merged.duplicates);
            merged.parts.push(Part { row, same, end: merged.entries.len() });
        }
        merged
    }))
}

/// Per row and dimension the value code of its earliest carrier.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
pub fn carried_codes<'py>(
    py: Python<'py>,
    ledger: PyRef<'_, Ledger>,
    dimensions: usize,
) -> PyResult<Bound<'py, PyArray2<i64>>> {
    let mut codes = vec![0; ledger.rows() * dimensions];
    if dimensions > 0 {
        for (row, codes) in codes.chunks_exact_mut(dimensions).enumerate() {
            set_codes(entries(ledger.run(row), ledger.entry_size()), codes);
        }
    }
    PyArray1::from_vec(py, codes).reshape([ledger.rows(), dimensions])
}

/// Add what the customers of all rows are, or take it out.
fn contribute_all(
    tallies: &mut Tallies<'_>,
    ledger: &Ledger,
    segments: &[usize],
    width: usize,
    sign: i64,
) {
    let segments_of = |row: usize| &segments[row * width..(row + 1) * width];
    let groups = Groups::of(segments, width);
    for row in groups.few {
        contribute_row(tallies, ledger.run(row), segments_of(row), sign);
    }
    let (config, size) = (tallies.config, tallies.size);
    let mut scratch = Scratch::new(config);
    for group in groups.many {
        let mut apart = scratch.tallies(config, size);
        for row in &group {
            contribute_row(&mut apart, ledger.run(*row), &ALONE, sign);
        }
        scratch.add_to(tallies, segments_of(group[0]));
        scratch.clear(config);
    }
}

/// Add what a customer with these entries is, or take it out.
fn contribute_row(tallies: &mut Tallies<'_>, bytes: &[u8], segments: &[usize], sign: i64) {
    let whole = Whole::of(entries(bytes, tallies.size));
    tallies.contribute(bytes, 0, segments, &whole, sign);
    tallies.add_whole(&whole, segments, sign);
}

fn apply_part(
    tallies: &mut Tallies<'_>,
    ledger: &mut Ledger,
    part: &Part,
    added: &[u8],
    old_segments: &[usize],
    segments: &[usize],
) {
    let size = tallies.size;
    let old = ledger.run(part.row);
    if part.same == old.len() && added.is_empty() {
        return;
    }
    let before = Whole::of(entries(old, size));
    let after = Whole::of(entries(&old[..part.same], size).chain(entries(added, size)));
    // Segments and signup are part of every term.
    let is_elsewhere = old_segments != segments || before.signup_ms != after.signup_ms;
    let from = if is_elsewhere { 0 } else { part.same };
    tallies.contribute(old, from, old_segments, &before, -1);
    ledger.put(part.row, part.same, added);
    tallies.contribute(ledger.run(part.row), from, segments, &after, 1);
    if is_elsewhere || before != after {
        tallies.add_whole(&before, old_segments, -1);
        tallies.add_whole(&after, segments, 1);
    }
}

fn set_codes<'a>(entries: impl Iterator<Item = Entry<'a>>, codes: &mut [i64]) {
    let mut missing = codes.len();
    for entry in entries {
        if missing == 0 {
            return;
        }
        if !entry.is_carrier() {
            continue;
        }
        for (dimension, code) in codes.iter_mut().enumerate() {
            if *code == 0 && entry.value(dimension) != 0 {
                *code = i64::from(entry.value(dimension));
                missing -= 1;
            }
        }
    }
}

fn window(given: &(i64, String)) -> Option<Window> {
    Some(match (given.0, given.1.as_str()) {
        (length, "") if length > 0 => Window::Rolling(length),
        (0, "day") => Window::Calendar(Unit::Day),
        (0, "week") => Window::Calendar(Unit::Week),
        (0, "month") => Window::Calendar(Unit::Months(1)),
        (0, "quarter") => Window::Calendar(Unit::Months(3)),
        (0, "year") => Window::Calendar(Unit::Months(12)),
        _ => return None,
    })
}

fn signed(row: usize) -> i64 {
    i64::try_from(row).expect("rows are counted up from 0")
}
