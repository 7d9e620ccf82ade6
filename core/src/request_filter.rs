//! Request filters: what operators change in requests before they go to a provider (behaviour G12).
//!
//! A filter names one part of the request, a header or a place in the JSON body, and what becomes of it. Filters are
//! applied in their order (lower priority first, of equals by name), each to what the one before left, after everything
//! else that Penstock changes in the body (model names, overrides, translation), so that they see what would be sent.
//!
//! Rules: what Penstock itself sets or decides by cannot be filtered: credentials and framing among the headers; at the
//! top of the body the model and whether the answer streams. A filter whose part is not there changes nothing; only `set`
//! makes what is missing, where there is an object to put it in.

mod path;

use std::borrow::Cow;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

pub use path::{BodyPath, NotAPath, Step};

use crate::invalid::Invalid;
use crate::name;
use crate::provider::{is_header_name, is_header_value, is_reserved_header};

const MAX_VALUE: usize = 64 * 1024;
const MAX_FIND: usize = 1024;
const MAX_WITH: usize = 4096;
const REGEX_BYTES: usize = 256 * 1024;
/// A text that would grow by more than this becomes the replacement alone, bytes.
const MAX_GROWTH: usize = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFilter {
    pub name: String,
    pub enabled: bool,
    /// Lower comes first.
    pub priority: u32,
    /// Only for the provider of this name. None: for all.
    #[serde(default)]
    pub provider: Option<String>,
    pub part: Part,
    pub action: Action,
}

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Of the caller's headers, as far as they would go to the provider.
    Header(String),
    Body(BodyPath),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Remove,
    /// To a header's text, or to JSON in a body.
    Set(String),
    /// Every occurrence, in text; other values stay.
    Replace {
        find: Find,
        with: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Find {
    Text(String),
    /// Its groups can stand in the replacement: `$1`, `${name}`; `$$` is a dollar.
    Regex(String),
}

/// The enabled filters in their order, ready for use.
#[derive(Clone, Debug, Default)]
pub struct RequestFilters(Vec<Arc<Compiled>>);

/// One of them.
#[derive(Debug)]
pub struct Compiled {
    pub filter: Arc<RequestFilter>,
    /// Of a replacement by a regular expression.
    regex: Option<Regex>,
}

impl RequestFilter {
    /// The [`SCHEMA`](crate::resource::SCHEMA) that every filter needs: an older node would not know it at all.
    pub const SCHEMA: u32 = 4;

    /// Checks every field, and that it compiles.
    pub fn validate(&self) -> Result<(), Invalid> {
        name::check("name", &self.name)?;
        if let Some(provider) = &self.provider {
            name::check("provider", provider)?;
        }
        match &self.part {
            Part::Header(name) => self.check_header(name)?,
            Part::Body(path) => self.check_body(path)?,
        }
        if let Action::Replace { find, with } = &self.action {
            let text = find.text();
            if text.is_empty() || text.len() > MAX_FIND {
                let problem = format!("must have 1 to {MAX_FIND} bytes");
                return Err(Invalid::new("replace.find", problem));
            }
            if with.len() > MAX_WITH {
                return Err(Invalid::new("replace.with", format!("is over {MAX_WITH} bytes")));
            }
        }
        match self.regex()? {
            Some(regex) if finds_nothing(&regex) => {
                let problem =
                    "matches the empty text everywhere: the replacement would stand between all characters";
                Err(Invalid::new("replace.find", problem))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_header(&self, name: &str) -> Result<(), Invalid> {
        if !is_header_name(name) {
            return Err(Invalid::new("header", format!("{name:?} is not a header name")));
        }
        if is_reserved_header(name) {
            return Err(Invalid::new(
                "header",
                format!("{name:?} is set by Penstock itself"),
            ));
        }
        match &self.action {
            Action::Set(value) if !is_header_value(value) => {
                Err(Invalid::new("set", "must be printable ASCII"))
            }
            Action::Replace { with, .. } if !is_header_value(with) => {
                Err(Invalid::new("replace.with", "must be printable ASCII"))
            }
            Action::Set(_) | Action::Replace { .. } | Action::Remove => Ok(()),
        }
    }

    fn check_body(&self, path: &BodyPath) -> Result<(), Invalid> {
        path.validate()?;
        match &self.action {
            Action::Remove | Action::Set(_) if path.is_deep() => {
                let problem = "ends with **, which stands for all text below and can only be replaced in";
                Err(Invalid::new("body", problem))
            }
            Action::Set(value) if value.len() > MAX_VALUE => Err(Invalid::new("set", "is over 64 KB")),
            Action::Set(value) => match serde_json::from_str::<serde::de::IgnoredAny>(value) {
                Ok(_) => Ok(()),
                Err(error) => Err(Invalid::new("set", format!("is not JSON: {error}"))),
            },
            Action::Remove | Action::Replace { .. } => Ok(()),
        }
    }

    fn regex(&self) -> Result<Option<Regex>, Invalid> {
        let Action::Replace {
            find: Find::Regex(text),
            ..
        } = &self.action
        else {
            return Ok(None);
        };
        let built = RegexBuilder::new(text).size_limit(REGEX_BYTES).build();
        built
            .map(Some)
            .map_err(|error| Invalid::new("replace.find", format!("is not a regular expression: {error}")))
    }
}

impl Find {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Regex(text) => text,
        }
    }
}

impl Compiled {
    /// The text with what the filter replaces in it; borrowed: nothing.
    pub fn replace<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Action::Replace { find, with } = &self.filter.action else {
            return Cow::Borrowed(text);
        };
        let room = text.len().saturating_add(MAX_GROWTH);
        match (find, &self.regex) {
            (Find::Text(find), _) => replace_text(text, find, with, room),
            (Find::Regex(_), Some(regex)) => replace_regex(text, regex, with, room),
            (Find::Regex(_), None) => Cow::Borrowed(text),
        }
    }
}

/// Whether it matches between any two characters; `^` and `$` do not.
fn finds_nothing(regex: &Regex) -> bool {
    // A control character, which hardly any expression means.
    let found = regex.find_at("\u{1}\u{1}", 1);
    found.is_some_and(|found| found.start() == 1 && found.is_empty())
}

fn replace_text<'t>(text: &'t str, find: &str, with: &str, room: usize) -> Cow<'t, str> {
    let count = text.matches(find).count();
    if count == 0 {
        return Cow::Borrowed(text);
    }
    let grows = with.len().saturating_sub(find.len()).saturating_mul(count);
    match text.len().saturating_add(grows) > room {
        true => Cow::Owned(with.to_owned()),
        false => Cow::Owned(text.replace(find, with)),
    }
}

fn replace_regex<'t>(text: &'t str, regex: &Regex, with: &str, room: usize) -> Cow<'t, str> {
    let mut replaced = String::new();
    let mut from = 0;
    for captures in regex.captures_iter(text) {
        let Some(all) = captures.get(0) else { continue };
        replaced.push_str(text.get(from..all.start()).unwrap_or_default());
        captures.expand(with, &mut replaced);
        from = all.end();
        if replaced.len() > room {
            return Cow::Owned(with.to_owned());
        }
    }
    if from == 0 && replaced.is_empty() && !regex.is_match(text) {
        return Cow::Borrowed(text);
    }
    replaced.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(replaced)
}

impl RequestFilters {
    /// Compiles the enabled filters and puts them in order.
    pub fn new(filters: impl IntoIterator<Item = Arc<RequestFilter>>) -> Self {
        let enabled = filters.into_iter().filter(|filter| filter.enabled);
        // Filters are validated before, by the same compilation.
        let compiled = enabled.filter_map(|filter| {
            let regex = filter.regex().ok()?;
            Some(Arc::new(Compiled { filter, regex }))
        });
        let mut compiled: Vec<_> = compiled.collect();
        compiled.sort_by(|a, b| {
            let order = |compiled: &Compiled| (compiled.filter.priority, compiled.filter.name.clone());
            order(a).cmp(&order(b))
        });
        Self(compiled)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those for this provider, in their order.
    pub fn of<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = &'a Compiled> {
        let all = self.0.iter().map(Arc::as_ref);
        all.filter(move |compiled| {
            let only = compiled.filter.provider.as_deref();
            only.is_none_or(|name| name == provider)
        })
    }
}

impl PartialEq for RequestFilters {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&Arc<Compiled>, &Arc<Compiled>)| a.filter == b.filter;
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl Eq for RequestFilters {}

#[cfg(test)]
mod tests;
