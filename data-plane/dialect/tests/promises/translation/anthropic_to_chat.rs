//! Anthropic callers, chat providers: Claude Code over an OpenAI-compatible provider.

use insta::assert_snapshot as golden;
use penstock_core::dialect::Dialect;

use super::{Pair, data};

fn pair() -> Pair {
    Pair::new(Dialect::Anthropic, Dialect::OpenaiChat, "qwen3-coder")
}

const PLAIN: &str =
    r#"{"model":"claude-opus-4-8","max_tokens":100,"messages":[{"role":"user","content":"Hi"}]}"#;
const STREAM: &str = r#"{"model":"claude-opus-4-8","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;

#[test]
fn b01_a_plain_request() {
    golden!(pair().request(PLAIN));
}

#[test]
fn b01_openai_itself_gets_its_newer_names() {
    let pair = Pair {
        translation: pair().translation.with_openai(true),
        ..pair()
    };
    golden!(pair.request(
        r#"{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"penstock:openai-chat:"},{"type":"text","text":"Yes?"}]},{"role":"user","content":"Go"}]}"#
    ));
}

#[test]
fn b01_the_first_request_of_claude_code() {
    golden!(pair().request(
        r#"{"model":"claude-opus-4-8","messages":[{"role":"user","content":[{"type":"text","text":"<system-reminder>\nToday.\n</system-reminder>"},{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]},{"role":"system","content":"Available agent types: claude"}],"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.197.0df; cc_entrypoint=sdk-cli;"},{"type":"text","text":"You are a Claude agent.","cache_control":{"type":"ephemeral"}}],"tools":[{"name":"Bash","description":"Runs a command","input_schema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"command":{"type":"string"}},"required":["command"]}},{"name":"Read","description":"Reads","input_schema":{"type":"object"},"defer_loading":true,"eager_input_streaming":true,"cache_control":{"type":"ephemeral","ttl":"1h"}}],"metadata":{"user_id":"{\"device_id\":\"x\"}"},"max_tokens":64000,"thinking":{"type":"adaptive"},"context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},"output_config":{"effort":"high"},"safeguards":[{"type":"x"}],"service_tier":"auto","stream":true}"#
    ));
}

#[test]
fn b01_a_turn_with_tools_results_and_images() {
    golden!(pair().request(
        r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Look"},{"role":"assistant","content":[{"type":"text","text":"I will."},{"type":"tool_use","id":"toolu_1","name":"Read","input":{"path":"a.png","n":1.0}},{"type":"tool_use","id":"toolu_2","name":"Bash","input":{"command":"false"},"caller":{"type":"direct"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"An image:"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},{"type":"tool_result","tool_use_id":"toolu_2","is_error":true,"content":"exit 1","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Go on"}]}]}"#
    ));
}

#[test]
fn b01_images_by_url_and_documents() {
    golden!(pair().request(
        r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://x.test/a.png"}},{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"citations":{"enabled":false}},{"type":"document","title":"Notes","source":{"type":"text","media_type":"text/plain","data":"All well."}}]}]}"#
    ));
}

#[test]
fn b01_our_own_thinking_goes_back_and_another_vendors_does_not() {
    golden!(pair().request(
        r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"1"},{"role":"assistant","content":[{"type":"thinking","thinking":"Ours.","signature":"penstock:openai-chat:"},{"type":"tool_use","id":"t1","name":"A","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"Anthropic's.","signature":"EqQBCg"},{"type":"redacted_thinking","data":"x"},{"type":"text","text":"Done"}]},{"role":"user","content":"2"}]}"#
    ));
}

#[test]
fn b01_sampling_stops_and_a_tool_that_must_be_called() {
    golden!(pair().request(
        r#"{"model":"m","max_tokens":9,"temperature":0.70,"top_p":1,"stop_sequences":["END","\n\n"],"tools":[{"name":"a","input_schema":{"type":"object"},"strict":true,"input_examples":[{"x":1}]}],"tool_choice":{"type":"tool","name":"a","disable_parallel_tool_use":true},"messages":[{"role":"user","content":"Hi"}]}"#
    ));
}

#[test]
fn b01_each_choice_of_tools() {
    let choices = ["auto", "any", "none"].map(|choice| {
        pair().request(&PLAIN.replacen(
            '{',
            &format!(r#"{{"tools":[{{"name":"a","input_schema":{{"type":"object"}}}}],"tool_choice":{{"type":"{choice}"}},"#),
            1,
        ))
    });
    golden!(choices.join("\n"));
}

#[test]
fn b01_a_budget_becomes_an_effort() {
    let efforts = ["1024", "8000", "31999"].map(|budget| {
        let thinking = format!(r#"{{"thinking":{{"type":"enabled","budget_tokens":{budget}}},"#);
        let body = pair().request(&PLAIN.replacen('{', &thinking, 1));
        body.lines()
            .find(|line| line.contains("effort"))
            .unwrap_or("none")
            .to_owned()
    });
    golden!(efforts.join("\n"));
}

#[test]
fn b01_the_newest_effort_counts() {
    golden!(pair().request(
        r#"{"model":"m","max_tokens":9,"thinking":{"type":"disabled"},"output_config":{"effort":"low"},"messages":[{"role":"user","content":"Hi","output_config":{"effort":"max"}}]}"#
    ));
}

#[test]
fn b01_an_answer_that_must_be_json() {
    golden!(pair().request(
        r#"{"model":"m","max_tokens":9,"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"number"}},"required":["z","a"],"additionalProperties":false}}},"messages":[{"role":"user","content":"Hi"}]}"#
    ));
}

#[test]
fn b01_tools_that_were_found_are_told_by_their_names() {
    golden!(pair().request(
        r#"{"model":"m","max_tokens":9,"tools":[{"type":"tool_search_tool_regex_20251119","name":"tool_search_tool_regex"},{"name":"far","input_schema":{"type":"object"},"defer_loading":true}],"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"ToolSearch","input":{"query":"far"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"tool_reference","tool_name":"far"}]}]}]}"#
    ));
}

#[test]
fn b01_what_cannot_be_carried_is_refused_by_its_name() {
    golden!(pair().refusals(
        PLAIN,
        &[
            r#""top_k":5"#,
            r#""container":"c_1""#,
            r#""mcp_servers":[{"name":"x","url":"https://x.test"}]"#,
            r#""speed":"fast""#,
            r#""inference_geo":"us""#,
            r#""something_new":{"a":1}"#,
            r#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#,
            r#""tools":[{"type":"bash_20250124","name":"bash"}]"#,
            r#""tools":[{"name":"a","input_schema":{},"allowed_callers":["code_execution_20250825"]}]"#,
            r#""tools":[{"name":"a","input_schema":{},"x":1}]"#,
            r#""tool_choice":{"type":"some"}"#,
            r#""output_config":{"effort":"immense"}"#,
            r#""output_config":{"task_budget":{"total":5}}"#,
            r#""thinking":{"type":"dreaming"}"#,
            r#""system":[{"type":"text","text":"x","weight":2}]"#,
            r#""max_tokens":9"#,
            r#""stream":"yes""#,
            r#""stop_sequences":[1]"#,
        ],
    ));
}

#[test]
fn b01_content_that_cannot_be_carried_is_refused_by_its_place() {
    let said = [
        r#"{"type":"server_tool_use","id":"s","name":"web_search","input":{}}"#,
        r#"{"type":"search_result","source":"x","title":"t","content":[]}"#,
        r#"{"type":"image","source":{"type":"file","file_id":"file_1"}}"#,
        r#"{"type":"document","source":{"type":"url","url":"https://x.test/a.pdf"}}"#,
        r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"citations":{"enabled":true}}"#,
        r#"{"type":"text","text":"x","citations":[{"type":"char_location"}]}"#,
        r#"{"type":"tool_use","id":"t","name":"n","input":"text"}"#,
        r#"{"type":"tool_result","content":"x"}"#,
        r#""text""#,
    ]
    .map(|block| {
        pair().request(&format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"1"}},{{"role":"user","content":[{{"type":"text","text":"2"}},{block}]}}]}}"#
        ))
    });
    golden!(said.join("\n"));
}

#[test]
fn b01_a_begun_answer_is_refused() {
    golden!(pair().request(
        r#"{"model":"m","messages":[{"role":"user","content":"1"},{"role":"assistant","content":"It begins"}]}"#
    ));
}

#[test]
fn b01_no_json_no_messages_no_role() {
    let said = [
        "",
        "[]",
        "{}",
        r#"{"messages":[{"content":"x"}]}"#,
        r#"{"messages":[{"role":"judge","content":"x"}]}"#,
    ];
    golden!(said.map(|body| pair().request(body)).join("\n"));
}

#[test]
fn b01_an_answer_with_text() {
    golden!(pair().whole(
        PLAIN,
        r#"{"id":"chatcmpl-9","object":"chat.completion","created":1,"model":"qwen3","choices":[{"index":0,"message":{"role":"assistant","content":"Hello!"},"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":5},"completion_tokens_details":{"reasoning_tokens":4}}}"#
    ));
}

#[test]
fn b01_an_answer_with_reasoning_and_calls() {
    golden!(pair().whole(
        PLAIN,
        r#"{"model":"qwen3","choices":[{"index":0,"message":{"role":"assistant","content":null,"reasoning_content":"Two things.","tool_calls":[{"id":"call_1","type":"function","function":{"name":"Bash","arguments":"{\"command\": \"ls\"}"}},{"id":"call_2","type":"function","function":{"name":"Noop","arguments":""}},{"id":"call_3","type":"function","function":{"name":"Odd","arguments":"no json"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1}}"#
    ));
}

#[test]
fn b01_each_reason_to_stop() {
    let reasons = [
        "stop",
        "length",
        "tool_calls",
        "content_filter",
        "function_call",
        "new_reason",
    ]
    .map(|reason| {
        let answer = format!(r#"{{"choices":[{{"message":{{"content":"x"}},"finish_reason":"{reason}"}}]}}"#);
        let body = pair().whole(PLAIN, &answer);
        let line = body
            .lines()
            .find(|line| line.contains("stop_reason"))
            .unwrap()
            .to_owned();
        format!("{reason} → {}", line.trim())
    });
    golden!(reasons.join("\n"));
}

#[test]
fn b01_a_refusal_is_text() {
    golden!(pair().whole(
        PLAIN,
        r#"{"choices":[{"message":{"content":null,"refusal":"I cannot."},"finish_reason":"content_filter"}]}"#
    ));
}

#[test]
fn b06_answers_that_are_none() {
    let said = ["", "[]", "<html>", r#"{"choices":5}"#, r#"{"choices":[]}"#];
    golden!(said.map(|body| pair().whole(PLAIN, body)).join("\n"));
}

#[test]
fn b01_a_stream_of_text() {
    golden!(pair().stream(
        STREAM,
        &data(&[
            r#"{"id":"c","object":"chat.completion.chunk","model":"qwen3","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":null}"#,
            r#"{"model":"qwen3","choices":[{"index":0,"delta":{"content":"Hel"}}]}"#,
            r#"{"model":"qwen3","choices":[{"index":0,"delta":{"content":"lo"}}]}"#,
            r#"{"model":"qwen3","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"model":"qwen3","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
            "[DONE]",
        ])
    ));
}

#[test]
fn b01_a_stream_of_reasoning_text_and_parallel_calls() {
    golden!(pair().stream(
        STREAM,
        &data(&[
            r#"{"model":"q","choices":[{"index":0,"delta":{"reasoning_content":"Let "}}]}"#,
            r#"{"model":"q","choices":[{"index":0,"delta":{"reasoning_content":"me."}}]}"#,
            r#"{"model":"q","choices":[{"index":0,"delta":{"content":"I look."}}]}"#,
            r#"{"model":"q","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c0","type":"function","function":{"name":"Bash","arguments":""}}]}}]}"#,
            r#"{"model":"q","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"command\":"}}]}}]}"#,
            r#"{"model":"q","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"ls\"}"}}]}}]}"#,
            r#"{"model":"q","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c1","function":{"name":"Noop"}}]}}]}"#,
            r#"{"model":"q","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
            "[DONE]",
        ])
    ));
}

#[test]
fn b01_calls_of_providers_without_an_index() {
    golden!(pair().stream(
        STREAM,
        &data(&[
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"A","arguments":"{}"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"B","arguments":"{\"x\":1}"}}]}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            "[DONE]",
        ])
    ));
}

#[test]
fn b01_a_stream_without_done_is_ended_by_its_finish() {
    golden!(pair().stream(
        STREAM,
        &data(&[
            r#"{"choices":[{"delta":{"content":"Hi"}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#,
        ])
    ));
}

#[test]
fn c03_a_cut_stream_is_never_ended() {
    let out = pair().stream(STREAM, &data(&[r#"{"choices":[{"delta":{"content":"Hi"}}]}"#]));
    assert!(
        !out.contains("message_delta") && !out.contains("message_stop"),
        "{out}"
    );
}

#[test]
fn b06_mixed_calls_and_frames_that_are_none_end_the_translation() {
    let call = |index: u64, name: &str| {
        format!(
            r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":{index},"id":"{name}","function":{{{}"arguments":"x"}}}}]}}}}]}}"#,
            if name.is_empty() {
                String::new()
            } else {
                format!(r#""name":"{name}","#)
            }
        )
    };
    let said = [
        vec![call(0, "a"), call(1, "b"), call(0, "")],
        vec![call(0, "")],
        vec!["{}x".to_owned()],
        vec![r#"{"choices":[{"delta":{"content":{}}}]}"#.to_owned()],
    ]
    .map(|lines| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        pair().stream(STREAM, &data(&lines)).replace('\n', " ")
    });
    golden!(said.join("\n"));
}

#[test]
fn b01_thinking_that_nobody_wants_to_read_is_not_shown() {
    let request = r#"{"model":"m","stream":true,"thinking":{"type":"adaptive","display":"omitted"},"messages":[{"role":"user","content":"Hi"}]}"#;
    golden!(pair().stream(
        request,
        &data(&[
            r#"{"choices":[{"delta":{"reasoning":"Secret."}}]}"#,
            r#"{"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#,
            "[DONE]",
        ])
    ));
}

/// A tool call of a stream, without an id.
fn fragment(function: &str) -> String {
    format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":0,"function":{function}}}]}}}}]}}"#)
}

#[test]
fn b01_calls_without_ids_are_kept_apart() {
    let whole = pair().whole(
        PLAIN,
        r#"{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}},{"function":{"name":"f","arguments":"{\"a\":2}"}}]}}]}"#,
    );
    assert_eq!(whole.matches("\"type\": \"tool_use\"").count(), 2, "{whole}");
    let calls = [
        fragment(r#"{"name":"f","arguments":"{\"a\":1}"}"#),
        fragment(r#"{"name":"f","arguments":"{\"a\":2}"}"#),
    ];
    let stream = pair().stream(PLAIN, &data(&calls.each_ref().map(String::as_str)));
    assert_eq!(stream.matches(r#""type":"tool_use""#).count(), 2, "{stream}");
}

#[test]
fn b01_text_in_the_middle_of_a_call_breaks_the_answer_and_space_does_not() {
    let with = |text: &str| {
        let said = format!(r#"{{"choices":[{{"delta":{{"content":{text:?}}}}}]}}"#);
        let [begin, rest] = [
            fragment(r#"{"name":"f","arguments":"{\"a\""}"#),
            fragment(r#"{"arguments":":1}"}"#),
        ];
        pair().stream(PLAIN, &data(&[&begin, &said, &rest]))
    };
    let broken = with("And so");
    assert!(broken.starts_with("broken: "), "{broken}");
    let kept = with("\n");
    assert_eq!(
        kept.matches("content_block_start").count(),
        2,
        "one, in its name and its data: {kept}"
    );
}
