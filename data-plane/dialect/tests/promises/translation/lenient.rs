//! A good answer is not lost over trifles, and a conversation goes on over what a model once wrote.

use penstock_core::dialect::Dialect::{self, Anthropic, Gemini, OpenaiChat, OpenaiResponses};
use serde_json::{Value, json};

use super::{Pair, data, events};

const ASKED: &str = r#"{"max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
const ODD: [&str; 5] = ["7.0", "1e3", "\"12\"", "-5", "[]"];

fn pair(caller: Dialect, provider: Dialect) -> Pair {
    Pair::new(caller, provider, "m")
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn b01_counts_that_are_written_oddly_lose_no_answer() {
    let chat = r#"{"choices":[{"index":null,"message":{"content":"Hi","reasoning":{"a":1}},"finish_reason":"stop"}],"usage":{"prompt_tokens":COUNT,"completion_tokens":2,"prompt_tokens_details":"x"}}"#;
    let gemini = r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":COUNT,"candidatesTokenCount":2}}"#;
    let anthropic = r#"{"content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":COUNT,"output_tokens":2,"cache_creation":7}}"#;
    for (count, read) in ODD.into_iter().zip([7, 1000, 12, 0, 0]) {
        for (provider, answer) in [(OpenaiChat, chat), (Gemini, gemini)] {
            let told = pair(Anthropic, provider).whole(ASKED, &answer.replace("COUNT", count));
            let told = value(&told);
            assert_eq!(told["content"][0]["text"], "Hi", "{provider:?} {count}");
            assert_eq!(told["usage"]["input_tokens"], read, "{provider:?} {count}");
            assert_eq!(told["usage"]["output_tokens"], 2, "{provider:?} {count}");
        }
        let told = pair(OpenaiChat, Anthropic).whole(ASKED, &anthropic.replace("COUNT", count));
        assert_eq!(value(&told)["usage"]["prompt_tokens"], read, "{count}");
    }
    let none = chat.replace(
        r#"{"prompt_tokens":COUNT,"completion_tokens":2,"prompt_tokens_details":"x"}"#,
        "\"none\"",
    );
    assert_eq!(
        value(&pair(Anthropic, OpenaiChat).whole(ASKED, &none))["content"][0]["text"],
        "Hi"
    );
}

#[test]
fn b01_a_character_in_two_halves_is_put_together() {
    let chunks = data(&[
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"a\ud83d"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"\ude00b"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"c\udeadd"},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let told = pair(Anthropic, OpenaiChat).stream(ASKED, &chunks);
    assert!(told.contains("😀b") && told.contains("c\u{fffd}d"), "{told}");
    assert!(told.contains("message_stop"), "{told}");
    let whole = r#"{"content":[{"type":"text","text":"a\ud83d"}],"stop_reason":"end_turn","usage":{}}"#;
    let told = pair(OpenaiChat, Anthropic).whole(ASKED, whole);
    assert_eq!(value(&told)["choices"][0]["message"]["content"], "a\u{fffd}");
}

#[test]
fn b01_keep_alives_of_any_kind_are_skipped() {
    let chunks = data(&[
        "keepalive",
        r#"{"object":"ping"}"#,
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}"#,
        "ping",
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let told = pair(Anthropic, OpenaiChat).stream(ASKED, &chunks);
    assert!(told.contains("Hi") && told.contains("message_stop"), "{told}");
    let garbage = data(&["no json"]);
    let told = pair(Anthropic, OpenaiChat).stream(ASKED, &garbage);
    assert!(told.starts_with("broken"), "{told}");
    let message = events(&[
        r#"{"type":"message_start","message":{"usage":{"input_tokens":"x"}}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hi"}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":[]}"#,
        r#"{"type":"message_stop"}"#,
    ]);
    let told = pair(OpenaiChat, Anthropic).stream(ASKED, &message);
    assert!(told.contains("Hi") && told.contains("[DONE]"), "{told}");
}

#[test]
fn b01_an_answer_ends_in_a_call_only_if_there_is_one() {
    let answer = |message: Value, reason: &str| {
        let answer = json!({"choices": [{"index": 0, "message": message, "finish_reason": reason}]});
        value(&pair(Anthropic, OpenaiChat).whole(ASKED, &answer.to_string()))
    };
    for reason in ["tool_calls", "function_call"] {
        assert_eq!(
            answer(json!({"content": "Hi"}), reason)["stop_reason"],
            "end_turn"
        );
    }
    let legacy = json!({"content": null, "function_call": {"name": "look", "arguments": "{\"a\":1}"}});
    let told = answer(legacy, "function_call");
    assert_eq!(
        (&told["stop_reason"], &told["content"][0]["name"]),
        (&"tool_use".into(), &"look".into())
    );
    assert_eq!(told["content"][0]["input"], json!({"a": 1}));
}

#[test]
fn b01_halves_of_characters_in_requests_are_replaced() {
    let body =
        r#"{"max_tokens":9,"messages":[{"role":"user","content":"cut \ud83d here, \ud83d\ude00 not"}]}"#;
    for (caller, provider) in [
        (Anthropic, OpenaiChat),
        (Anthropic, Gemini),
        (OpenaiChat, Anthropic),
    ] {
        let told = pair(caller, provider).request(body);
        assert!(told.contains("cut \u{fffd} here, 😀 not"), "{told}");
    }
}

#[test]
fn b01_arguments_too_deep_for_any_provider_are_told_as_text() {
    let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": deep}});
    let body = json!({"max_tokens": 9, "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "done"},
    ]});
    let told = value(&pair(OpenaiChat, Anthropic).request(&body.to_string()));
    assert_eq!(
        told["messages"][1]["content"][0]["input"],
        json!({"arguments": deep})
    );
    let body = json!({"input": [
        {"type": "message", "role": "user", "content": "Hi"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": deep},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
    ]});
    let told = pair(OpenaiResponses, Anthropic).request(&body.to_string());
    assert!(value(&told).to_string().contains("\"arguments\":"), "{told}");
}

#[test]
fn b01_results_for_gemini_stand_in_the_order_of_their_calls() {
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "look", "input": {"id": id}});
    let result =
        |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": format!("result of {id}")});
    let body = json!({"max_tokens": 9, "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [call("t1"), call("t2"), call("t3")]},
        {"role": "user", "content": [result("t3"), result("t1"), {"type": "text", "text": "Go on"}, result("t2")]},
    ]});
    let told = value(&pair(Anthropic, Gemini).request(&body.to_string()));
    let parts = told["contents"][2]["parts"].as_array().unwrap();
    let said: Vec<_> = parts
        .iter()
        .map(|part| part["functionResponse"]["response"]["output"].as_str())
        .collect();
    assert_eq!(
        said,
        [
            Some("result of t1"),
            Some("result of t2"),
            Some("result of t3"),
            None
        ]
    );
}
