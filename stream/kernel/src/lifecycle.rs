//! One customer's timeline: `turns` of `stream/domain/lifecycle.py` with the medians of
//! `stream/domain/medians.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

// Numbers of the stages.
pub const NO_STAGE: u8 = 0;
const NEW: u8 = 1;
const ACTIVE: u8 = 2;
const REPEAT: u8 = 3;
const AT_RISK: u8 = 4;
const LAPSED: u8 = 5;
const REACTIVATED: u8 = 6;

/// Gaps from which on a customer's own interval counts: one less than orders.
const GAPS_OF_A_RHYTHM: usize = 2;

/// As `LifecycleRules` in `stream/domain/lifecycle_rules.py`.
pub struct Rules {
    pub new_ms: i64,
    pub at_risk_factor_hundredths: i64,
    pub at_risk_least_ms: i64,
    pub typical_interval_ms: i64,
    pub lapsed_ms: i64,
}

/// An instant of a customer's timeline, and what the customer is from then on.
#[derive(Clone, Copy)]
pub struct Turn {
    pub time_ms: i64,
    pub stage: u8,
    /// Orders up to then, and the time of the last one.
    pub orders: usize,
    pub last_order_ms: i64,
}

/// Finds the turns of one customer after the other.
pub struct Turns<'a> {
    rules: &'a Rules,
    found: Vec<Turn>,
    /// Times between a customer's orders so far, ascending.
    gaps_ms: Vec<i64>,
}

impl<'a> Turns<'a> {
    pub fn new(rules: &'a Rules) -> Self {
        Self { rules, found: Vec::new(), gaps_ms: Vec::new() }
    }

    /// The turns of a customer in order of time, those by time passing included.
    ///
    /// `order_ms`: times of all its orders, ascending. `since_ms`: of the turns up to it, at least
    /// the last one is there.
    pub fn of(&mut self, order_ms: &[i64], since_ms: i64) -> &[Turn] {
        self.found.clear();
        let up_to = order_ms.partition_point(|time_ms| *time_ms <= since_ms);
        // Whether the last one came in time depends on the one before.
        let begin = up_to.saturating_sub(2);
        self.note_gaps(&order_ms[..order_ms.len().min(begin + 1)]);
        let mut due_ms = i64::MAX;
        for (number, time_ms) in (0..).zip(order_ms).skip(begin) {
            if number > begin {
                self.note_gap(time_ms - order_ms[number - 1]);
            }
            let came_in_time = *time_ms <= due_ms;
            let overdue_ms = self.overdue_ms();
            due_ms = time_ms + overdue_ms.min(self.rules.lapsed_ms);
            // An earlier one that is looked at only tells when the next one was due.
            if number == 0 || number > begin {
                let stage = match (number, came_in_time) {
                    (0, _) => NEW,
                    (_, true) => REPEAT,
                    (_, false) => REACTIVATED,
                };
                let next_ms = order_ms.get(number + 1).copied().unwrap_or(i64::MAX);
                self.push(number, *time_ms, stage, overdue_ms, next_ms);
            }
        }
        &self.found
    }

    /// What an order brings about, and then time up to the next order.
    fn push(&mut self, number: usize, order_ms: i64, stage: u8, overdue_ms: i64, next_ms: i64) {
        let Rules { new_ms, lapsed_ms, .. } = *self.rules;
        let is_new = stage == NEW && new_ms < overdue_ms.min(lapsed_ms);
        let by_time = [
            (is_new, new_ms, ACTIVE),
            (overdue_ms < lapsed_ms, overdue_ms, AT_RISK),
            (true, lapsed_ms, LAPSED),
        ];
        let turn =
            |time_ms, stage| Turn { time_ms, stage, orders: number + 1, last_order_ms: order_ms };
        self.found.push(turn(order_ms, stage));
        for (applies, after_ms, stage) in by_time {
            if applies && order_ms + after_ms < next_ms {
                self.found.push(turn(order_ms + after_ms, stage));
            }
        }
    }

    /// The time without another order that makes it late, after the gaps so far.
    fn overdue_ms(&self) -> i64 {
        let (gaps_ms, rules) = (&self.gaps_ms, self.rules);
        let doubled_ms = if gaps_ms.len() < GAPS_OF_A_RHYTHM {
            2 * rules.typical_interval_ms
        } else {
            gaps_ms[(gaps_ms.len() - 1) / 2] + gaps_ms[gaps_ms.len() / 2]
        };
        // Who orders less often than that lapses before; so large numbers stay out of the product.
        let doubled_ms = doubled_ms.min(2 * rules.lapsed_ms);
        (doubled_ms * rules.at_risk_factor_hundredths / 200).max(rules.at_risk_least_ms)
    }

    /// Begin with the gaps between a customer's first orders.
    fn note_gaps(&mut self, order_ms: &[i64]) {
        self.gaps_ms.clear();
        self.gaps_ms.extend(order_ms.windows(2).map(|pair| pair[1] - pair[0]));
        self.gaps_ms.sort_unstable();
    }

    fn note_gap(&mut self, gap_ms: i64) {
        let at = self.gaps_ms.partition_point(|known_ms| *known_ms <= gap_ms);
        self.gaps_ms.insert(at, gap_ms);
    }
}
