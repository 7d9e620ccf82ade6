//! Responses callers, chat providers: Codex over an OpenAI-compatible provider.

use insta::assert_snapshot as golden;
use penstock_core::dialect::Dialect;

use super::{Pair, data};

pub(super) fn pair() -> Pair {
    Pair::new(Dialect::OpenaiResponses, Dialect::OpenaiChat, "qwen3-coder")
}

const PLAIN: &str = r#"{"model":"gpt-5.5","input":"Hi"}"#;
/// What Codex 0.169 sends first, its texts shortened.
pub(super) const CODEX: &str = r#"{"model":"gpt-5.5","stream":true,"input":[{"type":"message","id":"msg_1","role":"developer","content":[{"type":"input_text","text":"You are Codex."}]},{"type":"message","id":"msg_2","role":"developer","content":[{"type":"input_text","text":"<permissions instructions>"},{"type":"input_text","text":"<tools>"}]},{"type":"message","id":"msg_3","role":"user","content":[{"type":"input_text","text":"<environment_context>"}]},{"type":"message","id":"msg_4","role":"user","content":[{"type":"input_text","text":"hi"}]}],"tools":[{"type":"function","name":"exec_command","description":"Runs a command","strict":false,"parameters":{"type":"object","properties":{"cmd":{"type":"string"}},"required":["cmd"],"additionalProperties":false}},{"type":"custom","name":"apply_patch","description":"Edits files.","format":{"type":"grammar","syntax":"lark","definition":"start: begin"}},{"type":"tool_search","execution":"client","description":"Finds tools","parameters":{"type":"object","properties":{"query":{"type":"string"}}}},{"type":"web_search","external_web_access":false,"search_content_types":["text","image"]}],"tool_choice":"auto","parallel_tool_calls":true,"reasoning":{"effort":"medium"},"store":false,"include":["reasoning.encrypted_content"],"prompt_cache_key":"01a2","text":{"verbosity":"low"},"client_metadata":{"x-codex-window-id":"01a2:0"}}"#;
/// A later request of the same conversation.
pub(super) const CODEX_LATER: &str = r#"{"model":"gpt-5.5","stream":true,"instructions":"Be brief.","tools":[{"type":"tool_search","execution":"client","description":"Finds tools","parameters":{"type":"object"}},{"type":"namespace","name":"mcp__files","description":"Files","tools":[{"type":"function","name":"read","parameters":{"type":"object"}}]}],"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"fix"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo=","detail":"high"}]},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Look first."}],"content":null,"encrypted_content":"gAAAA-of-openai"},{"type":"message","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"I look."}]},{"type":"function_call","id":"fc_1","call_id":"call_1","name":"exec_command","arguments":"{\"cmd\":\"ls\"}"},{"type":"function_call","call_id":"call_2","namespace":"mcp__files","name":"read","arguments":"{}"},{"type":"function_call_output","call_id":"call_1","output":"a.txt"},{"type":"function_call_output","call_id":"call_2","output":[{"type":"input_text","text":"see"},{"type":"input_image","image_url":"https://x.test/a.png"}]},{"type":"tool_search_call","call_id":"call_3","execution":"client","status":"completed","arguments":{"query":"spawn"}},{"type":"tool_search_output","call_id":"call_3","execution":"client","status":"completed","tools":[{"type":"namespace","name":"multi_agent","description":"Agents","tools":[{"type":"function","name":"spawn","strict":false,"defer_loading":true,"parameters":{"type":"object"}}]}]},{"type":"custom_tool_call","call_id":"call_4","name":"apply_patch","input":"*** Begin Patch\n"},{"type":"custom_tool_call_output","call_id":"call_4","name":"apply_patch","output":"Done"},{"type":"message","role":"developer","content":[{"type":"input_text","text":"Now briefly."}]}]}"#;

#[test]
fn b01_a_plain_request() {
    golden!(pair().request(PLAIN));
}

#[test]
fn b01_the_first_request_of_codex() {
    golden!(pair().request(CODEX));
}

#[test]
fn b01_a_later_request_of_codex() {
    golden!(pair().request(CODEX_LATER));
}

#[test]
fn b01_everything_else_that_can_be_asked() {
    golden!(pair().request(
        r#"{"model":"m","instructions":"S","input":[{"role":"user","content":[{"type":"input_text","text":"x"},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}]}],"max_output_tokens":99,"temperature":0.25,"top_p":0.5,"parallel_tool_calls":false,"tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":true}],"tool_choice":{"type":"function","name":"f"},"text":{"format":{"type":"json_schema","name":"out","strict":true,"schema":{"type":"object"}}},"reasoning":{"effort":"high","summary":"auto"},"truncation":"disabled","background":false,"service_tier":"default","user":"u","safety_identifier":"s","metadata":{},"top_logprobs":0,"previous_response_id":null}"#
    ));
}

#[test]
fn b01_what_cannot_be_carried_is_refused_by_its_name() {
    golden!(pair().refusals(
        PLAIN,
        &[
            r#""previous_response_id":"resp_1""#,
            r#""conversation":"conv_1""#,
            r#""prompt":{"id":"pmpt_1"}"#,
            r#""background":true"#,
            r#""truncation":"auto""#,
            r#""max_tool_calls":3"#,
            r#""top_logprobs":5"#,
            r#""service_tier":"flex""#,
            r#""include":["message.output_text.logprobs"]"#,
            r#""reasoning":{"effort":"immense"}"#,
            r#""reasoning":{"context":"all"}"#,
            r#""text":{"format":{"type":"grammar"}}"#,
            r#""tools":[{"type":"file_search","vector_store_ids":["v"]}]"#,
            r#""tools":[{"type":"mcp","server_label":"x"}]"#,
            r#""tools":[{"type":"code_interpreter","container":{"type":"auto"}}]"#,
            r#""tools":[{"type":"local_shell"}]"#,
            r#""tools":[{"type":"function","name":"f","x":1}]"#,
            r#""tool_choice":{"type":"web_search"}"#,
            r#""something_new":1"#,
        ],
    ));
}

#[test]
fn b01_items_that_cannot_be_carried_are_refused_by_their_place() {
    let said = [
        r#"{"type":"web_search_call","id":"ws_1","status":"completed"}"#,
        r#"{"type":"item_reference","id":"msg_1"}"#,
        r#"{"type":"compaction","encrypted_content":"x"}"#,
        r#"{"type":"computer_call","call_id":"c"}"#,
        r#"{"role":"user","content":[{"type":"input_image","file_id":"file_1"}]}"#,
        r#"{"role":"user","content":[{"type":"input_audio"}]}"#,
        r#"{"role":"critic","content":"x"}"#,
        r#"{"type":"function_call","name":"f","arguments":"{}"}"#,
        r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}","x":1}"#,
    ]
    .map(|item| {
        pair().request(&format!(
            r#"{{"input":[{{"role":"user","content":"1"}},{item}]}}"#
        ))
    });
    golden!(said.join("\n"));
}

#[test]
fn b01_an_answer_with_everything() {
    golden!(pair().whole(
        CODEX,
        r#"{"model":"qwen3","choices":[{"message":{"role":"assistant","content":"Now.","reasoning_content":"Hm.","tool_calls":[{"id":"call_1","function":{"name":"exec_command","arguments":"{\"cmd\":\"ls\"}"}},{"id":"call_2","function":{"name":"apply_patch","arguments":"{\"input\":\"*** Begin Patch\\n\"}"}},{"id":"call_3","function":{"name":"tool_search","arguments":"{\"query\":\"spawn\"}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":4}}}"#
    ));
}

#[test]
fn b01_calls_of_tools_in_namespaces_come_back_in_them() {
    golden!(pair().whole(
        CODEX_LATER,
        r#"{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"mcp__files__read","arguments":""}},{"id":"b","function":{"name":"multi_agent__spawn","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#
    ));
}

#[test]
fn b01_answers_that_ended_early_are_incomplete() {
    let said = ["length", "content_filter", "stop"].map(|reason| {
        let body = pair().whole(
            PLAIN,
            &format!(r#"{{"choices":[{{"message":{{"content":"x"}},"finish_reason":"{reason}"}}]}}"#),
        );
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        format!("{reason} → {} {}", value["status"], value["incomplete_details"])
    });
    golden!(said.join("\n"));
}

#[test]
fn b01_a_stream_of_text() {
    golden!(pair().stream(
        PLAIN,
        &data(&[
            r#"{"model":"qwen3","choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"delta":{"content":"Hel"}}]}"#,
            r#"{"choices":[{"delta":{"content":"lo"}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
            "[DONE]",
        ])
    ));
}

#[test]
fn b01_a_stream_of_reasoning_and_each_kind_of_call() {
    golden!(pair().stream(
        CODEX,
        &data(&[
            r#"{"model":"qwen3","choices":[{"delta":{"reasoning_content":"Hm"}}]}"#,
            r#"{"choices":[{"delta":{"reasoning_content":"."}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"exec_command","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"cmd\":\"ls\"}"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"call_2","function":{"name":"apply_patch","arguments":"{\"input\":\"***"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"arguments":" Begin\"}"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":2,"id":"call_3","function":{"name":"tool_search","arguments":"{\"query\":\"x\"}"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":3,"id":"call_4","function":{"name":"noop"}}]},"finish_reason":"tool_calls"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
            "[DONE]",
        ])
    ));
}

#[test]
fn b01_a_stream_with_a_refusal() {
    golden!(pair().stream(
        PLAIN,
        &data(&[
            r#"{"choices":[{"delta":{"refusal":"I "}}]}"#,
            r#"{"choices":[{"delta":{"refusal":"cannot."},"finish_reason":"content_filter"}]}"#,
            "[DONE]",
        ])
    ));
}

#[test]
fn b01_reasoning_comes_back_to_the_provider_that_made_it() {
    golden!(pair().request(
        r#"{"input":[{"role":"user","content":"1"},{"type":"reasoning","summary":[{"type":"summary_text","text":"Ours."}],"encrypted_content":"penstock:openai-chat:"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"x"},{"type":"reasoning","summary":[{"type":"summary_text","text":"Claude's."}],"encrypted_content":"penstock:anthropic:c2ln"}]}"#
    ));
}

#[test]
fn b01_results_of_parallel_calls_stand_together_with_their_images_behind_them() {
    let body = pair().request(
        r#"{"input":[{"role":"user","content":"1"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call","call_id":"b","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"seen"},{"type":"input_image","image_url":"https://example.com/a.png"}]},{"role":"developer","content":"Be brief."},{"type":"function_call_output","call_id":"b","output":"done"},{"role":"user","content":"And?"}]}"#,
    );
    let roles: Vec<_> = body
        .lines()
        .filter(|line| line.contains("\"role\""))
        .map(|line| line.trim().trim_end_matches(','))
        .collect();
    let expected = ["user", "assistant", "tool", "tool", "user", "system", "user"];
    assert_eq!(
        roles,
        expected.map(|role| format!("\"role\": \"{role}\"")),
        "{body}"
    );
}
