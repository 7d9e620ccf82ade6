//! What each frame of a stream means and what the stream used (behaviours B6, C3, E2).

use penstock_core::dialect::Dialect::{Anthropic, OpenaiChat};
use penstock_core::price::ServiceTier;
use penstock_dialect::usage::Event;

use crate::transcript::{observe, stream};

const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-4-8\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":100,\"cache_creation_input_tokens\":500,\"cache_read_input_tokens\":1000,\"cache_creation\":{\"ephemeral_5m_input_tokens\":200,\"ephemeral_1h_input_tokens\":300},\"output_tokens\":1,\"service_tier\":\"standard\"}}}\n\n";
const STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

fn anthropic(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

fn text_block(text: &str) -> String {
    [
        anthropic("content_block_start", r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#),
        anthropic("content_block_delta", &format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":{text:?}}}}}"#)),
        anthropic("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
    ]
    .concat()
}

fn message_delta(usage: &str) -> String {
    let data = format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{usage}}}"#
    );
    anthropic("message_delta", &data)
}

fn chat(data: &str) -> String {
    format!("data: {data}\n\n")
}

fn chunk(choices: &str, rest: &str) -> String {
    chat(&format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5.5-2026-01-01","choices":{choices}{rest}}}"#
    ))
}

#[test]
fn e02_anthropic_text_stream() {
    let whole = [
        START,
        &text_block("Hello there"),
        &message_delta(r#"{"output_tokens":50}"#),
        STOP,
    ]
    .concat();
    insta::assert_snapshot!(stream(Anthropic, &whole));
}

#[test]
fn e02_anthropic_ping_comment_and_blank_line_are_keep_alives() {
    let ping = anthropic("ping", r#"{"type":"ping"}"#);
    let whole = ["\n", ": waiting\n\n", &ping, START, &ping, "data:\n\n", STOP].concat();
    insta::assert_snapshot!(stream(Anthropic, &whole));
}

#[test]
fn e02_anthropic_message_delta_replaces_every_field_it_has() {
    let delta = message_delta(
        r#"{"input_tokens":7,"cache_creation_input_tokens":600,"cache_read_input_tokens":2000,"output_tokens":80,"output_tokens_details":{"thinking_tokens":30},"server_tool_use":{"web_search_requests":2,"web_fetch_requests":1}}"#,
    );
    insta::assert_snapshot!(stream(Anthropic, &[START, &delta, STOP].concat()));
}

#[test]
fn e02_anthropic_nulls_and_odd_types_change_nothing() {
    let delta = message_delta(
        r#"{"input_tokens":null,"cache_read_input_tokens":"many","cache_creation":7,"server_tool_use":null,"output_tokens":12.5}"#,
    );
    let (_, observer) = observe(Anthropic, &[START, &delta].concat());
    assert_eq!((observer.usage().input, observer.usage().cache_read), (100, 1000));
    assert_eq!(observer.usage().output, 1);
    assert!(!observer.has_final_output());
}

#[test]
fn e03_anthropic_speed_geography_and_tier_are_factors_and_tier() {
    let start = START.replace(
        r#""service_tier":"standard""#,
        r#""service_tier":"priority","speed":"fast","inference_geo":"us""#,
    );
    let (_, observer) = observe(Anthropic, &start);
    assert_eq!(observer.usage().tier, ServiceTier::Priority);
    assert_eq!(observer.usage().factors, ["fast", "us"]);
}

#[test]
fn e03_ordinary_speed_and_geography_are_no_factors() {
    let start = START.replace(
        r#""service_tier":"standard""#,
        r#""service_tier":"batch","speed":"standard","inference_geo":"not_available""#,
    );
    let (_, observer) = observe(Anthropic, &start);
    assert_eq!(observer.usage().tier, ServiceTier::Batch);
    assert!(observer.usage().factors.is_empty());
}

#[test]
fn e03_cache_writes_outside_the_split_pay_the_base_price() {
    let start = START.replace(
        r#""cache_creation_input_tokens":500"#,
        r#""cache_creation_input_tokens":650"#,
    );
    let (_, observer) = observe(Anthropic, &start);
    assert_eq!(
        (observer.usage().cache_write, observer.usage().cache_write_1h),
        (350, 300)
    );
    let unsplit = START.replace(
        r#""cache_creation":{"ephemeral_5m_input_tokens":200,"ephemeral_1h_input_tokens":300},"#,
        "",
    );
    let (_, observer) = observe(Anthropic, &unsplit);
    assert_eq!(
        (observer.usage().cache_write, observer.usage().cache_write_1h),
        (500, 0)
    );
}

#[test]
fn e02_anthropic_tool_use_and_thinking() {
    let whole = [
        START,
        &anthropic("content_block_start", r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#),
        &anthropic("content_block_delta", r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me see"}}"#),
        &anthropic("content_block_delta", r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"RXJyb3I="}}"#),
        &anthropic("content_block_start", r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"Bash","input":{}}}"#),
        &anthropic("content_block_delta", r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":\"é\"}"}}"#),
        &message_delta(r#"{"output_tokens":40}"#),
        STOP,
    ]
    .concat();
    insta::assert_snapshot!(stream(Anthropic, &whole));
}

#[test]
fn b06_an_answer_without_content_is_an_answer() {
    let (events, observer) = observe(
        Anthropic,
        &[START, &message_delta(r#"{"output_tokens":2}"#), STOP].concat(),
    );
    assert_eq!(events, [Event::Neutral, Event::Neutral, Event::Terminal]);
    assert_eq!(observer.settled().0.output, 2);
}

#[test]
fn b06_anthropic_error_before_content() {
    let error = anthropic(
        "error",
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
    );
    insta::assert_snapshot!(stream(Anthropic, &error));
}

#[test]
fn c03_anthropic_error_after_content_keeps_the_usage_so_far() {
    let error = anthropic(
        "error",
        r#"{"type":"error","error":{"type":"api_error","message":"Internal server error","details":{"error_code":"x_1"}}}"#,
    );
    insta::assert_snapshot!(stream(
        Anthropic,
        &[START, &text_block("Once upon a time"), &error].concat()
    ));
}

#[test]
fn c04_a_cut_stream_is_estimated_from_the_text_relayed() {
    let (_, observer) = observe(
        Anthropic,
        &[START, &text_block("Once upon a time, there was")].concat(),
    );
    let (usage, estimated) = observer.settled();
    assert!(estimated);
    // 27 bytes.
    assert_eq!((usage.input, usage.output), (100, 7));
}

#[test]
fn anthropic_events_without_a_name_are_told_by_their_type() {
    let whole = [START, &text_block("Hi"), STOP].concat();
    let nameless: String = whole
        .lines()
        .filter(|line| !line.starts_with("event:"))
        .fold(String::new(), |all, line| all + line + "\n");
    insta::assert_snapshot!(stream(Anthropic, &nameless));
}

#[test]
fn anthropic_unknown_events_pass_as_neutral() {
    let (events, _) = observe(
        Anthropic,
        &anthropic("thread_update", r#"{"type":"thread_update","x":[1]}"#),
    );
    assert_eq!(events, [Event::Neutral]);
}

#[test]
fn b06_what_is_no_event_is_malformed() {
    for dialect in [Anthropic, OpenaiChat] {
        for text in [
            "data: <html>oops</html>\n\n",
            "data: {\"a\":\n\n",
            "data: [1]\n\n",
            "data: {} {}\n\n",
        ] {
            assert_eq!(observe(dialect, text).0, [Event::Malformed], "{dialect} {text}");
        }
        assert_eq!(observe(dialect, "<html>\n<body>\n\n").0, [Event::KeepAlive]);
    }
}

#[test]
fn e02_chat_text_stream_with_usage() {
    let whole = [
        &*chunk(r#"[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]"#, r#","usage":null"#),
        &chunk(r#"[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]"#, r#","usage":null"#),
        &chunk(r#"[{"index":0,"delta":{},"finish_reason":"stop"}]"#, r#","usage":null"#),
        &chunk("[]", r#","service_tier":"default","usage":{"prompt_tokens":120,"completion_tokens":30,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":100,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":12,"accepted_prediction_tokens":0}}"#),
        &chat("[DONE]"),
    ]
    .concat();
    insta::assert_snapshot!(stream(OpenaiChat, &whole));
}

#[test]
fn e02_chat_tool_call_stream() {
    let whole = [
        &*chunk(r#"[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]"#, ""),
        &chunk(r#"[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":\"Oslo\"}"}}]},"finish_reason":null}]"#, ""),
        &chunk(r#"[{"index":0,"delta":{},"finish_reason":"tool_calls"}]"#, ""),
        &chat("[DONE]"),
    ]
    .concat();
    insta::assert_snapshot!(stream(OpenaiChat, &whole));
}

#[test]
fn b06_chat_content_is_a_delta_beside_the_role_or_a_finish_reason() {
    let delta = |delta: &str, finish: &str| {
        let choices = format!(r#"[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]"#);
        observe(OpenaiChat, &chunk(&choices, "")).0
    };
    for silent in [
        r#"{"role":"assistant"}"#,
        r#"{"role":"assistant","content":""}"#,
        "{}",
        r#"{"tool_calls":[]}"#,
    ] {
        assert_eq!(delta(silent, "null"), [Event::Neutral], "{silent}");
    }
    for content in [
        r#"{"content":"x"}"#,
        r#"{"reasoning_content":"x"}"#,
        r#"{"refusal":"no"}"#,
        r#"{"audio":{"id":"a"}}"#,
    ] {
        assert_eq!(delta(content, "null"), [Event::Content], "{content}");
    }
    assert_eq!(delta("{}", r#""length""#), [Event::Content]);
}

#[test]
fn azures_first_chunk_without_choices_is_neutral() {
    let first = chunk(
        "[]",
        r#","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]"#,
    );
    assert_eq!(observe(OpenaiChat, &first).0, [Event::Neutral]);
}

#[test]
fn c03_chat_error_in_the_stream() {
    let error = chat(
        r#"{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}"#,
    );
    insta::assert_snapshot!(stream(OpenaiChat, &error));
}

#[test]
fn a_chat_chunk_whose_error_is_null_is_no_error() {
    let fine = chunk(r#"[{"index":0,"delta":{"content":"x"}}]"#, r#","error":null"#);
    assert_eq!(observe(OpenaiChat, &fine).0, [Event::Content]);
}

#[test]
fn e03_chat_tiers_are_those_of_the_answer() {
    for (name, tier) in [
        ("default", ServiceTier::Standard),
        ("flex", ServiceTier::Flex),
        ("priority", ServiceTier::Priority),
        ("batch", ServiceTier::Batch),
        ("ultrafast", ServiceTier::Ultrafast),
        ("something-new", ServiceTier::Standard),
    ] {
        let (_, observer) = observe(OpenaiChat, &chunk("[]", &format!(r#","service_tier":"{name}""#)));
        assert_eq!(observer.usage().tier, tier, "{name}");
    }
}

#[test]
fn e03_chat_cache_writes_are_taken_out_of_the_prompt() {
    let usage = r#","usage":{"prompt_tokens":1000,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":400,"cache_write_tokens":300,"cache_write_tokens_details":{"ttl_30m_tokens":200,"ttl_12h_tokens":100}}}"#;
    insta::assert_snapshot!(stream(OpenaiChat, &chunk("[]", usage)));
}

#[test]
fn the_last_of_several_usages_counts() {
    let usage = |tokens: u64| {
        chunk(
            "[]",
            &format!(r#","usage":{{"prompt_tokens":10,"completion_tokens":{tokens}}}"#),
        )
    };
    let (_, observer) = observe(
        OpenaiChat,
        &[usage(1), usage(2), chunk("[]", r#","usage":null"#)].concat(),
    );
    assert_eq!(observer.usage().output, 2);
}

#[test]
fn text_is_counted_about_as_the_caller_sees_it_and_not_as_less() {
    let (_, observer) = observe(
        OpenaiChat,
        &chunk(r#"[{"index":0,"delta":{"content":"a\n\"b\"\u00e9"}}]"#, ""),
    );
    assert_eq!(observer.output_bytes(), 8);
}

#[test]
fn overlong_names_of_models_are_not_kept() {
    let long = START.replace("claude-opus-4-8", &"m".repeat(5000));
    assert_eq!(observe(Anthropic, &long).1.model(), None);
}

#[test]
fn e02_what_compaction_took_is_billed_once_however_often_it_is_told() {
    let told = r#"{"output_tokens":50,"iterations":[{"type":"compaction","input_tokens":7000,"output_tokens":400,"cache_read_input_tokens":30},{"type":"message","input_tokens":100,"output_tokens":50}]}"#;
    let whole = [
        START,
        &text_block("Hi"),
        &message_delta(told),
        &message_delta(told),
        STOP,
    ]
    .concat();
    let (_, observer) = observe(Anthropic, &whole);
    let usage = observer.usage();
    assert_eq!((usage.input, usage.output, usage.cache_read), (7100, 450, 1030));
    assert_eq!((usage.cache_write, usage.cache_write_1h), (200, 300));
}

#[test]
fn e02_reasoning_that_is_counted_beside_the_completion_is_output() {
    let usage = r#","usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":315,"completion_tokens_details":{"reasoning_tokens":300}}"#;
    let (_, observer) = observe(OpenaiChat, &chunk("[]", usage));
    assert_eq!((observer.usage().output, observer.usage().reasoning), (305, 300));
}

#[test]
fn c03_a_chat_stream_may_end_behind_its_finish_reason() {
    let (_, observer) = observe(
        OpenaiChat,
        &chunk(r#"[{"delta":{"content":"Hi"},"finish_reason":null}]"#, ""),
    );
    assert!(!observer.may_end());
    let (_, observer) = observe(OpenaiChat, &chunk(r#"[{"delta":{},"finish_reason":"stop"}]"#, ""));
    assert!(observer.may_end());
}
