//! Text as a reader of JSON sees it, with the place of each byte in what it was read from.
//!
//! An escape that is none stays as it is: the text may be no JSON at all. Half of a surrogate pair reads as U+FFFD.

use std::ops::Range;

/// See the module.
pub(super) struct Unescaped {
    pub(super) text: Vec<u8>,
    /// Where each byte of `text` comes from, and the end.
    from: Vec<usize>,
}

impl Unescaped {
    /// `depth` times, for JSON in strings of JSON. None: nothing is escaped so deep.
    pub(super) fn of(raw: &[u8], depth: usize) -> Option<Self> {
        memchr::memchr(b'\\', raw)?;
        let mut read = Self {
            text: raw.to_vec(),
            from: (0..=raw.len()).collect(),
        };
        for _ in 0..depth {
            memchr::memchr(b'\\', &read.text)?;
            read = read.once();
        }
        Some(read)
    }

    /// Where these bytes of `text` come from.
    pub(super) fn raw(&self, range: &Range<usize>) -> Option<Range<usize>> {
        Some(*self.from.get(range.start)?..*self.from.get(range.end)?)
    }

    fn once(&self) -> Self {
        let mut read = Self {
            text: Vec::with_capacity(self.text.len()),
            from: Vec::with_capacity(self.from.len()),
        };
        let (mut at, mut bytes) = (0, [0; 4]);
        while let Some(&byte) = self.text.get(at) {
            let rest = self.text.get(at + 1..).unwrap_or_default();
            let escape = (byte == b'\\').then(|| character(rest)).flatten();
            let (said, length) = match escape {
                Some((character, length)) => (&*character.encode_utf8(&mut bytes), length),
                // Not a character perhaps, but a part of one.
                None => ("", 0),
            };
            let said = if length == 0 { &[byte] } else { said.as_bytes() };
            read.text.extend_from_slice(said);
            let from = self.from.get(at).copied().unwrap_or_default();
            read.from.extend(said.iter().map(|_| from));
            at += 1 + length;
        }
        read.from.extend(self.from.last());
        read
    }
}

/// What an escape stands for whose backslash stands before `rest`, and how much of `rest` it is.
fn character(rest: &[u8]) -> Option<(char, usize)> {
    let simple = |character| Some((character, 1));
    match rest {
        [b'u', digits @ ..] => {
            let digits = digits
                .get(..4)
                .filter(|four| four.iter().all(u8::is_ascii_hexdigit))?;
            let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            Some((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 5))
        }
        [b'n', ..] => simple('\n'),
        [b'r', ..] => simple('\r'),
        [b't', ..] => simple('\t'),
        [b'b', ..] => simple('\u{8}'),
        [b'f', ..] => simple('\u{c}'),
        [byte @ (b'"' | b'\\' | b'/'), ..] => simple(char::from(*byte)),
        _ => None,
    }
}
