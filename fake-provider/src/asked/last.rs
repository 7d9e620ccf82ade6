//! The last message that is not an instruction, in each dialect's shape.
//!
//! What cannot be read counts as absent: what it says does not matter to the fake.

use serde_json::Value;
use serde_json::value::RawValue;

/// What the caller said last.
#[derive(Debug, Default)]
pub(crate) struct LastMessage {
    /// The user's own text, in which directives count.
    pub(crate) text: String,
    /// What tools answered, in which they do not.
    pub(crate) result: String,
}

/// Of Anthropic's and OpenAI's messages.
pub(super) fn of_messages(messages: &[&RawValue]) -> LastMessage {
    let mut messages = messages.iter().rev().filter_map(|raw| parsed(raw));
    let last = messages.find(|message| !instructs(message));
    last.as_ref().map(message).unwrap_or_default()
}

/// Of the input of OpenAI Responses: a text, or items.
pub(super) fn of_input(input: &RawValue) -> LastMessage {
    match parsed(input) {
        Some(Value::String(text)) => LastMessage {
            text,
            result: String::new(),
        },
        Some(Value::Array(items)) => {
            let last = items.iter().rev().find(|item| {
                let said = item.get("role").is_some() && !instructs(item);
                said || item.get("output").is_some()
            });
            last.map(item).unwrap_or_default()
        }
        Some(_) | None => LastMessage::default(),
    }
}

/// Of Gemini's contents.
pub(super) fn of_contents(contents: &[&RawValue]) -> LastMessage {
    let mut last = LastMessage::default();
    let Some(content) = contents.last().and_then(|raw| parsed(raw)) else {
        return last;
    };
    let own = content.get("role").and_then(Value::as_str) != Some("model");
    for part in content
        .get("parts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        match (
            part.get("text").and_then(Value::as_str),
            part.get("functionResponse"),
        ) {
            (Some(text), _) if own => add(&mut last.text, text),
            (_, Some(answer)) => {
                let response = answer.get("response").unwrap_or(&Value::Null);
                add(&mut last.result, &response.to_string());
            }
            (_, None) => {}
        }
    }
    last
}

fn item(item: &Value) -> LastMessage {
    match item.get("output") {
        Some(output) => LastMessage {
            text: String::new(),
            result: text_of(output),
        },
        None => message(item),
    }
}

fn message(message: &Value) -> LastMessage {
    let content = message.get("content").unwrap_or(&Value::Null);
    let mut last = LastMessage::default();
    match message.get("role").and_then(Value::as_str) {
        Some("user") => {}
        Some("tool") => {
            last.result = text_of(content);
            return last;
        }
        Some(_) | None => return last,
    }
    last.text = text_of(content);
    let blocks = content.as_array().into_iter().flatten();
    for block in blocks.filter(|block| block.get("type").and_then(Value::as_str) == Some("tool_result")) {
        add(
            &mut last.result,
            &text_of(block.get("content").unwrap_or(&Value::Null)),
        );
    }
    last
}

/// A text, or the texts of an array of parts.
fn text_of(content: &Value) -> String {
    if let Some(text) = content.as_str() {
        return text.to_owned();
    }
    let parts = content.as_array().into_iter().flatten();
    let texts = parts.filter(|part| {
        let kind = part.get("type").and_then(Value::as_str);
        matches!(kind, Some("text" | "input_text" | "output_text"))
    });
    let texts: Vec<&str> = texts.filter_map(|part| part.get("text")?.as_str()).collect();
    texts.join("\n")
}

fn instructs(message: &Value) -> bool {
    let role = message.get("role").and_then(Value::as_str);
    matches!(role, Some("system" | "developer"))
}

fn parsed(raw: &RawValue) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

fn add(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}
