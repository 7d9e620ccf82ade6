//! Operators' rules on upstream errors: what a certain error means, and what the caller gets in its place.
//!
//! A rule looks at the provider, the status and one text; what it does not name it does not ask. The first rule that
//! matches decides, before anything that Penstock knows itself.

use serde::{Deserialize, Serialize};

use crate::failure::{Answered, Class, MAX_TEXT};
use crate::invalid::Invalid;
use crate::name;
use crate::provider::ProviderKind;

const MAX_PATTERN: usize = 512;
const MAX_MESSAGE: usize = 2048;
const MAX_BODY: usize = 16 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRule {
    pub name: String,
    pub enabled: bool,
    /// Lower is tried first.
    pub priority: u32,
    /// Only for this kind of provider.
    #[serde(default)]
    pub kind: Option<ProviderKind>,
    /// Only for the provider of this name.
    #[serde(default)]
    pub provider: Option<String>,
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub pattern: Option<ErrorPattern>,
    pub class: Class,
    #[serde(default)]
    pub replace: Option<Replace>,
}

/// A text to look for, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorPattern {
    pub field: ErrorField,
    pub text: ErrorText,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorField {
    /// Any of the others.
    Any,
    /// `error.code` and its kin.
    Code,
    /// `error.type` and its kin.
    Type,
    Message,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorText {
    /// Anywhere in the field; the case of ASCII letters does not matter.
    Contains(String),
    Regex(ErrorRegex),
}

/// A regular expression, found anywhere in the field. One that does not compile is kept as text, matches nothing, and
/// fails [`ErrorRule::validate`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ErrorRegex {
    text: String,
    compiled: Option<regex_lite::Regex>,
}

/// What the caller gets in place of the provider's status and body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replace {
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub body: Option<ReplaceBody>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplaceBody {
    /// In the shape of the dialect that was called.
    Message(String),
    /// A JSON object, sent as it is.
    Json(String),
}

impl ErrorRule {
    /// The [`SCHEMA`](crate::resource::SCHEMA) that every rule needs: an older node would not know it at all.
    pub const SCHEMA: u32 = 3;

    pub fn matches(&self, seen: &Answered<'_>) -> bool {
        self.kind.is_none_or(|kind| kind == seen.kind)
            && self.provider.as_ref().is_none_or(|name| name == seen.provider)
            && self.status.is_none_or(|status| status == seen.status)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(seen))
    }

    /// Checks every field.
    pub fn validate(&self) -> Result<(), Invalid> {
        name::check("name", &self.name)?;
        if let Some(provider) = &self.provider {
            name::check("provider", provider)?;
        }
        if self.status.is_none() && self.pattern.is_none() {
            return Err(Invalid::new("pattern", "needs a status or a pattern to match"));
        }
        check_status("status", self.status)?;
        if let Some(pattern) = &self.pattern {
            pattern.text.validate()?;
        }
        if self.class == Class::Interrupted {
            let problem = "interrupted is what happens to answers that have begun; no rule can say so";
            return Err(Invalid::new("class", problem));
        }
        self.replace.as_ref().map_or(Ok(()), Replace::validate)
    }
}

impl ErrorPattern {
    fn matches(&self, seen: &Answered<'_>) -> bool {
        let codes = [seen.code, seen.inner_code, seen.reason, seen.quota_id];
        let types = [seen.kind_word, seen.google_status];
        let within = |fields: &[Option<&str>]| fields.iter().flatten().any(|text| self.text.is_in(text));
        match self.field {
            ErrorField::Code => within(&codes),
            ErrorField::Type => within(&types),
            ErrorField::Message => within(&[seen.message]),
            ErrorField::Any => within(&codes) || within(&types) || within(&[seen.message]),
        }
    }
}

impl ErrorText {
    pub fn text(&self) -> &str {
        match self {
            Self::Contains(text) => text,
            Self::Regex(regex) => &regex.text,
        }
    }

    fn is_in(&self, field: &str) -> bool {
        let end = field.floor_char_boundary(MAX_TEXT);
        let field = field.get(..end).unwrap_or_default();
        match self {
            Self::Contains(text) => field
                .as_bytes()
                .windows(text.len().max(1))
                .any(|window| window.eq_ignore_ascii_case(text.as_bytes())),
            Self::Regex(regex) => regex.compiled.as_ref().is_some_and(|r| r.is_match(field)),
        }
    }

    fn validate(&self) -> Result<(), Invalid> {
        let text = self.text();
        if text.is_empty() || text.len() > MAX_PATTERN {
            let problem = format!("must have 1 to {MAX_PATTERN} bytes");
            return Err(Invalid::new("pattern.text", problem));
        }
        match self {
            Self::Regex(regex) if regex.compiled.is_none() => {
                let problem = format!("{text:?} is not a regular expression, or too large a one");
                Err(Invalid::new("pattern.text", problem))
            }
            Self::Contains(_) | Self::Regex(_) => Ok(()),
        }
    }
}

impl Replace {
    fn validate(&self) -> Result<(), Invalid> {
        check_status("replace.status", self.status)?;
        let over = |text: &str, max: usize| text.trim().is_empty() || text.len() > max;
        match &self.body {
            Some(ReplaceBody::Message(text)) if over(text, MAX_MESSAGE) => Err(Invalid::new(
                "replace.message",
                format!("must have 1 to {MAX_MESSAGE} bytes"),
            )),
            Some(ReplaceBody::Json(text)) if over(text, MAX_BODY) || !is_object(text) => Err(Invalid::new(
                "replace.json",
                format!("must be a JSON object of at most {MAX_BODY} bytes"),
            )),
            None if self.status.is_none() => Err(Invalid::new("replace", "replaces nothing")),
            Some(_) | None => Ok(()),
        }
    }
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object())
}

fn check_status(field: &str, status: Option<u16>) -> Result<(), Invalid> {
    match status {
        Some(status) if !(400..600).contains(&status) => Err(Invalid::new(
            field,
            format!("{status} is not a status from 400 to 599"),
        )),
        Some(_) | None => Ok(()),
    }
}

impl ErrorRegex {
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<String> for ErrorRegex {
    fn from(text: String) -> Self {
        let compiled = regex_lite::RegexBuilder::new(&text)
            .size_limit(32 * 1024)
            .build()
            .ok();
        Self { text, compiled }
    }
}

impl From<ErrorRegex> for String {
    fn from(regex: ErrorRegex) -> Self {
        regex.text
    }
}

impl PartialEq for ErrorRegex {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ErrorRegex {}
