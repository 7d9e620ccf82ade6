//! OpenAI chat completions: usage is one object, at the end. Cached and written tokens are parts of
//! `prompt_tokens`, and are taken out of them here. Some providers (xAI) count reasoning beside `completion_tokens`; then the
//! total says so, and the output is what it has beyond the prompt.

use penstock_core::price::ServiceTier;
use penstock_core::usage::TokenUsage;

use super::{Body, Event, Seen, tokens};
use crate::json::{Fault, Kind, Members, Value};
use crate::upstream_error::UpstreamError;

const MAX_WORD: usize = 32;

/// What one usage object says; OpenAI's APIs differ in names alone.
#[derive(Default)]
pub(super) struct Reported {
    pub(super) prompt: u64,
    cached: u64,
    written: u64,
    written_12h: u64,
    pub(super) completion: u64,
    pub(super) reasoning: u64,
    /// Of chat; 0: not said.
    total: u64,
    audio_input: u64,
    image_input: u64,
    audio_output: u64,
    image_output: u64,
}

pub(super) fn event(seen: &mut Seen, data: &[u8]) -> Event {
    if data.trim_ascii() == b"[DONE]" {
        return Event::Terminal;
    }
    chunk(seen, data).unwrap_or(Event::Malformed)
}

fn chunk(seen: &mut Seen, data: &[u8]) -> Result<Event, Fault> {
    let (mut content, mut error) = (false, false);
    let mut members = Members::open(data)?;
    while let Some(member) = members.next()? {
        match member.key.name().as_deref() {
            Some(b"choices") => content |= choices(seen, &member.value),
            name => error |= field(seen, name, &member.value),
        }
    }
    members.finish()?;
    Ok(match (error, content) {
        (true, _) => Event::Error(UpstreamError::read(data)),
        (false, true) => Event::Content,
        (false, false) => Event::Neutral,
    })
}

pub(super) fn body(seen: &mut Seen, body: &[u8]) -> Result<Body, Fault> {
    let mut error = false;
    let mut choices = None;
    let mut members = Members::open(body)?;
    while let Some(member) = members.next()? {
        match member.key.name().as_deref() {
            Some(b"choices") => choices = Some(member.value),
            name => error |= field(seen, name, &member.value),
        }
    }
    members.finish()?;
    if error {
        return Ok(Body::Error(UpstreamError::read(body)));
    }
    if let Some(choices) = choices.filter(|_| !seen.output_reported) {
        seen.output_bytes = seen.output_bytes.saturating_add(choices.raw().len() as u64);
    }
    Ok(Body::Answer)
}

/// What chunks and bodies have in common. True for an error.
fn field(seen: &mut Seen, name: Option<&[u8]>, value: &Value<'_>) -> bool {
    match name {
        Some(b"id") => seen.note_id(value),
        Some(b"model") => seen.note_model(value),
        Some(b"usage") if value.kind == Kind::Object => usage(seen, value),
        Some(b"service_tier") => tier(&mut seen.usage, value),
        Some(b"error") => return !value.is_empty(),
        _ => {}
    }
    false
}

/// Whether any choice has content: something in the delta beside the role, or a reason to finish.
fn choices(seen: &mut Seen, choices: &Value<'_>) -> bool {
    let mut content = false;
    let mut elements = choices.elements();
    while let Some(choice) = elements.next() {
        choice.each_member(|name, value| match name {
            b"finish_reason" if !value.is_empty() => (content, seen.complete) = (true, true),
            b"delta" => content |= delta(seen, &value),
            _ => {}
        });
    }
    content
}

fn delta(seen: &mut Seen, delta: &Value<'_>) -> bool {
    let mut content = false;
    delta.each_member(|name, value| {
        if name == b"role" || value.is_empty() {
            return;
        }
        content = true;
        match name {
            b"tool_calls" => {
                let mut calls = value.elements();
                while let Some(call) = calls.next() {
                    call.each_member(|name, value| {
                        if name == b"function" {
                            function(seen, &value);
                        }
                    });
                }
            }
            b"function_call" => function(seen, &value),
            _ if value.is_string() => seen.add_text(&value),
            _ => {}
        }
    });
    content
}

fn function(seen: &mut Seen, function: &Value<'_>) {
    function.each_member(|name, value| {
        if matches!(name, b"name" | b"arguments") && value.is_string() {
            seen.add_text(&value);
        }
    });
}

fn usage(seen: &mut Seen, usage: &Value<'_>) {
    let mut told = Reported::default();
    usage.each_member(|name, value| match name {
        b"prompt_tokens" => {
            let prompt = tokens(&value);
            seen.input_reported |= prompt.is_some();
            told.prompt = prompt.unwrap_or_default();
        }
        b"completion_tokens" => {
            let output = tokens(&value);
            seen.output_reported |= output.is_some();
            told.completion = output.unwrap_or_default();
        }
        b"total_tokens" => told.total = tokens(&value).unwrap_or_default(),
        b"prompt_tokens_details" => told.prompt_details(&value),
        b"completion_tokens_details" => told.completion_details(&value),
        _ => {}
    });
    seen.reported = true;
    told.settle(&mut seen.usage);
}

impl Reported {
    pub(super) fn prompt_details(&mut self, details: &Value<'_>) {
        details.each_member(|name, value| match name {
            b"cached_tokens" => self.cached = tokens(&value).unwrap_or_default(),
            b"audio_tokens" => self.audio_input = tokens(&value).unwrap_or_default(),
            b"image_tokens" => self.image_input = tokens(&value).unwrap_or_default(),
            b"cache_write_tokens" => self.written = tokens(&value).unwrap_or_default(),
            b"cache_write_tokens_details" => value.each_member(|name, value| {
                if name == b"ttl_12h_tokens" {
                    self.written_12h = tokens(&value).unwrap_or_default();
                }
            }),
            _ => {}
        });
    }

    pub(super) fn completion_details(&mut self, details: &Value<'_>) {
        details.each_member(|name, value| match name {
            b"reasoning_tokens" => self.reasoning = tokens(&value).unwrap_or_default(),
            b"audio_tokens" => self.audio_output = tokens(&value).unwrap_or_default(),
            b"image_tokens" => self.image_output = tokens(&value).unwrap_or_default(),
            _ => {}
        });
    }

    /// Makes the classes disjoint.
    pub(super) fn settle(&self, out: &mut TokenUsage) {
        let cached = self.cached.saturating_add(self.written);
        out.input = self.prompt.saturating_sub(cached);
        out.cache_read = self.cached;
        out.cache_write_12h = self.written_12h.min(self.written);
        out.cache_write = self.written.saturating_sub(self.written_12h);
        out.output = self.completion.max(self.total.saturating_sub(self.prompt));
        out.reasoning = self.reasoning.min(out.output);
        // What was cached pays as cached, whatever it was.
        out.audio_input = self.audio_input.min(out.input);
        out.image_input = self.image_input.min(out.input - out.audio_input);
        out.audio_output = self.audio_output.min(out.output);
        out.image_output = self.image_output.min(out.output - out.audio_output);
    }
}

pub(super) fn tier(out: &mut TokenUsage, value: &Value<'_>) {
    match value.short_text(MAX_WORD).as_deref() {
        Some("flex") => out.tier = ServiceTier::Flex,
        Some("priority") => out.tier = ServiceTier::Priority,
        Some("batch") => out.tier = ServiceTier::Batch,
        Some("ultrafast") => out.tier = ServiceTier::Ultrafast,
        Some("default" | "standard") => out.tier = ServiceTier::Standard,
        Some(_) | None => {}
    }
}
