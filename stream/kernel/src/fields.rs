//! The fields of event JSON as they stand, and the rules of one field that is written plainly.

use crate::cursor::{Cursor, Token};
use crate::numbers::whole;

pub const MAX_ID_LENGTH: usize = 256;
pub const MAX_NAME_LENGTH: usize = 128;

#[derive(Clone, Copy, Default)]
pub struct Fields<'a> {
    pub kind: Token<'a>,
    pub customer_id: Token<'a>,
    pub order_id: Token<'a>,
    pub occurred_at: Token<'a>,
    pub amount: Token<'a>,
    pub currency: Token<'a>,
    pub units: Token<'a>,
    pub store: Token<'a>,
    pub return_id: Token<'a>,
    has_attributes: bool,
}

impl<'a> Fields<'a> {
    /// Read an event; `texts` gets what it carries in each of the dimensions.
    #[inline]
    pub fn read(bytes: &'a [u8], dimensions: &[Vec<u8>], texts: &mut [&'a [u8]]) -> Option<Self> {
        let mut fields = Self::default();
        let mut cursor = Cursor::new(bytes);
        cursor.space();
        cursor.object(|cursor, name| {
            if let Some(field) = fields.named(name) {
                // Sent twice: which one counts is for the reference to say.
                if *field != Token::Absent {
                    return None;
                }
                *field = cursor.token()?;
                return Some(());
            }
            if name != b"attributes" {
                return cursor.skip(0);
            }
            if fields.has_attributes {
                return None;
            }
            fields.has_attributes = true;
            attributes(cursor, dimensions, texts)
        })?;
        cursor.finish()?;
        Some(fields)
    }

    #[inline]
    fn named(&mut self, name: &[u8]) -> Option<&mut Token<'a>> {
        Some(match name {
            b"type" => &mut self.kind,
            b"customer_id" => &mut self.customer_id,
            b"order_id" => &mut self.order_id,
            b"occurred_at" => &mut self.occurred_at,
            b"amount" => &mut self.amount,
            b"currency" => &mut self.currency,
            b"units" => &mut self.units,
            b"store" => &mut self.store,
            b"return_id" => &mut self.return_id,
            _ => return None,
        })
    }
}

#[inline]
fn attributes<'a>(
    cursor: &mut Cursor<'a>,
    dimensions: &[Vec<u8>],
    texts: &mut [&'a [u8]],
) -> Option<()> {
    if cursor.peek()? == b'n' {
        return cursor.token().map(|_| ());
    }
    let mut seen: u64 = 0;
    cursor.object(|cursor, name| {
        let Some(dimension) = dimensions.iter().position(|known| known == name) else {
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
            *texts.get_mut(dimension)? = text;
        }
        Some(())
    })
}

/// A text, or nothing; `None` when it is a number.
pub fn optional_text(token: Token<'_>) -> Option<Option<&[u8]>> {
    match token {
        Token::Absent | Token::Null => Some(None),
        Token::Text(text) => Some(Some(text)),
        Token::Number(_) => None,
    }
}

/// An id that is a text or a whole number, or nothing; `None` when it is another number.
pub fn id(token: Token<'_>) -> Option<Option<&[u8]>> {
    match token {
        Token::Absent | Token::Null => Some(None),
        Token::Text(text) => Some(Some(text)),
        Token::Number(number) => whole(number).map(|_| Some(number)),
    }
}

/// `None` for a text that is empty or too long.
pub fn sized(text: &[u8], longest: usize) -> Option<()> {
    (!text.is_empty() && (text.len() <= longest || characters(text) <= longest)).then_some(())
}

/// Characters of valid UTF-8.
fn characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}
