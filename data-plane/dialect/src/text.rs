//! The text of a request's body: every string that is written for people or models, wherever it stands.
//!
//! Strings are decoded, so that escapes (`"\u0061"`) hide nothing. Left out are keys, and strings that are data: under
//! the names that vendors give to it (images, files, signatures, encrypted reasoning) and looking like base64, or a
//! `data:` URL. What looks like text is text, also under such a name. Strings that are no Unicode are left to the
//! provider. One pass, whatever the depth.

use std::borrow::Cow;
use std::fmt::Write;

use crate::json::{Token, Tokens, Value};

/// Names of members that hold data.
const DATA: [&[u8]; 7] = [
    b"data",
    b"file_data",
    b"b64_json",
    b"signature",
    b"encrypted_content",
    b"thoughtSignature",
    b"thought_signature",
];
/// A name in a place is cut here, bytes.
const SHOWN_NAME: usize = 64;

/// Walks over the texts of a body.
#[derive(Debug)]
pub struct Texts<'a> {
    tokens: Tokens<'a>,
    open: Vec<Open<'a>>,
}

/// A container that is open, and where in it the walk is.
#[derive(Debug)]
enum Open<'a> {
    Object(Option<Value<'a>>),
    /// The place of the next element.
    Array(usize),
}

impl<'a> Texts<'a> {
    /// Of this JSON.
    pub fn of(body: &'a [u8]) -> Self {
        Self {
            tokens: Tokens::of(body),
            open: Vec::new(),
        }
    }

    /// Where the last text stands: `messages[2].content[0].text`.
    pub fn place(&self) -> String {
        let mut place = String::new();
        for open in &self.open {
            match open {
                Open::Object(Some(key)) => {
                    let name = key.name().unwrap_or_default();
                    let shown = name.get(..name.len().min(SHOWN_NAME)).unwrap_or_default();
                    if !place.is_empty() {
                        place.push('.');
                    }
                    place.push_str(&String::from_utf8_lossy(shown));
                }
                Open::Object(None) => {}
                // The walk is behind the element already.
                Open::Array(next) => drop(write!(place, "[{}]", next.saturating_sub(1))),
            }
        }
        place
    }

    fn step(&mut self) {
        if let Some(Open::Array(next)) = self.open.last_mut() {
            *next += 1;
        }
    }

    fn is_data(&self, value: &Value<'_>) -> bool {
        let name = match self.open.last() {
            Some(Open::Object(Some(key))) => key.name(),
            Some(Open::Object(None) | Open::Array(_)) | None => None,
        };
        is_data(name.as_deref(), value.inner())
    }
}

/// Whether a string as it was written, under this name, is data and no text.
pub(crate) fn is_data(name: Option<&[u8]>, raw: &[u8]) -> bool {
    let url = raw.strip_prefix(b"data:").is_some_and(|rest| {
        let head = rest.get(..rest.len().min(128)).unwrap_or_default();
        let comma = memchr::memmem::find(head, b";base64,");
        comma.is_some_and(|at| base64(rest.get(at + 8..).unwrap_or_default()))
    });
    url || (name.is_some_and(|name| DATA.contains(&name)) && base64(raw))
}

/// Letters of base64 and nothing else; `\/` is how some write a slash.
fn base64(raw: &[u8]) -> bool {
    raw.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_\\".contains(byte))
}

impl<'a> Iterator for Texts<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Ok(Some(token)) = self.tokens.next() {
            match token {
                Token::Object => {
                    self.step();
                    self.open.push(Open::Object(None));
                }
                Token::Array => {
                    self.step();
                    self.open.push(Open::Array(0));
                }
                Token::Close => drop(self.open.pop()),
                Token::Key(key) => {
                    if let Some(Open::Object(name)) = self.open.last_mut() {
                        *name = Some(key);
                    }
                }
                Token::Scalar(value) => {
                    self.step();
                    if self.is_data(&value) {
                        continue;
                    }
                    if let Some(Ok(text)) = value.text() {
                        return Some(text);
                    }
                }
            }
        }
        None
    }
}
