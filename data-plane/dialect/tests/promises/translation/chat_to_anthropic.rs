//! Chat callers, Anthropic providers.

use insta::assert_snapshot as golden;
use penstock_core::dialect::Dialect;

use super::{Pair, events};

fn pair() -> Pair {
    Pair::new(Dialect::OpenaiChat, Dialect::Anthropic, "claude-opus-4-8")
}

const PLAIN: &str = r#"{"model":"gpt-5.5","messages":[{"role":"user","content":"Hi"}]}"#;
const STREAM: &str = r#"{"model":"gpt-5.5","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]}"#;

#[test]
fn b01_a_plain_request_gets_a_limit() {
    let limits = [
        "claude-opus-4-8",
        "claude-3-5-haiku-20241022",
        "claude-3-opus-20240229",
        "mine",
    ]
    .map(|model| {
        let body = Pair { model, ..pair() }.request(PLAIN);
        format!(
            "{model}: {}",
            body.lines()
                .find(|line| line.contains("max_tokens"))
                .unwrap()
                .trim()
        )
    });
    golden!(format!("{}\n{}", pair().request(PLAIN), limits.join("\n")));
}

#[test]
fn b01_a_conversation_with_tools() {
    golden!(pair().request(
        r#"{"model":"m","max_completion_tokens":500,"temperature":0.5,"top_p":0.9,"stop":"END","parallel_tool_calls":false,"tool_choice":"required","tools":[{"type":"function","function":{"name":"ls","description":"Lists","parameters":{"type":"object","properties":{"b":{},"a":{}}},"strict":true}},{"type":"function","function":{"name":"now"}}],"messages":[{"role":"system","content":"Be brief."},{"role":"developer","content":[{"type":"text","text":"Be kind."}]},{"role":"user","content":"List"},{"role":"assistant","content":"","tool_calls":[{"id":"functions.ls:0","type":"function","function":{"name":"ls","arguments":"{\"b\": 1.0, \"a\": 2}"}},{"id":"call_2","type":"function","function":{"name":"now","arguments":""}}]},{"role":"tool","tool_call_id":"functions.ls:0","content":"a b"},{"role":"system","content":"Now in French."},{"role":"tool","tool_call_id":"call_2","content":[{"type":"text","text":"12:00"}]},{"role":"user","content":"And?"}]}"#
    ));
}

#[test]
fn b01_arguments_that_are_no_object_are_told_as_text() {
    golden!(pair().request(
        r#"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"reasoning_content":"dropped","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{broken"}}]},{"role":"tool","tool_call_id":"c","content":"no"}]}"#
    ));
}

#[test]
fn b01_images_and_files() {
    golden!(pair().request(
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"See"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"high"}},{"type":"image_url","image_url":{"url":"https://x.test/a.png"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}]}]}"#
    ));
}

#[test]
fn b01_effort_by_model() {
    let asked = |model, body: &str| {
        let body: serde_json::Value = serde_json::from_str(&Pair { model, ..pair() }.request(body)).unwrap();
        format!("{model}: {} {}", body["thinking"], body["output_config"])
    };
    let with = |member: &str| PLAIN.replacen('{', &format!("{{{member},"), 1);
    golden!(
        [
            asked("claude-opus-4-8", &with(r#""reasoning_effort":"high""#)),
            asked("claude-opus-5-5", &with(r#""reasoning_effort":"minimal""#)),
            asked("claude-opus-4-8", &with(r#""reasoning_effort":"none""#)),
            asked("claude-haiku-4-5", &with(r#""reasoning_effort":"xhigh""#)),
            asked("claude-sonnet-4-5-20250929", &with(r#""reasoning_effort":"low""#)),
            asked(
                "us.anthropic.claude-sonnet-4-20250514-v1:0",
                &with(r#""reasoning_effort":"medium""#)
            ),
            asked(
                "claude-3-7-sonnet-20250219",
                &with(r#""reasoning_effort":"medium","max_tokens":4000"#)
            ),
            asked(
                "claude-haiku-4-5",
                &with(r#""reasoning_effort":"high","max_tokens":1000"#)
            ),
            asked("mine", &with(r#""reasoning_effort":"medium""#)),
            asked("claude-opus-4-8", PLAIN),
        ]
        .join("\n")
    );
}

#[test]
fn b01_models_with_budgets_do_not_think_between_a_call_and_its_answer() {
    let pair = Pair {
        model: "claude-haiku-4-5",
        ..pair()
    };
    let body = pair.request(
        r#"{"model":"m","reasoning_effort":"high","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"no"}]}"#,
    );
    assert!(!body.contains("thinking"), "{body}");
}

#[test]
fn b01_freeform_tools_become_functions() {
    golden!(pair().request(
        r#"{"model":"m","tool_choice":{"type":"custom","custom":{"name":"patch"}},"tools":[{"type":"custom","custom":{"name":"patch","description":"Patches","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: \"x\""}}}},{"type":"custom","custom":{"name":"free"}}],"messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"patch","input":"*** Begin\n\"x\""}}]},{"role":"tool","tool_call_id":"c","content":"ok"}]}"#
    ));
}

#[test]
fn b01_json_and_a_wanted_cache() {
    golden!(pair().request(
        r#"{"model":"m","prompt_cache_key":"k","response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","strict":true,"schema":{"type":"object"}}},"messages":[{"role":"system","content":"S"},{"role":"user","content":"x"}]}"#
    ));
}

#[test]
fn b01_long_and_odd_names_of_tools_are_shortened_and_come_back() {
    let long = "mcp__".to_owned() + &"server".repeat(12);
    let request = PLAIN.replacen(
        '{',
        &format!(r#"{{"tools":[{{"type":"function","function":{{"name":"{long}"}}}},{{"type":"function","function":{{"name":"a.b"}}}}],"#),
        1,
    );
    let body: serde_json::Value = serde_json::from_str(&pair().request(&request)).unwrap();
    let names =
        [&body["tools"][0]["name"], &body["tools"][1]["name"]].map(|name| name.as_str().unwrap().to_owned());
    assert!(
        names.iter().all(|name| name.len() <= 64 && !name.contains('.')),
        "{names:?}"
    );
    let answer = format!(
        r#"{{"content":[{{"type":"tool_use","id":"t","name":"{}","input":{{}}}},{{"type":"tool_use","id":"u","name":"{}","input":{{}}}}]}}"#,
        names[0], names[1]
    );
    let told = pair().whole(&request, &answer);
    assert!(
        told.contains(&format!("\"name\": \"{long}\"")) && told.contains("\"name\": \"a.b\""),
        "{told}"
    );
}

#[test]
fn b01_what_cannot_be_carried_is_refused_by_its_name() {
    golden!(pair().refusals(
        PLAIN,
        &[
            r#""n":2"#,
            r#""seed":7"#,
            r#""logprobs":true"#,
            r#""logit_bias":{"50256":-100}"#,
            r#""frequency_penalty":0.5"#,
            r#""presence_penalty":-1"#,
            r#""audio":{"voice":"x"}"#,
            r#""modalities":["text","audio"]"#,
            r#""web_search_options":{"search_context_size":"low"}"#,
            r#""functions":[{"name":"f"}]"#,
            r#""response_format":{"type":"json_object"}"#,
            r#""service_tier":"priority""#,
            r#""reasoning_effort":"some""#,
            r#""tools":[{"type":"retrieval"}]"#,
            r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}"#,
            r#""something_new":true"#,
            // Taken:
            r#""n":1"#,
            r#""user":"u","store":true,"metadata":{"a":"b"},"service_tier":"auto","prediction":{"type":"content"},"verbosity":"low","seed":null,"logit_bias":{}"#,
        ],
    ));
}

#[test]
fn b01_content_that_cannot_be_carried_is_refused_by_its_place() {
    let said = [
        r#"{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"x","format":"wav"}}]}"#,
        r#"{"role":"user","content":[{"type":"file","file":{"file_id":"file_1"}}]}"#,
        r#"{"role":"assistant","audio":{"id":"a"}}"#,
        r#"{"role":"function","name":"f","content":"x"}"#,
        r#"{"role":"assistant","tool_calls":[{"id":"c","type":"odd"}]}"#,
        r#"{"role":"tool","content":"x"}"#,
    ]
    .map(|message| {
        pair().request(&format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"1"}},{message}]}}"#
        ))
    });
    golden!(said.join("\n"));
}

#[test]
fn b01_an_answer_with_thinking_text_and_calls() {
    golden!(pair().whole(
        PLAIN,
        r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-8","content":[{"type":"thinking","thinking":"Hm.","signature":"sig"},{"type":"text","text":"I look."},{"type":"tool_use","id":"toolu_1","name":"ls","input":{"b":1.0,"a":2}},{"type":"tool_use","id":"toolu_2","name":"now","input":{}},{"type":"unheard_of","x":1}],"stop_reason":"tool_use","usage":{"input_tokens":100,"cache_creation_input_tokens":500,"cache_read_input_tokens":1000,"output_tokens":50,"output_tokens_details":{"thinking_tokens":20}}}"#
    ));
}

#[test]
fn b01_each_reason_to_stop() {
    let reasons = [
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
        "new_reason",
    ]
    .map(|reason| {
        let body = pair().whole(
            PLAIN,
            &format!(r#"{{"content":[],"stop_reason":"{reason}","stop_sequence":null}}"#),
        );
        let line = body
            .lines()
            .find(|line| line.contains("finish_reason"))
            .unwrap()
            .to_owned();
        format!("{reason} → {}", line.trim())
    });
    golden!(reasons.join("\n"));
}

#[test]
fn b06_answers_that_are_none() {
    golden!(
        ["", "{}", "[1]", r#"{"content":"text"}"#]
            .map(|body| pair().whole(PLAIN, body))
            .join("\n")
    );
}

fn stream_of_everything() -> String {
    events(&[
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-8","content":[],"usage":{"input_tokens":10,"cache_read_input_tokens":3,"cache_creation_input_tokens":4,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"I "}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"look."}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"unheard_of","x":[1]}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"skipped"}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"patch","input":{}}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"input\":"}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"\"*** \\\"x\\\"\"}"}}"#,
        r#"{"type":"content_block_stop","index":3}"#,
        r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_2","name":"now","input":{}}}"#,
        r#"{"type":"content_block_stop","index":4}"#,
        r#"{"type":"a_new_event","delta":5,"content":"x"}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":42}}"#,
        r#"{"type":"message_stop"}"#,
    ])
}

#[test]
fn b01_a_stream_of_everything() {
    golden!(pair().stream(STREAM, &stream_of_everything()));
}

#[test]
fn b01_a_freeform_call_comes_back_as_one() {
    let request = STREAM.replacen(
        '{',
        r#"{"tools":[{"type":"custom","custom":{"name":"patch"}}],"#,
        1,
    );
    golden!(pair().stream(&request, &stream_of_everything()));
}

#[test]
fn b01_without_the_option_a_stream_has_no_usage() {
    let request = STREAM.replace("true}", "false}");
    let out = pair().stream(&request, &stream_of_everything());
    assert!(!out.contains("usage"), "{out}");
    assert!(out.ends_with("data: [DONE]\n\n"), "{out}");
}

#[test]
fn b01_what_anthropic_refuses_beside_thinking_is_left_out() {
    let asked = |members: &str| {
        let body = PLAIN.replacen('{', &format!("{{{members},"), 1);
        let body = pair().translate(&body).unwrap().body;
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let has = |name: &str| body.get(name).is_some();
        (
            has("thinking"),
            has("temperature"),
            has("top_p"),
            has("tool_choice"),
        )
    };
    let rest = r#""temperature":0.5,"top_p":0.9"#;
    assert_eq!(
        asked(&format!(r#""reasoning_effort":"high",{rest}"#)),
        (true, false, false, false)
    );
    assert_eq!(asked(rest), (false, true, true, false));
    assert_eq!(
        asked(r#""reasoning_effort":"high","top_p":0.95"#),
        (true, false, true, false)
    );
    let forced = r#""reasoning_effort":"high","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required""#;
    assert_eq!(asked(&format!("{forced},{rest}")), (false, true, true, true));
    let hot = PLAIN.replacen('{', r#"{"temperature":1.7,"#, 1);
    assert!(
        pair().request(&hot).contains("\"temperature\": 1\n"),
        "{}",
        pair().request(&hot)
    );
}

#[test]
fn b01_names_of_speakers_are_left_out() {
    let body = r#"{"model":"m","messages":[{"role":"user","name":"ann","content":"1"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","name":"f","tool_call_id":"c","content":"x"}]}"#;
    assert!(pair().translate(body).is_ok(), "{}", pair().request(body));
}

#[test]
fn c05_a_body_of_small_values_is_not_built() {
    let zeros = vec!["0"; 300_001].join(",");
    let body = format!(r#"{{"model":"m","messages":[],"stop":[{zeros}]}}"#);
    let refused = penstock_dialect::translate::memory(body.as_bytes()).unwrap_err();
    assert!(refused.to_string().contains("300000"), "{refused}");
    let members: Vec<_> = (0..300).map(|at| format!("\"m{at}\":1")).collect();
    let body = format!(r#"{{"model":"m","messages":[{{{}}}]}}"#, members.join(","));
    assert!(pair().translate(&body).is_err());
}
