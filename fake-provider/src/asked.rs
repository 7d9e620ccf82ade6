//! What a model call asks for, as far as the fake acts on it.
//!
//! All dialects fit one reader, because their bodies differ only in the parts that are read here by name.
//! Messages and tools stay unparsed JSON except the last message and the tool that is called, so a body of
//! megabytes is read once and not copied.

mod last;
mod tools;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) use last::LastMessage;
pub(crate) use tools::OfferedTool;

/// A model call. Borrows from the body.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked<'a> {
    pub(crate) model: Option<String>,
    #[serde(default)]
    pub(crate) stream: Option<bool>,
    #[serde(borrow)]
    messages: Option<Vec<&'a RawValue>>,
    /// Responses and embeddings.
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    /// Gemini.
    #[serde(borrow)]
    contents: Option<Vec<&'a RawValue>>,
    pub(crate) max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    #[serde(rename = "generationConfig")]
    generation: Option<Generation>,
    #[serde(borrow)]
    tools: Option<Vec<&'a RawValue>>,
    tool_choice: Option<Value>,
    #[serde(rename = "toolConfig")]
    tool_config: Option<Value>,
    thinking: Option<Thinking>,
    stream_options: Option<StreamOptions>,
    reasoning_effort: Option<String>,
    reasoning: Option<Reasoning>,
    include: Option<Vec<String>>,
    /// The body's own, where a cloud wants it there.
    pub(crate) anthropic_version: Option<String>,
    pub(crate) dimensions: Option<usize>,
    encoding_format: Option<String>,
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

#[derive(Debug, Deserialize)]
struct Reasoning {
    effort: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generation {
    max_output_tokens: Option<u64>,
    thinking_config: Option<ThinkingConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThinkingConfig {
    include_thoughts: Option<bool>,
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

    pub(crate) fn has_input(&self) -> bool {
        self.input.is_some()
    }

    pub(crate) fn has_contents(&self) -> bool {
        self.contents
            .as_ref()
            .is_some_and(|contents| !contents.is_empty())
    }

    pub(crate) fn streams(&self) -> bool {
        self.stream == Some(true)
    }

    /// The most output tokens that the caller wants.
    pub(crate) fn output_limit(&self) -> Option<u64> {
        let generation = self.generation.as_ref();
        self.max_completion_tokens
            .or(self.max_tokens)
            .or(self.max_output_tokens)
            .or_else(|| generation.and_then(|generation| generation.max_output_tokens))
    }

    pub(crate) fn includes_usage(&self) -> bool {
        self.stream_options
            .as_ref()
            .and_then(|options| options.include_usage)
            == Some(true)
    }

    /// Reasoning shall be given in a form that can be sent back.
    pub(crate) fn includes_reasoning(&self) -> bool {
        let mut include = self.include.iter().flatten();
        include.any(|what| what == "reasoning.encrypted_content")
    }

    /// Embeddings as base64 instead of numbers.
    pub(crate) fn wants_base64(&self) -> bool {
        self.encoding_format.as_deref() == Some("base64")
    }

    /// How many texts shall be embedded: one, or each of an array that does not hold the tokens of one.
    pub(crate) fn inputs(&self) -> usize {
        let list: Option<Vec<Value>> = self
            .input
            .and_then(|input| serde_json::from_str(input.get()).ok());
        list.filter(|list| list.first().is_none_or(|first| !first.is_number()))
            .map_or(1, |list| list.len())
    }

    /// Thinking (Anthropic, Gemini) or reasoning (OpenAI) is asked for.
    pub(crate) fn thinks(&self) -> bool {
        let thinking = self
            .thinking
            .as_ref()
            .is_some_and(|thinking| thinking.kind != "disabled");
        let effort = self
            .reasoning_effort
            .as_ref()
            .or_else(|| self.reasoning.as_ref()?.effort.as_ref())
            .is_some_and(|effort| effort != "none");
        let thoughts = self
            .generation
            .as_ref()
            .and_then(|generation| generation.thinking_config.as_ref()?.include_thoughts);
        thinking || effort || thoughts == Some(true)
    }

    /// The last message that is not an instruction.
    pub(crate) fn last_message(&self) -> LastMessage {
        if let Some(messages) = &self.messages {
            return last::of_messages(messages);
        }
        if let Some(contents) = &self.contents {
            return last::of_contents(contents);
        }
        self.input.map(last::of_input).unwrap_or_default()
    }

    /// The tool that the caller insists on: `Some("")` for any.
    pub(crate) fn forced_tool(&self) -> Option<String> {
        let of_gemini = self.tool_config.as_ref().and_then(tools::forced_at_gemini);
        of_gemini.or_else(|| tools::forced(self.tool_choice.as_ref()?))
    }

    /// The offered tool of this name; the first one when the name is empty.
    pub(crate) fn tool(&self, name: &str) -> Option<OfferedTool> {
        let mut all = self
            .tools
            .iter()
            .flatten()
            .flat_map(|raw| tools::offered(raw.get()));
        all.find(|tool| name.is_empty() || tool.name == name)
    }
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
        assert_eq!((last.text.as_str(), last.result.as_str()), ("two", ""));
    }

    #[test]
    fn a_tool_result_is_not_a_users_text() {
        let bodies: [&[u8]; 4] = [
            br#"{"messages":[{"role":"user","content":"[[fake cut=1]]"},
                {"role":"tool","tool_call_id":"a","content":"done"}]}"#,
            br#"{"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"done"}]}]}]}"#,
            br#"{"input":[{"role":"user","content":[{"type":"input_text","text":"x"}]},
                {"type":"function_call_output","call_id":"c","output":"done"}]}"#,
            br#"{"contents":[{"role":"user","parts":[{"functionResponse":{"name":"t","response":{"output":"done"}}}]}]}"#,
        ];
        for body in bodies {
            let last = Asked::read(body).unwrap().last_message();
            assert_eq!(last.text, "");
            assert!(last.result.contains("done"), "{last:?}");
        }
    }

    #[test]
    fn each_dialects_user_is_heard() {
        let bodies: [&[u8]; 4] = [
            br#"{"input":"hello"}"#,
            br#"{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hello"}]}]}"#,
            br#"{"contents":[{"parts":[{"text":"hello"}]}]}"#,
            br#"{"input":[{"role":"user","content":"hello"},{"role":"developer","content":"be brief"}]}"#,
        ];
        for body in bodies {
            assert_eq!(Asked::read(body).unwrap().last_message().text, "hello");
        }
    }

    #[test]
    fn every_shape_of_tools_is_read() {
        let body = br#"{"tools":[{"name":"a","input_schema":{"type":"object"}},
            {"type":"function","function":{"name":"b","parameters":{"type":"object"}}},
            {"type":"custom","name":"c"},{"functionDeclarations":[{"name":"d"},{"name":"e"}]}],
            "tool_choice":{"type":"function","function":{"name":"b"}}}"#;
        let asked = Asked::read(body).unwrap();
        assert_eq!(asked.forced_tool().as_deref(), Some("b"));
        assert_eq!(asked.tool("").unwrap().name, "a");
        assert_eq!(asked.tool("b").unwrap().schema["type"], "object");
        assert!(asked.tool("c").unwrap().freeform);
        assert_eq!(asked.tool("e").unwrap().name, "e");
    }

    #[test]
    fn embeddings_are_counted_by_text_and_not_by_token() {
        let inputs = |body: &str| Asked::read(body.as_bytes()).unwrap().inputs();
        assert_eq!(inputs(r#"{"input":"a"}"#), 1);
        assert_eq!(inputs(r#"{"input":["a","b"]}"#), 2);
        assert_eq!(inputs(r#"{"input":[1,2,3]}"#), 1);
    }
}
