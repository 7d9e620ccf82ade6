//! A streamed response: events with names, numbered in their order.
//!
//! `response.created`, `response.in_progress`, then each item from `output_item.added` to `output_item.done`, then
//! exactly one of `response.completed` and `response.incomplete`, which alone states the usage.

use bytes::Bytes;
use serde_json::{Value, json};

use super::items::{Item, argument, items, text_part};
use super::response::{begun, ended, status};
use crate::behaviour::Behaviour;
use crate::chat;
use crate::draft::Draft;
use crate::sse;
use crate::step::Event;

/// Events collected in order.
#[derive(Default)]
struct Lines {
    events: Vec<Event>,
}

impl Lines {
    /// Adds an event of this type; `fields` is an object.
    fn push(&mut self, kind: &str, mut fields: Value) -> Result<(), serde_json::Error> {
        if let Some(object) = fields.as_object_mut() {
            object.insert("type".to_owned(), kind.into());
            object.insert("sequence_number".to_owned(), self.events.len().into());
        }
        self.events.push(Event::plain(sse::named(kind, &fields)?));
        Ok(())
    }

    fn item(&mut self, index: usize, item: &Item<'_>) -> Result<(), serde_json::Error> {
        let added = json!({"output_index": index, "item": item.begun()});
        self.push("response.output_item.added", added)?;
        let at = json!({"item_id": item.id(), "output_index": index});
        match item {
            Item::Reasoning { text, .. } => self.reasoning(&at, text)?,
            Item::Message { pieces, .. } => self.message(&at, pieces)?,
            Item::Call { tool, .. } => {
                let (kind, field) = match tool.freeform {
                    true => ("response.custom_tool_call_input", "input"),
                    false => ("response.function_call_arguments", "arguments"),
                };
                let all = argument(tool);
                let (first, second) = all
                    .split_at_checked(all.floor_char_boundary(all.len() / 2))
                    .unwrap_or((&all, ""));
                for delta in [first, second] {
                    self.push(&format!("{kind}.delta"), with(&at, json!({"delta": delta})))?;
                }
                self.push(&format!("{kind}.done"), with(&at, json!({field: all})))?;
            }
        }
        let done = json!({"output_index": index, "item": item.done()});
        self.push("response.output_item.done", done)
    }

    fn reasoning(&mut self, at: &Value, text: &str) -> Result<(), serde_json::Error> {
        let at = with(at, json!({"summary_index": 0}));
        let part = |text: &str| json!({"part": {"type": "summary_text", "text": text}});
        self.push("response.reasoning_summary_part.added", with(&at, part("")))?;
        self.push(
            "response.reasoning_summary_text.delta",
            with(&at, json!({"delta": text})),
        )?;
        self.push(
            "response.reasoning_summary_text.done",
            with(&at, json!({"text": text})),
        )?;
        self.push("response.reasoning_summary_part.done", with(&at, part(text)))
    }

    fn message(&mut self, at: &Value, pieces: &[String]) -> Result<(), serde_json::Error> {
        let at = with(at, json!({"content_index": 0}));
        let part = |text: &str| json!({"part": text_part(text)});
        self.push("response.content_part.added", with(&at, part("")))?;
        for piece in pieces {
            let delta = json!({"delta": piece, "logprobs": []});
            self.push("response.output_text.delta", with(&at, delta))?;
        }
        let text = pieces.concat();
        let done = json!({"text": text, "logprobs": []});
        self.push("response.output_text.done", with(&at, done))?;
        self.push("response.content_part.done", with(&at, part(&text)))
    }
}

/// The events of a good stream.
pub(crate) fn events(draft: &Draft) -> Result<Vec<Event>, serde_json::Error> {
    let mut lines = Lines::default();
    for kind in ["response.created", "response.in_progress"] {
        lines.push(kind, json!({"response": begun(draft)}))?;
    }
    for (index, item) in items(draft).iter().enumerate() {
        lines.item(index, item)?;
    }
    let last = format!("response.{}", status(draft));
    lines.push(&last, json!({"response": ended(draft)}))?;
    if let Some(event) = lines.events.last_mut() {
        event.report = Some(draft.usage);
    }
    Ok(lines.events)
}

/// An error within a stream. Its number is right when it comes after so many events as the behaviour says.
pub(crate) fn error_event(status: u16, behaviour: &Behaviour) -> Result<Bytes, serde_json::Error> {
    let told: Value = serde_json::from_slice(&chat::error_body(status, behaviour)?)?;
    let code = [&told["error"]["code"], &told["error"]["type"]];
    let error = json!({
        "type": "error",
        "code": code.into_iter().find_map(Value::as_str),
        "message": told["error"]["message"],
        "param": null,
        "sequence_number": behaviour.end.map_or(0, |end| end.after),
    });
    sse::named("error", &error)
}

/// Both objects in one.
fn with(base: &Value, more: Value) -> Value {
    let mut all = base.clone();
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    all
}
