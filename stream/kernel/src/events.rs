//! Event JSON → columns, for events written plainly; the rest is left to the reference.

use std::collections::HashMap;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use xxhash_rust::xxh3::xxh3_64;

use crate::cursor::{Cursor, Token};
use crate::numbers::{number_minor_units, text_minor_units, whole};
use crate::times::time_ms;

const MAX_ID_LENGTH: usize = 256;
const MAX_NAME_LENGTH: usize = 128;
const MAX_UNITS: u64 = u32::MAX as u64;
const DEFAULT_STORE: &[u8] = b"default";

// As in `stream/domain/entries.py`.
const ORDER: u8 = 0;
const SIGNUP: u8 = 1;
const RETURN: u8 = 2;
const GUEST_ORDER: u8 = 3;
const CANCELLATION: u8 = 4;
const PLACED: u8 = 1;
const VALUES_AT: usize = 32;

/// One event, its texts still where they were sent.
#[derive(Default)]
struct Event<'a> {
    kind: u8,
    flags: u8,
    time_ms: i64,
    id: &'a [u8],
    store: &'a [u8],
    customer: Option<&'a [u8]>,
    minor_units: i64,
    currency: u16,
    units: u32,
}

impl Event<'_> {
    /// What comes with a return or a cancellation says nothing of the customer's segment.
    fn carries_nothing(&self) -> bool {
        self.kind == RETURN || self.kind == CANCELLATION
    }
}

/// The fields of an event as they stand, in the order of `FIELDS`.
#[derive(Default)]
struct Fields<'a> {
    tokens: [Token<'a>; FIELDS.len()],
    has_attributes: bool,
}

const FIELDS: [&[u8]; 9] = [
    b"type",
    b"customer_id",
    b"order_id",
    b"occurred_at",
    b"amount",
    b"currency",
    b"units",
    b"store",
    b"return_id",
];
const TYPE: usize = 0;
const CUSTOMER: usize = 1;
const ORDER_ID: usize = 2;
const TIME: usize = 3;
const AMOUNT: usize = 4;
const CURRENCY: usize = 5;
const UNITS: usize = 6;
const STORE: usize = 7;
const RETURN_ID: usize = 8;

/// Reads chunks of events of one configuration.
#[pyclass(frozen)]
pub struct EventReader {
    dimensions: Vec<Vec<u8>>,
    /// By code: its number, and the digits after the point.
    currencies: HashMap<[u8; 3], (u16, usize)>,
    entry_size: usize,
}

/// Places left to the reference; keys; and per dimension the texts that codes stand for.
type Columns<'py> = (Vec<usize>, Bound<'py, PyList>, Vec<Vec<String>>);

#[pymethods]
impl EventReader {
    /// `currencies`: (code, number, digits after the point) of every currency.
    #[new]
    fn new(dimensions: Vec<String>, currencies: Vec<(String, u16, usize)>) -> PyResult<Self> {
        let values = VALUES_AT + 2 * dimensions.len();
        let currencies = currencies
            .into_iter()
            .map(|(code, number, digits)| Ok((code.as_bytes().try_into()?, (number, digits))))
            .collect::<Result<_, std::array::TryFromSliceError>>()
            .map_err(|_| PyValueError::new_err("a currency's code has three letters"))?;
        Ok(Self {
            dimensions: dimensions.into_iter().map(String::into_bytes).collect(),
            currencies,
            entry_size: values.next_multiple_of(8),
        })
    }

    /// Read the plainly written events of a chunk.
    ///
    /// `entries`: zeros, one record of `entry_type` for each value; the `values` of an entry get
    /// codes of this chunk's own, 0 for none.
    fn read<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyList>,
        entries: PyBuffer<u8>,
    ) -> PyResult<Columns<'py>> {
        let sound = entries.is_c_contiguous()
            && !entries.readonly()
            && entries.len_bytes() == values.len() * self.entry_size;
        if !sound {
            return Err(PyValueError::new_err("entries do not fit the values"));
        }
        // SAFETY: contiguous, writable, of the size checked above, and new: nobody else has it.
        let entries = unsafe {
            std::slice::from_raw_parts_mut(entries.buf_ptr().cast::<u8>(), entries.len_bytes())
        };
        let mut left = Vec::new();
        let keys = PyList::empty(py);
        let mut tables: Vec<Texts> = self.dimensions.iter().map(|_| Texts::default()).collect();
        let mut texts = vec![&b""[..]; self.dimensions.len()];
        let mut key = Vec::with_capacity(MAX_ID_LENGTH);
        let borrowed: Vec<Option<Bound<'py, PyBytes>>> =
            values.iter().map(|value| value.cast_into::<PyBytes>().ok()).collect();
        for (place, value) in borrowed.iter().enumerate() {
            texts.fill(b"");
            let bytes = value.as_ref().map(|value| value.as_bytes());
            let event = bytes
                .and_then(|bytes| self.event(bytes, &mut texts))
                .filter(|event| event.carries_nothing() || Texts::know(&mut tables, &texts));
            let Some(event) = event else {
                left.push(place);
                keys.append(PyBytes::new(py, b""))?;
                continue;
            };
            let entry = &mut entries[place * self.entry_size..(place + 1) * self.entry_size];
            write(entry, &event);
            if !event.carries_nothing() {
                for (at, table) in tables.iter().enumerate() {
                    let at = VALUES_AT + 2 * at;
                    entry[at..at + 2].copy_from_slice(&table.last.1.to_le_bytes());
                }
            }
            key.clear();
            key.extend_from_slice(event.store);
            key.push(0);
            match event.customer {
                Some(customer) => key.extend_from_slice(customer),
                None => {
                    key.push(0);
                    key.extend_from_slice(event.id);
                }
            }
            keys.append(PyBytes::new(py, &key))?;
        }
        let texts = tables.into_iter().map(Texts::into_texts).collect();
        Ok((left, keys, texts))
    }
}

impl EventReader {
    fn event<'a>(&self, bytes: &'a [u8], texts: &mut [&'a [u8]]) -> Option<Event<'a>> {
        if !bytes.is_ascii() {
            std::str::from_utf8(bytes).ok()?;
        }
        let fields = self.fields(bytes, texts)?;
        let token = |field: usize| fields.tokens[field];
        let mut event = Event { time_ms: time_ms(token(TIME))?, ..Event::default() };
        event.kind = match token(TYPE) {
            Token::Text(b"purchase") => ORDER,
            Token::Text(b"signup") => SIGNUP,
            Token::Text(b"return") => RETURN,
            Token::Text(b"cancellation") => CANCELLATION,
            _ => return None,
        };
        event.customer = optional_text(token(CUSTOMER))?;
        if let Some(customer) = event.customer {
            sized(customer, MAX_ID_LENGTH)?;
        }
        event.store = match optional_text(token(STORE))? {
            None => b"",
            Some(name) => {
                sized(name, MAX_NAME_LENGTH)?;
                if name == DEFAULT_STORE { b"" } else { name }
            }
        };
        let (order_id, return_id) = (id(token(ORDER_ID))?, id(token(RETURN_ID))?);
        event.id = match event.kind {
            SIGNUP => b"",
            RETURN => return_id?,
            _ => order_id?,
        };
        if event.kind != SIGNUP {
            sized(event.id, MAX_ID_LENGTH)?;
        }
        let currency = optional_text(token(CURRENCY))?;
        if matches!(token(UNITS), Token::Text(_)) {
            return None;
        }
        if event.kind == ORDER || event.kind == RETURN {
            let (number, digits) = *self.currencies.get(currency?)?;
            event.currency = number;
            event.minor_units = match token(AMOUNT) {
                Token::Text(text) => text_minor_units(text, digits)?,
                Token::Number(number) => number_minor_units(number, digits)?,
                _ => return None,
            };
            event.units = match token(UNITS) {
                Token::Number(number) => {
                    let units = whole(number).filter(|units| *units <= MAX_UNITS)?;
                    u32::try_from(units).ok()?
                }
                _ => 1,
            };
        }
        if event.kind == ORDER {
            event.flags = PLACED;
        }
        if event.customer.is_none() {
            if event.kind != ORDER {
                return None;
            }
            event.kind = GUEST_ORDER;
            event.flags = 0;
        }
        Some(event)
    }

    #[inline]
    fn fields<'a>(&self, bytes: &'a [u8], texts: &mut [&'a [u8]]) -> Option<Fields<'a>> {
        let mut fields = Fields::default();
        let mut cursor = Cursor::new(bytes);
        cursor.space();
        cursor.object(|cursor, name| {
            if let Some(field) = FIELDS.iter().position(|field| *field == name) {
                // Sent twice: which one counts is for the reference to say.
                if fields.tokens[field] != Token::Absent {
                    return None;
                }
                fields.tokens[field] = cursor.token()?;
                return Some(());
            }
            if name != b"attributes" {
                return cursor.skip(0);
            }
            if fields.has_attributes {
                return None;
            }
            fields.has_attributes = true;
            self.attributes(cursor, texts)
        })?;
        cursor.finish()?;
        Some(fields)
    }

    #[inline]
    fn attributes<'a>(&self, cursor: &mut Cursor<'a>, texts: &mut [&'a [u8]]) -> Option<()> {
        if cursor.peek()? == b'n' {
            return cursor.token().map(|_| ());
        }
        let mut seen: u64 = 0;
        cursor.object(|cursor, name| {
            let Some(dimension) = self.dimensions.iter().position(|known| known == name) else {
                return cursor.skip(0);
            };
            let bit = 1u64.checked_shl(u32::try_from(dimension).ok()?)?;
            if seen & bit != 0 {
                return None;
            }
            seen |= bit;
            if let Some(text) = optional_text(cursor.token()?)? {
                if characters(text) > MAX_NAME_LENGTH {
                    return None;
                }
                texts[dimension] = text;
            }
            Some(())
        })
    }
}

fn write(entry: &mut [u8], event: &Event<'_>) {
    let hash = if event.kind == SIGNUP { 0 } else { xxh3_64(event.id) };
    entry[0..8].copy_from_slice(&event.time_ms.to_le_bytes());
    entry[8..16].copy_from_slice(&hash.to_le_bytes());
    entry[16..24].copy_from_slice(&event.minor_units.to_le_bytes());
    entry[24..28].copy_from_slice(&event.units.to_le_bytes());
    entry[28..30].copy_from_slice(&event.currency.to_le_bytes());
    entry[30] = event.kind;
    entry[31] = event.flags;
}

/// A text, or nothing; None when it is a number.
fn optional_text(token: Token<'_>) -> Option<Option<&[u8]>> {
    match token {
        Token::Absent | Token::Null => Some(None),
        Token::Text(text) => Some(Some(text)),
        Token::Number(_) => None,
    }
}

/// An id that is a text or a whole number, or nothing; None when it is another number.
fn id(token: Token<'_>) -> Option<Option<&[u8]>> {
    match token {
        Token::Absent | Token::Null => Some(None),
        Token::Text(text) => Some(Some(text)),
        Token::Number(number) => whole(number).map(|_| Some(number)),
    }
}

fn sized(text: &[u8], longest: usize) -> Option<()> {
    (!text.is_empty() && (text.len() <= longest || characters(text) <= longest)).then_some(())
}

fn characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// Texts met in one dimension of a chunk, as codes from 1 on; 0 is the empty text.
struct Texts<'a> {
    codes: HashMap<&'a [u8], u16>,
    texts: Vec<&'a [u8]>,
    /// What came last: segments are few, and often follow each other.
    last: (&'a [u8], u16),
}

impl Default for Texts<'_> {
    fn default() -> Self {
        Self { codes: HashMap::new(), texts: vec![b""], last: (b"", 0) }
    }
}

impl<'a> Texts<'a> {
    /// Make each text the last of its table; false when a table has no code left for it.
    fn know(tables: &mut [Self], texts: &[&'a [u8]]) -> bool {
        tables.iter_mut().zip(texts).all(|(table, text)| table.code(text).is_some())
    }

    #[inline]
    fn code(&mut self, text: &'a [u8]) -> Option<u16> {
        if text != self.last.0 {
            let code = match self.codes.get(text) {
                _ if text.is_empty() => 0,
                Some(code) => *code,
                None => {
                    let code = u16::try_from(self.texts.len()).ok()?;
                    self.texts.push(text);
                    self.codes.insert(text, code);
                    code
                }
            };
            self.last = (text, code);
        }
        Some(self.last.1)
    }

    fn into_texts(self) -> Vec<String> {
        // Valid: the whole event was.
        self.texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }
}
