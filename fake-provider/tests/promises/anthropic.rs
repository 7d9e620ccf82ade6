//! The Messages API: shapes, event order, usage.

use penstock_fake_provider::{Behaviour, FakeProvider, Usage, UsageOverride};
use serde_json::{Value, json};

use crate::client::{client, events, header, messages, names, says, streams};

const NUMBERS: UsageOverride = UsageOverride {
    input: Some(11),
    output: Some(22),
    cache_read: Some(33),
    cache_write_5m: Some(44),
    cache_write_1h: Some(55),
    reasoning: Some(7),
};

#[tokio::test]
async fn a_message_echoes_and_reports_what_is_totalled() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let response = messages(&fake, &says("hello")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(header(&response, "request-id").starts_with("req_"));
    let message: Value = response.json().await.unwrap();
    assert_eq!(message["type"], "message");
    assert_eq!(message["model"], "m-1");
    assert_eq!(message["content"][0]["text"], "You said: hello");
    assert_eq!(message["stop_reason"], "end_turn");
    let totals = fake.usage_totals();
    assert_eq!(totals.answers, 1);
    assert_eq!(message["usage"]["input_tokens"], totals.complete.input);
    assert_eq!(message["usage"]["output_tokens"], totals.complete.output);
}

#[tokio::test]
async fn a_stream_has_the_vendors_order() {
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::default().chunks(2))
        .start()
        .await
        .unwrap();
    let events = events(messages(&fake, &streams("hello"))).await;
    let order = [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(names(&events), order);
    assert!(
        events
            .iter()
            .all(|event| event.data["type"] == event.name.as_str())
    );
    let text: String = events
        .iter()
        .filter_map(|event| event.data["delta"]["text"].as_str())
        .collect();
    assert_eq!(text, "You said: hello");
}

#[tokio::test]
async fn a_stream_states_inputs_at_its_start_and_the_rest_at_its_end() {
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::usage(NUMBERS))
        .start()
        .await
        .unwrap();
    let events = events(messages(&fake, &streams("hello"))).await;
    let start = &events[0].data["message"]["usage"];
    assert_eq!(start["input_tokens"], 11);
    assert_eq!(start["cache_read_input_tokens"], 33);
    assert_eq!(start["cache_creation_input_tokens"], 99);
    assert_eq!(start["cache_creation"]["ephemeral_5m_input_tokens"], 44);
    assert_eq!(start["cache_creation"]["ephemeral_1h_input_tokens"], 55);
    assert_eq!(start["output_tokens"], 1);
    let end = &events[events.len() - 2].data["usage"];
    assert_eq!(end["output_tokens"], 22);
    assert_eq!(end["output_tokens_details"]["thinking_tokens"], 7);
    assert_eq!(end["cache_creation"], Value::Null);
    let expected = Usage {
        input: 11,
        output: 22,
        cache_read: 33,
        cache_write_5m: 44,
        cache_write_1h: 55,
        reasoning: 7,
    };
    assert_eq!(fake.usage_totals().complete, expected);
}

#[tokio::test]
async fn thinking_comes_first_and_is_signed() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut body = streams("hello");
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    let events = events(messages(&fake, &body)).await;
    let kinds: Vec<_> = events
        .iter()
        .filter_map(|event| event.data["delta"]["type"].as_str())
        .collect();
    assert_eq!(kinds[..2], ["thinking_delta", "signature_delta"]);
    assert!(kinds[2..].iter().all(|kind| *kind == "text_delta"));
    assert!(fake.usage_totals().complete.reasoning > 0);
}

#[tokio::test]
async fn a_forced_tool_is_called_with_fitting_arguments() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut body = streams("weather?");
    body["tools"] = json!([{"name": "weather", "input_schema":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]);
    body["tool_choice"] = json!({"type": "any"});
    let events = events(messages(&fake, &body)).await;
    let json: String = events
        .iter()
        .filter_map(|event| event.data["delta"]["partial_json"].as_str())
        .collect();
    assert_eq!(json, r#"{"city":"fake"}"#);
    assert!(
        events
            .iter()
            .any(|event| event.data["content_block"]["name"] == "weather")
    );
    assert!(
        events
            .iter()
            .any(|event| event.data["delta"]["stop_reason"] == "tool_use")
    );
}

#[tokio::test]
async fn tools_are_called_by_directive_too() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let body = says(r#"go [[fake tool=Bash tool-input='{"command":"echo hi"}']]"#);
    let message: Value = messages(&fake, &body).send().await.unwrap().json().await.unwrap();
    assert_eq!(message["content"][1]["name"], "Bash");
    assert_eq!(message["content"][1]["input"]["command"], "echo hi");
    assert_eq!(message["content"][0]["text"], "You said: go");
}

#[tokio::test]
async fn tokens_are_counted_without_being_billed() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let request = client().post(format!("{}/v1/messages/count_tokens", fake.base_url()));
    let request = request
        .header("anthropic-version", "2023-06-01")
        .json(&says("hello"));
    let count: Value = request.send().await.unwrap().json().await.unwrap();
    assert!(count["input_tokens"].as_u64().unwrap() > 0);
    assert_eq!(fake.usage_totals().answers, 0);
}

#[tokio::test]
async fn what_the_vendor_requires_is_required() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let bare = client()
        .post(format!("{}/v1/messages", fake.base_url()))
        .json(&says("hello"));
    let mut nothing_said = says("hello");
    nothing_said["messages"] = json!([]);
    let broken = messages(&fake, &Value::Null).body("{\"model\":");
    for (request, wanted) in [
        (bare, "anthropic-version: header is required"),
        (messages(&fake, &nothing_said), "messages: Field required"),
        (
            messages(&fake, &json!({"model": "m", "messages": [1]})),
            "max_tokens: Field required",
        ),
        (broken, "The body cannot be read"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["type"], "invalid_request_error");
        assert!(
            error["error"]["message"].as_str().unwrap().starts_with(wanted),
            "{error}"
        );
    }
}

#[tokio::test]
async fn models_are_listed_for_anthropics_clients() {
    let fake = FakeProvider::builder()
        .claude_models(["claude-a", "claude-b"])
        .start()
        .await
        .unwrap();
    let get = |path: &str| {
        let request = client().get(format!("{}{path}", fake.base_url()));
        request.header("anthropic-version", "2023-06-01").send()
    };
    let list: Value = get("/v1/models?limit=1000").await.unwrap().json().await.unwrap();
    assert_eq!(
        (&list["data"][1]["id"], &list["data"][1]["type"]),
        (&json!("claude-b"), &json!("model"))
    );
    assert_eq!(
        (&list["first_id"], &list["has_more"]),
        (&json!("claude-a"), &json!(false))
    );
    assert_eq!(get("/v1/models/claude-b").await.unwrap().status(), 200);
    let unknown = get("/v1/models/claude-c").await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert_eq!(
        unknown.json::<Value>().await.unwrap()["error"]["type"],
        "not_found_error"
    );
}
