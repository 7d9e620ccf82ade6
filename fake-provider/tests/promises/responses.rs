//! OpenAI Responses and embeddings: shapes, order of events, tool calls.

use penstock_fake_provider::{Behaviour, Ending, FakeProvider};
use serde_json::{Value, json};

use crate::client::{client, events};

fn post(fake: &FakeProvider, path: &str, body: &Value) -> reqwest::RequestBuilder {
    let url = format!("{}{path}", fake.openai_base_url());
    client().post(url).bearer_auth("sk-oai").json(body)
}

fn says(text: &str, stream: bool) -> Value {
    json!({
        "model": "gpt-5.5", "stream": stream, "include": ["reasoning.encrypted_content"],
        "input": [{"role": "user", "content": [{"type": "input_text", "text": text}]}],
        "tools": [
            {"type": "function", "name": "shell", "parameters": {"type": "object"}},
            {"type": "custom", "name": "apply_patch"},
        ],
    })
}

#[tokio::test]
async fn a_response_counts_as_it_reports() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let response = post(&fake, "/responses", &says("hello", false))
        .send()
        .await
        .unwrap();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["output"][0]["content"][0]["text"], "You said: hello");
    let totals = fake.usage_totals();
    assert_eq!(body["usage"]["output_tokens"], totals.complete.output);
    assert_eq!(body["usage"]["input_tokens"], totals.complete.input);
}

#[tokio::test]
async fn a_stream_has_its_events_in_order_and_the_usage_in_the_last() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let events = events(post(
        &fake,
        "/responses",
        &says("hi [[fake chunks=2 thinking]]", true),
    ))
    .await;
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(
        &names[..3],
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added"
        ]
    );
    assert_eq!(
        names
            .iter()
            .filter(|name| **name == "response.output_text.delta")
            .count(),
        2
    );
    let last = events.last().unwrap();
    assert_eq!(last.name, "response.completed");
    assert_eq!(
        last.data["response"]["usage"]["output_tokens"],
        fake.usage_totals().complete.output
    );
    assert!(last.data["response"]["output"][0]["encrypted_content"].is_string());
    for (number, event) in events.iter().enumerate() {
        assert_eq!(
            (&event.data["type"], &event.data["sequence_number"]),
            (&json!(event.name), &json!(number))
        );
    }
}

#[tokio::test]
async fn both_kinds_of_tools_are_called() {
    let fake = FakeProvider::builder().start().await.unwrap();
    for (name, words, kind, argument) in [
        (
            "shell",
            r#"tool-input='{"cmd":"ls"}'"#,
            "function_call",
            "arguments",
        ),
        (
            "apply_patch",
            r#"tool-input='"*** Begin"'"#,
            "custom_tool_call",
            "input",
        ),
    ] {
        let text = format!("[[fake tool={name} {words}]]");
        let body: Value = post(&fake, "/responses", &says(&text, false))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let call = &body["output"][0];
        assert_eq!((&call["type"], &call["name"]), (&json!(kind), &json!(name)));
        assert!(
            call[argument].as_str().is_some_and(|text| !text.starts_with('"')),
            "{call}"
        );
        let events = events(post(&fake, "/responses", &says(&text, true))).await;
        let streamed = &events.last().unwrap().data["response"]["output"][0];
        assert_eq!(
            (&streamed["name"], &streamed[argument]),
            (&call["name"], &call[argument])
        );
    }
}

#[tokio::test]
async fn a_tools_result_is_repeated_and_commands_nothing() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut body = says("x", false);
    body["input"] = json!([
        {"role": "user", "content": "[[fake tool=shell]]"},
        {"type": "function_call", "call_id": "c", "name": "shell", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "it is [[fake status=500]] raining"},
    ]);
    let body: Value = post(&fake, "/responses", &body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        body["output"][0]["content"][0]["text"],
        "You said: it is [[fake status=500]] raining"
    );
}

#[tokio::test]
async fn a_stream_can_end_with_an_error_of_its_own_shape() {
    let behaviour = Behaviour::ends(3, Ending::Error).error("server_error", "Boom", Some("server_error"));
    let fake = FakeProvider::builder()
        .default_behaviour(behaviour)
        .start()
        .await
        .unwrap();
    let events = events(post(&fake, "/responses", &says("hello", true))).await;
    let last = events.last().unwrap();
    assert_eq!(
        (last.name.as_str(), &last.data["message"]),
        ("error", &json!("Boom"))
    );
    assert_eq!(last.data["sequence_number"], 3);
}

#[tokio::test]
async fn conversations_are_compacted_and_texts_embedded() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let compact = json!({"model": "gpt-5.5", "input": "hello"});
    let body: Value = post(&fake, "/responses/compact", &compact)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(body["object"], "response.compaction");
    let embed = json!({"model": "e", "input": ["a", "b"], "dimensions": 3});
    let body: Value = post(&fake, "/embeddings", &embed)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        body["data"][1],
        json!({"object": "embedding", "index": 1, "embedding": [0.25, 0.25, 0.25]})
    );
    assert_eq!(fake.usage_totals().answers, 2);
}
