//! The grammar: moves over one value and fails at the first byte that does not belong.
//!
//! Most bytes of a request are inside strings, so that loop looks at eight bytes at a time. Containers are walked
//! without recursion; which of them are objects is one bit each in a word, which is why depth is bounded.

use super::{Fault, Kind, MAX_DEPTH, Problem, Value};

const _: () = assert!(MAX_DEPTH <= u128::BITS, "one bit for each container");

#[derive(Debug)]
pub(super) struct Skipper<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
}

/// A container's walk: what is open, and how many children the outermost has.
#[derive(Default)]
struct Open {
    /// The innermost container is an object when the lowest bit is set.
    objects: u128,
    depth: u32,
    items: usize,
}

impl<'a> Skipper<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn fault(&self, problem: Problem) -> Fault {
        Fault { at: self.at, problem }
    }

    /// Moves over space; the byte that follows it.
    pub(super) fn space(&mut self) -> Option<u8> {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                _ => return Some(byte),
            }
        }
        None
    }

    /// Like `space`, where something must follow.
    pub(super) fn need(&mut self) -> Result<u8, Fault> {
        self.space().ok_or_else(|| self.fault(Problem::Ended))
    }

    /// Moves over a key and its colon.
    pub(super) fn key(&mut self) -> Result<Value<'a>, Fault> {
        if self.need()? != b'"' {
            return Err(self.fault(Problem::ExpectedKey));
        }
        let start = self.at;
        let escaped = self.string()?;
        let key = Value {
            bytes: self.bytes,
            span: start..self.at,
            kind: Kind::String { escaped },
            items: 0,
        };
        if self.need()? != b':' {
            return Err(self.fault(Problem::ExpectedColon));
        }
        self.at += 1;
        Ok(key)
    }

    /// Moves over any value of at most `room` containers inside each other.
    pub(super) fn value(&mut self, room: u32) -> Result<Value<'a>, Fault> {
        let first = self.need()?;
        let start = self.at;
        let (kind, items) = match first {
            b'{' => (Kind::Object, self.container(room)?),
            b'[' => (Kind::Array, self.container(room)?),
            _ => (self.scalar(first)?, 0),
        };
        Ok(Value {
            bytes: self.bytes,
            span: start..self.at,
            kind,
            items,
        })
    }

    fn container(&mut self, room: u32) -> Result<usize, Fault> {
        let mut open = Open::default();
        loop {
            match self.need()? {
                first @ (b'{' | b'[') => {
                    if open.depth == room {
                        return Err(self.fault(Problem::TooDeep));
                    }
                    if self.enter(first, &mut open)? {
                        continue;
                    }
                }
                first => {
                    self.scalar(first)?;
                }
            }
            if self.after_value(&mut open)? {
                return Ok(open.items);
            }
        }
    }

    /// Moves over an opening bracket, and over the first key of an object. False when nothing is inside.
    fn enter(&mut self, first: u8, open: &mut Open) -> Result<bool, Fault> {
        let object = first == b'{';
        self.at += 1;
        open.depth += 1;
        open.objects = open.objects << 1 | u128::from(object);
        if self.need()? == if object { b'}' } else { b']' } {
            return Ok(false);
        }
        if open.depth == 1 {
            open.items = 1;
        }
        if object {
            self.key()?;
        }
        Ok(true)
    }

    /// Moves over closing brackets up to the next value. True when the outermost container has closed.
    fn after_value(&mut self, open: &mut Open) -> Result<bool, Fault> {
        while open.depth > 0 {
            let object = open.objects & 1 == 1;
            match self.need()? {
                b',' => {
                    self.at += 1;
                    if open.depth == 1 {
                        open.items += 1;
                    }
                    if object {
                        self.key()?;
                    }
                    return Ok(false);
                }
                b'}' if object => {}
                b']' if !object => {}
                _ => return Err(self.fault(Problem::ExpectedComma)),
            }
            self.at += 1;
            open.depth -= 1;
            open.objects >>= 1;
        }
        Ok(true)
    }

    fn scalar(&mut self, first: u8) -> Result<Kind, Fault> {
        match first {
            b'"' => Ok(Kind::String {
                escaped: self.string()?,
            }),
            b't' => self.word(b"true", Kind::True),
            b'f' => self.word(b"false", Kind::False),
            b'n' => self.word(b"null", Kind::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.fault(Problem::ExpectedValue)),
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<Kind, Fault> {
        match self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            true => {
                self.at += word.len();
                Ok(kind)
            }
            false => Err(self.fault(Problem::ExpectedValue)),
        }
    }

    fn number(&mut self) -> Result<Kind, Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Kind::Number)
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        match self.at > start {
            true => Ok(()),
            false => Err(self.fault(Problem::ExpectedValue)),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Moves over a string, from its first quote; whether it has escapes.
    fn string(&mut self) -> Result<bool, Fault> {
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at = plain_end(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.fault(Problem::ControlCharacter)),
                None => return Err(self.fault(Problem::Ended)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.fault(Problem::UnknownEscape));
                }
                self.at += 6;
            }
            Some(_) => return Err(self.fault(Problem::UnknownEscape)),
            None => return Err(self.fault(Problem::Ended)),
        }
        Ok(())
    }
}

/// The first byte from `at` on that is a quote, a backslash or a control character; the end if there is none.
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let stops = stops(u64::from_le_bytes(*chunk));
        if stops != 0 {
            return at + (stops.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let plain = |&byte: &u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    at + rest.iter().position(|byte| !plain(byte)).unwrap_or(rest.len())
}

/// Sets the highest bit of each of the eight bytes that ends plain text. Bits above the lowest one set may be wrong:
/// a borrow runs upwards.
fn stops(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |limit: u64, word: u64| word.wrapping_sub(ONES * limit) & !word & (ONES << 7);
    let equals = |byte: u8| below(1, word ^ (ONES * u64::from(byte)));
    below(0x20, word) | equals(b'"') | equals(b'\\')
}
