//! Gemini: each chunk repeats the usage so far, and the last one counts. Cached tokens are a part of the prompt, and are
//! taken out of it here; thoughts are output beside the candidates.
//!
//! A stream has no last event: it is whole when it ends after a candidate said why it finished, or after the prompt was
//! blocked, which is an answer too.

use penstock_core::price::ServiceTier;

use super::{Body, Event, Seen, tokens};
use crate::json::{Fault, Kind, Members, Value};
use crate::upstream_error::UpstreamError;

const MAX_WORD: usize = 64;

pub(super) fn event(seen: &mut Seen, data: &[u8]) -> Event {
    read(seen, data, false).unwrap_or(Event::Malformed)
}

pub(super) fn body(seen: &mut Seen, body: &[u8]) -> Result<Body, Fault> {
    Ok(match read(seen, body, true)? {
        Event::Error(error) => Body::Error(error),
        Event::KeepAlive | Event::Neutral | Event::Content | Event::Terminal | Event::Malformed => {
            Body::Answer
        }
    })
}

fn read(seen: &mut Seen, data: &[u8], whole: bool) -> Result<Event, Fault> {
    let (mut content, mut error) = (false, false);
    let mut metadata = None;
    let mut members = Members::open(data)?;
    while let Some(member) = members.next()? {
        let value = member.value;
        match member.key.name().as_deref() {
            Some(b"candidates") => content |= candidates(seen, &value),
            Some(b"promptFeedback") => value.each_member(|name, value| {
                if name == b"blockReason" && !value.is_empty() {
                    content = true;
                    seen.complete = true;
                }
            }),
            Some(b"usageMetadata") if value.kind == Kind::Object => metadata = Some(value),
            Some(b"modelVersion") => seen.note_model(&value),
            Some(b"responseId") => seen.note_id(&value),
            Some(b"error") => error |= !value.is_empty(),
            _ => {}
        }
    }
    members.finish()?;
    if let Some(metadata) = metadata {
        usage(seen, &metadata, whole);
    }
    Ok(match (error, content) {
        (true, _) => Event::Error(UpstreamError::read(data)),
        (false, true) => Event::Content,
        (false, false) => Event::Neutral,
    })
}

/// Whether any candidate has content or a reason to finish.
fn candidates(seen: &mut Seen, candidates: &Value<'_>) -> bool {
    let mut content = false;
    let mut elements = candidates.elements();
    while let Some(candidate) = elements.next() {
        candidate.each_member(|name, value| match name {
            b"finishReason" if !value.is_empty() => {
                content = true;
                seen.complete = true;
            }
            b"content" => value.each_member(|name, value| {
                if name == b"parts" {
                    content |= parts(seen, &value);
                }
            }),
            _ => {}
        });
    }
    content
}

fn parts(seen: &mut Seen, parts: &Value<'_>) -> bool {
    let mut elements = parts.elements();
    while let Some(part) = elements.next() {
        part.each_member(|name, value| match name {
            b"text" if value.is_string() => seen.add_text(&value),
            b"functionCall" | b"executableCode" | b"codeExecutionResult" => {
                seen.output_bytes = seen.output_bytes.saturating_add(value.raw().len() as u64);
            }
            _ => {}
        });
    }
    !parts.is_empty()
}

/// Replaces what was reported before. Without a count that can be read nothing was reported.
fn usage(seen: &mut Seen, metadata: &Value<'_>, whole: bool) {
    let (mut prompt, mut cached, mut tools) = (None, 0, 0);
    // Outer: whether it is there, inner: whether it can be read.
    let mut candidates: Option<Option<u64>> = None;
    let mut thoughts = None;
    let (mut of_prompt, mut of_cache, mut of_candidates) = Default::default();
    let tier = &mut seen.usage.tier;
    metadata.each_member(|name, value| match name {
        b"promptTokenCount" => prompt = tokens(&value),
        b"cachedContentTokenCount" => cached = tokens(&value).unwrap_or_default(),
        b"toolUsePromptTokenCount" => tools = tokens(&value).unwrap_or_default(),
        b"candidatesTokenCount" => candidates = Some(tokens(&value)),
        b"promptTokensDetails" => of_prompt = media(&value),
        b"cacheTokensDetails" => of_cache = media(&value),
        b"candidatesTokensDetails" => of_candidates = media(&value),
        b"thoughtsTokenCount" => thoughts = tokens(&value),
        b"trafficType" | b"serviceTier" => {
            let word = value.short_text(MAX_WORD).unwrap_or_default();
            *tier = match word.to_ascii_lowercase() {
                word if word.contains("priority") => ServiceTier::Priority,
                word if word.contains("flex") => ServiceTier::Flex,
                word if word.contains("batch") => ServiceTier::Batch,
                _ => *tier,
            };
        }
        _ => {}
    });
    let said = candidates.flatten();
    if prompt.or(said).or(thoughts).is_none() {
        return;
    }
    let out = &mut seen.usage;
    let thoughts = thoughts.unwrap_or_default();
    if let Some(prompt) = prompt {
        out.input = prompt.saturating_sub(cached).saturating_add(tools);
        out.cache_read = cached.min(prompt);
        seen.input_reported = true;
    }
    out.output = said.unwrap_or_default().saturating_add(thoughts);
    out.reasoning = thoughts;
    let (prompt, cached, made): (Media, Media, Media) = (of_prompt, of_cache, of_candidates);
    out.audio_input = prompt.audio.saturating_sub(cached.audio).min(out.input);
    let image_input = prompt.image.saturating_sub(cached.image);
    out.image_input = image_input.min(out.input - out.audio_input);
    out.audio_output = made.audio.min(out.output);
    out.image_output = made.image.min(out.output - out.audio_output);
    seen.reported = true;
    // An answer without a word has no count of candidates.
    let is_told = said.is_some() || candidates.is_none();
    seen.output_reported = is_told && (whole || seen.complete);
}

/// Tokens that were no words.
#[derive(Default)]
struct Media {
    audio: u64,
    image: u64,
}

/// From a list of `{"modality": "AUDIO", "tokenCount": 7}`.
fn media(details: &Value<'_>) -> Media {
    let mut found = Media::default();
    let mut elements = details.elements();
    while let Some(element) = elements.next() {
        let (mut modality, mut count) = (None, 0);
        element.each_member(|name, value| match name {
            b"modality" => modality = value.short_text(MAX_WORD),
            b"tokenCount" => count = tokens(&value).unwrap_or_default(),
            _ => {}
        });
        match modality.as_deref() {
            Some("AUDIO") => found.audio = found.audio.saturating_add(count),
            Some("IMAGE") => found.image = found.image.saturating_add(count),
            Some(_) | None => {}
        }
    }
    found
}
