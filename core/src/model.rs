//! Rules on model names: which ones a key may use, which ones a provider serves.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// The longest model name that is looked at; callers' longer ones match nothing.
pub const MAX_NAME: usize = 256;
const MAX_PATTERN: usize = 256;

/// Matches a model name as the client sent it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelPattern {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
    Regex(ModelRegex),
}

/// A regular expression that must match the whole name. Compiled when it is read; one that does not compile is kept
/// as text, matches nothing, and fails [`ModelPattern::validate`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ModelRegex {
    text: String,
    compiled: Option<regex_lite::Regex>,
}

impl ModelPattern {
    pub fn matches(&self, model: &str) -> bool {
        if model.len() > MAX_NAME {
            return false;
        }
        match self {
            Self::Exact(text) => model == text,
            Self::Prefix(text) => model.starts_with(text.as_str()),
            Self::Suffix(text) => model.ends_with(text.as_str()),
            Self::Contains(text) => model.contains(text.as_str()),
            Self::Regex(regex) => regex.compiled.as_ref().is_some_and(|r| r.is_match(model)),
        }
    }

    /// An empty, overlong or uncompilable pattern is refused.
    pub fn validate(&self, field: &str) -> Result<(), Invalid> {
        let text = self.text();
        if text.is_empty() {
            return Err(Invalid::new(field, "must not be empty"));
        }
        if text.len() > MAX_PATTERN {
            return Err(Invalid::new(
                field,
                format!("is longer than {MAX_PATTERN} characters"),
            ));
        }
        match self {
            Self::Regex(regex) if regex.compiled.is_none() => Err(Invalid::new(
                field,
                format!("{text:?} is not a regular expression"),
            )),
            Self::Exact(_) | Self::Prefix(_) | Self::Suffix(_) | Self::Contains(_) | Self::Regex(_) => Ok(()),
        }
    }

    /// The text of the pattern without its kind.
    pub fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) | Self::Suffix(text) | Self::Contains(text) => text,
            Self::Regex(regex) => &regex.text,
        }
    }
}

impl ModelRegex {
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<String> for ModelRegex {
    fn from(text: String) -> Self {
        let compiled = regex_lite::RegexBuilder::new(&format!("^(?:{text})$"))
            .size_limit(64 * 1024)
            .build()
            .ok();
        Self { text, compiled }
    }
}

impl From<ModelRegex> for String {
    fn from(regex: ModelRegex) -> Self {
        regex.text
    }
}

impl PartialEq for ModelRegex {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ModelRegex {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_pattern_matches_its_part() {
        let model = "claude-opus-4-8";
        assert!(ModelPattern::Exact(model.into()).matches(model));
        assert!(ModelPattern::Prefix("claude-".into()).matches(model));
        assert!(ModelPattern::Suffix("-4-8".into()).matches(model));
        assert!(ModelPattern::Contains("opus".into()).matches(model));
        assert!(!ModelPattern::Exact("claude".into()).matches(model));
    }

    #[test]
    fn a_regex_matches_the_whole_name_only() {
        let regex = ModelPattern::Regex("gpt-5|gpt-6".to_owned().into());
        assert!(regex.matches("gpt-6"));
        assert!(!regex.matches("gpt-6-mini"));
    }

    #[test]
    fn a_broken_regex_is_refused_and_matches_nothing() {
        let broken = ModelPattern::Regex("(".to_owned().into());
        assert!(broken.validate("models[0]").is_err());
        assert!(!broken.matches("("));
    }
}
