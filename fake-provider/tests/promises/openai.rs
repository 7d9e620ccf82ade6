//! Chat completions: shapes, the rules of `include_usage`, tool calls.

use penstock_fake_provider::{Behaviour, FakeProvider, UsageOverride};
use serde_json::{Value, json};

use crate::client::{chat, client, events, header, says, streams};

#[tokio::test]
async fn a_completion_counts_cached_tokens_within_the_prompt() {
    let numbers = UsageOverride {
        input: Some(10),
        cache_read: Some(5),
        cache_write_5m: Some(3),
        output: Some(4),
        reasoning: Some(2),
        cache_write_1h: None,
    };
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::usage(numbers))
        .start()
        .await
        .unwrap();
    let response = chat(&fake, &says("hello")).send().await.unwrap();
    assert!(header(&response, "x-request-id").starts_with("req_"));
    let completion: Value = response.json().await.unwrap();
    assert_eq!(completion["choices"][0]["message"]["content"], "You said: hello");
    assert_eq!(completion["choices"][0]["finish_reason"], "stop");
    let usage = &completion["usage"];
    assert_eq!(
        (&usage["prompt_tokens"], &usage["completion_tokens"]),
        (&json!(18), &json!(4))
    );
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 5);
    assert_eq!(usage["prompt_tokens_details"]["cache_write_tokens"], 3);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 2);
    assert_eq!(usage["total_tokens"], 22);
    assert_eq!(fake.usage_totals().complete.input, 10);
}

#[tokio::test]
async fn usage_is_in_the_last_chunk_when_it_was_asked_for() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut body = streams("hello");
    body["stream_options"] = json!({"include_usage": true});
    let events = events(chat(&fake, &body)).await;
    let (done, chunks) = events.split_last().unwrap();
    assert_eq!(done.raw, "data: [DONE]");
    let (usage, rest) = chunks.split_last().unwrap();
    assert_eq!(usage.data["choices"], json!([]));
    let totals = fake.usage_totals();
    assert_eq!(
        (totals.answers, &usage.data["usage"]["completion_tokens"]),
        (1, &json!(totals.complete.output))
    );
    assert!(
        rest.iter()
            .all(|chunk| chunk.data.get("usage") == Some(&Value::Null))
    );
}

#[tokio::test]
async fn usage_is_nowhere_when_it_was_not_asked_for() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let events = events(chat(&fake, &streams("hello"))).await;
    assert!(events.iter().all(|chunk| chunk.data.get("usage").is_none()));
    assert_eq!(events[0].data["choices"][0]["delta"]["role"], "assistant");
    let deltas = events
        .iter()
        .filter_map(|chunk| chunk.data["choices"][0]["delta"]["content"].as_str());
    assert_eq!(deltas.collect::<String>(), "You said: hello");
    assert_eq!(
        events[events.len() - 2].data["choices"][0]["finish_reason"],
        "stop"
    );
    let counts = fake.counts();
    assert_eq!((counts.completed, counts.usage.answers), (1, 0));
}

#[tokio::test]
async fn a_required_tool_is_called_streaming_and_not() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let parameters = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let tools = json!([{"type": "function", "function": {"name": "count", "parameters": parameters}}]);
    let mut body = says("count");
    body["tools"] = tools;
    body["tool_choice"] = json!("required");
    let completion: Value = chat(&fake, &body).send().await.unwrap().json().await.unwrap();
    let choice = &completion["choices"][0];
    assert_eq!(
        choice["message"]["tool_calls"][0]["function"],
        json!({"name": "count", "arguments": "{\"n\":1}"})
    );
    assert_eq!(choice["finish_reason"], "tool_calls");
    body["stream"] = true.into();
    let events = events(chat(&fake, &body)).await;
    let calls = events
        .iter()
        .map(|chunk| &chunk.data["choices"][0]["delta"]["tool_calls"][0]["function"]);
    assert_eq!(
        calls
            .clone()
            .filter_map(|call| call["arguments"].as_str())
            .collect::<String>(),
        "{\"n\":1}"
    );
    assert_eq!(
        calls.filter_map(|call| call["name"].as_str()).collect::<String>(),
        "count"
    );
}

#[tokio::test]
async fn models_are_listed_for_everybody_else() {
    let fake = FakeProvider::builder()
        .gpt_models(["gpt-a"])
        .start()
        .await
        .unwrap();
    let url = format!("{}/models", fake.openai_base_url());
    let list: Value = client()
        .get(&url)
        .bearer_auth("k")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&list["object"], &list["data"][0]["id"]),
        (&json!("list"), &json!("gpt-a"))
    );
    let model: Value = client()
        .get(format!("{url}/gpt-a"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(model["object"], "model");
}

#[tokio::test]
async fn long_prompts_are_partly_cached() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let completion: Value = chat(&fake, &says(&"word ".repeat(2000)))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let usage = &completion["usage"];
    assert!(usage["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap() >= 1024);
    assert!(usage["prompt_tokens"].as_u64() > usage["prompt_tokens_details"]["cached_tokens"].as_u64());
}
