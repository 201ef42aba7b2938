//! Customers' entries → terms in the tallies: `contribute` of `stream/domain/entries.py` and
//! `stream/domain/terms.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

use crate::entry::{entries, Entry, GUEST_ORDER, RETURN, SIGNUP};
use crate::paged::PagedArray;
use crate::places::Places;
use crate::timeline::{month_of_day, period_of_day, Moment, Timeline, Unit};

// Rows under a segment row in `counts`; four per window follow.
const FIRST_ORDERS: usize = 0;
const ORDERS: usize = 1;
const SIGNUPS: usize = 2;
const REORDERS: usize = 3;
const REPEATERS: usize = 4;
const WINDOWS_FROM: usize = 5;
const ACTIVE: usize = 0;
const RETAINED: usize = 1;
const REPEAT: usize = 2;
const ACTIVATED: usize = 3;
const COUNTS_PER_WINDOW: usize = 4;
// Rows under a segment row in `sums`.
const SOLD: usize = 0;
const RETURNED: usize = 1;
const GAP_MS: usize = 2;
const MEAN_INTERVAL_MS: usize = 3;
pub const SUM_ROWS: usize = 4;
// Rows under a money place.
const GROSS: usize = 0;
const REFUNDED: usize = 1;
const ORDERS_PAID: usize = 2;
const GUESTS_GROSS: usize = 3;
const PAYERS: usize = 4;
pub const MONEY_ROWS: usize = 5;
// Rows under a money place in `nets`.
const CUSTOMERS: usize = 0;
const MINOR_UNITS: usize = 1;
pub const NET_ROWS: usize = 2;
// Rows under a cohort.
const BACK: usize = 0;
const MEMBERS: usize = 1;
pub const COHORT_ROWS: usize = 2;

#[derive(Clone, Copy)]
pub enum Window {
    Rolling(i64),
    Calendar(Unit),
}

/// What decides where terms go.
pub struct Config {
    pub timeline: Timeline,
    pub windows: Vec<Window>,
    /// Least nets of the buckets from 1 on.
    pub net_limits: Vec<i64>,
    /// Upper limits of the buckets of the histogram of gaps, inclusive.
    pub gap_limits_ms: Vec<i64>,
}

impl Config {
    pub fn counts_per_row(&self) -> usize {
        WINDOWS_FROM + COUNTS_PER_WINDOW * self.windows.len()
    }

    pub fn histogram_rows(&self) -> usize {
        self.gap_limits_ms.len() + 1
    }
}

/// Money by (segment row, currency).
pub struct Money<'a> {
    pub places: &'a mut Places,
    pub sums: &'a mut PagedArray,
    pub nets: &'a mut PagedArray,
}

impl Money<'_> {
    #[inline]
    fn place(&mut self, segment: usize, currency: u16) -> usize {
        self.place_of(segment, i64::from(currency))
    }

    /// The place of a segment row and a currency's number.
    #[inline]
    pub fn place_of(&mut self, segment: usize, currency: i64) -> usize {
        let (sums, nets) = (&mut *self.sums, &mut *self.nets);
        self.places.of((signed(segment), currency), || {
            sums.add_rows(MONEY_ROWS);
            nets.add_rows(NET_ROWS);
        })
    }

    #[inline]
    fn add(&mut self, segment: usize, currency: u16, slot: i64, terms: &[(usize, i64)]) {
        let base = self.place(segment, currency) * MONEY_ROWS;
        for (row, amount) in terms {
            self.sums.add(base + row, slot, *amount);
        }
    }
}

/// Customers of whole stores by a month.
pub struct Cohorts<'a> {
    pub places: &'a mut Places,
    pub counts: &'a mut PagedArray,
}

impl Cohorts<'_> {
    #[inline]
    pub fn place(&mut self, store: usize, month: i64) -> usize {
        let counts = &mut *self.counts;
        self.places.of((signed(store), month), || {
            counts.add_rows(COHORT_ROWS);
        })
    }

    #[inline]
    fn add(&mut self, row: usize, store: usize, month: i64, slot: i64, amount: i64) {
        let place = self.place(store, month);
        self.counts.add(place * COHORT_ROWS + row, slot, amount);
    }
}

/// All the tallies there are.
pub struct Tallies<'a> {
    pub config: &'a Config,
    pub counts: &'a mut PagedArray,
    pub sums: &'a mut PagedArray,
    pub gaps: &'a mut PagedArray,
    pub money: Money<'a>,
    pub order_cohorts: Cohorts<'a>,
    pub signup_cohorts: Cohorts<'a>,
    /// By segment row: entries that make it one to show.
    pub kept: &'a mut [i64],
    /// Bytes of an entry.
    pub size: usize,
    /// Room for the terms of one entry.
    pub terms: Vec<CountTerm>,
}

/// A term in `counts` under every segment row of a customer: row, cell, amount.
pub type CountTerm = (usize, i64, i64);

/// When something was.
#[derive(Clone, Copy)]
struct Point {
    time_ms: i64,
    moment: Moment,
    month: i64,
}

impl Point {
    #[inline]
    fn new(timeline: &Timeline, time_ms: i64) -> Self {
        let moment = timeline.moment(time_ms);
        Self { time_ms, moment, month: month_of_day(moment.day) }
    }
}

/// What came before an order of the same customer.
#[derive(Default)]
struct History {
    orders: usize,
    first: Option<Point>,
    previous: Option<Point>,
    before: Option<Point>,
    currency: Option<u16>,
    other_currencies: Vec<u16>,
}

impl History {
    /// After these entries.
    fn after(bytes: &[u8], size: usize, timeline: &Timeline) -> Self {
        let mut history = Self::default();
        let (mut first_ms, mut previous_ms, mut before_ms) = (None, None, None);
        for entry in entries(bytes, size).filter(|entry| entry.is_live_order()) {
            history.pays_first_in(entry.currency());
            history.orders += 1;
            first_ms.get_or_insert(entry.time_ms());
            before_ms = previous_ms.replace(entry.time_ms());
        }
        let point = |time_ms: Option<i64>| time_ms.map(|time_ms| Point::new(timeline, time_ms));
        Self {
            first: point(first_ms),
            previous: point(previous_ms),
            before: point(before_ms),
            ..history
        }
    }

    #[inline]
    fn push(&mut self, order: Point) {
        self.orders += 1;
        self.first.get_or_insert(order);
        self.before = self.previous.replace(order);
    }

    /// Note a currency; whether it is met for the first time.
    #[inline]
    fn pays_first_in(&mut self, currency: u16) -> bool {
        let first = *self.currency.get_or_insert(currency);
        if first == currency {
            return self.orders == 0;
        }
        let is_first = !self.other_currencies.contains(&currency);
        if is_first {
            self.other_currencies.push(currency);
        }
        is_first
    }
}

/// What an order changes in its customer's mean interval: see `stream/domain/gaps.py`.
#[expect(clippy::cast_precision_loss, reason = "times and counts are below 2^53")]
#[expect(clippy::cast_possible_truncation, reason = "they are again after the division")]
fn mean_interval_change_ms(history: &History, previous: Point, order: Point) -> i64 {
    let first_ms = history.first.unwrap_or(order).time_ms;
    let mean = |until_ms: i64, intervals: usize| {
        ((until_ms - first_ms) as f64 / intervals as f64).round_ties_even() as i64
    };
    mean(order.time_ms, history.orders) - mean(previous.time_ms, (history.orders - 1).max(1))
}

/// What the entries of a customer say in all, in one pass over them.
#[derive(Default, PartialEq)]
pub struct Whole {
    pub signup_ms: Option<i64>,
    first_order_ms: Option<i64>,
    /// What is left of orders less returns in the first currency, and in others.
    net: Option<Net>,
    other_nets: Vec<Net>,
}

#[derive(Clone, Copy, PartialEq)]
struct Net {
    currency: u16,
    minor_units: i64,
    has_order: bool,
}

impl Whole {
    pub fn of<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Self {
        let mut whole = Self::default();
        for entry in entries {
            if entry.is_live_order() {
                whole.first_order_ms.get_or_insert(entry.time_ms());
                whole.pay(entry.currency(), entry.minor_units(), true);
            } else if entry.kind() == RETURN {
                whole.pay(entry.currency(), entry.minor_units().wrapping_neg(), false);
            } else if entry.kind() == SIGNUP {
                whole.signup_ms.get_or_insert(entry.time_ms());
            }
        }
        whole
    }

    #[inline]
    fn pay(&mut self, currency: u16, minor_units: i64, is_order: bool) {
        let known = self.net.iter_mut().chain(&mut self.other_nets);
        if let Some(net) = known.into_iter().find(|net| net.currency == currency) {
            net.minor_units = net.minor_units.wrapping_add(minor_units);
            net.has_order |= is_order;
            return;
        }
        let net = Net { currency, minor_units, has_order: is_order };
        if self.net.is_none() {
            self.net = Some(net);
        } else {
            self.other_nets.push(net);
        }
    }
}

impl Tallies<'_> {
    /// Add what a customer's single entries from byte `from` on are, or take it out.
    ///
    /// Args:
    ///     bytes: all its entries.
    ///     segments: its segment rows; the first is the whole store.
    ///     whole: of these entries.
    ///     sign: 1 or -1.
    pub fn contribute(
        &mut self,
        bytes: &[u8],
        from: usize,
        segments: &[usize],
        whole: &Whole,
        sign: i64,
    ) {
        let (before, rest) = bytes.split_at(from);
        let mut history = History::after(before, self.size, &self.config.timeline);
        let mut has_signup = entries(before, self.size).any(|entry| entry.kind() == SIGNUP);
        for entry in entries(rest, self.size) {
            if entry.is_live_order() {
                let order = Point::new(&self.config.timeline, entry.time_ms());
                let is_first_paid = history.pays_first_in(entry.currency());
                self.add_order(entry, order, &history, is_first_paid, segments, whole, sign);
                history.push(order);
            } else if entry.kind() == SIGNUP {
                if !has_signup {
                    self.add_signup(entry.time_ms(), segments, sign);
                }
                has_signup = true;
            } else if entry.kind() == RETURN {
                self.add_return(entry, segments, sign);
            } else if entry.kind() == GUEST_ORDER {
                self.add_guest_order(entry, segments, sign);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "an order and all that is known of it")]
    #[inline]
    fn add_order(
        &mut self,
        entry: Entry<'_>,
        order: Point,
        history: &History,
        is_first_paid: bool,
        segments: &[usize],
        whole: &Whole,
        sign: i64,
    ) {
        let slot = order.moment.slot();
        let mut terms = std::mem::take(&mut self.terms);
        terms.clear();
        self.count_order(order, history, sign, &mut terms);
        let counts_per_row = self.config.counts_per_row();
        let units = i64::from(entry.units()) * sign;
        let gross = entry.minor_units().wrapping_mul(sign);
        let money = [(GROSS, gross), (ORDERS_PAID, sign), (PAYERS, sign)];
        let money = &money[..if is_first_paid { 3 } else { 2 }];
        let gap = history.previous.map(|previous| {
            let gap_ms = order.time_ms - previous.time_ms;
            (gap_ms, mean_interval_change_ms(history, previous, order))
        });
        for segment in segments {
            for (row, cell, amount) in &terms {
                self.counts.add(segment * counts_per_row + row, *cell, *amount);
            }
            self.kept[*segment] += sign;
            let base = segment * SUM_ROWS;
            self.sums.add(base + SOLD, slot, units);
            if let Some((gap_ms, change_ms)) = gap {
                self.sums.add(base + GAP_MS, slot, gap_ms * sign);
                self.sums.add(base + MEAN_INTERVAL_MS, slot, change_ms * sign);
            }
            self.money.add(*segment, entry.currency(), slot, money);
        }
        self.terms = terms;
        let store = segments[0];
        if let Some((gap_ms, _)) = gap {
            let bucket = self.config.gap_limits_ms.partition_point(|limit| *limit < gap_ms);
            self.gaps.add(store * self.config.histogram_rows() + bucket, slot, sign);
        }
        if history.previous.is_none_or(|previous| previous.month != order.month) {
            self.add_to_cohorts(order, history, store, whole, sign);
        }
    }

    /// Terms of one order in `counts`.
    #[inline]
    fn count_order(&self, order: Point, history: &History, sign: i64, terms: &mut Vec<CountTerm>) {
        let slot = order.moment.slot();
        let bucket = order.moment.bucket;
        terms.push((ORDERS, slot, sign));
        match history.orders {
            0 => terms.push((FIRST_ORDERS, slot, sign)),
            1 => {
                terms.push((REORDERS, slot, sign));
                terms.push((REPEATERS, slot, sign));
            }
            _ => terms.push((REORDERS, slot, sign)),
        }
        for (number, window) in self.config.windows.iter().enumerate() {
            let row = WINDOWS_FROM + COUNTS_PER_WINDOW * number;
            match *window {
                Window::Rolling(length) => {
                    let mut interval = |which, first, end| {
                        terms.push((row + which, first, sign));
                        terms.push((row + which, end, -sign));
                    };
                    let aged_out = bucket + length;
                    let Some(previous) = history.previous else {
                        interval(ACTIVE, bucket, aged_out);
                        continue;
                    };
                    let previous_aged_out = previous.moment.bucket + length;
                    let begins = bucket.max(previous_aged_out);
                    interval(ACTIVE, begins, aged_out);
                    let ends = aged_out.min(previous_aged_out + length);
                    if begins < ends {
                        interval(RETAINED, begins, ends);
                    }
                    let before = history.before.map(|before| before.moment.bucket + length);
                    let begins = before.map_or(bucket, |before| bucket.max(before));
                    if begins < previous_aged_out {
                        interval(REPEAT, begins, previous_aged_out);
                    }
                }
                Window::Calendar(unit) => {
                    let period = period_of_day(unit, order.moment.day);
                    let of = |earlier: Point| period_of_day(unit, earlier.moment.day);
                    let previous = history.previous.map(of);
                    if previous != Some(period) {
                        terms.push((row + ACTIVE, slot, sign));
                    } else if history.before.map(of) != Some(period) {
                        terms.push((row + REPEAT, slot, sign));
                    }
                    if previous == Some(period - 1) {
                        terms.push((row + RETAINED, slot, sign));
                    }
                }
            }
        }
    }

    #[inline]
    fn add_to_cohorts(
        &mut self,
        order: Point,
        history: &History,
        store: usize,
        whole: &Whole,
        sign: i64,
    ) {
        let slot = order.moment.slot();
        let began = history.first.unwrap_or(order).month;
        self.order_cohorts.add(BACK, store, began, slot, sign);
        let Some(signup_ms) = whole.signup_ms else { return };
        let signup = Point::new(&self.config.timeline, signup_ms);
        // Who ordered first and signed up later in that month is in the cohort from then on.
        if order.month >= signup.month {
            let slot = slot.max(signup.moment.slot());
            self.signup_cohorts.add(BACK, store, signup.month, slot, sign);
        }
    }

    fn add_signup(&mut self, time_ms: i64, segments: &[usize], sign: i64) {
        let signup = Point::new(&self.config.timeline, time_ms);
        let slot = signup.moment.slot();
        for segment in segments {
            self.kept[*segment] += sign;
            self.counts.add(segment * self.config.counts_per_row() + SIGNUPS, slot, sign);
        }
        self.signup_cohorts.add(MEMBERS, segments[0], signup.month, slot, sign);
    }

    fn add_return(&mut self, entry: Entry<'_>, segments: &[usize], sign: i64) {
        let slot = self.config.timeline.moment(entry.time_ms()).slot();
        let refunded = [(REFUNDED, entry.minor_units().wrapping_mul(sign))];
        for segment in segments {
            self.kept[*segment] += sign;
            self.sums.add(segment * SUM_ROWS + RETURNED, slot, i64::from(entry.units()) * sign);
            self.money.add(*segment, entry.currency(), slot, &refunded);
        }
    }

    fn add_guest_order(&mut self, entry: Entry<'_>, segments: &[usize], sign: i64) {
        let slot = self.config.timeline.moment(entry.time_ms()).slot();
        let gross = entry.minor_units().wrapping_mul(sign);
        let money = [(GROSS, gross), (ORDERS_PAID, sign), (GUESTS_GROSS, gross)];
        for segment in segments {
            self.kept[*segment] += sign;
            self.counts.add(segment * self.config.counts_per_row() + ORDERS, slot, sign);
            self.sums.add(segment * SUM_ROWS + SOLD, slot, i64::from(entry.units()) * sign);
            self.money.add(*segment, entry.currency(), slot, &money);
        }
    }

    /// Add what depends on a customer as a whole, not on single entries, or take it out.
    pub fn add_whole(&mut self, whole: &Whole, segments: &[usize], sign: i64) {
        if let (Some(signup_ms), Some(first_ms)) = (whole.signup_ms, whole.first_order_ms) {
            self.add_activation(signup_ms, first_ms, segments, sign);
        }
        let nets = whole.net.iter().chain(&whole.other_nets);
        for net in nets.filter(|net| net.has_order) {
            let limits = &self.config.net_limits;
            let bucket = signed(limits.partition_point(|limit| *limit <= net.minor_units));
            let minor_units = net.minor_units.wrapping_mul(sign);
            for segment in segments {
                let base = self.money.place(*segment, net.currency) * NET_ROWS;
                self.money.nets.add(base + CUSTOMERS, bucket, sign);
                self.money.nets.add(base + MINOR_UNITS, bucket, minor_units);
            }
        }
    }

    fn add_activation(&mut self, signup_ms: i64, first_ms: i64, segments: &[usize], sign: i64) {
        let active = self.config.timeline.moment(signup_ms.max(first_ms));
        let signup = self.config.timeline.moment(signup_ms);
        let mut terms = std::mem::take(&mut self.terms);
        terms.clear();
        for (number, window) in self.config.windows.iter().enumerate() {
            let row = WINDOWS_FROM + COUNTS_PER_WINDOW * number + ACTIVATED;
            match *window {
                Window::Rolling(length) => {
                    let end = signup.bucket + length;
                    if active.bucket < end {
                        terms.push((row, active.bucket, sign));
                        terms.push((row, end, -sign));
                    }
                }
                Window::Calendar(unit) => {
                    if period_of_day(unit, active.day) == period_of_day(unit, signup.day) {
                        terms.push((row, active.slot(), sign));
                    }
                }
            }
        }
        for segment in segments {
            let base = segment * self.config.counts_per_row();
            for (row, cell, amount) in &terms {
                self.counts.add(base + row, *cell, *amount);
            }
        }
        self.terms = terms;
    }
}

/// A row as part of a pair.
fn signed(row: usize) -> i64 {
    i64::try_from(row).expect("rows are counted up from 0")
}
