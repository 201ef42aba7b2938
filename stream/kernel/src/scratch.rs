//! Terms of many customers with the same segment rows: added up apart, in little memory, and then
//! as a whole to each of these rows. What depends on the store only is added up in the same way.

#![expect(
    clippy::indexing_slicing,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

use rustc_hash::FxHashMap;

use crate::paged::PagedArray;
use crate::places::Places;
use crate::terms::{Cohorts, Config, Money, Tallies, COHORT_ROWS, MONEY_ROWS, NET_ROWS, SUM_ROWS};

/// From so many customers on it is less work than to add each one's terms to each row.
const LEAST_GROUP: usize = 250;
/// The only segment row of a scratch, which stands for all rows of its customers.
pub const ALONE: [usize; 1] = [0];

/// Customers by their segment rows.
pub struct Groups {
    /// Customers with the same ones, who are many; all groups and all customers in ascending order.
    pub many: Vec<Vec<usize>>,
    /// All others, in ascending order.
    pub few: Vec<usize>,
}

impl Groups {
    /// Group customers.
    ///
    /// Args:
    ///     segments: of one customer after the other.
    ///     width: segment rows of each.
    pub fn of(segments: &[usize], width: usize) -> Self {
        let mut numbers = FxHashMap::default();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (customer, rows) in segments.chunks_exact(width).enumerate() {
            let group = *numbers.entry(rows).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(customer);
        }
        // With a row each there is nothing to save.
        let is_large = |group: &Vec<usize>| width > 1 && group.len() >= LEAST_GROUP;
        let (many, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_large);
        let mut few = others.concat();
        few.sort_unstable();
        Self { many, few }
    }
}

/// Tallies of one segment row.
pub struct Scratch {
    counts: PagedArray,
    sums: PagedArray,
    gaps: PagedArray,
    money_places: Places,
    money_sums: PagedArray,
    money_nets: PagedArray,
    order_places: Places,
    order_cohorts: PagedArray,
    signup_places: Places,
    signup_cohorts: PagedArray,
    kept: Vec<i64>,
}

impl Scratch {
    pub fn new(config: &Config) -> Self {
        let mut scratch = Self {
            counts: PagedArray::new(false),
            sums: PagedArray::new(true),
            gaps: PagedArray::new(false),
            money_places: Places::default(),
            money_sums: PagedArray::new(true),
            money_nets: PagedArray::new(true),
            order_places: Places::default(),
            order_cohorts: PagedArray::new(false),
            signup_places: Places::default(),
            signup_cohorts: PagedArray::new(false),
            kept: Vec::new(),
        };
        scratch.clear(config);
        scratch
    }

    /// Have all zeros.
    pub fn clear(&mut self, config: &Config) {
        self.counts.clear(config.counts_per_row());
        self.sums.clear(SUM_ROWS);
        self.gaps.clear(config.histogram_rows());
        for places in [&mut self.money_places, &mut self.order_places, &mut self.signup_places] {
            *places = Places::default();
        }
        let by_place = [&mut self.money_sums, &mut self.money_nets];
        let by_month = [&mut self.order_cohorts, &mut self.signup_cohorts];
        for array in by_place.into_iter().chain(by_month) {
            array.clear(0);
        }
        self.kept.clear();
        self.kept.push(0);
    }

    /// Tallies to add terms to, for customers whose segment rows are `ALONE`.
    pub fn tallies<'a>(&'a mut self, config: &'a Config, size: usize) -> Tallies<'a> {
        Tallies {
            config,
            counts: &mut self.counts,
            sums: &mut self.sums,
            gaps: &mut self.gaps,
            money: Money {
                places: &mut self.money_places,
                sums: &mut self.money_sums,
                nets: &mut self.money_nets,
            },
            order_cohorts: Cohorts {
                places: &mut self.order_places,
                counts: &mut self.order_cohorts,
            },
            signup_cohorts: Cohorts {
                places: &mut self.signup_places,
                counts: &mut self.signup_cohorts,
            },
            kept: &mut self.kept,
            size,
            terms: Vec::new(),
        }
    }

    /// Add all of it to tallies, for customers with these segment rows.
    pub fn add_to(&self, tallies: &mut Tallies<'_>, segments: &[usize]) {
        let counts_per_row = tallies.config.counts_per_row();
        for segment in segments {
            tallies.kept[*segment] += self.kept[0];
            tallies.counts.add_rows_of(segment * counts_per_row, &self.counts, 0..counts_per_row);
            tallies.sums.add_rows_of(segment * SUM_ROWS, &self.sums, 0..SUM_ROWS);
            for (place, (_, currency)) in self.money_places.all().iter().enumerate() {
                let to = tallies.money.place_of(*segment, *currency);
                let rows = place * MONEY_ROWS..(place + 1) * MONEY_ROWS;
                tallies.money.sums.add_rows_of(to * MONEY_ROWS, &self.money_sums, rows);
                let rows = place * NET_ROWS..(place + 1) * NET_ROWS;
                tallies.money.nets.add_rows_of(to * NET_ROWS, &self.money_nets, rows);
            }
        }
        let store = segments[0];
        let rows = tallies.config.histogram_rows();
        tallies.gaps.add_rows_of(store * rows, &self.gaps, 0..rows);
        let orders = (&mut tallies.order_cohorts, &self.order_places, &self.order_cohorts);
        let signups = (&mut tallies.signup_cohorts, &self.signup_places, &self.signup_cohorts);
        for (cohorts, places, counts) in [orders, signups] {
            for (place, (_, month)) in places.all().iter().enumerate() {
                let to = cohorts.place(store, *month);
                let rows = place * COHORT_ROWS..(place + 1) * COHORT_ROWS;
                cohorts.counts.add_rows_of(to * COHORT_ROWS, counts, rows);
            }
        }
    }
}
