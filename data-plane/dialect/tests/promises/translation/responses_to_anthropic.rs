//! Responses callers, Anthropic providers: Codex with Claude.

use insta::assert_snapshot as golden;
use penstock_core::dialect::Dialect;

use super::responses_to_chat::{CODEX, CODEX_LATER};
use super::{Pair, events};

fn pair() -> Pair {
    Pair::new(Dialect::OpenaiResponses, Dialect::Anthropic, "claude-opus-4-8")
}

const PLAIN: &str = r#"{"model":"gpt-5.5","input":"Hi"}"#;

#[test]
fn b01_the_first_request_of_codex() {
    golden!(pair().request(CODEX));
}

#[test]
fn b01_a_later_request_of_codex() {
    golden!(pair().request(CODEX_LATER));
}

#[test]
fn b01_claudes_thinking_goes_back_with_its_signature() {
    golden!(
        Pair {
            model: "claude-haiku-4-5",
            ..pair()
        }
        .request(
            r#"{"model":"m","reasoning":{"effort":"low","summary":"auto"},"max_output_tokens":5000,"input":[{"role":"user","content":"1"},{"type":"reasoning","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"penstock:anthropic:c2ln"},{"type":"reasoning","summary":[],"encrypted_content":"penstock:anthropic:redacted:ZGF0YQ"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"x"}]}"#
        )
    );
}

#[test]
fn b01_a_wanted_summary_makes_thinking_readable() {
    golden!(
        pair().request(r#"{"model":"m","reasoning":{"effort":"high","summary":"detailed"},"input":"Hi"}"#)
    );
}

#[test]
fn b01_what_cannot_be_carried_is_refused_by_its_name() {
    golden!(pair().refusals(
        PLAIN,
        &[
            r#""text":{"format":{"type":"json_object"}}"#,
            r#""previous_response_id":"resp_1""#,
            r#""tools":[{"type":"computer_use_preview"}]"#,
        ],
    ));
}

#[test]
fn b01_an_answer_with_everything() {
    golden!(pair().whole(
        CODEX,
        r#"{"id":"msg_1","type":"message","model":"claude-opus-4-8","content":[{"type":"thinking","thinking":"","signature":"c2ln"},{"type":"redacted_thinking","data":"ZGF0YQ"},{"type":"text","text":"I patch."},{"type":"tool_use","id":"toolu_1","name":"apply_patch","input":{"input":"*** Begin Patch\n"}}],"stop_reason":"tool_use","usage":{"input_tokens":100,"cache_creation_input_tokens":500,"cache_read_input_tokens":1000,"output_tokens":50}}"#
    ));
}

#[test]
fn b01_a_stream_with_thinking_text_and_calls() {
    golden!(pair().stream(
        CODEX,
        &events(&[
            r#"{"type":"message_start","message":{"id":"msg_1","model":"claude-opus-4-8","usage":{"input_tokens":10,"cache_read_input_tokens":3,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"ZGF0YQ"}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"I run."}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"exec_command","input":{}}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"cmd\":"}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"\"ls\"}"}}"#,
            r#"{"type":"content_block_stop","index":3}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":42,"output_tokens_details":{"thinking_tokens":9}}}"#,
            r#"{"type":"message_stop"}"#,
        ])
    ));
}

#[test]
fn b01_a_stream_that_ran_out_of_tokens_is_incomplete() {
    let out = pair().stream(
        CODEX,
        &events(&[
            r#"{"type":"message_start","message":{"usage":{"input_tokens":10}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Once"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":42}}"#,
            r#"{"type":"message_stop"}"#,
        ]),
    );
    assert!(out.contains("event: response.incomplete\n"), "{out}");
    assert!(
        out.contains(r#""incomplete_details":{"reason":"max_output_tokens"}"#),
        "{out}"
    );
}
