//! The words of a provider's error: what its status alone does not say.
//!
//! All dialects put an object `error` into the body (Google an array around it at times); this reads its fields,
//! bounded, and leaves the judgement to the error classes. A body that is not JSON has no words.

use crate::json::{Kind, Members, Value};

/// Longer messages are cut, bytes: texts are matched in the first 4 KB.
pub const MAX_MESSAGE: usize = 4096;
const MAX_WORD: usize = 128;

/// What an error body says. Fields that are absent or no text are None.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamError {
    /// `error.type`: `overloaded_error`, `insufficient_quota`.
    pub kind: Option<String>,
    /// `error.code` or Anthropic's `error.details.error_code`; a number as its digits.
    pub code: Option<String>,
    /// `error.message`, cut after [`MAX_MESSAGE`]. Unmasked: not for callers or logs as it is.
    pub message: Option<String>,
}

impl UpstreamError {
    /// Reads an error body or the data of an error event.
    pub fn read(body: &[u8]) -> Self {
        let mut told = Self::default();
        let Ok(mut members) = Members::open(body) else {
            return told;
        };
        let mut outer = Self::default();
        while let Ok(Some(member)) = members.next() {
            match member.key.name().as_deref() {
                Some(b"error") if member.value.kind == Kind::Object => {
                    member.value.each_member(|name, value| told.field(name, &value));
                }
                // Some relays write `{"error":"text"}`.
                Some(b"error") => told.message = message(&member.value),
                Some(name) if name != b"type" => outer.field(name, &member.value),
                Some(_) | None => {}
            }
        }
        // Others write the fields without the object around them.
        match told == Self::default() {
            true => outer,
            false => told,
        }
    }

    fn field(&mut self, name: &[u8], value: &Value<'_>) {
        match name {
            b"type" => self.kind = word(value),
            b"code" => self.code = word(value).or_else(|| self.code.take()),
            b"message" => self.message = message(value),
            b"details" => value.each_member(|name, value| {
                if name == b"error_code" {
                    self.code = word(&value).or_else(|| self.code.take());
                }
            }),
            _ => {}
        }
    }
}

fn word(value: &Value<'_>) -> Option<String> {
    match value.kind {
        Kind::Number => value.count().map(|count| count.to_string()),
        Kind::String { .. } => value.short_text(MAX_WORD).map(std::borrow::Cow::into_owned),
        Kind::Object | Kind::Array | Kind::True | Kind::False | Kind::Null => None,
    }
}

fn message(value: &Value<'_>) -> Option<String> {
    let mut text = value.text()?.ok()?.into_owned();
    text.truncate(text.floor_char_boundary(MAX_MESSAGE));
    Some(text)
}
