//! Changes of stages as events, in JSON: `stream/wire/stage_events.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    reason = "columns are as long as each other, and digits less than ten"
)]

use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use xxhash_rust::xxh3::xxh3_128;

use crate::bodies::{Bodies, Body};
use crate::timeline::{date, DAY_MS};
use crate::times::LAST_MS;

const DEFAULT_STORE: &str = "default";
/// By number of the stage.
const STAGES: [&[u8]; 7] = [
    b"null",
    b"\"new\"",
    b"\"active\"",
    b"\"repeat\"",
    b"\"at_risk\"",
    b"\"lapsed\"",
    b"\"reactivated\"",
];
const BEGIN: &[u8] = b"{\"specversion\":\"1.0\",\"datacontenttype\":\"application/json\",\
    \"type\":\"retention-stream.customer.stage-changed\",\"source\":\"/stores/";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// The records that tell of changes, in their order.
///
/// Args:
///     keys: of the customers, one wherever another row begins.
///     changes: the columns of `StageChanges` in `stream/domain/stage_changes.py`.
///     headers: of every record, as they stand at its end.
///     `max_bytes`: of the records of a batch.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "arguments come from Python by value")]
pub fn stage_events<'py>(
    py: Python<'py>,
    keys: &Bound<'py, PyList>,
    changes: [PyReadonlyArray1<'py, i64>; 7],
    headers: &[u8],
    max_bytes: usize,
) -> PyResult<Vec<Body<'py>>> {
    let keys: Vec<Bound<'py, PyBytes>> =
        keys.iter().map(|key| Ok(key.cast_into::<PyBytes>()?)).collect::<PyResult<_>>()?;
    let keys: Vec<&[u8]> = keys.iter().map(PyBytesMethods::as_bytes).collect();
    let changes = Changes::of(&changes)?;
    let bodies = py.detach(|| write(&keys, &changes, headers, max_bytes));
    let bodies = bodies.ok_or_else(|| PyValueError::new_err("no customer's key, or no change"))?;
    Ok(bodies.into_python(py))
}

/// Columns of one length.
struct Changes<'a> {
    rows: &'a [i64],
    time_ms: &'a [i64],
    from_stages: &'a [i64],
    to_stages: &'a [i64],
    numbers: &'a [i64],
    orders: &'a [i64],
    last_order_ms: &'a [i64],
}

impl<'a> Changes<'a> {
    fn of(columns: &'a [PyReadonlyArray1<'_, i64>; 7]) -> PyResult<Self> {
        let mut slices = [&[][..]; 7];
        for (slice, column) in slices.iter_mut().zip(columns) {
            *slice = column.as_slice()?;
        }
        if slices.iter().any(|slice| slice.len() != slices[0].len()) {
            return Err(PyValueError::new_err("columns are not of one length"));
        }
        let [rows, time_ms, from_stages, to_stages, numbers, orders, last_order_ms] = slices;
        Ok(Self { rows, time_ms, from_stages, to_stages, numbers, orders, last_order_ms })
    }
}

/// None when a key is no customer's, or a change cannot be one.
fn write(
    keys: &[&[u8]],
    changes: &Changes<'_>,
    headers: &[u8],
    max_bytes: usize,
) -> Option<Bodies> {
    let mut bodies = Bodies::new(max_bytes);
    let mut event = Vec::new();
    let mut common = Common::default();
    let mut keys = keys.iter();
    let mut first = 0;
    for group in changes.rows.chunk_by(|one, other| one == other) {
        let key = keys.next()?;
        let (store, id) = key.split_at_checked(key.iter().position(|byte| *byte == 0)?)?;
        let (_, id) = id.split_first()?;
        // One who was erased, for example, has no name.
        if id.first() != Some(&0) {
            common.set(key, std::str::from_utf8(store).ok()?, std::str::from_utf8(id).ok()?);
            for at in first..first + group.len() {
                event.clear();
                common.write_event(&mut event, changes, at)?;
                bodies.push(Some(id), Some(&event), headers);
            }
        }
        first += group.len();
    }
    keys.next().is_none().then_some(bodies)
}

/// What the events of one customer have in common.
#[derive(Default)]
struct Common {
    /// Up to the change.
    begin: Vec<u8>,
    /// From there on, up to the number of the change.
    end: Vec<u8>,
}

impl Common {
    fn set(&mut self, key: &[u8], store: &str, id: &str) {
        let store = if store.is_empty() { DEFAULT_STORE } else { store };
        let begin = &mut self.begin;
        begin.clear();
        begin.extend_from_slice(BEGIN);
        put_quoted(begin, store);
        begin.extend_from_slice(b"\",\"subject\":");
        let name_at = begin.len();
        put_text(begin, id);
        let name = name_at..begin.len();
        begin.extend_from_slice(b",\"data\":{\"store\":");
        put_text(begin, store);
        begin.extend_from_slice(b",\"customer_id\":");
        begin.extend_from_within(name);
        begin.extend_from_slice(b",\"from\":");
        self.end.clear();
        self.end.extend_from_slice(b"},\"id\":\"");
        for byte in xxh3_128(key).to_be_bytes() {
            self.end.extend_from_slice(&hex(byte));
        }
        self.end.push(b'-');
    }

    fn write_event(&self, out: &mut Vec<u8>, changes: &Changes<'_>, at: usize) -> Option<()> {
        let stage = |number: i64| STAGES.get(usize::try_from(number).ok()?).copied();
        out.extend_from_slice(&self.begin);
        out.extend_from_slice(stage(changes.from_stages[at])?);
        out.extend_from_slice(b",\"to\":");
        out.extend_from_slice(stage(changes.to_stages[at])?);
        out.extend_from_slice(b",\"change\":");
        put_number(out, changes.numbers[at])?;
        out.extend_from_slice(b",\"orders\":");
        put_number(out, changes.orders[at])?;
        out.extend_from_slice(b",\"last_order_at\":");
        match changes.orders[at] {
            0 => out.extend_from_slice(b"null"),
            _ => put_instant(out, changes.last_order_ms[at])?,
        }
        out.extend_from_slice(&self.end);
        put_number(out, changes.numbers[at])?;
        out.extend_from_slice(b"\",\"time\":");
        put_instant(out, changes.time_ms[at])?;
        out.push(b'}');
        Some(())
    }
}

/// A text in JSON, as short as msgspec writes it.
fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..=0x1f => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&hex(byte));
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// A text in a URI, as one segment of a path: `urllib.parse.quote` with nothing that is safe.
fn put_quoted(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte),
            _ => {
                out.push(b'%');
                out.extend_from_slice(&hex(byte).map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
}

fn hex(byte: u8) -> [u8; 2] {
    [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]]
}

/// A number that is not negative.
fn put_number(out: &mut Vec<u8>, number: i64) -> Option<()> {
    let number = u64::try_from(number).ok()?;
    let begin = out.len();
    let length = number.checked_ilog10().map_or(1, |power| power as usize + 1);
    out.resize(begin + length, 0);
    set_digits(&mut out[begin..], number);
    Some(())
}

/// A time in RFC 3339 in UTC, to the millisecond, as JSON; before the year 10,000.
fn put_instant(out: &mut Vec<u8>, time_ms: i64) -> Option<()> {
    if !(0..=LAST_MS).contains(&time_ms) {
        return None;
    }
    let (year, month, day) = date(time_ms / DAY_MS);
    let ms = time_ms % DAY_MS;
    let mut text = *b"\"0000-00-00T00:00:00.000Z\"";
    let parts = [
        (1..5, year),
        (6..8, month),
        (9..11, day),
        (12..14, ms / 3_600_000),
        (15..17, ms / 60_000 % 60),
        (18..20, ms / 1000 % 60),
        (21..24, ms % 1000),
    ];
    for (places, number) in parts {
        set_digits(&mut text[places], number.unsigned_abs());
    }
    out.extend_from_slice(&text);
    Some(())
}

/// The last digits of a number, in all of these places.
#[inline]
fn set_digits(places: &mut [u8], mut number: u64) {
    for place in places.iter_mut().rev() {
        *place = HEX[(number % 10) as usize];
        number /= 10;
    }
}
