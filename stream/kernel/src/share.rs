//! Tallies of a thread's own, added to the book's at its end: a start derives them on all cores.

#![expect(clippy::indexing_slicing, reason = "places are the kernel's own")]

use std::panic::resume_unwind;
use std::thread::{available_parallelism, scope};

use crate::paged::PagedArray;
use crate::places::Places;
use crate::terms::{Cohorts, Config, Money, Tallies, COHORT_ROWS, MONEY_ROWS, NET_ROWS};

/// More add little, and each holds all tallies once.
const MOST_THREADS: usize = 4;
/// Fewer customers are not worth a thread.
const LEAST_ROWS: usize = 4096;

/// Have `work` add what rows `from..to` are, in shares of about the same size.
pub fn in_shares(
    tallies: &mut Tallies<'_>,
    rows: usize,
    work: impl Fn(&mut Tallies<'_>, usize, usize) + Sync,
) {
    let cores = available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let size = rows.div_ceil(cores).max(LEAST_ROWS);
    let (config, entry_size) = (tallies.config, tallies.size);
    let mut shares: Vec<Share> = (1..rows.div_ceil(size)).map(|_| Share::beside(tallies)).collect();
    scope(|scope| {
        let threads: Vec<_> = (1..)
            .zip(&mut shares)
            .map(|(number, share)| {
                let (from, to) = (number * size, rows.min((number + 1) * size));
                let work = &work;
                scope.spawn(move || work(&mut share.tallies(config, entry_size), from, to))
            })
            .collect();
        work(tallies, 0, rows.min(size));
        for thread in threads {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    for share in &shares {
        share.add_to(tallies);
    }
}

struct Share {
    counts: PagedArray,
    sums: PagedArray,
    gaps: PagedArray,
    money_places: Places,
    money_sums: PagedArray,
    money_nets: PagedArray,
    order_cohort_places: Places,
    order_cohorts: PagedArray,
    signup_cohort_places: Places,
    signup_cohorts: PagedArray,
    kept: Vec<i64>,
}

impl Share {
    /// Zeros, with the segment rows that there are.
    fn beside(tallies: &Tallies<'_>) -> Self {
        Self {
            counts: tallies.counts.zeros(),
            sums: tallies.sums.zeros(),
            gaps: tallies.gaps.zeros(),
            money_places: Places::default(),
            money_sums: PagedArray::new(true),
            money_nets: PagedArray::new(true),
            order_cohort_places: Places::default(),
            order_cohorts: PagedArray::new(false),
            signup_cohort_places: Places::default(),
            signup_cohorts: PagedArray::new(false),
            kept: vec![0; tallies.kept.len()],
        }
    }

    fn tallies<'a>(&'a mut self, config: &'a Config, size: usize) -> Tallies<'a> {
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
                places: &mut self.order_cohort_places,
                counts: &mut self.order_cohorts,
            },
            signup_cohorts: Cohorts {
                places: &mut self.signup_cohort_places,
                counts: &mut self.signup_cohorts,
            },
            kept: &mut self.kept,
            size,
            terms: Vec::new(),
        }
    }

    fn add_to(&self, tallies: &mut Tallies<'_>) {
        let same = |row| row;
        tallies.counts.add_all(&self.counts, same);
        tallies.sums.add_all(&self.sums, same);
        tallies.gaps.add_all(&self.gaps, same);
        let money = &mut tallies.money;
        let places: Vec<_> = self.money_places.each().map(|pair| money.place(pair)).collect();
        money.sums.add_all(&self.money_sums, by_place(&places, MONEY_ROWS));
        money.nets.add_all(&self.money_nets, by_place(&places, NET_ROWS));
        for (cohorts, places, counts) in [
            (&mut tallies.order_cohorts, &self.order_cohort_places, &self.order_cohorts),
            (&mut tallies.signup_cohorts, &self.signup_cohort_places, &self.signup_cohorts),
        ] {
            let places: Vec<_> = places.each().map(|pair| cohorts.place(pair)).collect();
            cohorts.counts.add_all(counts, by_place(&places, COHORT_ROWS));
        }
        for (kept, more) in tallies.kept.iter_mut().zip(&self.kept) {
            *kept += more;
        }
    }
}

/// From rows of one array to those of another, where places have so many rows each.
fn by_place(places: &[usize], rows: usize) -> impl Fn(usize) -> usize + '_ {
    move |row| places[row / rows] * rows + row % rows
}
