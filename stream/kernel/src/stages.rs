//! What there is to tell of customers' stages: `stream/domain/stage_changes.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::entry::{entries, Entry};
use crate::ledger::{bytes_of, Ledger};
use crate::lifecycle::{Rules, Turn, Turns, NO_STAGE};

// `TOLD_TYPE` in `stream/domain/customers.py`.
const TOLD_SIZE: usize = 16;
const COUNT_AT: usize = 8;
const STAGE_AT: usize = 12;

const NOTHING_TO_COME_MS: i64 = i64::MAX;

/// Looks at customers by the rules of one configuration.
#[pyclass(frozen, module = "stream.kernel._compiled")]
pub struct Lifecycle {
    rules: Rules,
}

type Column<'py> = Bound<'py, PyArray1<i64>>;
/// What is told now; when each changes next; and the columns of the changes.
type LookedAt<'py> = (Bound<'py, PyArray1<u8>>, Column<'py>, [Column<'py>; 7]);

#[pymethods]
#[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
impl Lifecycle {
    #[new]
    fn new(
        new_ms: i64,
        at_risk_factor_hundredths: i64,
        at_risk_least_ms: i64,
        typical_interval_ms: i64,
        lapsed_ms: i64,
    ) -> Self {
        let rules = Rules {
            new_ms,
            at_risk_factor_hundredths,
            at_risk_least_ms,
            typical_interval_ms,
            lapsed_ms,
        };
        Self { rules }
    }

    /// What there is to tell of some rows.
    ///
    /// Args:
    ///     ledger: has their entries.
    ///     rows: distinct ones.
    ///     told: per row what was told of it.
    ///     `bound_ms`: changes before it are told.
    fn look_at<'py>(
        &self,
        py: Python<'py>,
        ledger: PyRef<'_, Ledger>,
        rows: PyReadonlyArray1<'_, i64>,
        told: Bound<'_, PyAny>,
        bound_ms: i64,
    ) -> PyResult<LookedAt<'py>> {
        let rows = rows.as_array().into_iter().map(|row| Ok((*row, ledger.checked(*row)?)));
        let rows = rows.collect::<PyResult<Vec<_>>>()?;
        let mut told = bytes_of(&told)?.as_slice()?.to_vec();
        if told.len() != rows.len() * TOLD_SIZE {
            return Err(PyValueError::new_err("what was told is not of as many as rows"));
        }
        let ledger = &*ledger;
        let (next_ms, changes) = py.detach(|| {
            let mut turns = Turns::new(&self.rules);
            let mut order_ms = Vec::new();
            let mut changes = Vec::new();
            let each = rows.iter().zip(told.chunks_exact_mut(TOLD_SIZE));
            let next_ms: Vec<_> = each
                .map(|((row, at), told)| {
                    order_ms.clear();
                    let live = entries(ledger.run(*at), ledger.entry_size())
                        .filter(|entry| entry.is_live_order());
                    order_ms.extend(live.map(Entry::time_ms));
                    let mut told = Told(told);
                    let turns = turns.of(&order_ms, told.through_ms());
                    told.tell(*row, turns, bound_ms, &mut changes)
                })
                .collect();
            (next_ms, changes)
        });
        let column = |of: fn(&Change) -> i64| PyArray1::from_iter(py, changes.iter().map(of));
        let columns = [
            column(|change| change.row),
            column(|change| change.turn.time_ms),
            column(|change| i64::from(change.from_stage)),
            column(|change| i64::from(change.turn.stage)),
            column(|change| change.number),
            column(|change| i64::try_from(change.turn.orders).expect("orders fit memory")),
            column(|change| change.turn.last_order_ms),
        ];
        Ok((PyArray1::from_vec(py, told), PyArray1::from_vec(py, next_ms), columns))
    }
}

fn through_ms(told: &[u8]) -> i64 {
    i64::from_le_bytes(told[..COUNT_AT].try_into().expect("as long as it is"))
}

/// A turn that is told because the customer was something else before.
struct Change {
    row: i64,
    turn: Turn,
    from_stage: u8,
    number: i64,
}

/// The record of what was told of a customer.
struct Told<'a>(&'a mut [u8]);

impl Told<'_> {
    fn through_ms(&self) -> i64 {
        through_ms(self.0)
    }

    fn count(&self) -> u32 {
        u32::from_le_bytes(self.0[COUNT_AT..STAGE_AT].try_into().expect("as long as it is"))
    }

    fn stage(&self) -> u8 {
        self.0[STAGE_AT]
    }

    /// Tell a customer's turns that are past; the time of its next change.
    fn tell(&mut self, row: i64, turns: &[Turn], bound_ms: i64, changes: &mut Vec<Change>) -> i64 {
        let through_ms = self.through_ms();
        let mut number = i64::from(self.count());
        let mut from_stage = self.stage();
        let known = turns.partition_point(|turn| turn.time_ms <= through_ms);
        // Something was told of it, and there is none of its orders any more up to there.
        let gone = Turn { time_ms: through_ms, stage: NO_STAGE, orders: 0, last_order_ms: 0 };
        let gone = (known == 0 && from_stage != NO_STAGE).then_some(gone);
        for turn in gone.iter().chain(&turns[known.saturating_sub(1)..]) {
            let is_change = turn.stage != from_stage;
            // Also where the clock went back: what was told cannot be told by it again.
            let is_past = turn.time_ms < bound_ms || turn.time_ms <= through_ms;
            if is_change && !is_past {
                return turn.time_ms;
            }
            if is_change {
                number += 1;
                changes.push(Change { row, turn: *turn, from_stage, number });
                from_stage = turn.stage;
            }
            if is_past {
                self.set(turn, number);
            }
        }
        NOTHING_TO_COME_MS
    }

    fn set(&mut self, turn: &Turn, number: i64) {
        self.0[..COUNT_AT].copy_from_slice(&turn.time_ms.to_le_bytes());
        self.0[COUNT_AT..STAGE_AT].copy_from_slice(&number.to_le_bytes()[..STAGE_AT - COUNT_AT]);
        self.0[STAGE_AT] = turn.stage;
    }
}
