//! Gemini: shapes, streams, errors, models.

use penstock_fake_provider::{Behaviour, FakeProvider};
use serde_json::{Value, json};

use crate::client::{client, events, header};

fn ask(fake: &FakeProvider, method: &str, text: &str) -> reqwest::RequestBuilder {
    let body = json!({
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "tools": [{"functionDeclarations": [{"name": "ls", "parameters": {"type": "OBJECT"}}]}],
    });
    let url = format!("{}/v1beta/models/gemini-2.5-flash:{method}", fake.base_url());
    client().post(url).header("x-goog-api-key", "key").json(&body)
}

async fn json_of(request: reqwest::RequestBuilder) -> Value {
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn thoughts_are_counted_beside_the_answer() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let words = "hello [[fake thinking reasoning=4 output=10 input=20 cache-read=30]]";
    let body = json_of(ask(&fake, "generateContent", words)).await;
    assert_eq!(
        body["candidates"][0]["content"]["parts"][1]["text"],
        "You said: hello"
    );
    let usage = &body["usageMetadata"];
    assert_eq!(
        (&usage["promptTokenCount"], &usage["cachedContentTokenCount"]),
        (&json!(50), &json!(30))
    );
    assert_eq!(
        (&usage["candidatesTokenCount"], &usage["thoughtsTokenCount"]),
        (&json!(6), &json!(4))
    );
    assert_eq!(fake.usage_totals().complete.output, 10);
}

#[tokio::test]
async fn the_last_piece_of_a_stream_has_the_reason_and_all_of_the_usage() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let events = events(ask(
        &fake,
        "streamGenerateContent?alt=sse",
        "hello [[fake chunks=3]]",
    ))
    .await;
    assert_eq!(events.len(), 3);
    let last = &events[2].data;
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert!(events[1].data["candidates"][0].get("finishReason").is_none());
    assert_eq!(
        last["usageMetadata"]["candidatesTokenCount"],
        fake.usage_totals().complete.output
    );
}

#[tokio::test]
async fn functions_are_called_by_directive() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let body = json_of(ask(
        &fake,
        "generateContent",
        r#"[[fake tool=ls tool-input='{"path":"/"}']]"#,
    ))
    .await;
    let call = &body["candidates"][0]["content"]["parts"][0]["functionCall"];
    assert_eq!(
        (&call["name"], &call["args"]["path"]),
        (&json!("ls"), &json!("/"))
    );
}

#[tokio::test]
async fn errors_have_googles_shape() {
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::status(429).retry_after(7))
        .require_credential("key")
        .start()
        .await
        .unwrap();
    let body = json_of(ask(&fake, "generateContent", "hello")).await;
    assert_eq!(body["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(body["error"]["details"][0]["retryDelay"], "7s");
    let wrong = ask(&fake, "generateContent", "hello").header("x-goog-api-key", "other");
    let bare = json_of(wrong).await;
    assert_eq!(bare["error"]["code"], 429, "the first value counts: {bare}");
    let url = format!("{}/v1beta/models?key=other", fake.base_url());
    let refused = client().get(url).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(refused["error"]["details"][0]["reason"], "API_KEY_INVALID");
}

#[tokio::test]
async fn tokens_are_counted_and_models_listed() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let count = json_of(ask(&fake, "countTokens", "hello")).await;
    assert!(count["totalTokens"].as_u64().unwrap() > 0);
    let url = format!("{}/v1beta/models", fake.base_url());
    let response = client().get(url).send().await.unwrap();
    assert_eq!(header(&response, "content-type"), "application/json");
    let models: Value = response.json().await.unwrap();
    assert_eq!(models["models"][0]["name"], "models/gemini-2.5-pro");
    assert_eq!(fake.usage_totals().answers, 0);
}
