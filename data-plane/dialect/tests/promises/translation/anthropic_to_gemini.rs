//! Anthropic callers, Gemini providers.

use insta::assert_snapshot as golden;
use penstock_core::dialect::Dialect;

use super::{Pair, data};

fn pair() -> Pair {
    Pair::new(Dialect::Anthropic, Dialect::Gemini, "gemini-3-pro")
}

const PLAIN: &str = r#"{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"Hi"}]}"#;
const TURN: &str = r#"{"model":"m","max_tokens":9,"system":[{"type":"text","text":"x-anthropic-billing-header: x"},{"type":"text","text":"A"},{"type":"text","text":"B"}],"tools":[{"name":"Read","description":"Reads","input_schema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false}},{"name":"Now","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto"},"messages":[{"role":"user","content":"Look"},{"role":"system","content":"Be quick."},{"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"penstock:gemini:c2ln"},{"type":"text","text":"I will."},{"type":"tool_use","id":"toolu_1","name":"Read","input":{"path":"a.png"}},{"type":"tool_use","id":"toolu_2","name":"Now","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"An image:"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},{"type":"tool_result","tool_use_id":"toolu_2","is_error":true,"content":"no clock"},{"type":"text","text":"Go on"}]}]}"#;

#[test]
fn b01_a_plain_request() {
    golden!(pair().request(PLAIN));
}

#[test]
fn b01_a_turn_with_tools_results_and_images() {
    golden!(pair().request(TURN));
}

#[test]
fn b01_calls_of_other_models_are_marked_for_those_that_want_it() {
    let turn = TURN.replace("penstock:gemini:c2ln", "EqQBCg");
    let marked = pair().request(&turn);
    assert_eq!(
        marked.matches("skip_thought_signature_validator").count(),
        1,
        "{marked}"
    );
    let older = Pair {
        model: "gemini-2.5-flash",
        ..pair()
    };
    assert!(!older.request(&turn).contains("thoughtSignature"));
}

#[test]
fn b01_everything_else_that_can_be_asked() {
    golden!(pair().request(
        r#"{"model":"m","max_tokens":9,"temperature":0.5,"top_p":0.9,"top_k":40,"stop_sequences":["END"],"stream":true,"thinking":{"type":"enabled","budget_tokens":31999},"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"f"},"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://x.test/a.png"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}]}]}"#
    ));
}

#[test]
fn b01_thinking_and_effort() {
    let asked = |members: &str| {
        let body: serde_json::Value =
            serde_json::from_str(&pair().request(&PLAIN.replacen('{', &format!("{{{members}"), 1))).unwrap();
        format!("{members} → {}", body["generationConfig"]["thinkingConfig"])
    };
    golden!(
        [
            asked(r#""thinking":{"type":"adaptive"},"#),
            asked(r#""thinking":{"type":"adaptive"},"output_config":{"effort":"high"},"#),
            asked(r#""thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"low"},"#),
            asked(r#""thinking":{"type":"disabled"},"output_config":{"effort":"max"},"#),
            asked(r#""thinking":{"type":"enabled","budget_tokens":2000},"#),
            asked(""),
        ]
        .join("\n")
    );
}

#[test]
fn b01_what_cannot_be_carried_is_refused_by_its_name() {
    golden!(pair().refusals(
        PLAIN,
        &[
            r#""tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true}"#,
            r#""container":"c""#,
            r#""tools":[{"type":"web_fetch_20250910","name":"web_fetch"}]"#,
        ],
    ));
}

#[test]
fn b01_an_answer_with_thoughts_and_calls() {
    golden!(pair().whole(
        PLAIN,
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hm.","thought":true},{"functionCall":{"name":"Read","args":{"b":1,"a":2}},"thoughtSignature":"c2ln"},{"functionCall":{"id":"fc2","name":"Now"}}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,"candidatesTokenCount":5,"thoughtsTokenCount":7,"toolUsePromptTokenCount":2,"totalTokenCount":114},"modelVersion":"gemini-3-pro"}"#
    ));
}

#[test]
fn b01_each_reason_to_stop() {
    let reasons = [
        "STOP",
        "MAX_TOKENS",
        "SAFETY",
        "RECITATION",
        "OTHER",
        "MALFORMED_FUNCTION_CALL",
    ]
    .map(|reason| {
        let answer = format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"x"}}]}},"finishReason":"{reason}"}}]}}"#
        );
        let body = pair().whole(PLAIN, &answer);
        let line = body
            .lines()
            .find(|line| line.contains("stop_reason") || line.contains("broken"))
            .unwrap()
            .to_owned();
        format!("{reason} → {}", line.trim())
    });
    golden!(reasons.join("\n"));
}

#[test]
fn b01_a_blocked_prompt_is_a_refusal() {
    golden!(pair().whole(
        PLAIN,
        r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9}}"#
    ));
}

#[test]
fn b06_answers_that_are_none() {
    golden!(
        ["", "{}", r#"{"candidates":[]}"#, r#"{"candidates":{}}"#]
            .map(|body| pair().whole(PLAIN, body))
            .join("\n")
    );
}

#[test]
fn b01_a_stream_ends_with_its_last_reason() {
    golden!(pair().stream(
        PLAIN,
        &data(&[
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hm","thought":true}]}}],"usageMetadata":{"promptTokenCount":9},"modelVersion":"gemini-3-pro"}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"Hel"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"lo"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"Read","args":{"a":1}},"thoughtSignature":"c2ln"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3,"thoughtsTokenCount":2}}"#,
        ])
    ));
}

#[test]
fn c03_a_cut_stream_is_never_ended() {
    let out = pair().stream(
        PLAIN,
        &data(&[r#"{"candidates":[{"content":{"parts":[{"text":"Hel"}]}}]}"#]),
    );
    assert!(out.contains("Hel") && !out.contains("message_stop"), "{out}");
}
