//! Rows made for pairs of numbers when first met: of `stream/domain/places.py`, compiled.

use pyo3::prelude::*;
use rustc_hash::FxHashMap;

/// Numbers from 0 on for pairs, in the order in which they came.
#[pyclass(module = "stream.kernel._compiled")]
#[derive(Default)]
pub struct Places {
    numbers: FxHashMap<(i64, i64), usize>,
    pairs: Vec<(i64, i64)>,
    last: Option<((i64, i64), usize)>,
}

impl Places {
    /// The place of a pair; `make` is called when it is new.
    #[inline]
    pub fn of(&mut self, pair: (i64, i64), make: impl FnOnce()) -> usize {
        match self.last {
            Some((last, place)) if last == pair => return place,
            _ => {}
        }
        let next = self.pairs.len();
        let place = *self.numbers.entry(pair).or_insert(next);
        if place == next {
            self.pairs.push(pair);
            make();
        }
        self.last = Some((pair, place));
        place
    }

    /// Every pair, by place.
    pub fn all(&self) -> &[(i64, i64)] {
        &self.pairs
    }
}

#[pymethods]
impl Places {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Every pair, by place.
    fn pairs(&self) -> Vec<(i64, i64)> {
        self.pairs.clone()
    }
}
