//! Buckets, local days, slots and calendar periods: `stream/domain/calendar.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

pub const DAY_MS: i64 = 86_400_000;

/// A calendar unit; weeks begin on Monday.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Day,
    Week,
    Months(i64),
}

/// A point of time as the tallies see it.
#[derive(Clone, Copy)]
pub struct Moment {
    pub bucket: i64,
    /// The local date, in days since 1970-01-01.
    pub day: i64,
}

impl Moment {
    pub fn slot(self) -> i64 {
        self.bucket + self.day
    }
}

#[expect(clippy::struct_field_names, reason = "they say the unit")]
pub struct Timeline {
    bucket_ms: i64,
    /// Instants at which the zone's offset changes, and the offsets before, between and after.
    changes_ms: Vec<i64>,
    offsets_ms: Vec<i64>,
}

impl Timeline {
    /// None when there is not one offset more than changes, or no bucket.
    pub fn new(bucket_ms: i64, changes_ms: Vec<i64>, offsets_ms: Vec<i64>) -> Option<Self> {
        let sound = bucket_ms > 0 && offsets_ms.len() == changes_ms.len() + 1;
        sound.then_some(Self { bucket_ms, changes_ms, offsets_ms })
    }

    #[inline]
    pub fn moment(&self, time_ms: i64) -> Moment {
        let at = match self.changes_ms.len() {
            0 => 0,
            _ => self.changes_ms.partition_point(|change| *change <= time_ms),
        };
        let day = (time_ms + self.offsets_ms[at]).div_euclid(DAY_MS);
        Moment { bucket: time_ms.div_euclid(self.bucket_ms), day }
    }
}

/// The number of the calendar period a local day falls in, counted from 1970's first.
#[inline]
pub fn period_of_day(unit: Unit, day: i64) -> i64 {
    match unit {
        Unit::Day => day,
        // 1970-01-01 was a Thursday.
        Unit::Week => (day + 3).div_euclid(7),
        Unit::Months(months) => month_of_day(day).div_euclid(months),
    }
}

/// Months since January 1970.
#[inline]
pub fn month_of_day(day: i64) -> i64 {
    let (year, month, _) = date(day);
    (year - 1970) * 12 + month - 1
}

/// Year, month and day of a day since 1970-01-01, of the proleptic Gregorian calendar counted in
/// years from March.
#[inline]
pub fn date(day: i64) -> (i64, i64, i64) {
    let since_march_0000 = day + 719_468;
    let era = since_march_0000.div_euclid(146_097);
    let day_of_era = since_march_0000.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = months_since_march + 2;
    (era * 400 + year_of_era + month / 12, month % 12 + 1, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::month_of_day;

    #[test]
    fn months_begin_where_they_do() {
        let firsts = [(-1, -1), (0, 0), (30, 0), (31, 1), (58, 1), (59, 2), (365, 12)];
        for (day, month) in firsts {
            assert_eq!(month_of_day(day), month, "day {day}");
        }
        // 2000-02-29, 2000-03-01, 2100-02-28 and 2100-03-01.
        let leaps = [(11_016, 361), (11_017, 362), (47_540, 1561), (47_541, 1562)];
        for (day, month) in leaps {
            assert_eq!(month_of_day(day), month, "day {day}");
        }
    }
}
