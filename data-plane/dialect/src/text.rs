//! The text of a request's body: every string that is written for people or models, wherever it stands.
//!
//! Strings are decoded, so that escapes (`"\u0061"`) hide nothing; what is no Unicode is read as U+FFFD, so that it hides
//! nothing either. Left out are keys, and what is data (see `data`). One pass, whatever the depth.

use std::borrow::Cow;
use std::fmt::Write;

use crate::data::{self, Share};
use crate::json::{Token, Tokens, Value};

/// A name in a place is cut here, bytes.
const SHOWN_NAME: usize = 64;

/// Walks over the texts of a body.
#[derive(Debug)]
pub struct Texts<'a> {
    body: &'a [u8],
    tokens: Tokens<'a>,
    open: Vec<Open<'a>>,
}

/// A container that is open, and where in it the walk is.
#[derive(Debug)]
enum Open<'a> {
    Object(Inside<'a>),
    /// The place of the next element.
    Array(usize),
}

/// An object that is open.
#[derive(Debug, Default)]
struct Inside<'a> {
    key: Option<Value<'a>>,
    /// The byte after its brace.
    begin: usize,
    /// Whether it says that its `data` is data, once that was asked.
    says_data: Option<bool>,
}

impl<'a> Texts<'a> {
    /// Of this JSON.
    pub fn of(body: &'a [u8]) -> Self {
        Self {
            body,
            tokens: Tokens::of(body),
            open: Vec::new(),
        }
    }

    /// Where the last text stands: `messages[2].content[0].text`.
    pub fn place(&self) -> String {
        let mut place = String::new();
        for open in &self.open {
            match open {
                Open::Object(Inside { key: Some(key), .. }) => {
                    let name = key.name().unwrap_or_default();
                    let shown = name.get(..name.len().min(SHOWN_NAME)).unwrap_or_default();
                    if !place.is_empty() {
                        place.push('.');
                    }
                    place.push_str(&String::from_utf8_lossy(shown));
                }
                Open::Object(Inside { key: None, .. }) => {}
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

    /// What is text of a string.
    fn text(&mut self, value: &Value<'a>) -> Option<Cow<'a, str>> {
        let share = match self.open.last_mut() {
            Some(Open::Object(inside)) => {
                let name = inside.key.as_ref().and_then(Value::name);
                let object = self.body.get(inside.begin.saturating_sub(1)..);
                let said = &mut inside.says_data;
                let beside = || *said.get_or_insert_with(|| data::says_data(object.unwrap_or_default()));
                data::text_of(name.as_deref(), value.inner(), beside)
            }
            Some(Open::Array(_)) | None => Share::All,
        };
        match share {
            Share::All => value.text_lossy(),
            Share::Nothing => None,
            Share::Head(length) => Some(head(value, length)),
        }
    }
}

/// What stands in front of the data of a URL.
pub(crate) fn head<'a>(value: &Value<'a>, length: usize) -> Cow<'a, str> {
    let head = String::from_utf8_lossy(value.inner().get(..length).unwrap_or_default());
    match head.contains('\\') {
        true => head.replace("\\/", "/").into(),
        false => head,
    }
}

impl<'a> Iterator for Texts<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Ok(Some(token)) = self.tokens.next() {
            match token {
                Token::Object => {
                    self.step();
                    let begin = self.tokens.at();
                    self.open.push(Open::Object(Inside {
                        begin,
                        ..Inside::default()
                    }));
                }
                Token::Array => {
                    self.step();
                    self.open.push(Open::Array(0));
                }
                Token::Close => drop(self.open.pop()),
                Token::Key(key) => {
                    if let Some(Open::Object(inside)) = self.open.last_mut() {
                        inside.key = Some(key);
                    }
                }
                Token::Scalar(value) => {
                    self.step();
                    if let Some(text) = self.text(&value) {
                        return Some(text);
                    }
                }
            }
        }
        None
    }
}
