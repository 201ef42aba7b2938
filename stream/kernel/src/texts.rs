//! The texts that events carry in one dimension, as codes of a chunk's own.

use std::collections::HashMap;

/// Texts met in one dimension of a chunk, as codes from 1 on; 0 is the empty text.
pub struct Texts<'a> {
    codes: HashMap<&'a [u8], u16>,
    by_code: Vec<&'a [u8]>,
    /// What came last: segments are few, and often follow each other.
    last: (&'a [u8], u16),
}

impl Default for Texts<'_> {
    fn default() -> Self {
        Self { codes: HashMap::new(), by_code: vec![b""], last: (b"", 0) }
    }
}

impl<'a> Texts<'a> {
    /// Make each text the last of its table; false when a table has no code left for it.
    pub fn know(tables: &mut [Self], texts: &[&'a [u8]]) -> bool {
        tables.iter_mut().zip(texts).all(|(table, text)| table.take(text).is_some())
    }

    /// The code of the last text.
    pub fn code(&self) -> u16 {
        self.last.1
    }

    #[inline]
    fn take(&mut self, text: &'a [u8]) -> Option<()> {
        if text != self.last.0 {
            let code = match self.codes.get(text) {
                _ if text.is_empty() => 0,
                Some(code) => *code,
                None => {
                    let code = u16::try_from(self.by_code.len()).ok()?;
                    self.by_code.push(text);
                    self.codes.insert(text, code);
                    code
                }
            };
            self.last = (text, code);
        }
        Some(())
    }

    /// The texts by code.
    pub fn into_texts(self) -> Vec<String> {
        // Nothing is lost: the events they stand in are valid UTF-8.
        self.by_code.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }
}
