//! A `GenerateContentResponse`, whole and in pieces.
//!
//! A stream repeats the same shape; each piece states the prompt's tokens, the last one all. Thoughts are counted beside
//! the candidates, not within them.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::draft::{Draft, Stop};
use crate::sse;
use crate::step::Event;
use crate::usage::Usage;

/// The body of an answer that is not streamed.
pub(crate) fn body(draft: &Draft) -> Result<Bytes, serde_json::Error> {
    let mut parts: Vec<Value> = draft.thinking.map(thought).into_iter().collect();
    parts.push(match call(draft) {
        Some(call) => call,
        None => json!({"text": draft.pieces.concat()}),
    });
    let all = response(draft, parts, Some(finish_reason(draft)), &draft.usage);
    serde_json::to_vec(&all).map(Bytes::from)
}

/// The events of a good stream.
pub(crate) fn events(draft: &Draft) -> Result<Vec<Event>, serde_json::Error> {
    let so_far = Usage {
        output: 0,
        reasoning: 0,
        ..draft.usage
    };
    let mut parts: Vec<Value> = draft.thinking.map(thought).into_iter().collect();
    match call(draft) {
        Some(call) => parts.push(call),
        None => parts.extend(draft.pieces.iter().map(|text| json!({"text": text}))),
    }
    let last = parts.len().saturating_sub(1);
    let event = |(index, part): (usize, Value)| {
        let (usage, finish) = if index == last {
            (draft.usage, Some(finish_reason(draft)))
        } else {
            (so_far, None)
        };
        let chunk = response(draft, vec![part], finish, &usage);
        Ok(Event {
            bytes: sse::of_google(&chunk)?,
            report: Some(usage),
        })
    };
    parts.into_iter().enumerate().map(event).collect()
}

fn response(draft: &Draft, parts: Vec<Value>, finish: Option<&str>, usage: &Usage) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    if let (Some(candidate), Some(finish)) = (candidate.as_object_mut(), finish) {
        candidate.insert("finishReason".to_owned(), finish.into());
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": metadata(usage, finish.is_some()),
        "modelVersion": draft.model,
        "responseId": format!("fake{}", draft.id),
    })
}

fn metadata(usage: &Usage, all: bool) -> Value {
    let prompt = usage.input + usage.cache_read;
    let mut metadata = json!({
        "promptTokenCount": prompt,
        "cachedContentTokenCount": usage.cache_read,
        "totalTokenCount": prompt + usage.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
    });
    if let Some(metadata) = metadata.as_object_mut().filter(|_| all) {
        let candidates = usage.output - usage.reasoning;
        metadata.insert("candidatesTokenCount".to_owned(), candidates.into());
        metadata.insert("thoughtsTokenCount".to_owned(), usage.reasoning.into());
    }
    metadata
}

fn thought(text: &str) -> Value {
    json!({"text": text, "thought": true})
}

/// A call has no text beside it.
fn call(draft: &Draft) -> Option<Value> {
    let tool = draft.tool.as_ref()?;
    let args: Value = serde_json::from_str(tool.input.get()).unwrap_or_default();
    Some(json!({"functionCall": {"id": format!("call_{}", draft.id), "name": tool.name, "args": args}}))
}

fn finish_reason(draft: &Draft) -> &str {
    draft.stop_word.as_deref().unwrap_or(match draft.stop {
        Stop::End | Stop::Tool => "STOP",
        Stop::TokenLimit => "MAX_TOKENS",
    })
}
