//! Event times, as `stream/wire/timestamps.py` has them.

use crate::cursor::Token;
use crate::numbers::whole;

/// The end of the year 9999.
pub const LAST_MS: i64 = 253_402_300_799_999;
const NUMBER_IS_MS_ABOVE: u64 = 100_000_000_000;
const LONGEST_REST: usize = 40;

/// Milliseconds since the epoch.
pub fn time_ms(token: Token<'_>) -> Option<i64> {
    match token {
        Token::Text(text) => text_ms(text),
        Token::Number(number) => number_ms(number),
        _ => None,
    }
}

fn number_ms(number: &[u8]) -> Option<i64> {
    if let Some(whole) = whole(number) {
        let scale = if whole > NUMBER_IS_MS_ABOVE { 1 } else { 1000 };
        let ms = i64::try_from(whole).ok()? * scale;
        return (ms <= LAST_MS).then_some(ms);
    }
    fraction_number_ms(std::str::from_utf8(number).ok()?.parse().ok()?)
}

#[expect(clippy::cast_precision_loss, reason = "both limits are less than 2^53")]
#[expect(clippy::cast_possible_truncation, reason = "it is at most LAST_MS")]
fn fraction_number_ms(number: f64) -> Option<i64> {
    let ms = if number > NUMBER_IS_MS_ABOVE as f64 { number } else { number * 1000.0 };
    let sound = number.is_sign_positive() && ms <= LAST_MS as f64;
    sound.then(|| ms.round_ties_even() as i64)
}

fn text_ms(text: &[u8]) -> Option<i64> {
    let (clock, rest) = text.split_first_chunk::<19>()?;
    // YYYY-MM-DDTHH:MM:SS
    let [y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, mark, h1, h2, b':', m1, m2, b':', s1, s2] =
        *clock
    else {
        return None;
    };
    if !matches!(mark, b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (digits(&[y1, y2, y3, y4])?, digits(&[o1, o2])?, digits(&[d1, d2])?);
    let (hour, minute, second) = (digits(&[h1, h2])?, digits(&[m1, m2])?, digits(&[s1, s2])?);
    if year < 1970 || !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_since_epoch(year, month, day);
    let ms = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + rest_ms(rest)?;
    (0..=LAST_MS).contains(&ms).then_some(ms)
}

/// Fraction and offset, as milliseconds to add for UTC.
fn rest_ms(rest: &[u8]) -> Option<i64> {
    if rest.len() > LONGEST_REST {
        return None;
    }
    let (fraction_ms, zone) = match rest.split_first() {
        Some((b'.', after)) => fraction_ms(after)?,
        _ => (0, rest),
    };
    match zone {
        [b'Z' | b'z'] => Some(fraction_ms),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset_ms = (hours * 60 + minutes) * 60_000;
            Some(if *sign == b'+' { fraction_ms - offset_ms } else { fraction_ms + offset_ms })
        }
        _ => None,
    }
}

/// The milliseconds of a fraction's digits, cut; and what follows them.
fn fraction_ms(after_point: &[u8]) -> Option<(i64, &[u8])> {
    let count = after_point.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, zone) = after_point.split_at_checked(count)?;
    if fraction.is_empty() {
        return None;
    }
    let digit_at = |place| fraction.get(place).map_or(0, |byte| i64::from(byte - b'0'));
    Some(((digit_at(0) * 10 + digit_at(1)) * 10 + digit_at(2), zone))
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar since 1970-01-01, counted in years from March.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}
