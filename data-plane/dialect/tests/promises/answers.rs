//! Answers that are no streams, and the words of errors.

use penstock_core::dialect::Dialect::{Anthropic, Gemini, OpenaiChat};
use penstock_dialect::models;
use penstock_dialect::upstream_error::UpstreamError;
use penstock_dialect::usage::{Body, Observer};

use crate::transcript::body;

#[test]
fn e02_anthropic_message() {
    insta::assert_snapshot!(body(
        Anthropic,
        r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[{"type":"text","text":"Hi \"usage\":{\"input_tokens\":9}"}],"stop_reason":"end_turn","usage":{"input_tokens":100,"cache_creation_input_tokens":500,"cache_read_input_tokens":1000,"cache_creation":{"ephemeral_5m_input_tokens":200,"ephemeral_1h_input_tokens":300},"output_tokens":50,"service_tier":"standard","inference_geo":"us"}}"#
    ));
}

#[test]
fn e02_anthropic_message_without_usage_is_estimated() {
    insta::assert_snapshot!(body(
        Anthropic,
        r#"{"id":"msg_1","type":"message","model":"m","content":[{"type":"text","text":"0123456789"}]}"#
    ));
}

#[test]
fn anthropic_error_in_a_200() {
    insta::assert_snapshot!(body(
        Anthropic,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#
    ));
}

#[test]
fn anthropic_token_count_reports_no_usage() {
    let mut observer = Observer::new(Anthropic);
    assert_eq!(observer.body(br#"{"input_tokens":2095}"#), Body::Answer);
    assert!(!observer.has_usage());
}

#[test]
fn e01_counts_that_cannot_be_are_absent_and_the_output_is_estimated() {
    for (dialect, answer) in [
        (
            Anthropic,
            r#"{"type":"message","content":[{"type":"text","text":"Hi"}],"usage":{"input_tokens":9223372036854775808,"output_tokens":4611686018427387904,"cache_read_input_tokens":7}}"#,
        ),
        (
            OpenaiChat,
            r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"}}],"usage":{"prompt_tokens":8796093022208,"completion_tokens":-5,"prompt_tokens_details":{"cached_tokens":7}}}"#,
        ),
    ] {
        let mut observer = Observer::new(dialect);
        assert_eq!(observer.body(answer.as_bytes()), Body::Answer);
        let (usage, estimated) = observer.settled();
        assert!(estimated, "{dialect:?}");
        assert_eq!((usage.input, usage.cache_read), (0, 7), "{dialect:?}");
        assert!((1..100).contains(&usage.output), "{dialect:?}: {}", usage.output);
    }
}

#[test]
fn e01_counts_written_in_other_ways_are_read() {
    for (prompt, read) in [("7.0", 7), ("1e3", 1000), ("\"12\"", 12)] {
        for (dialect, answer) in [
            (
                OpenaiChat,
                r#"{"choices":[],"usage":{"prompt_tokens":COUNT,"completion_tokens":1}}"#,
            ),
            (
                Anthropic,
                r#"{"content":[],"usage":{"input_tokens":COUNT,"output_tokens":1}}"#,
            ),
            (
                Gemini,
                r#"{"candidates":[],"usageMetadata":{"promptTokenCount":COUNT}}"#,
            ),
        ] {
            let mut observer = Observer::new(dialect);
            observer.body(answer.replace("COUNT", prompt).as_bytes());
            assert_eq!(observer.usage().input, read, "{dialect:?} {prompt}");
            assert!(observer.has_input());
        }
    }
}

#[test]
fn e02_gemini_counts_that_cannot_be_read_are_no_report() {
    for metadata in [
        r#"{}"#,
        r#"{"promptTokenCount":-1,"candidatesTokenCount":[2]}"#,
        r#"{"promptTokenCount":"x"}"#,
    ] {
        let answer = format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"0123456789"}}]}},"finishReason":"STOP"}}],"usageMetadata":{metadata}}}"#
        );
        let mut observer = Observer::new(Gemini);
        assert_eq!(observer.body(answer.as_bytes()), Body::Answer);
        assert!(!observer.has_usage() && !observer.has_input(), "{metadata}");
        let (usage, estimated) = observer.settled();
        assert_eq!((usage.output, estimated), (3, true), "{metadata}");
    }
}

#[test]
fn e02_chat_completion() {
    insta::assert_snapshot!(body(
        OpenaiChat,
        r#"{"id":"chatcmpl-9","object":"chat.completion","created":1,"model":"gpt-5.5","choices":[{"index":0,"message":{"role":"assistant","content":"Hello!"},"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":4}},"service_tier":"flex"}"#
    ));
}

#[test]
fn e02_more_cached_than_prompted_never_underflows() {
    insta::assert_snapshot!(body(
        OpenaiChat,
        r#"{"id":"x","model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":9},"completion_tokens_details":{"reasoning_tokens":7}}}"#
    ));
}

#[test]
fn chat_error_in_a_200() {
    insta::assert_snapshot!(body(
        OpenaiChat,
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#
    ));
}

#[test]
fn b06_a_body_that_is_no_json_object_is_malformed() {
    for text in ["", "<html></html>", "[]", "{\"id\":1", "{}x"] {
        for dialect in [Anthropic, OpenaiChat] {
            assert!(
                matches!(Observer::new(dialect).body(text.as_bytes()), Body::Malformed(_)),
                "{text}"
            );
        }
    }
}

fn words(body: &str) -> (Option<String>, Option<String>, Option<String>) {
    let told = UpstreamError::read(body.as_bytes());
    (told.kind, told.code, told.message)
}

#[test]
fn the_words_of_an_error_are_found_in_every_vendors_shape() {
    let told = [
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow","details":{"error_code":"ramp_limit_exceeded"}}}"#,
        r#"{"error":{"message":"quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
        r#"{"error":{"code":429,"message":"exhausted","status":"RESOURCE_EXHAUSTED"}}"#,
        r#"{"error":"just text"}"#,
        r#"{"message":"bare","code":"slow_down"}"#,
        "<html>502</html>",
    ]
    .map(|body| format!("{:?}", words(body)));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_long_message_is_cut_at_a_character() {
    let text = format!(r#"{{"error":{{"message":"x{}"}}}}"#, "é".repeat(4000));
    assert_eq!(words(&text).2.map(|message| message.len()), Some(4095));
}

#[test]
fn lists_of_models_have_each_dialects_shape() {
    let show = |bytes: bytes::Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let ids = ["claude-opus-4-8", "gpt-5.5"];
    let all = [
        models::list(Anthropic, &ids),
        models::list(Anthropic, &[]),
        models::one(Anthropic, "claude-opus-4-8"),
        models::list(OpenaiChat, &ids),
        models::one(OpenaiChat, "vendor/\"odd\""),
    ]
    .map(show);
    insta::assert_snapshot!(all.join("\n"));
}
