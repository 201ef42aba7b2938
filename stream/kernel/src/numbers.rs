//! Amounts, counts and ids that are numbers, where they are exact at sight.

/// As `MAX_MINOR_UNITS` in `stream/domain/money.py`.
const MAX_MINOR_UNITS: u128 = 100_000_000_000_000;
/// A decimal of so many digits is the shortest one of its double.
const EXACT_DIGITS: usize = 15;
const LONGEST_WHOLE: usize = 18;
const LONGEST_FRACTION: usize = 32;

/// A whole number of at most 18 digits.
pub fn whole(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > LONGEST_WHOLE {
        return None;
    }
    digits.iter().try_fold(0u64, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
    })
}

/// A decimal text in minor units; None when it is not exact in them, or no decimal.
pub fn text_minor_units(text: &[u8], exponent: usize) -> Option<i64> {
    let (units, fraction) = split(text)?;
    minor_units(units, fraction, exponent)
}

/// A JSON number in minor units, where rounding has nothing to do.
pub fn number_minor_units(number: &[u8], exponent: usize) -> Option<i64> {
    let (units, fraction) = split(number)?;
    if !fraction.is_empty() && units.len() + fraction.len() > EXACT_DIGITS {
        return None;
    }
    minor_units(units, fraction, exponent)
}

fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let Some(point) = text.iter().position(|byte| *byte == b'.') else {
        return Some((text, &[]));
    };
    let (units, fraction) = (text.get(..point)?, text.get(point + 1..)?);
    let sound = !fraction.is_empty()
        && fraction.len() <= LONGEST_FRACTION
        && fraction.iter().all(u8::is_ascii_digit);
    sound.then_some((units, fraction))
}

fn minor_units(units: &[u8], fraction: &[u8], exponent: usize) -> Option<i64> {
    let mut minor = u128::from(whole(units)?);
    for place in 0..exponent {
        let digit = fraction.get(place).map_or(0, |byte| byte - b'0');
        minor = minor * 10 + u128::from(digit);
    }
    let mut excess = fraction.iter().skip(exponent);
    if minor > MAX_MINOR_UNITS || excess.any(|byte| *byte != b'0') {
        return None;
    }
    i64::try_from(minor).ok()
}
