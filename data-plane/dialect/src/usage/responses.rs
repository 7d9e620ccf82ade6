//! OpenAI Responses: events with names, the usage in the last one. Cached and written tokens are parts of
//! `input_tokens`, and are taken out of them here.
//!
//! A response that ends as `incomplete` (out of tokens, or cut by a filter) is whole; one that `failed` is an error.

use std::borrow::Cow;

use super::chat::{Reported, tier};
use super::{Body, Event, Seen, drain, tokens};
use crate::json::{Fault, Kind, Members, Value};
use crate::upstream_error::UpstreamError;

const MAX_WORD: usize = 64;

pub(super) fn event(seen: &mut Seen, name: Option<&str>, data: &[u8]) -> Event {
    let kind = match name {
        Some(name) => Some(Cow::Borrowed(name)),
        None => kind_of(data),
    };
    let read = match kind.as_deref() {
        None if data.trim_ascii() == b"[DONE]" => return Event::Neutral,
        Some("error") => return Event::Error(UpstreamError::read(data)),
        Some("response.failed") => return Event::Error(failed(seen, data)),
        Some("response.completed" | "response.incomplete") => {
            of_response(seen, data).map(|()| Event::Terminal)
        }
        Some("response.created" | "response.in_progress" | "response.queued") => {
            of_response(seen, data).map(|()| Event::Neutral)
        }
        Some(kind) if kind.starts_with("response.") => content(seen, data).map(|()| Event::Content),
        Some(_) | None => Members::open(data).and_then(drain).map(|()| Event::Neutral),
    };
    read.unwrap_or(Event::Malformed)
}

pub(super) fn body(seen: &mut Seen, body: &[u8]) -> Result<Body, Fault> {
    let mut error = false;
    let mut output = None;
    let mut members = Members::open(body)?;
    while let Some(member) = members.next()? {
        match member.key.name().as_deref() {
            Some(b"error") => error |= !member.value.is_empty(),
            Some(b"status") => error |= member.value.inner() == b"failed",
            Some(b"output") => output = Some(member.value),
            name => field(seen, name, &member.value),
        }
    }
    members.finish()?;
    if error {
        return Ok(Body::Error(UpstreamError::read(body)));
    }
    if let Some(output) = output.filter(|_| !seen.output_reported) {
        seen.output_bytes = seen.output_bytes.saturating_add(output.raw().len() as u64);
    }
    Ok(Body::Answer)
}

fn kind_of(data: &[u8]) -> Option<Cow<'_, str>> {
    let mut members = Members::open(data).ok()?;
    while let Some(member) = members.next().ok()? {
        if member.key.name().as_deref() == Some(b"type") {
            return member.value.short_text(MAX_WORD);
        }
    }
    None
}

/// The response as it is now.
fn of_response(seen: &mut Seen, data: &[u8]) -> Result<(), Fault> {
    let mut members = Members::open(data)?;
    while let Some(member) = members.next()? {
        if member.key.name().as_deref() == Some(b"response") {
            member
                .value
                .each_member(|name, value| field(seen, Some(name), &value));
        }
    }
    members.finish()
}

/// What a failed response says of its error; what it used counts all the same.
fn failed(seen: &mut Seen, data: &[u8]) -> UpstreamError {
    let mut error = None;
    if let Ok(mut members) = Members::open(data) {
        while let Ok(Some(member)) = members.next() {
            if member.key.name().as_deref() != Some(b"response") {
                continue;
            }
            member.value.each_member(|name, value| match name {
                b"error" => error = Some(UpstreamError::read(value.raw())),
                name => field(seen, Some(name), &value),
            });
        }
    }
    error.unwrap_or_else(|| UpstreamError::read(data))
}

/// Text, names and arguments as they come; whole items repeat them and do not count again.
fn content(seen: &mut Seen, data: &[u8]) -> Result<(), Fault> {
    let mut members = Members::open(data)?;
    while let Some(member) = members.next()? {
        if member.key.name().as_deref() == Some(b"delta") && member.value.is_string() {
            seen.add_text(&member.value);
        }
    }
    members.finish()
}

fn field(seen: &mut Seen, name: Option<&[u8]>, value: &Value<'_>) {
    match name {
        Some(b"id") => seen.note_id(value),
        Some(b"model") => seen.note_model(value),
        Some(b"usage") if value.kind == Kind::Object => usage(seen, value),
        Some(b"service_tier") => tier(&mut seen.usage, value),
        _ => {}
    }
}

fn usage(seen: &mut Seen, usage: &Value<'_>) {
    let mut told = Reported::default();
    usage.each_member(|name, value| match name {
        b"input_tokens" => {
            let prompt = tokens(&value);
            seen.input_reported |= prompt.is_some();
            told.prompt = prompt.unwrap_or_default();
        }
        b"output_tokens" => {
            let output = tokens(&value);
            seen.output_reported |= output.is_some();
            told.completion = output.unwrap_or_default();
        }
        b"input_tokens_details" => told.prompt_details(&value),
        b"output_tokens_details" => told.completion_details(&value),
        _ => {}
    });
    seen.reported = true;
    told.settle(&mut seen.usage);
}
