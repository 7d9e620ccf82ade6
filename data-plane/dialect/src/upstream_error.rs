//! The words of a provider's error: what its status alone does not say.
//!
//! All dialects put an object `error` into the body (Google an array around it at times, AWS nothing at all); this
//! reads its fields, bounded, and leaves the judgement to [`penstock_core::failure`]. A body that is not JSON has no
//! words, but it is told whether it is a page.

mod google;
mod head;
mod texts;

use std::time::Duration;

use penstock_core::failure::{Answered, Hints};
use penstock_core::provider::ProviderKind;
use penstock_core::time::UnixMs;

use crate::json::{Kind, Members, Value};

pub use head::ErrorHead;

/// Longer messages are cut, bytes: texts are matched in the first 4 KB.
pub const MAX_MESSAGE: usize = 4096;
const MAX_WORD: usize = 128;
/// Of these an error has one at least: the vendors', `FastAPI`'s, and those of relays.
const ERRORS: [&[u8]; 8] = [
    b"error", b"errors", b"message", b"Message", b"msg", b"detail", b"__type", b"code",
];

/// What an error body says. Fields that are absent or no text are None.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamError {
    /// `error.type`: `overloaded_error`, `insufficient_quota`; AWS's `__type`.
    pub kind: Option<String>,
    /// `error.code` or Anthropic's `error.details.error_code`; a number as its digits.
    pub code: Option<String>,
    /// `error.message`, cut after [`MAX_MESSAGE`]. Unmasked: not for callers or logs as it is.
    pub message: Option<String>,
    /// What few errors have.
    pub details: Option<Box<Details>>,
    /// The body has a field that errors have.
    pub is_error: bool,
}

/// What few errors have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// `error.param`.
    pub param: Option<String>,
    /// Azure's `error.innererror.code`.
    pub inner_code: Option<String>,
    /// Google's `error.status`.
    pub google_status: Option<String>,
    /// Google's `ErrorInfo.reason`.
    pub reason: Option<String>,
    /// Google's `QuotaFailure.violations[].quotaId`; of several, one by the day.
    pub quota_id: Option<String>,
    /// Google's `RetryInfo.retryDelay`, `resets_in_seconds`.
    pub delay: Option<Duration>,
    /// `resets_at`.
    pub resets_at: Option<UnixMs>,
    /// The body is HTML.
    pub page: bool,
}

impl UpstreamError {
    /// Reads an error body or the data of an error event.
    pub fn read(body: &[u8]) -> Self {
        let mut told = Self::default();
        let body = body.trim_ascii_start();
        let body = body.strip_prefix(b"[").unwrap_or(body);
        let Ok(mut members) = Members::open(body) else {
            if body.starts_with(b"<") {
                told.details().page = true;
            }
            return told;
        };
        let (mut outer, mut is_error) = (Self::default(), false);
        while let Ok(Some(member)) = members.next() {
            is_error |= member.key.name().is_some_and(|name| ERRORS.contains(&&*name));
            match member.key.name().as_deref() {
                Some(b"error") if member.value.kind == Kind::Object => {
                    member.value.each_member(|name, value| told.field(name, &value));
                }
                // Some relays write `{"error":"text"}`.
                Some(b"error") => told.message = message(&member.value),
                Some(name) => outer.outer_field(name, &member.value),
                None => {}
            }
        }
        // Others write the fields without the object around them.
        let told = match told == Self::default() {
            true => outer,
            false => told,
        };
        Self { is_error, ..told }
    }

    /// What was seen of the error, for its judgement. `status` is the answer's; 200 for an error event. The model is for
    /// whoever asked to add.
    pub fn answered<'a>(
        &'a self,
        head: &'a ErrorHead,
        provider: &'a str,
        kind: ProviderKind,
        status: u16,
    ) -> Answered<'a> {
        let details = self.details.as_deref();
        let of = |field: fn(&Details) -> &Option<String>| details.and_then(|d| field(d).as_deref());
        Answered {
            provider,
            kind,
            status,
            kind_word: head.error_type.as_deref().or(self.kind.as_deref()),
            code: self.code.as_deref(),
            inner_code: of(|d| &d.inner_code),
            param: of(|d| &d.param),
            message: self.message.as_deref(),
            google_status: of(|d| &d.google_status),
            reason: of(|d| &d.reason),
            quota_id: of(|d| &d.quota_id),
            page: head.page || details.is_some_and(|d| d.page),
            wordless: !self.is_error && !head.encoded && head.error_type.is_none(),
            model: None,
            denied: head.denied.is_some(),
            hints: Hints {
                delay: details.and_then(|d| d.delay),
                resets_at: details.and_then(|d| d.resets_at),
                ..head.hints
            },
        }
    }

    fn details(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }

    fn field(&mut self, name: &[u8], value: &Value<'_>) {
        match name {
            b"type" => self.kind = word(value),
            b"code" => self.code = word(value).or_else(|| self.code.take()),
            b"message" => self.message = message(value),
            b"details" if value.kind == Kind::Array => google::details(self, value),
            b"details" => value.each_member(|name, value| {
                if name == b"error_code" {
                    self.code = word(&value).or_else(|| self.code.take());
                }
            }),
            b"param" if value.is_string() => self.details().param = word(value),
            b"status" if value.is_string() => self.details().google_status = word(value),
            b"innererror" => value.each_member(|name, value| {
                if name == b"code" {
                    self.details().inner_code = word(&value);
                }
            }),
            b"resets_at" => {
                let ms = value.count().and_then(|seconds| seconds.checked_mul(1000));
                self.details().resets_at = ms.and_then(|ms| i64::try_from(ms).ok()).map(UnixMs);
            }
            b"resets_in_seconds" => self.details().delay = value.count().map(Duration::from_secs),
            _ => {}
        }
    }

    /// A field beside `error`, or without it.
    fn outer_field(&mut self, name: &[u8], value: &Value<'_>) {
        match name {
            // Says that it is an error, not which one.
            b"type" => {}
            b"__type" => self.kind = word(value).map(|kind| head::exception(&kind).to_owned()),
            b"Message" => self.message = message(value),
            b"detail" if self.message.is_none() => self.message = message(value),
            _ => self.field(name, value),
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
