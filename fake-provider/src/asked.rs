//! What a model call asks for, as far as the fake acts on it.
//!
//! Both dialects fit one reader, because their bodies differ only in the parts that are read here by name.
//! Messages and tools stay unparsed JSON except the last message and the tool that is called, so a body of
//! megabytes is read once and not copied.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A model call. Borrows from the body.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked<'a> {
    pub(crate) model: Option<String>,
    #[serde(default)]
    pub(crate) stream: Option<bool>,
    #[serde(borrow)]
    messages: Option<Vec<&'a RawValue>>,
    pub(crate) max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    #[serde(borrow)]
    tools: Option<Vec<&'a RawValue>>,
    tool_choice: Option<Value>,
    thinking: Option<Thinking>,
    stream_options: Option<StreamOptions>,
    reasoning_effort: Option<String>,
}

/// The last message that is not an instruction.
#[derive(Debug, Default)]
pub(crate) struct LastMessage {
    pub(crate) from_user: bool,
    pub(crate) text: String,
}

/// A tool that the request offers.
#[derive(Debug)]
pub(crate) struct OfferedTool {
    pub(crate) name: String,
    /// JSON Schema of the arguments.
    pub(crate) schema: Value,
}

#[derive(Debug, Deserialize)]
struct Thinking {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Message<'a> {
    role: String,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

impl<'a> Asked<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    pub(crate) fn has_messages(&self) -> bool {
        self.messages
            .as_ref()
            .is_some_and(|messages| !messages.is_empty())
    }

    pub(crate) fn streams(&self) -> bool {
        self.stream == Some(true)
    }

    /// The most output tokens that the caller wants.
    pub(crate) fn output_limit(&self) -> Option<u64> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    pub(crate) fn includes_usage(&self) -> bool {
        self.stream_options
            .as_ref()
            .and_then(|options| options.include_usage)
            == Some(true)
    }

    /// Thinking (Anthropic) or reasoning (OpenAI) is asked for.
    pub(crate) fn thinks(&self) -> bool {
        self.thinking
            .as_ref()
            .is_some_and(|thinking| thinking.kind != "disabled")
            || self
                .reasoning_effort
                .as_ref()
                .is_some_and(|effort| effort != "none")
    }

    /// Messages that cannot be read count as absent: what they say does not matter to the fake.
    pub(crate) fn last_message(&self) -> LastMessage {
        let messages = self.messages.iter().flatten().rev();
        for raw in messages.filter_map(|raw| serde_json::from_str::<Message<'_>>(raw.get()).ok()) {
            if raw.role != "system" && raw.role != "developer" {
                let text = raw
                    .content
                    .map(|content| text_of(content.get()))
                    .unwrap_or_default();
                return LastMessage {
                    from_user: raw.role == "user",
                    text,
                };
            }
        }
        LastMessage::default()
    }

    /// The tool that the caller insists on: `Some("")` for any.
    pub(crate) fn forced_tool(&self) -> Option<String> {
        let choice = self.tool_choice.as_ref()?;
        if choice.as_str() == Some("required") {
            return Some(String::new());
        }
        match choice.get("type")?.as_str()? {
            "any" => Some(String::new()),
            "tool" => Some(choice.get("name")?.as_str()?.to_owned()),
            "function" => Some(choice.get("function")?.get("name")?.as_str()?.to_owned()),
            _ => None,
        }
    }

    /// The offered tool of this name; the first one when the name is empty.
    pub(crate) fn tool(&self, name: &str) -> Option<OfferedTool> {
        let tools = self.tools.iter().flatten();
        tools
            .filter_map(|raw| offered(raw.get()))
            .find(|tool| name.is_empty() || tool.name == name)
    }
}

fn offered(raw: &str) -> Option<OfferedTool> {
    let tool: Value = serde_json::from_str(raw).ok()?;
    let tool = tool.get("function").unwrap_or(&tool);
    let schema = tool.get("input_schema").or_else(|| tool.get("parameters"));
    Some(OfferedTool {
        name: tool.get("name")?.as_str()?.to_owned(),
        schema: schema.cloned().unwrap_or(Value::Null),
    })
}

fn text_of(content: &str) -> String {
    if let Ok(text) = serde_json::from_str::<String>(content) {
        return text;
    }
    let blocks: Vec<Block> = serde_json::from_str(content).unwrap_or_default();
    let texts = blocks
        .into_iter()
        .filter(|block| block.kind == "text")
        .filter_map(|block| block.text);
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_user_message_is_found_behind_instructions() {
        let body = br#"{"messages":[{"role":"user","content":"one"},
            {"role":"user","content":[{"type":"text","text":"two"},{"type":"image"}]},
            {"role":"system","content":"be brief"}]}"#;
        let last = Asked::read(body).unwrap().last_message();
        assert!(last.from_user);
        assert_eq!(last.text, "two");
    }

    #[test]
    fn a_tool_result_is_not_a_users_text() {
        let body = br#"{"messages":[{"role":"user","content":"[[fake cut=1]]"},
            {"role":"tool","tool_call_id":"a","content":"done"}]}"#;
        let last = Asked::read(body).unwrap().last_message();
        assert!(!last.from_user);
        assert_eq!(last.text, "done");
    }

    #[test]
    fn both_shapes_of_tools_are_read() {
        let body = br#"{"tools":[{"name":"a","input_schema":{"type":"object"}},
            {"type":"function","function":{"name":"b","parameters":{"type":"object"}}}],
            "tool_choice":{"type":"function","function":{"name":"b"}}}"#;
        let asked = Asked::read(body).unwrap();
        assert_eq!(asked.forced_tool().as_deref(), Some("b"));
        assert_eq!(asked.tool("").unwrap().name, "a");
        assert_eq!(asked.tool("b").unwrap().schema["type"], "object");
    }
}
