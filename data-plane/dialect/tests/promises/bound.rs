//! The most that a call can use (limits §4, D4).

use penstock_core::cost::bound::Triggers;
use penstock_core::dialect::Dialect;
use penstock_dialect::bound::{BLOCK, Bound, OVERHEAD, Unbounded, What, bound};
use proptest::prelude::*;

fn messages(body: &str) -> Bound {
    bound(Dialect::Anthropic, body.as_bytes()).unwrap()
}

fn chat(body: &str) -> Bound {
    bound(Dialect::OpenaiChat, body.as_bytes()).unwrap()
}

fn unbounded(body: &str) -> What {
    bound(Dialect::Anthropic, body.as_bytes()).unwrap_err().what
}

#[test]
fn d04_a_byte_is_at_most_a_token() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
    let found = messages(body);
    assert_eq!(found.input_tokens, body.len() as u64 + OVERHEAD);
    assert_eq!(
        (found.rounds, found.searches, found.context_window),
        (1, 0, false)
    );
    assert_eq!(found.input(None), Ok(found.input_tokens));
}

#[test]
fn d04_images_and_documents_count_at_any_depth() {
    let blocks = |body: &str| (messages(body).input_tokens - OVERHEAD - body.len() as u64) / BLOCK;
    let image = r#"{"type":"image","source":{"type":"base64","data":"aa"}}"#;
    let result = format!(r#"{{"type":"tool_result","content":[{image},{{"type":"text","text":"x"}}]}}"#);
    assert_eq!(
        blocks(&format!(r#"{{"messages":[{{"content":[{image},{result}]}}]}}"#)),
        2
    );
    assert_eq!(
        blocks(&format!(
            r#"{{"system":[{{"type":"document","source":{{"type":"content","content":[{image}]}}}}]}}"#
        )),
        2
    );
    assert_eq!(
        blocks(r#"{"messages":[{"content":[{"t\u0079pe":"\u0069mage"}]}]}"#),
        1,
        "escaped"
    );
    for kind in ["input_image", "input_file", "file", "image_url", "document"] {
        assert_eq!(
            blocks(&format!(r#"{{"input":[{{"content":[{{"type":"{kind}"}}]}}]}}"#)),
            1,
            "{kind}"
        );
    }
}

#[test]
fn d04_what_models_read_as_text_is_no_block() {
    for body in [
        r#"{"tools":[{"name":"t","input_schema":{"properties":{"file_id":{"type":"file"},"x":{"type":"image"}}}}]}"#,
        r#"{"messages":[{"content":[{"type":"tool_use","input":{"type":"image","file_id":"f","source":{"type":"url"}}}]}]}"#,
        r#"{"messages":[{"content":"{\"type\":\"image\"}"}]}"#,
    ] {
        let found = messages(body);
        assert_eq!(found.input_tokens, body.len() as u64 + OVERHEAD, "{body}");
        assert!(!found.context_window, "{body}");
    }
}

#[test]
fn d04_content_that_is_named_counts_as_the_context_window() {
    for body in [
        r#"{"messages":[{"content":[{"type":"image","source":{"type":"url","url":"https://x/y"}}]}]}"#,
        r#"{"messages":[{"content":[{"type":"document","source":{"type":"file","file_id":"f_1"}}]}]}"#,
        r#"{"messages":[{"content":[{"type":"document","source":{"type":"new"}}]}]}"#,
        r#"{"messages":[{"content":[{"type":"container_upload","file_id":"f_1"}]}]}"#,
        r#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"HTTPS://x/y"}}]}]}"#,
        r#"{"messages":[{"content":[{"type":"file","file":{"file_id":"f"}}]}]}"#,
        r#"{"messages":[{"role":"assistant","audio":{"id":"audio_1"}}]}"#,
        r#"{"input":[{"content":[{"type":"input_image","image_url":"gs://x"}]}]}"#,
        r#"{"input":[{"content":[{"type":"input_file","file_url":"https://x"}]}]}"#,
        r#"{"previous_response_id":"resp_1"}"#,
        r#"{"conversation":{"id":"c"}}"#,
    ] {
        let found = messages(body);
        assert!(found.context_window, "{body}");
        assert_eq!(found.input(Some(1_000_000)), Ok(1_000_000), "{body}");
        assert_eq!(
            found.input(None),
            Err(Unbounded {
                what: What::ContextWindow
            }),
            "{body}"
        );
    }
}

#[test]
fn d04_content_that_is_carried_does_not() {
    for body in [
        r#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aa"}}]}]}"#,
        r#"{"messages":[{"content":[{"type":"document","source":{"type":"text","data":"x"}}]}]}"#,
        r#"{"messages":[{"content":[{"type":"web_search_result","url":"https://x","encrypted_content":"x"}]}]}"#,
        r#"{"messages":[{"content":[{"type":"search_result","source":"https://x"}]}],"previous_response_id":null}"#,
    ] {
        assert!(!messages(body).context_window, "{body}");
    }
}

#[test]
fn d04_output_is_n_times_the_largest_maximum() {
    let found = chat(r#"{"n":3,"max_tokens":10,"max_completion_tokens":20}"#);
    assert_eq!((found.output.max_tokens, found.output.n), (Some(20), 3));
    assert_eq!(found.output(Some(1_000)), Ok(60));
    assert_eq!(chat("{}").output(Some(1_000)), Ok(1_000));
    assert_eq!(
        chat(r#"{"max_tokens":5,"max_completion_tokens":1e9}"#).output(Some(1_000)),
        Ok(1_000)
    );
    assert_eq!(
        chat(r#"{"n":0,"max_tokens":null}"#).output(None),
        Err(Unbounded { what: What::Output })
    );
    assert_eq!(unbounded(r#"{"n":1.5}"#), What::Choices);
    assert_eq!(
        chat(r#"{"n":1,"n":4,"max_tokens":2}"#).output(None),
        Ok(8),
        "doubled"
    );
}

#[test]
fn d04_server_tools_need_a_limit_of_uses() {
    let tools = |tools: &str| format!(r#"{{"max_tokens":10,"tools":[{tools}]}}"#);
    let found = messages(&tools(
        r#"{"name":"own","input_schema":{}},{"type":"custom"},{"type":"bash_20250124"},
           {"type":"web_search_20250305","max_uses":5},{"type":"web_fetch_20250910","max_uses":2}"#,
    ));
    assert_eq!((found.searches, found.rounds, found.context_window), (7, 8, true));
    assert_eq!(found.input(Some(200_000)), Ok(1_600_000));
    assert_eq!(found.output(None), Ok(80));
    let search = "web_search_20250305";
    for uses in [
        "",
        r#","max_uses":null"#,
        r#","max_uses":1.5"#,
        r#","max_uses":1,"max_uses":"9""#,
    ] {
        let body = tools(&format!(r#"{{"type":"{search}"{uses}}}"#));
        assert_eq!(unbounded(&body), What::ToolUses(search.into()), "{body}");
    }
    assert_eq!(
        unbounded(&tools(r#"{"type":"custom","type":"web_search_20250305"}"#)),
        What::ToolUses(search.into()),
        "doubled"
    );
    for kind in [
        "mcp_toolset",
        "advisor_20260301",
        "tool_search_tool_regex_20251119",
    ] {
        let body = tools(&format!(r#"{{"type":"{kind}","max_uses":1}}"#));
        assert_eq!(unbounded(&body), What::Tool(kind.into()));
    }
}

#[test]
fn d04_a_server_tool_in_the_middle_of_a_conversation_counts_too() {
    let body = |tool: &str| format!(r#"{{"messages":[{{"role":"system","content":[{tool}]}}]}}"#);
    assert!(
        bound(
            Dialect::Anthropic,
            body(r#"{"type":"web_search_20250305"}"#).as_bytes()
        )
        .is_err()
    );
    assert!(
        bound(
            Dialect::Anthropic,
            body(r#"{"tools":[{"type":"web_fetch_20250910"}]}"#).as_bytes()
        )
        .is_err()
    );
    assert_eq!(
        messages(&body(r#"{"type":"web_search_tool_result","content":[]}"#)).rounds,
        1
    );
}

#[test]
fn d04_what_the_provider_runs_without_a_limit_is_refused() {
    assert_eq!(unbounded(r#"{"web_search_options":{}}"#), What::WebSearchOptions);
    assert_eq!(
        unbounded(r#"{"mcp_servers":[{"url":"https://x"}]}"#),
        What::McpServers
    );
    assert_eq!(
        unbounded(r#"{"prediction":{"type":"content"}}"#),
        What::Prediction
    );
    let edits = |kind: &str| format!(r#"{{"context_management":{{"edits":[{{"type":"{kind}"}}]}}}}"#);
    assert_eq!(unbounded(&edits("compact_20260112")), What::Compaction);
    assert_eq!(messages(&edits("clear_thinking_20251015")).rounds, 1);
    messages(r#"{"web_search_options":null,"mcp_servers":[],"prediction":null}"#);
    assert!(matches!(unbounded("{\"a\":"), What::Body(_)));
}

#[test]
fn d04_thinking_that_does_not_show_is_hidden_output() {
    for (body, hidden) in [
        ("{}", false),
        (r#"{"thinking":{"type":"enabled","budget_tokens":1024}}"#, true),
        (r#"{"thinking":{"type":"adaptive"}}"#, true),
        (r#"{"thinking":{"type":"disabled"}}"#, false),
        (r#"{"thinking":{"type":"disabled","type":"enabled"}}"#, true),
        (r#"{"thinking":null}"#, false),
        (r#"{"output_config":{"effort":"low"}}"#, true),
        (r#"{"messages":[{"output_config":{"effort":"low"}}]}"#, true),
        (
            r#"{"output_config":{"format":{"type":"json_schema","schema":{"effort":"x"}}}}"#,
            false,
        ),
    ] {
        assert_eq!(messages(body).hidden, hidden, "{body}");
    }
    for (body, hidden) in [
        ("{}", true),
        (r#"{"reasoning_effort":"none"}"#, false),
        (r#"{"reasoning_effort":"none","reasoning_effort":"high"}"#, true),
        (r#"{"reasoning_effort":"low"}"#, true),
        (r#"{"reasoning_effort":null}"#, true),
    ] {
        assert_eq!(chat(body).hidden, hidden, "{body}");
    }
}

#[test]
fn d04_a_tier_left_open_may_be_the_dearest() {
    let tier = |word: &str| format!(r#"{{"service_tier":{word}}}"#);
    let open = Triggers {
        speed: false,
        geography: false,
        ..Triggers::ALL
    };
    for body in [
        "{}".into(),
        tier("null"),
        tier(r#""auto""#),
        tier("1"),
        tier(r#""scale""#),
    ] {
        assert_eq!(chat(&body).triggers, open, "{body}");
    }
    assert_eq!(chat(&tier(r#""default""#)).triggers, Triggers::default());
    let flex = Triggers {
        flex: true,
        ..Triggers::default()
    };
    assert_eq!(chat(&tier(r#""flex""#)).triggers, flex);
    let here = Triggers {
        geography: true,
        ..Triggers::default()
    };
    assert_eq!(messages(&tier(r#""standard_only""#)).triggers, here);
    assert_eq!(
        messages("{}").triggers,
        Triggers {
            priority: true,
            ..here
        }
    );
    let fast = messages(r#"{"service_tier":"standard_only","speed":"fast"}"#);
    assert_eq!(fast.triggers, Triggers { speed: true, ..here });
}

#[test]
fn d04_the_reason_is_in_the_callers_words() {
    let error = Unbounded::from(What::ToolUses("web_search_20250305".into()));
    insta::assert_snapshot!(error.to_string());
}

proptest! {
    #[test]
    fn d04_blocks_count_as_deep_as_json_may_be(depth in 1..=125_usize, blocks in 0..3_usize) {
        let inner = vec![r#"{"type":"image"}"#; blocks].join(",");
        let body = format!(r#"{{"x":{}{inner}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        let found = messages(&body);
        prop_assert_eq!(found.input_tokens, body.len() as u64 + OVERHEAD + BLOCK * blocks as u64);
    }
}
