//! Reads JSON that is written plainly. `None` anywhere means "not plain": the reference decides.

/// Containers inside a value that is skipped may nest so deep.
const MAX_DEPTH: usize = 32;
/// Whatever the field, the reference can hold a number of so many characters.
const LONGEST_NUMBER: usize = 40;

/// A value of a field that is a text or a number.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Token<'a> {
    #[default]
    Absent,
    Null,
    Text(&'a [u8]),
    Number(&'a [u8]),
}

pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes one expected byte.
    #[inline]
    pub fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Nothing but space is left.
    pub fn finish(&mut self) -> Option<()> {
        self.space();
        (self.at == self.bytes.len()).then_some(())
    }

    /// A text without escapes or control characters, quotes taken off.
    #[inline]
    pub fn text(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let first = self.at;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' | 0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        let text = self.bytes.get(first..self.at);
        self.at += 1;
        text
    }

    /// A number without exponent, and not overlong.
    #[inline]
    fn number(&mut self) -> Option<&'a [u8]> {
        let first = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !self.peek()?.is_ascii_digit() {
                return None;
            }
            self.digits();
        }
        match self.peek() {
            Some(b'e' | b'E' | b'0'..=b'9') => None,
            _ => self.bytes.get(first..self.at).filter(|number| number.len() <= LONGEST_NUMBER),
        }
    }

    #[inline]
    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        let end = self.at + word.len();
        (self.bytes.get(self.at..end)? == word).then(|| self.at = end)
    }

    /// A text, a number or null.
    #[inline]
    pub fn token(&mut self) -> Option<Token<'a>> {
        match self.peek()? {
            b'"' => self.text().map(Token::Text),
            b'n' => self.literal(b"null").map(|()| Token::Null),
            b'-' | b'0'..=b'9' => self.number().map(Token::Number),
            _ => None,
        }
    }

    /// Goes through the members of an object; `member` reads each value.
    #[inline]
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a [u8]) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.space();
            let name = self.text()?;
            self.space();
            self.take(b':')?;
            self.space();
            member(self, name)?;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// Passes over any value.
    pub fn skip(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'{' if depth < MAX_DEPTH => self.object(|cursor, _| cursor.skip(depth + 1)),
            b'[' if depth < MAX_DEPTH => self.skip_array(depth),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            _ => self.token().map(|_| ()),
        }
    }

    fn skip_array(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.space();
            self.skip(depth + 1)?;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }
}
