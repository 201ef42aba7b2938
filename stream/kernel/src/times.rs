//! Event times, as `stream/wire/timestamps.py` has them.

use crate::cursor::Token;
use crate::numbers::whole;

const LAST_MS: i64 = 253_402_300_799_999;
const NUMBER_IS_MS_ABOVE: f64 = 1e11;
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
        #[allow(clippy::cast_precision_loss)]
        let scale = if whole as f64 > NUMBER_IS_MS_ABOVE { 1 } else { 1000 };
        let ms = i64::try_from(whole).ok()? * scale;
        return (ms <= LAST_MS).then_some(ms);
    }
    let value: f64 = std::str::from_utf8(number).ok()?.parse().ok()?;
    let ms = if value > NUMBER_IS_MS_ABOVE { value } else { value * 1000.0 };
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    (!number.starts_with(b"-") && ms <= LAST_MS as f64).then(|| ms.round_ties_even() as i64)
}

fn text_ms(text: &[u8]) -> Option<i64> {
    let (clock, rest) = text.split_at_checked(19)?;
    let marks = clock[4] == b'-' && clock[7] == b'-' && clock[13] == b':' && clock[16] == b':';
    if !marks || !matches!(clock[10], b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (digits(&clock[0..4])?, digits(&clock[5..7])?, digits(&clock[8..10])?);
    let (hour, minute) = (digits(&clock[11..13])?, digits(&clock[14..16])?);
    let second = digits(&clock[17..19])?;
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
    let mut zone = rest;
    let mut fraction_ms = 0;
    if rest.first() == Some(&b'.') {
        let count = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        for place in 1..=3 {
            let digit = if place <= count { rest[place] - b'0' } else { 0 };
            fraction_ms = fraction_ms * 10 + i64::from(digit);
        }
        zone = &rest[1 + count..];
    }
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
