//! What the body of a failed request asks: counts, names and types.
//!
//! All of a dialect's names for a thing are looked for, since they do not clash: `messages`, `input` and `contents`;
//! `max_tokens` and its like; tools by `name`, `function.name` and `functionDeclarations`. Names of tools are the
//! caller's words, so they are masked and bounded.

use penstock_core::failed_call::BodyFacts;

use super::{hash, shown};
use crate::json::{Kind, Members, Value};

/// More tools are counted, not named.
const MAX_NAMES: usize = 64;
/// More types are not told.
const MAX_TYPES: usize = 16;
const MAX_NAME: usize = 128;
/// Larger bodies are not hashed, bytes.
const MAX_HASHED: usize = 8 << 20;

/// Reads a body. Of one that is no JSON, the hash.
pub fn body(body: &[u8]) -> BodyFacts {
    let mut facts = BodyFacts {
        request_body_hash: (body.len() <= MAX_HASHED).then(|| hash(body)),
        ..BodyFacts::default()
    };
    let Ok(mut members) = Members::open(body) else {
        return facts;
    };
    while let Ok(Some(member)) = members.next() {
        if let Some(name) = member.key.name() {
            field(&mut facts, &name, &member.value);
        }
    }
    facts
}

fn field(facts: &mut BodyFacts, name: &[u8], value: &Value<'_>) {
    match name {
        b"messages" | b"contents" | b"input" => {
            facts.messages_count = Some(match value.kind {
                Kind::Array => count(value.items),
                Kind::Object | Kind::String { .. } | Kind::Number | Kind::True | Kind::False | Kind::Null => {
                    1
                }
            });
            for message in elements(value) {
                content_types(facts, &message);
            }
            if value.is_string() {
                add(&mut facts.content_types_in_messages, "text", MAX_TYPES);
            }
        }
        b"tools" if value.kind == Kind::Array => {
            facts.tools_count = Some(count(value.items));
            for tool in elements(value) {
                tool_names(facts, &tool);
            }
        }
        b"max_tokens" | b"max_completion_tokens" | b"max_output_tokens" | b"maxOutputTokens" => {
            facts.max_tokens_requested = value.count().max(facts.max_tokens_requested);
        }
        b"temperature" if value.kind == Kind::Number => {
            let number = std::str::from_utf8(value.raw()).ok();
            facts.temperature = number
                .and_then(|number| number.parse().ok())
                .filter(|n: &f64| n.is_finite());
        }
        b"generationConfig" | b"generation_config" => {
            value.each_member(|name, value| field_of_config(facts, name, &value));
        }
        _ => {}
    }
}

fn field_of_config(facts: &mut BodyFacts, name: &[u8], value: &Value<'_>) {
    if matches!(name, b"maxOutputTokens" | b"max_output_tokens" | b"temperature") {
        field(facts, name, value);
    }
}

/// Of one message: the types of its parts; Gemini's parts are typed by the name of their one member.
fn content_types(facts: &mut BodyFacts, message: &Value<'_>) {
    let types = &mut facts.content_types_in_messages;
    let (mut own, mut has_content) = (None, false);
    message.each_member(|name, value| match name {
        b"content" if value.is_string() => {
            has_content = true;
            add(types, "text", MAX_TYPES);
        }
        b"content" => {
            has_content = true;
            for part in elements(&value) {
                part.each_member(|name, value| {
                    if name == b"type" {
                        add_text(types, &value);
                    }
                });
            }
        }
        b"parts" => {
            has_content = true;
            for part in elements(&value) {
                part.each_member(|name, _| {
                    if name != b"thought" {
                        add(types, &shown(name), MAX_TYPES);
                    }
                });
            }
        }
        b"type" => own = value.short_text(MAX_NAME).map(std::borrow::Cow::into_owned),
        _ => {}
    });
    // An item of the Responses API that is no message: `function_call_output`.
    if let Some(own) = own.filter(|_| !has_content) {
        add(types, &shown(own.as_bytes()), MAX_TYPES);
    }
}

fn tool_names(facts: &mut BodyFacts, tool: &Value<'_>) {
    let names = &mut facts.tool_names;
    let (mut name_of_tool, mut kind) = (None, None);
    tool.each_member(|name, value| match name {
        b"name" => name_of_tool = value.short_text(MAX_NAME).map(std::borrow::Cow::into_owned),
        b"type" => kind = value.short_text(MAX_NAME).map(std::borrow::Cow::into_owned),
        b"function" => value.each_member(|name, value| {
            if name == b"name" {
                name_of_tool = value.short_text(MAX_NAME).map(std::borrow::Cow::into_owned);
            }
        }),
        b"functionDeclarations" | b"function_declarations" => {
            for declared in elements(&value) {
                declared.each_member(|name, value| {
                    if let (b"name", Some(text)) = (name, value.short_text(MAX_NAME)) {
                        add(names, &shown(text.as_bytes()), MAX_NAMES);
                    }
                });
            }
        }
        _ => {}
    });
    // A tool of the vendor has a type and perhaps no name.
    if let Some(name) = name_of_tool.or(kind) {
        add(names, &shown(name.as_bytes()), MAX_NAMES);
    }
}

fn elements<'a>(value: &Value<'a>) -> impl Iterator<Item = Value<'a>> {
    let mut elements = value.elements();
    std::iter::from_fn(move || elements.next())
}

fn add_text(list: &mut Vec<String>, value: &Value<'_>) {
    if let Some(text) = value.short_text(MAX_NAME) {
        add(list, &shown(text.as_bytes()), MAX_TYPES);
    }
}

fn add(list: &mut Vec<String>, word: &str, most: usize) {
    if list.len() < most && !list.iter().any(|known| known == word) {
        list.push(word.to_owned());
    }
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g14_names_counts_and_types_and_no_content() {
        let anthropic = br#"{"model":"m","max_tokens":1024,"temperature":0.7,"messages":[{"role":"user","content":"SECRET"},
            {"role":"assistant","content":[{"type":"tool_use","id":"SECRET","input":{"SECRET":1}}]},
            {"role":"user","content":[{"type":"tool_result","content":"SECRET"},{"type":"image","source":{"data":"SECRET"}}]}],
            "tools":[{"name":"get_weather","description":"SECRET","input_schema":{"properties":{"SECRET":{}}}},
            {"type":"web_search_20250305"}]}"#;
        let facts = body(anthropic);
        assert_eq!((facts.messages_count, facts.tools_count), (Some(3), Some(2)));
        assert_eq!(facts.tool_names, ["get_weather", "web_search_20250305"]);
        assert_eq!(
            facts.content_types_in_messages,
            ["text", "tool_use", "tool_result", "image"]
        );
        assert_eq!(
            (facts.max_tokens_requested, facts.temperature),
            (Some(1024), Some(0.7))
        );
        assert!(facts.request_body_hash.as_ref().unwrap().starts_with("sha256:"));
        assert!(!format!("{facts:?}").contains("SECRET"));
    }

    #[test]
    fn g14_each_dialect_has_names_of_its_own() {
        let chat = body(
            br#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}],"max_completion_tokens":5,
            "tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}"#,
        );
        assert_eq!(
            (chat.tool_names, chat.max_tokens_requested),
            (vec!["f".to_owned()], Some(5))
        );
        let gemini = body(
            br#"{"contents":[{"role":"user","parts":[{"text":"x"},{"inlineData":{}}]}],
            "tools":[{"functionDeclarations":[{"name":"a"},{"name":"b"}]}],
            "generationConfig":{"maxOutputTokens":9,"temperature":1}}"#,
        );
        assert_eq!(gemini.content_types_in_messages, ["text", "inlineData"]);
        assert_eq!(gemini.tool_names, ["a", "b"]);
        assert_eq!(
            (gemini.max_tokens_requested, gemini.temperature),
            (Some(9), Some(1.0))
        );
        let responses = body(br#"{"input":[{"type":"message","content":[{"type":"input_text"}]},{"type":"function_call_output","output":"x"}]}"#);
        assert_eq!(
            responses.content_types_in_messages,
            ["input_text", "function_call_output"]
        );
        assert_eq!(body(br#"{"input":"hello"}"#).messages_count, Some(1));
    }

    #[test]
    fn g14_what_is_no_json_has_a_hash_only() {
        let facts = body(b"no json");
        assert_eq!(facts.messages_count, None);
        assert!(facts.request_body_hash.is_some());
    }
}
