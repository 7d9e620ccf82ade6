//! Anthropic Messages: `message_start` states the input, `message_delta` the sums; a later number replaces an
//! earlier one.

use std::borrow::Cow;

use penstock_core::price::ServiceTier;
use penstock_core::usage::{MAX_FACTORS, TokenUsage};

use super::{Body, Event, MAX_TOKENS, Seen, drain, tokens};
use crate::json::{Fault, Kind, Members, Value};
use crate::upstream_error::UpstreamError;

const MAX_WORD: usize = 32;

/// What was stated so far. The numbers at the top do not have what the compaction of the conversation took, which is
/// billed all the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    message: Classes,
    compaction: Classes,
}

/// Cache writes as they were stated; the classes of them are made of all three.
#[derive(Clone, Copy, Debug, Default)]
struct Classes {
    input: u64,
    output: u64,
    cache_read: u64,
    writes: u64,
    short: u64,
    hour: u64,
}

pub(super) fn event(seen: &mut Seen, told: &mut Told, name: Option<&str>, data: &[u8]) -> Event {
    let kind = match name {
        Some(name) => Some(Cow::Borrowed(name)),
        None => kind_of(data),
    };
    let read = match kind.as_deref() {
        Some("ping") => return Event::KeepAlive,
        // Relays that copy OpenAI's streams add it behind `message_stop`.
        None if data.trim_ascii() == b"[DONE]" => return Event::Neutral,
        Some("error") => return Event::Error(UpstreamError::read(data)),
        Some("message_start") => message_start(seen, told, data).map(|()| Event::Neutral),
        Some("content_block_delta") => delta(seen, data).map(|()| Event::Content),
        Some("content_block_start") => block_start(seen, data).map(|()| Event::Content),
        Some("content_block_stop") => whole(data).map(|()| Event::Content),
        Some("message_delta") => message_delta(seen, told, data).map(|()| Event::Neutral),
        Some("message_stop") => whole(data).map(|()| Event::Terminal),
        Some(_) | None => whole(data).map(|()| Event::Neutral),
    };
    read.unwrap_or(Event::Malformed)
}

pub(super) fn body(seen: &mut Seen, told: &mut Told, body: &[u8]) -> Result<Body, Fault> {
    let mut error = false;
    let mut content = None;
    let mut members = Members::open(body)?;
    while let Some(member) = members.next()? {
        match member.key.name().as_deref() {
            Some(b"type") => error |= member.value.inner() == b"error",
            Some(b"content") => content = Some(member.value),
            Some(b"model") => seen.note_model(&member.value),
            Some(b"id") => seen.note_id(&member.value),
            Some(b"usage") => usage(seen, told, &member.value, true),
            _ => {}
        }
    }
    members.finish()?;
    if error {
        return Ok(Body::Error(UpstreamError::read(body)));
    }
    if let Some(content) = content.filter(|_| !seen.output_reported) {
        seen.output_bytes = seen.output_bytes.saturating_add(content.raw().len() as u64);
    }
    Ok(Body::Answer)
}

fn whole(data: &[u8]) -> Result<(), Fault> {
    drain(Members::open(data)?)
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

fn message_start(seen: &mut Seen, told: &mut Told, data: &[u8]) -> Result<(), Fault> {
    let mut members = Members::open(data)?;
    while let Some(member) = members.next()? {
        if member.key.name().as_deref() == Some(b"message") {
            member.value.each_member(|name, value| match name {
                b"model" => seen.note_model(&value),
                b"id" => seen.note_id(&value),
                b"usage" => usage(seen, told, &value, false),
                _ => {}
            });
        }
    }
    members.finish()
}

fn message_delta(seen: &mut Seen, told: &mut Told, data: &[u8]) -> Result<(), Fault> {
    let mut members = Members::open(data)?;
    while let Some(member) = members.next()? {
        if member.key.name().as_deref() == Some(b"usage") {
            usage(seen, told, &member.value, true);
        }
    }
    members.finish()
}

fn delta(seen: &mut Seen, data: &[u8]) -> Result<(), Fault> {
    let mut members = Members::open(data)?;
    while let Some(member) = members.next()? {
        if member.key.name().as_deref() == Some(b"delta") {
            member.value.each_member(|name, value| {
                if matches!(name, b"text" | b"partial_json" | b"thinking") && value.is_string() {
                    seen.add_text(&value);
                }
            });
        }
    }
    members.finish()
}

/// A tool's name, or text that a relay put into the start of a block.
fn block_start(seen: &mut Seen, data: &[u8]) -> Result<(), Fault> {
    let mut members = Members::open(data)?;
    while let Some(member) = members.next()? {
        if member.key.name().as_deref() == Some(b"content_block") {
            member.value.each_member(|name, value| {
                if matches!(name, b"text" | b"thinking" | b"name") && value.is_string() {
                    seen.add_text(&value);
                }
            });
        }
    }
    members.finish()
}

/// Takes over every field that is present. `last` says that the output is the sum and no first guess.
fn usage(seen: &mut Seen, told: &mut Told, value: &Value<'_>, last: bool) {
    if value.kind != Kind::Object {
        return;
    }
    seen.reported = true;
    let (out, output_reported) = (&mut seen.usage, &mut seen.output_reported);
    value.each_member(|name, value| match name {
        b"input_tokens" => {
            told.message.field(name, &value);
            seen.input_reported |= tokens(&value).is_some();
        }
        b"output_tokens" => {
            told.message.field(name, &value);
            *output_reported |= last && tokens(&value).is_some();
        }
        b"iterations" if value.kind == Kind::Array => told.compaction = Classes::of_compaction(&value),
        b"output_tokens_details" => value.each_member(|name, value| {
            if matches!(name, b"thinking_tokens" | b"reasoning_tokens") {
                set(&mut out.reasoning, &value);
            }
        }),
        b"server_tool_use" => value.each_member(|name, value| {
            if name == b"web_search_requests" {
                let count = value
                    .count()
                    .map(|count| u32::try_from(count).unwrap_or(u32::MAX));
                out.web_searches = count.unwrap_or(out.web_searches);
            }
        }),
        b"service_tier" => tier(out, &value),
        b"speed" => factor(out, &value, &["standard"]),
        b"inference_geo" => factor(out, &value, &["global", "not_available"]),
        name => told.message.field(name, &value),
    });
    let all = told.message.and(&told.compaction);
    out.input = all.input;
    out.output = all.output;
    out.cache_read = all.cache_read;
    out.cache_write_1h = all.hour;
    out.cache_write = all.short;
    out.reasoning = out.reasoning.min(out.output);
}

impl Classes {
    fn field(&mut self, name: &[u8], value: &Value<'_>) {
        match name {
            b"input_tokens" => set(&mut self.input, value),
            b"output_tokens" => set(&mut self.output, value),
            b"cache_read_input_tokens" => set(&mut self.cache_read, value),
            b"cache_creation_input_tokens" => set(&mut self.writes, value),
            b"cache_creation" => value.each_member(|name, value| match name {
                b"ephemeral_5m_input_tokens" => set(&mut self.short, &value),
                b"ephemeral_1h_input_tokens" => set(&mut self.hour, &value),
                _ => {}
            }),
            _ => {}
        }
    }

    /// Of the entries of `iterations` that are compaction; those of messages are in the numbers at the top.
    fn of_compaction(iterations: &Value<'_>) -> Self {
        let mut sum = Self::default();
        let mut entries = iterations.elements();
        while let Some(entry) = entries.next() {
            let (mut one, mut compaction) = (Self::default(), false);
            entry.each_member(|name, value| match name {
                b"type" => compaction = value.inner() == b"compaction",
                name => one.field(name, &value),
            });
            if compaction {
                sum = sum.and(&one);
            }
        }
        sum
    }

    /// The sum, with the split of cache writes settled: what it does not cover pays the base price of a write.
    fn and(&self, other: &Self) -> Self {
        let sum = |one: u64, other: u64| one.saturating_add(other).min(MAX_TOKENS);
        let short = |of: &Self| of.writes.saturating_sub(of.hour).max(of.short);
        Self {
            input: sum(self.input, other.input),
            output: sum(self.output, other.output),
            cache_read: sum(self.cache_read, other.cache_read),
            writes: 0,
            short: sum(short(self), short(other)),
            hour: sum(self.hour, other.hour),
        }
    }
}

fn set(slot: &mut u64, value: &Value<'_>) {
    if let Some(count) = tokens(value) {
        *slot = count;
    }
}

fn tier(out: &mut TokenUsage, value: &Value<'_>) {
    match value.short_text(MAX_WORD).as_deref() {
        Some("priority") => out.tier = ServiceTier::Priority,
        Some("batch") => out.tier = ServiceTier::Batch,
        Some("standard") => out.tier = ServiceTier::Standard,
        Some(_) | None => {}
    }
}

fn factor(out: &mut TokenUsage, value: &Value<'_>, plain: &[&str]) {
    let Some(name) = value.short_text(MAX_WORD) else {
        return;
    };
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let usable = !name.is_empty() && name.bytes().all(word) && !plain.contains(&&*name);
    if usable && out.factors.len() < MAX_FACTORS && !out.factors.iter().any(|one| **one == *name) {
        out.factors.push(name.into_owned());
    }
}
