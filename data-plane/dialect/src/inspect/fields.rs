//! The fields acted on, collected while the body is walked.

use std::ops::Range;

use penstock_core::dialect::Dialect;
use penstock_core::model::MAX_NAME;

use super::{InspectError, Inspected, MAX_IDENTITY, Position, Splice, UsageChunk};
use crate::json::{Kind, Members, Value};
use crate::route::InPath;

/// The values of the fields acted on, each at most once.
pub(super) struct Fields<'a> {
    dialect: Dialect,
    model: Option<Value<'a>>,
    stream: Option<Value<'a>>,
    limits: [Option<Value<'a>>; 3],
    stream_options: Option<Value<'a>>,
    metadata: Option<Value<'a>>,
    prompt_cache_key: Option<Value<'a>>,
    messages: Option<Value<'a>>,
    tools: Option<Value<'a>>,
    background: Option<Value<'a>>,
    generation_config: Option<Value<'a>>,
    /// The byte after the opening brace.
    begin: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn read(dialect: Dialect, body: &'a [u8]) -> Result<Self, InspectError> {
        let syntax = |fault| InspectError::syntax(body, fault);
        let mut members = Members::open(body).map_err(syntax)?;
        let mut fields = Self {
            dialect,
            model: None,
            stream: None,
            limits: [None, None, None],
            stream_options: None,
            metadata: None,
            prompt_cache_key: None,
            messages: None,
            tools: None,
            background: None,
            generation_config: None,
            begin: members.at(),
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
        if self.dialect == Dialect::Gemini {
            return self.gemini_slot(name);
        }
        let [max_tokens, max_completion_tokens, max_output_tokens] = &mut self.limits;
        let responses = self.dialect == Dialect::OpenaiResponses;
        Some(match name {
            b"model" => ("model", &mut self.model),
            b"stream" => ("stream", &mut self.stream),
            b"max_tokens" => ("max_tokens", max_tokens),
            b"max_completion_tokens" => ("max_completion_tokens", max_completion_tokens),
            b"max_output_tokens" => ("max_output_tokens", max_output_tokens),
            b"stream_options" => ("stream_options", &mut self.stream_options),
            b"metadata" => ("metadata", &mut self.metadata),
            b"prompt_cache_key" => ("prompt_cache_key", &mut self.prompt_cache_key),
            b"messages" if !responses => ("messages", &mut self.messages),
            b"input" if responses => ("input", &mut self.messages),
            b"background" if responses => ("background", &mut self.background),
            b"tools" => ("tools", &mut self.tools),
            _ => return None,
        })
    }

    /// Model and stream are in the path.
    fn gemini_slot(&mut self, name: &[u8]) -> Option<(&'static str, &mut Option<Value<'a>>)> {
        Some(match name {
            b"contents" => ("contents", &mut self.messages),
            b"tools" => ("tools", &mut self.tools),
            b"generationConfig" | b"generation_config" => ("generationConfig", &mut self.generation_config),
            _ => return None,
        })
    }

    pub(super) fn into_inspected(
        self,
        in_path: Option<&InPath>,
        body: &'a [u8],
    ) -> Result<Inspected, InspectError> {
        let (model, model_at) = match in_path {
            Some(path) => (path.model.clone(), None),
            None => model(body, self.model.as_ref()).map(|(model, at)| (model, Some(at)))?,
        };
        let stream = match in_path {
            Some(path) => path.stream,
            None => stream(body, self.stream.as_ref())?,
        };
        if let Some(value) = self.background.as_ref().filter(|value| value.kind == Kind::True) {
            let at = Position::of(body, value.span.start);
            return Err(InspectError::Background { at });
        }
        let user_id = match &self.metadata {
            Some(metadata) => inner(body, metadata, "user_id", "metadata.user_id")?,
            None => None,
        };
        Ok(Inspected {
            model,
            model_at,
            stream,
            max_output: self.max_output(),
            usage_chunk: match self.dialect {
                Dialect::OpenaiChat => usage_chunk(body, self.stream_options.as_ref(), self.begin)?,
                Dialect::Anthropic
                | Dialect::OpenaiResponses
                | Dialect::OpenaiEmbeddings
                | Dialect::Gemini => UsageChunk::NotOffered,
            },
            user_id: identity(user_id.as_ref()),
            prompt_cache_key: identity(self.prompt_cache_key.as_ref()),
            messages: length(self.messages.as_ref()),
            tools: length(self.tools.as_ref()),
        })
    }

    fn max_output(&self) -> Option<u64> {
        let mut most = self.limits.iter().flatten().filter_map(Value::count).max();
        if let Some(config) = &self.generation_config {
            config.each_member(|name, value| {
                if matches!(name, b"maxOutputTokens" | b"max_output_tokens") {
                    most = most.max(value.count());
                }
            });
        }
        most
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
        Kind::Null | Kind::Array | Kind::String { .. } | Kind::Number | Kind::True | Kind::False => {
            replace(options.span.clone(), r#"{"include_usage":true}"#)
        }
        Kind::Object => match inner(body, options, "include_usage", "stream_options.include_usage")? {
            None if options.items == 0 => insert(start + 1, r#""include_usage":true"#),
            None => insert(start + 1, r#""include_usage":true,"#),
            Some(value) => match value.kind {
                Kind::True => UsageChunk::Asked,
                // No provider may take what is no boolean for a no.
                Kind::False
                | Kind::Null
                | Kind::Object
                | Kind::Array
                | Kind::String { .. }
                | Kind::Number => replace(start + value.span.start..start + value.span.end, "true"),
            },
        },
    })
}

fn identity(value: Option<&Value<'_>>) -> Option<String> {
    let text = value?.short_text(MAX_IDENTITY)?;
    (!text.is_empty()).then(|| text.into_owned())
}

/// Of an array; text stands for one message.
fn length(value: Option<&Value<'_>>) -> usize {
    value.map_or(0, |value| match value.kind {
        Kind::Array => value.items,
        Kind::String { .. } => 1,
        Kind::Object | Kind::Number | Kind::True | Kind::False | Kind::Null => 0,
    })
}
