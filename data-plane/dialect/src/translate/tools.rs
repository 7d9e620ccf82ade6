//! Tools under the names that a provider takes, and back.
//!
//! Providers know function tools only. A freeform tool (`custom`) becomes a function with one string `input`; Codex's
//! `tool_search` becomes a function of that name; a tool in a namespace is called `namespace__name`. Names longer than
//! 64 characters, or with others than letters, digits, `_` and `-`, are shortened to a prefix and a hash. All of it is a
//! function of the caller's tool alone, so that calls in the history get the same names without a table.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::fields::{Json, Text};

const MAX_NAME: usize = 64;
const HASH: usize = 8;
/// Of arguments; they stand inside a body, and parsers stop at 100 to 128.
const MAX_DEPTH: usize = 90;
/// The only argument of a freeform tool.
pub(super) const INPUT: &str = "input";
const FREEFORM: &str = r#"{"type":"object","properties":{"input":{"type":"string","description":"The tool's whole input, as free text."}},"required":["input"],"additionalProperties":false}"#;
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;

#[derive(Debug)]
pub(super) struct Tool<'a> {
    /// As the provider knows it.
    pub(super) name: String,
    pub(super) description: Option<Text<'a>>,
    /// A JSON schema.
    pub(super) schema: Option<Json<'a>>,
    pub(super) strict: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Auto,
    None,
    /// Some tool, whichever.
    Any,
    /// This one, by the provider's name.
    One(String),
}

/// How a tool's calls are told to the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Function,
    Custom,
    /// Codex's own search for tools.
    Search,
}

/// A tool as the caller knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) kind: Kind,
}

/// From a provider's names to the caller's tools. Tools that are the same on both sides are left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    differing: HashMap<String, Known>,
    given: HashSet<String>,
}

impl Names {
    /// Notes a tool of the request. False when there is one of that name already.
    pub(super) fn insert(&mut self, wire: &str, known: Known) -> bool {
        let plain = known.name == wire && known.namespace.is_none() && known.kind == Kind::Function;
        if !plain {
            self.differing.insert(wire.to_owned(), known);
        }
        self.given.insert(wire.to_owned())
    }

    pub(super) fn known(&self, wire: &str) -> Known {
        self.differing.get(wire).cloned().unwrap_or_else(|| Known {
            name: wire.to_owned(),
            ..Known::default()
        })
    }
}

impl<'a> Tool<'a> {
    /// A freeform tool. A grammar is told in the description, as no function can have one.
    pub(super) fn freeform(
        name: String,
        description: Option<Text<'a>>,
        grammar: Option<(Text<'a>, Text<'a>)>,
    ) -> Self {
        let description = match grammar {
            None => description,
            Some((syntax, definition)) => {
                let description = description.unwrap_or_default();
                Some(
                    format!("{description}\n\nThe input must follow this {syntax} grammar:\n{definition}")
                        .into(),
                )
            }
        };
        Self {
            name,
            description,
            schema: json(FREEFORM),
            strict: None,
        }
    }

    /// The schema; that of no arguments when there is none.
    pub(super) fn schema(&self) -> Option<Json<'a>> {
        self.schema.clone().or_else(|| json(NO_ARGUMENTS))
    }
}

/// A name that every provider takes.
pub(super) fn wire_name(namespace: Option<&str>, name: &str) -> String {
    let full = match namespace {
        Some(namespace) => Cow::Owned(format!("{namespace}__{name}")),
        None => Cow::Borrowed(name),
    };
    let fits = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    if full.chars().count() <= MAX_NAME && full.chars().all(fits) {
        return full.into_owned();
    }
    let hash = hex::encode(Sha256::digest(full.as_bytes()));
    let prefix = full.chars().map(|char| if fits(char) { char } else { '_' });
    let prefix: String = prefix.take(MAX_NAME - HASH - 1).collect();
    format!("{prefix}_{}", hash.get(..HASH).unwrap_or_default())
}

/// A call's id with the characters that Anthropic takes.
pub(super) fn plain_id(id: &str) -> String {
    id.chars()
        .map(|char| match char {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => char,
            _ => '_',
        })
        .collect()
}

/// The arguments of a call as an object. A model may have written something else, or an object so deep that no provider
/// reads it, and the conversation goes on: then what it wrote is told as text.
pub(super) fn arguments(text: Text<'_>) -> Json<'static> {
    let trimmed = text.trim();
    let object = match trimmed {
        "" => raw("{}".to_owned()),
        _ if trimmed.starts_with('{') && depth(trimmed) <= MAX_DEPTH => raw(trimmed.to_owned()),
        _ => None,
    };
    object.unwrap_or_else(|| wrapped("arguments", &text))
}

/// How deep the objects and arrays of JSON are nested.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// `{"input": text}`.
pub(super) fn freeform_input(text: &str) -> Json<'static> {
    wrapped(INPUT, text)
}

/// The text of a freeform tool's call, from the arguments that the provider's model wrote.
pub(super) fn freeform_text(arguments: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Input {
        input: String,
    }
    match serde_json::from_str::<Input>(arguments) {
        Ok(Input { input }) => input,
        Err(_) => arguments.to_owned(),
    }
}

fn wrapped(key: &str, text: &str) -> Json<'static> {
    let object = serde_json::to_string(&HashMap::from([(key, text)])).ok();
    object.and_then(raw).unwrap_or(Cow::Borrowed(RawValue::NULL))
}

fn raw(text: String) -> Option<Json<'static>> {
    RawValue::from_string(text).ok().map(Cow::Owned)
}

/// JSON of our own.
pub(super) fn json(text: &'static str) -> Option<Json<'static>> {
    serde_json::from_str(text).ok().map(Cow::Borrowed)
}
