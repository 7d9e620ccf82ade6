//! A coding agent's request in the middle of its work: system prompt, tools, many turns of tool calls and their results,
//! `"stream":true` behind all of it, as Claude Code orders the fields. Mostly source text inside JSON strings.

use anyhow::{Context, Result};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::source::Source;
use super::{MODEL, padding};

/// What Claude Code sends before its first turn is larger; with this much, 100 KB still hold many turns.
const SYSTEM_BYTES: usize = 10_000;
const TOOLS: [&str; 14] = [
    "Bash",
    "Read",
    "Edit",
    "Write",
    "Grep",
    "Glob",
    "LS",
    "Task",
    "WebFetch",
    "WebSearch",
    "TodoWrite",
    "NotebookEdit",
    "KillShell",
    "Skill",
];
const SESSION: &str = "0197f3c2-5d1e-7c44-9a51-6b1f0d2c8e90";

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: &'a [Box<RawValue>],
    system: &'a [Value],
    tools: &'a [Value],
    metadata: Value,
    max_tokens: u32,
    thinking: Value,
    stream: bool,
}

/// A Messages request of exactly so many bytes.
pub(crate) fn agent(bytes: usize) -> Result<Bytes> {
    let mut source = Source::new();
    let system = system(&mut source);
    let tools: Vec<Value> = TOOLS.iter().map(|name| tool(name, &mut source)).collect();
    let mut messages = vec![message(
        "user",
        &json!([{"type": "text", "text": source.plain(1_500)}]),
    )?];
    let mut room = remaining(bytes, &messages, &system, &tools)?;
    for number in 0_u64.. {
        let turn = turn(number, &mut source)?;
        let size: usize = turn.iter().map(|message| message.get().len() + 1).sum();
        if size > room {
            break;
        }
        room -= size;
        messages.extend(turn);
    }
    messages.extend(ending(&padding(room))?);
    write(&messages, &system, &tools)
}

/// Room for turns, when what the user says last is still empty.
fn remaining(bytes: usize, messages: &[Box<RawValue>], system: &[Value], tools: &[Value]) -> Result<usize> {
    let mut least = messages.to_vec();
    least.extend(ending("")?);
    let frame = write(&least, system, tools)?.len();
    bytes
        .checked_sub(frame)
        .with_context(|| format!("an agent's request has at least {frame} bytes"))
}

fn write(messages: &[Box<RawValue>], system: &[Value], tools: &[Value]) -> Result<Bytes> {
    let user = json!({"device_id": "5a".repeat(32), "account_uuid": "", "session_id": SESSION}).to_string();
    let request = Request {
        model: MODEL,
        messages,
        system,
        tools,
        metadata: json!({"user_id": user}),
        max_tokens: 64_000,
        thinking: json!({"type": "enabled", "budget_tokens": 31_999}),
        stream: true,
    };
    Ok(serde_json::to_vec(&request)?.into())
}

fn system(source: &mut Source) -> Vec<Value> {
    let text = source.plain(SYSTEM_BYTES);
    let cache = json!({"type": "ephemeral"});
    vec![
        json!({"type": "text", "text": "You are a coding agent.", "cache_control": cache}),
        json!({"type": "text", "text": text, "cache_control": cache}),
    ]
}

fn tool(name: &str, source: &mut Source) -> Value {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "The absolute path, not a relative one"},
            "pattern": {"type": "string", "description": "A regular expression such as \"fn \\w+\\(\""},
            "limit": {"type": "number", "description": "How many lines. Only when the file is large"},
        },
        "required": ["path"],
        "additionalProperties": false,
    });
    json!({"name": name, "description": source.plain(700), "input_schema": schema})
}

/// One call and its result; every fourth is an edit, which carries text in both directions.
fn turn(number: u64, source: &mut Source) -> Result<[Box<RawValue>; 2]> {
    let id = format!("toolu_01{number:022}");
    let path = format!("/home/dev/service/src/part_{}.rs", source.number(60));
    let (name, input, result) = if number % 4 == 3 {
        let (old, new) = (source.plain(600), source.plain(700));
        let input = json!({"file_path": path, "old_string": old, "new_string": new});
        ("Edit", input, source.numbered(400))
    } else {
        let size = 1_500 + usize::try_from(source.number(7_000)).unwrap_or(0);
        ("Read", json!({"file_path": path}), source.numbered(size))
    };
    let call = json!([
        {"type": "text", "text": source.plain(160)},
        {"type": "tool_use", "id": id, "name": name, "input": input},
    ]);
    let answer = json!([{"type": "tool_result", "tool_use_id": id, "content": result}]);
    Ok([message("assistant", &call)?, message("user", &answer)?])
}

/// The agent stops and the user says something new.
fn ending(text: &str) -> Result<[Box<RawValue>; 2]> {
    let said = json!([{"type": "text", "text": "The tests pass now."}]);
    let asked = json!([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]);
    Ok([message("assistant", &said)?, message("user", &asked)?])
}

fn message(role: &str, content: &Value) -> Result<Box<RawValue>> {
    #[derive(Serialize)]
    struct Message<'a> {
        role: &'a str,
        content: &'a Value,
    }
    Ok(to_raw_value(&Message { role, content })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_exactly_the_size_asked_for() {
        for bytes in [100_000, 1_000_000] {
            assert_eq!(agent(bytes).unwrap().len(), bytes);
        }
    }

    #[test]
    fn a_request_is_what_an_agent_sends() {
        let body = agent(200_000).unwrap();
        let json: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json["stream"], true);
        assert_eq!(json["tools"].as_array().unwrap().len(), TOOLS.len());
        let messages = json["messages"].as_array().unwrap();
        assert!(messages.len() > 20, "many turns, not {}", messages.len());
        assert!(
            messages.windows(2).all(|pair| pair[0]["role"] != pair[1]["role"]),
            "the two take turns"
        );
    }

    #[test]
    fn the_stream_flag_lies_behind_the_messages() {
        let text = String::from_utf8(agent(100_000).unwrap().to_vec()).unwrap();
        assert!(text.ends_with("\"stream\":true}"));
    }
}
