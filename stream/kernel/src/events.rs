//! Event JSON → columns, for events written plainly; the rest is left to the reference.

use std::collections::HashMap;

use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyList};
use xxhash_rust::xxh3::xxh3_64;

use crate::cursor::Token;
use crate::fields::{id, optional_text, sized, Fields, MAX_ID_LENGTH, MAX_NAME_LENGTH};
use crate::numbers::{number_minor_units, text_minor_units, whole};
use crate::texts::Texts;
use crate::times::time_ms;

const DEFAULT_STORE: &[u8] = b"default";

// As in `stream/domain/entries.py`.
const ORDER: u8 = 0;
const SIGNUP: u8 = 1;
const RETURN: u8 = 2;
const GUEST_ORDER: u8 = 3;
const CANCELLATION: u8 = 4;
const PLACED: u8 = 1;
const VALUES_AT: usize = 32;
const USUAL_KEY_LENGTH: usize = 16;

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

/// Reads chunks of events of one configuration.
#[pyclass(frozen)]
pub struct EventReader {
    dimensions: Vec<Vec<u8>>,
    /// By code: its number, and the digits after the point.
    currencies: HashMap<[u8; 3], (u16, usize)>,
    entry_size: usize,
}

/// Places left to the reference; entries; keys in a row, and where each ends; and per dimension the
/// texts that codes stand for.
type Columns<'py> = (
    Vec<usize>,
    Bound<'py, PyByteArray>,
    Bound<'py, PyBytes>,
    Bound<'py, PyArray1<i64>>,
    Vec<Vec<String>>,
);

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
    /// An entry (see `entry_type`) that is left is zeros, its key empty. The `values` of the
    /// others are codes of this chunk's own, 0 for none.
    fn read<'py>(&self, py: Python<'py>, values: &Bound<'py, PyList>) -> PyResult<Columns<'py>> {
        let values: Vec<Option<Bound<'py, PyBytes>>> =
            values.iter().map(|value| value.cast_into::<PyBytes>().ok()).collect();
        let bytes: Vec<Option<&[u8]>> =
            values.iter().map(|value| value.as_ref().map(PyBytesMethods::as_bytes)).collect();
        // Nothing of Python is needed meanwhile: fetching may go on.
        let Read { left, entries, keys, key_ends, texts } = py.detach(|| self.read_bytes(&bytes));
        Ok((
            left,
            PyByteArray::new(py, &entries),
            PyBytes::new(py, &keys),
            PyArray1::from_vec(
                py,
                key_ends.into_iter().map(i64::try_from).collect::<Result<_, _>>()?,
            ),
            texts,
        ))
    }
}

/// What was read of a chunk.
struct Read {
    left: Vec<usize>,
    entries: Vec<u8>,
    /// One after the other.
    keys: Vec<u8>,
    key_ends: Vec<usize>,
    texts: Vec<Vec<String>>,
}

impl EventReader {
    fn read_bytes(&self, values: &[Option<&[u8]>]) -> Read {
        let mut left = Vec::new();
        let mut entries = Vec::with_capacity(values.len() * self.entry_size);
        let mut keys = Vec::with_capacity(values.len() * USUAL_KEY_LENGTH);
        let mut key_ends = Vec::with_capacity(values.len());
        let mut tables: Vec<Texts> = self.dimensions.iter().map(|_| Texts::default()).collect();
        let mut texts = vec![&b""[..]; self.dimensions.len()];
        for (place, value) in values.iter().enumerate() {
            texts.fill(b"");
            let event = value
                .and_then(|bytes| self.event(bytes, &mut texts))
                .filter(|event| event.carries_nothing() || Texts::know(&mut tables, &texts));
            match event {
                None => left.push(place),
                Some(event) => {
                    event.write(&mut entries);
                    if !event.carries_nothing() {
                        for table in &tables {
                            entries.extend_from_slice(&table.code().to_le_bytes());
                        }
                    }
                    event.write_key(&mut keys);
                }
            }
            entries.resize((place + 1) * self.entry_size, 0);
            key_ends.push(keys.len());
        }
        let texts = tables.into_iter().map(Texts::into_texts).collect();
        Read { left, entries, keys, key_ends, texts }
    }

    #[inline]
    fn event<'a>(&self, bytes: &'a [u8], texts: &mut [&'a [u8]]) -> Option<Event<'a>> {
        if !bytes.is_ascii() {
            std::str::from_utf8(bytes).ok()?;
        }
        let fields = Fields::read(bytes, &self.dimensions, texts)?;
        let kind = match fields.kind {
            Token::Text(b"purchase") => ORDER,
            Token::Text(b"signup") => SIGNUP,
            Token::Text(b"return") => RETURN,
            Token::Text(b"cancellation") => CANCELLATION,
            _ => return None,
        };
        let mut event = Event { kind, time_ms: time_ms(fields.occurred_at)?, ..Event::default() };
        event.set_names(&fields)?;
        self.set_money(&mut event, &fields)?;
        if event.customer.is_some() {
            event.flags = if kind == ORDER { PLACED } else { 0 };
            return Some(event);
        }
        event.kind = GUEST_ORDER;
        (kind == ORDER).then_some(event)
    }

    #[inline]
    fn set_money<'a>(&self, event: &mut Event<'a>, fields: &Fields<'a>) -> Option<()> {
        let currency = optional_text(fields.currency)?;
        if matches!(fields.units, Token::Text(_)) {
            return None;
        }
        if event.kind != ORDER && event.kind != RETURN {
            return Some(());
        }
        let (number, digits) = *self.currencies.get(currency?)?;
        event.currency = number;
        event.minor_units = match fields.amount {
            Token::Text(text) => text_minor_units(text, digits)?,
            Token::Number(number) => number_minor_units(number, digits)?,
            Token::Absent | Token::Null => return None,
        };
        event.units = match fields.units {
            Token::Number(number) => u32::try_from(whole(number)?).ok()?,
            _ => 1,
        };
        Some(())
    }
}

impl<'a> Event<'a> {
    /// What comes with a return or a cancellation says nothing of the customer's segment.
    fn carries_nothing(&self) -> bool {
        self.kind == RETURN || self.kind == CANCELLATION
    }

    #[inline]
    fn set_names(&mut self, fields: &Fields<'a>) -> Option<()> {
        self.customer = optional_text(fields.customer_id)?;
        if let Some(customer) = self.customer {
            sized(customer, MAX_ID_LENGTH)?;
        }
        if let Some(store) = optional_text(fields.store)? {
            sized(store, MAX_NAME_LENGTH)?;
            if store != DEFAULT_STORE {
                self.store = store;
            }
        }
        let (order_id, return_id) = (id(fields.order_id)?, id(fields.return_id)?);
        self.id = match self.kind {
            SIGNUP => return Some(()),
            RETURN => return_id?,
            _ => order_id?,
        };
        sized(self.id, MAX_ID_LENGTH)
    }

    /// Append its entry, but for the values.
    #[inline]
    fn write(&self, entries: &mut Vec<u8>) {
        let hash = if self.kind == SIGNUP { 0 } else { xxh3_64(self.id) };
        entries.extend_from_slice(&self.time_ms.to_le_bytes());
        entries.extend_from_slice(&hash.to_le_bytes());
        entries.extend_from_slice(&self.minor_units.to_le_bytes());
        entries.extend_from_slice(&self.units.to_le_bytes());
        entries.extend_from_slice(&self.currency.to_le_bytes());
        entries.extend_from_slice(&[self.kind, self.flags]);
    }

    /// Append the key of its customer's or guest order's state.
    #[inline]
    fn write_key(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(self.store);
        key.push(0);
        if let Some(customer) = self.customer {
            key.extend_from_slice(customer);
        } else {
            key.push(0);
            key.extend_from_slice(self.id);
        }
    }
}
