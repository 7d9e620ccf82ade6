//! The fields acted on, collected while the body is walked.

use std::ops::Range;

use penstock_core::model::MAX_NAME;

use super::{InspectError, Inspected, MAX_IDENTITY, Position, Splice, UsageChunk};
use crate::json::{Kind, Members, Value};
use crate::route::Endpoint;

/// The values of the fields acted on, each at most once.
#[derive(Default)]
pub(super) struct Fields<'a> {
    model: Option<Value<'a>>,
    stream: Option<Value<'a>>,
    limits: [Option<Value<'a>>; 3],
    stream_options: Option<Value<'a>>,
    metadata: Option<Value<'a>>,
    prompt_cache_key: Option<Value<'a>>,
    messages: Option<Value<'a>>,
    tools: Option<Value<'a>>,
    /// The byte after the opening brace.
    begin: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, InspectError> {
        let syntax = |fault| InspectError::syntax(body, fault);
        let mut members = Members::open(body).map_err(syntax)?;
        let mut fields = Self {
            begin: members.at(),
            ..Self::default()
        };
        while let Some(member) = members.next().map_err(syntax)? {
            let Some((key, slot)) = member.key.name().and_then(|name| fields.slot(&name)) else {
                continue;
            };
            put(body, slot, key, &member.key.span, member.value)?;
        }
        members.finish().map_err(syntax)?;
        Ok(fields)
    }

    fn slot(&mut self, name: &[u8]) -> Option<(&'static str, &mut Option<Value<'a>>)> {
        let [max_tokens, max_completion_tokens, max_output_tokens] = &mut self.limits;
        Some(match name {
            b"model" => ("model", &mut self.model),
            b"stream" => ("stream", &mut self.stream),
            b"max_tokens" => ("max_tokens", max_tokens),
            b"max_completion_tokens" => ("max_completion_tokens", max_completion_tokens),
            b"max_output_tokens" => ("max_output_tokens", max_output_tokens),
            b"stream_options" => ("stream_options", &mut self.stream_options),
            b"metadata" => ("metadata", &mut self.metadata),
            b"prompt_cache_key" => ("prompt_cache_key", &mut self.prompt_cache_key),
            b"messages" => ("messages", &mut self.messages),
            b"tools" => ("tools", &mut self.tools),
            _ => return None,
        })
    }

    pub(super) fn into_inspected(
        self,
        endpoint: &Endpoint,
        body: &'a [u8],
    ) -> Result<Inspected, InspectError> {
        let (model, model_at) = model(body, self.model.as_ref())?;
        let user_id = match &self.metadata {
            Some(metadata) => inner(body, metadata, "user_id", "metadata.user_id")?,
            None => None,
        };
        Ok(Inspected {
            model,
            model_at,
            stream: stream(body, self.stream.as_ref())?,
            max_output: self.limits.iter().flatten().filter_map(Value::count).max(),
            usage_chunk: match endpoint {
                Endpoint::ChatCompletions => usage_chunk(body, self.stream_options.as_ref(), self.begin)?,
                Endpoint::Messages
                | Endpoint::CountTokens
                | Endpoint::Models
                | Endpoint::Model(_)
                | Endpoint::Limits => UsageChunk::NotOffered,
            },
            user_id: identity(user_id.as_ref()),
            prompt_cache_key: identity(self.prompt_cache_key.as_ref()),
            messages: length(self.messages.as_ref()),
            tools: length(self.tools.as_ref()),
        })
    }
}

fn put<'a>(
    body: &[u8],
    slot: &mut Option<Value<'a>>,
    key: &'static str,
    key_at: &Range<usize>,
    value: Value<'a>,
) -> Result<(), InspectError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(InspectError::DoubledKey {
            key,
            at: Position::of(body, key_at.start),
        }),
    }
}

fn model(body: &[u8], value: Option<&Value<'_>>) -> Result<(String, Range<usize>), InspectError> {
    let value = value
        .filter(|value| !value.is_empty() || !(value.is_string() || value.is_null()))
        .ok_or(InspectError::ModelMissing)?;
    match value.short_text(MAX_NAME) {
        Some(text) if !text.chars().any(char::is_control) => Ok((text.into_owned(), value.span.clone())),
        Some(_) | None => Err(InspectError::ModelInvalid {
            at: Position::of(body, value.span.start),
        }),
    }
}

fn stream(body: &[u8], value: Option<&Value<'_>>) -> Result<bool, InspectError> {
    let Some(value) = value else { return Ok(false) };
    match value.kind {
        Kind::True => Ok(true),
        Kind::False | Kind::Null => Ok(false),
        Kind::Object | Kind::Array | Kind::String { .. } | Kind::Number => Err(InspectError::StreamInvalid {
            at: Position::of(body, value.span.start),
        }),
    }
}

/// The member `name` of an object, if it is one and has it; an error when it has it twice.
fn inner<'a>(
    body: &'a [u8],
    object: &Value<'a>,
    name: &str,
    key: &'static str,
) -> Result<Option<Value<'a>>, InspectError> {
    if object.kind != Kind::Object {
        return Ok(None);
    }
    let start = object.span.start;
    let mut found = None;
    let Ok(mut members) = Members::open(object.raw()) else {
        return Ok(None);
    };
    while let Ok(Some(member)) = members.next() {
        if member.key.name().is_some_and(|key| *key == *name.as_bytes()) {
            let key_at = start + member.key.span.start..start + member.key.span.end;
            put(body, &mut found, key, &key_at, member.value)?;
        }
    }
    Ok(found)
}

fn usage_chunk(body: &[u8], options: Option<&Value<'_>>, begin: usize) -> Result<UsageChunk, InspectError> {
    let insert = |at: usize, text| UsageChunk::Addable(Splice { at: at..at, text });
    let replace = |at: Range<usize>, text| UsageChunk::Addable(Splice { at, text });
    let Some(options) = options else {
        // The body is not empty: it names a model.
        return Ok(insert(begin, r#""stream_options":{"include_usage":true},"#));
    };
    let start = options.span.start;
    Ok(match options.kind {
        Kind::Null => replace(options.span.clone(), r#"{"include_usage":true}"#),
        Kind::Object => match inner(body, options, "include_usage", "stream_options.include_usage")? {
            None if options.items == 0 => insert(start + 1, r#""include_usage":true"#),
            None => insert(start + 1, r#""include_usage":true,"#),
            Some(value) => match value.kind {
                Kind::True => UsageChunk::Asked,
                Kind::False | Kind::Null => replace(start + value.span.start..start + value.span.end, "true"),
                Kind::Object | Kind::Array | Kind::String { .. } | Kind::Number => UsageChunk::Malformed,
            },
        },
        Kind::Array | Kind::String { .. } | Kind::Number | Kind::True | Kind::False => UsageChunk::Malformed,
    })
}

fn identity(value: Option<&Value<'_>>) -> Option<String> {
    let text = value?.short_text(MAX_IDENTITY)?;
    (!text.is_empty()).then(|| text.into_owned())
}

fn length(value: Option<&Value<'_>>) -> usize {
    value
        .filter(|value| value.kind == Kind::Array)
        .map_or(0, |value| value.items)
}
