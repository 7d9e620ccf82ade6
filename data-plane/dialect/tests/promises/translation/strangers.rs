//! Whatever callers and providers send: nothing panics, nothing grows without bound, and a stream says what the whole
//! answer says.

use penstock_core::dialect::Dialect;
use penstock_dialect::translate::{Broken, Untranslatable, between};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ID, Pair, streamed};
use crate::transcript::frames;

const PAIRS: [(Dialect, Dialect); 5] = [
    (Dialect::Anthropic, Dialect::OpenaiChat),
    (Dialect::OpenaiChat, Dialect::Anthropic),
    (Dialect::OpenaiResponses, Dialect::Anthropic),
    (Dialect::OpenaiResponses, Dialect::OpenaiChat),
    (Dialect::Anthropic, Dialect::Gemini),
];

/// A request that every caller's dialect takes.
const EVERYWHERE: &str = r#"{"stream":true,"messages":[{"role":"user","content":"x"}]}"#;
const RESPONSES: &str = r#"{"stream":true,"input":"x","tools":[{"type":"custom","name":"free"}]}"#;

fn plain(caller: Dialect) -> &'static str {
    match caller {
        Dialect::OpenaiResponses => RESPONSES,
        Dialect::Anthropic | Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::Gemini => EVERYWHERE,
    }
}

/// JSON made of the dialects' words, so that it gets far.
fn values() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "user",
        "assistant",
        "system",
        "tool",
        "text",
        "image",
        "document",
        "tool_use",
        "tool_result",
        "thinking",
        "input_text",
        "output_text",
        "message",
        "reasoning",
        "function",
        "custom",
        "function_call",
        "namespace",
        "custom_tool_call",
        "tool_search_call",
        "tool_search_output",
        "json_schema",
        "auto",
        "base64",
        "url",
        "",
        "message_start",
        "content_block_start",
        "content_block_delta",
        "message_delta",
        "message_stop",
        "text_delta",
        "stop",
        "tool_calls",
        "STOP",
        "data:image/png;base64,AA",
        "penstock:anthropic:x",
        "{}",
        "é\u{0}\"",
    ]);
    let leaf = prop_oneof![
        3 => word.prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let key = prop::sample::select(vec![
        "type",
        "role",
        "content",
        "text",
        "messages",
        "input",
        "tools",
        "tool_choice",
        "name",
        "id",
        "call_id",
        "tool_use_id",
        "tool_call_id",
        "source",
        "data",
        "media_type",
        "system",
        "thinking",
        "signature",
        "output",
        "arguments",
        "function",
        "tool_calls",
        "input_schema",
        "parameters",
        "format",
        "reasoning",
        "summary",
        "encrypted_content",
        "choices",
        "delta",
        "message",
        "index",
        "finish_reason",
        "usage",
        "candidates",
        "parts",
        "functionCall",
        "args",
        "content_block",
        "stop_reason",
        "partial_json",
        "image_url",
        "namespace",
    ]);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            3 => prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn b01_arbitrary_requests_are_translated_or_refused(value in values(), cut in any::<prop::sample::Index>()) {
        let whole = json!({"messages": [{"role": "user", "content": value}], "tools": value, "input": value}).to_string();
        let text = value.to_string();
        let broken = text.as_bytes().get(..cut.index(text.len() + 1)).unwrap_or_default();
        for (caller, provider) in PAIRS {
            let pair = between(caller, provider).unwrap();
            for body in [whole.as_bytes(), text.as_bytes(), broken] {
                match pair.request(body, "m") {
                    Ok(translated) => prop_assert!(serde_json::from_slice::<Value>(&translated.body).is_ok()),
                    Err(refusal) => prop_assert!(!refusal.to_string().is_empty()),
                }
            }
            for member in ["tools", "tool_choice", "thinking", "reasoning", "text", "response_format", "input"] {
                let mut body: Value = serde_json::from_str(plain(caller)).unwrap();
                body[member] = value.clone();
                let _either = pair.request(body.to_string().as_bytes(), "m");
            }
        }
    }

    #[test]
    fn b01_arbitrary_answers_are_translated_or_broken(values in prop::collection::vec(values(), 0..6)) {
        let stream: String = values.iter().map(|value| format!("data: {value}\n\n")).collect();
        for (caller, provider) in PAIRS {
            let answers = between(caller, provider).unwrap().request(plain(caller).as_bytes(), "m").unwrap().answers;
            if let Ok(out) = streamed(&answers, &stream) {
                for frame in frames(out) {
                    let data = frame.data().unwrap();
                    prop_assert!(*data == *b"[DONE]" || serde_json::from_slice::<Value>(&data).is_ok());
                }
            }
            for value in &values {
                let _either = answers.whole(value.to_string().as_bytes(), ID);
            }
        }
    }

    /// The same answer, whole and cut into a stream at any places, is the same for the caller.
    #[test]
    fn b01_a_stream_says_what_the_whole_answer_says(
        thought in "[a-zé\"\\\\]{0,12}",
        text in "[a-z \n\u{1F600}]{0,20}",
        calls in prop::collection::vec(("[a-z]{1,5}", "[a-z\"]{0,10}"), 0..3),
        every in 1usize..6,
    ) {
        let message = chat_message(&thought, &text, &calls);
        let whole = json!({"model": "q", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 7}}).to_string();
        let stream = chat_stream(&thought, &text, &calls, every);
        let anthropic = Pair::new(Dialect::Anthropic, Dialect::OpenaiChat, "m").answers(EVERYWHERE);
        let told: Value = serde_json::from_slice(&anthropic.whole(whole.as_bytes(), ID).unwrap()).unwrap();
        prop_assert_eq!(anthropic_of(&streamed(&anthropic, &stream).unwrap()), told);
        let responses = Pair::new(Dialect::OpenaiResponses, Dialect::OpenaiChat, "m").answers(RESPONSES);
        let told: Value = serde_json::from_slice(&responses.whole(whole.as_bytes(), ID).unwrap()).unwrap();
        let out = streamed(&responses, &stream).unwrap();
        let last = frames(out).pop().unwrap();
        let last: Value = serde_json::from_slice(&last.data().unwrap()).unwrap();
        prop_assert_eq!(&last["response"], &told);
    }
}

fn chat_message(thought: &str, text: &str, calls: &[(String, String)]) -> Value {
    let calls = calls.iter().enumerate().map(|(at, (name, input))| {
        json!({"id": format!("c{at}"), "type": "function",
            "function": {"name": name, "arguments": json!({"input": input}).to_string()}})
    });
    json!({"role": "assistant", "content": text, "reasoning_content": thought, "tool_calls": calls.collect::<Vec<_>>()})
}

fn pieces(text: &str, every: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(every).map(|chunk| chunk.iter().collect()).collect()
}

fn chat_stream(thought: &str, text: &str, calls: &[(String, String)], every: usize) -> String {
    let mut deltas = vec![json!({"role": "assistant", "content": ""})];
    deltas.extend(
        pieces(thought, every)
            .iter()
            .map(|piece| json!({"reasoning_content": piece})),
    );
    deltas.extend(pieces(text, every).iter().map(|piece| json!({"content": piece})));
    for (at, (name, input)) in calls.iter().enumerate() {
        let begun = json!({"index": at, "id": format!("c{at}"), "function": {"name": name, "arguments": ""}});
        deltas.push(json!({"tool_calls": [begun]}));
        let arguments = json!({"input": input}).to_string();
        deltas.extend(
            pieces(&arguments, every)
                .iter()
                .map(|piece| json!({"tool_calls": [{"index": at, "function": {"arguments": piece}}]})),
        );
    }
    let mut lines: Vec<Value> = deltas
        .into_iter()
        .map(|delta| json!({"model": "q", "choices": [{"index": 0, "delta": delta}]}))
        .collect();
    lines.push(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}));
    lines.push(json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}));
    let data: String = lines.iter().map(|line| format!("data: {line}\n\n")).collect();
    data + "data: [DONE]\n\n"
}

/// Puts a stream of Anthropic's together as its SDKs do.
fn anthropic_of(stream: &str) -> Value {
    let mut message = Value::Null;
    let mut arguments = String::new();
    for frame in frames(stream.to_owned()) {
        let event: Value = serde_json::from_slice(&frame.data().unwrap()).unwrap();
        let at = usize::try_from(event["index"].as_u64().unwrap_or_default()).unwrap();
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                message["content"]
                    .as_array_mut()
                    .unwrap()
                    .push(event["content_block"].clone());
                arguments.clear();
            }
            "content_block_delta" => {
                let block = &mut message["content"][at];
                for (from, to) in [
                    ("text", "text"),
                    ("thinking", "thinking"),
                    ("signature", "signature"),
                ] {
                    if let Some(more) = event["delta"][from].as_str() {
                        block[to] = format!("{}{more}", block[to].as_str().unwrap()).into();
                    }
                }
                arguments.push_str(event["delta"]["partial_json"].as_str().unwrap_or_default());
            }
            "content_block_stop" if !arguments.is_empty() => {
                message["content"][at]["input"] = serde_json::from_str(&arguments).unwrap();
                arguments.clear();
            }
            "message_delta" => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                message["usage"] = event["usage"].clone();
            }
            _ => {}
        }
    }
    message
}

#[test]
fn b06_deep_nesting_blows_no_stack() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (caller, provider) in PAIRS {
        let pair = between(caller, provider).unwrap();
        let body = format!(r#"{{"messages":{deep}}}"#);
        assert!(matches!(
            pair.request(body.as_bytes(), "m"),
            Err(Untranslatable::NotJson(_))
        ));
        let answers = pair.request(plain(caller).as_bytes(), "m").unwrap().answers;
        for body in [
            format!(r#"{{"choices":{deep},"content":{deep},"candidates":{deep}}}"#),
            deep.clone(),
        ] {
            assert!(answers.whole(body.as_bytes(), ID).is_err());
        }
        let unknown = format!(r#"{{"type":"message_start","choices":[],"unknown":{deep}}}"#);
        assert!(streamed(&answers, &format!("data: {unknown}\n\n")).is_ok());
    }
}

#[test]
fn b06_an_endless_answer_is_cut_off() {
    let answers = Pair::new(Dialect::OpenaiResponses, Dialect::OpenaiChat, "m").answers(RESPONSES);
    let mut translator = answers.stream(ID);
    let megabyte = "x".repeat(1024 * 1024);
    let frame = frames(format!(
        "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{megabyte}\"}}}}]}}\n\n"
    ))
    .pop()
    .unwrap();
    let ended = (0..64).find_map(|_| translator.frame(&frame).err());
    assert_eq!(ended, Some(Broken::TooMuch));
}

#[test]
fn b06_endless_calls_are_cut_off() {
    let answers = Pair::new(Dialect::Anthropic, Dialect::OpenaiChat, "m").answers(EVERYWHERE);
    let mut translator = answers.stream(ID);
    let ended = (0..5000).find_map(|at| {
        let line = format!(
            r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":{at},"function":{{"name":"a"}}}}]}}}}]}}"#
        );
        translator
            .frame(&frames(format!("data: {line}\n\n")).pop().unwrap())
            .err()
    });
    assert_eq!(ended, Some(Broken::TooMuch));
}
