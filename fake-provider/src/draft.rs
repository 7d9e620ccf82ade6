//! What the model says, before a dialect writes it down.
//!
//! Everything is a function of the request's bytes and the behaviour; `count` says how tokens are counted.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::behaviour::Behaviour;
use crate::count::{cached, stated, tokens};
use crate::dialect::Dialect;
use crate::usage::Usage;

/// The echo repeats at most so many bytes of the caller's text.
const ECHO_BYTES: usize = 200;
/// Pieces of a stream when nothing else is asked.
const CHUNKS: usize = 5;
/// Text longer than this is refused, so that a directive cannot exhaust the machine.
pub(crate) const MAX_TEXT_BYTES: usize = 64 * 1024 * 1024;

const THOUGHT: &str = "The caller wants an answer, so I repeat what was said.";

/// An answer without a shape.
#[derive(Debug)]
pub(crate) struct Draft {
    /// 16 hex digits, the same for the same request.
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) thinking: Option<&'static str>,
    /// The text in the pieces that a stream sends; not empty.
    pub(crate) pieces: Vec<String>,
    pub(crate) tool: Option<ToolCall>,
    pub(crate) stop: Stop,
    /// In the dialect's own word, instead of `stop`.
    pub(crate) stop_word: Option<String>,
    pub(crate) usage: Usage,
    /// Reasoning shall be given in a form that can be sent back.
    pub(crate) sealed: bool,
}

#[derive(Debug)]
pub(crate) struct ToolCall {
    pub(crate) name: String,
    pub(crate) input: Box<RawValue>,
    /// The tool takes a text, which is the whole of `input`.
    pub(crate) freeform: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    End,
    TokenLimit,
    Tool,
}

/// A request or directive that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undraftable {
    #[error("fake-provider: tool-input is not JSON: {0}")]
    ToolInput(#[from] serde_json::Error),
    #[error("fake-provider: {0} bytes of text are more than the {MAX_TEXT_BYTES} that are allowed")]
    TooLong(usize),
}

/// Writes the answer to `said`, the caller's text without its directive.
pub(crate) fn draft(
    dialect: Dialect,
    asked: &Asked<'_>,
    said: &str,
    body: &[u8],
    behaviour: &Behaviour,
) -> Result<Draft, Undraftable> {
    let tool = tool_call(asked, behaviour)?;
    let mut text = text(said, behaviour)?;
    let mut stop = if tool.is_some() { Stop::Tool } else { Stop::End };
    let limit = asked
        .output_limit()
        .and_then(|tokens| usize::try_from(tokens).ok());
    if let Some(limit) = limit.map(|tokens| tokens.saturating_mul(4))
        && text.len() > limit
    {
        text.truncate(text.floor_char_boundary(limit));
        stop = Stop::TokenLimit;
    }
    let thinking = (asked.thinks() || behaviour.thinking).then_some(THOUGHT);
    let mut usage = cached(dialect, body);
    usage.reasoning = thinking.map_or(0, |thought| tokens(thought.len()));
    let tool_bytes = tool
        .as_ref()
        .map_or(0, |tool| tool.name.len() + tool.input.get().len());
    usage.output = (usage.reasoning + tokens(text.len()) + tokens(tool_bytes)).max(1);
    Ok(Draft {
        id: format!("{:016x}", digest(body)),
        model: asked.model.clone().unwrap_or_default(),
        thinking,
        pieces: pieces(&text, behaviour),
        tool,
        stop,
        stop_word: behaviour.stop_reason.clone(),
        usage: stated(dialect, usage.overridden(&behaviour.usage)),
        sealed: asked.includes_reasoning(),
    })
}

fn text(said: &str, behaviour: &Behaviour) -> Result<String, Undraftable> {
    let pattern = match &behaviour.text {
        Some(text) => text.clone(),
        None => {
            let (echo, _) = said
                .split_at_checked(said.floor_char_boundary(ECHO_BYTES))
                .unwrap_or((said, ""));
            format!("You said: {echo}")
        }
    };
    let sized = behaviour
        .chunks
        .zip(behaviour.chunk_bytes)
        .map(|(n, size)| n.saturating_mul(size));
    // A piece has at least one character, so many pieces need a long enough text.
    let least = behaviour
        .chunks
        .map(|n| n.saturating_mul(4))
        .filter(|bytes| *bytes > pattern.len());
    let Some(bytes) = behaviour.text_bytes.or(sized).or(least) else {
        return Ok(pattern);
    };
    if bytes > MAX_TEXT_BYTES {
        return Err(Undraftable::TooLong(bytes));
    }
    let pattern = if pattern.is_empty() {
        "x ".to_owned()
    } else {
        format!("{pattern} ")
    };
    let mut text = pattern.repeat(bytes.div_ceil(pattern.len()));
    text.truncate(text.floor_char_boundary(bytes));
    Ok(text)
}

/// Cuts the text at character boundaries; the pieces together are the text.
fn pieces(text: &str, behaviour: &Behaviour) -> Vec<String> {
    let count = match (behaviour.chunks, behaviour.chunk_bytes) {
        (Some(chunks), _) => chunks.max(1),
        (None, Some(size)) => text.len().div_ceil(size.max(1)).max(1),
        (None, None) => CHUNKS.min(text.len()).max(1),
    };
    let mut pieces = Vec::with_capacity(count);
    let mut rest = text;
    for left in (1..=count).rev() {
        let size = if left == 1 {
            rest.len()
        } else {
            rest.len().div_ceil(left)
        };
        let (piece, after) = rest
            .split_at_checked(rest.ceil_char_boundary(size))
            .unwrap_or((rest, ""));
        pieces.push(piece.to_owned());
        rest = after;
    }
    pieces
}

fn tool_call(asked: &Asked<'_>, behaviour: &Behaviour) -> Result<Option<ToolCall>, Undraftable> {
    let Some(name) = behaviour.tool.clone().or_else(|| asked.forced_tool()) else {
        return Ok(None);
    };
    let offered = asked.tool(&name);
    let schema = offered.as_ref().map_or(&Value::Null, |tool| &tool.schema);
    let input = match &behaviour.tool_input {
        Some(json) => RawValue::from_string(json.clone())?,
        None => serde_json::value::to_raw_value(&sample(schema))?,
    };
    let freeform = offered.as_ref().is_some_and(|tool| tool.freeform);
    let name = offered.map_or(name, |tool| tool.name);
    Ok((!name.is_empty()).then_some(ToolCall {
        name,
        input,
        freeform,
    }))
}

/// A value that fits a simple JSON Schema; objects carry their required properties.
fn sample(schema: &Value) -> Value {
    if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => Value::from("fake"),
        Some("integer" | "number") => Value::from(1),
        Some("boolean") => Value::from(true),
        Some("array") => Value::Array(Vec::new()),
        _ => {
            let required = schema
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let properties = required.filter_map(Value::as_str).filter_map(|name| {
                let property = schema.get("properties")?.get(name)?;
                Some((name.to_owned(), sample(property)))
            });
            Value::Object(properties.collect::<Map<_, _>>())
        }
    }
}

/// FNV-1a over the length and both ends: enough to tell requests apart, cheap for large ones.
fn digest(body: &[u8]) -> u64 {
    const END: usize = 4096;
    let head = body.iter().take(END);
    let tail = body.iter().skip(body.len().saturating_sub(END).max(END));
    let length = body.len().to_le_bytes();
    length
        .iter()
        .chain(head)
        .chain(tail)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafted(body: &str, behaviour: &Behaviour) -> Draft {
        let asked = Asked::read(body.as_bytes()).unwrap();
        let said = asked.last_message().text;
        draft(Dialect::Anthropic, &asked, &said, body.as_bytes(), behaviour).unwrap()
    }

    const HELLO: &str = r#"{"model":"m","messages":[{"role":"user","content":"grüße €uch"}]}"#;

    #[test]
    fn the_same_request_gets_the_same_answer() {
        let (one, two) = (
            drafted(HELLO, &Behaviour::default()),
            drafted(HELLO, &Behaviour::default()),
        );
        assert_eq!((one.id, one.usage, &one.pieces), (two.id, two.usage, &two.pieces));
        assert_eq!(one.pieces.concat(), "You said: grüße €uch");
    }

    #[test]
    fn chunks_are_exact_whatever_the_text() {
        for chunks in [1, 2, 7, 50, 500] {
            let draft = drafted(HELLO, &Behaviour::default().chunks(chunks));
            assert_eq!(draft.pieces.len(), chunks);
            assert!(draft.pieces.iter().all(|piece| !piece.is_empty()));
        }
    }

    #[test]
    fn chunks_and_their_size_set_the_length_of_the_text() {
        let behaviour = Behaviour {
            chunk_bytes: Some(32),
            text: Some("ab".into()),
            ..Behaviour::default()
        };
        let draft = drafted(HELLO, &behaviour.chunks(4));
        assert!(draft.pieces.iter().all(|piece| piece.len() == 32));
    }

    #[test]
    fn a_huge_text_has_the_size_that_was_asked() {
        let draft = drafted(HELLO, &Behaviour::default().text_bytes(3_000_000));
        assert!(draft.pieces.concat().len() > 2_999_990);
        assert!(draft.usage.output > 700_000);
    }

    #[test]
    fn more_text_than_the_machine_should_hold_is_refused() {
        let asked = Asked::read(HELLO.as_bytes()).unwrap();
        let behaviour = Behaviour::default().text_bytes(MAX_TEXT_BYTES + 1);
        let refused = draft(Dialect::Anthropic, &asked, "", HELLO.as_bytes(), &behaviour).unwrap_err();
        assert!(matches!(refused, Undraftable::TooLong(_)));
    }

    #[test]
    fn max_tokens_shorten_the_text() {
        let body = r#"{"max_tokens":1,"messages":[{"role":"user","content":"hello"}]}"#;
        let draft = drafted(body, &Behaviour::default());
        assert_eq!(
            (draft.pieces.concat().as_str(), draft.stop),
            ("You ", Stop::TokenLimit)
        );
    }

    #[test]
    fn tool_arguments_fit_the_schema() {
        let body = r#"{"tools":[{"name":"t","input_schema":{"type":"object","required":["a","b"],
            "properties":{"a":{"type":"string"},"b":{"enum":["x","y"]},"c":{"type":"integer"}}}}],
            "tool_choice":{"type":"any"}}"#;
        let tool = drafted(body, &Behaviour::default()).tool.unwrap();
        assert_eq!(
            (tool.name.as_str(), tool.input.get()),
            ("t", r#"{"a":"fake","b":"x"}"#)
        );
    }
}
