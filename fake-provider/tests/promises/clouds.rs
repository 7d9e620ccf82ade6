//! The vendors' APIs as other clouds have them: paths, credentials, bodies, frames.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use penstock_fake_provider::FakeProvider;
use serde_json::{Value, json};

use crate::client::{client, header};

const SECRET: &str = "secret-of-the-cloud";

async fn strict() -> FakeProvider {
    FakeProvider::builder()
        .require_credential(SECRET)
        .start()
        .await
        .unwrap()
}

fn claude(version: &str, text: &str) -> Value {
    json!({"anthropic_version": version, "max_tokens": 50, "messages": [{"role": "user", "content": text}]})
}

fn post(fake: &FakeProvider, path: &str, body: &Value) -> reqwest::RequestBuilder {
    client().post(format!("{}{path}", fake.base_url())).json(body)
}

/// The events in Bedrock's frames, and the names of exceptions.
fn frames(mut bytes: &[u8]) -> Vec<Value> {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let (total, headers) = (number(0), number(4));
        let payload: Value = serde_json::from_slice(&bytes[12 + headers..total - 4]).unwrap();
        events.push(match payload["bytes"].as_str() {
            Some(inner) => serde_json::from_slice(&STANDARD.decode(inner).unwrap()).unwrap(),
            None => payload,
        });
        bytes = &bytes[total..];
    }
    events
}

#[tokio::test]
async fn bedrock_has_the_model_in_its_path_and_events_in_frames() {
    let fake = strict().await;
    let body = claude("bedrock-2023-05-31", "hello");
    let path = "/model/us.anthropic.claude-opus-4-8-v1%3A0/invoke";
    let whole = post(&fake, path, &body).bearer_auth(SECRET).send().await.unwrap();
    assert!(
        header(&whole, "x-amzn-bedrock-output-token-count")
            .parse::<u64>()
            .unwrap()
            > 0
    );
    let whole: Value = whole.json().await.unwrap();
    assert_eq!(whole["model"], "us.anthropic.claude-opus-4-8-v1:0");
    let path = "/model/m/invoke-with-response-stream";
    let stream = post(&fake, path, &body).bearer_auth(SECRET).send().await.unwrap();
    assert_eq!(
        header(&stream, "content-type"),
        "application/vnd.amazon.eventstream"
    );
    let events = frames(&stream.bytes().await.unwrap());
    assert_eq!(events[0]["type"], "message_start");
    let last = events.last().unwrap();
    assert_eq!(last["type"], "message_stop");
    assert!(
        last["amazon-bedrock-invocationMetrics"]["outputTokenCount"]
            .as_u64()
            .unwrap()
            > 0
    );
    assert_eq!(fake.usage_totals().answers, 2);
}

#[tokio::test]
async fn bedrock_refuses_what_belongs_into_its_path_and_words_errors_as_aws() {
    let fake = strict().await;
    let mut body = claude("bedrock-2023-05-31", "hello");
    body["model"] = "m".into();
    let refused = post(&fake, "/model/m/invoke", &body)
        .bearer_auth(SECRET)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 400);
    assert!(header(&refused, "x-amzn-errortype").starts_with("ValidationException:"));
    let body = claude("bedrock-2023-05-31", "[[fake error=2 status=429]]");
    let path = "/model/m/invoke-with-response-stream";
    let signed = post(&fake, path, &body)
        .header("x-amz-date", "20261121T000000Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKID/x, SignedHeaders=host, Signature=00",
        );
    let stream = signed.send().await.unwrap().bytes().await.unwrap();
    let name = b"throttlingException";
    assert!(stream.windows(name.len()).any(|part| part == name));
    assert_eq!(frames(&stream).len(), 3);
    let nobody = post(&fake, path, &body)
        .bearer_auth("other")
        .send()
        .await
        .unwrap();
    assert_eq!(nobody.status(), 403);
}

#[tokio::test]
async fn vertex_has_claude_and_gemini() {
    let fake = strict().await;
    let base = fake.vertex_base_url();
    let ask = |path: &str, body: &Value| {
        client()
            .post(format!("{base}{path}"))
            .bearer_auth(SECRET)
            .json(body)
    };
    let body = claude("vertex-2023-10-16", "hello");
    let path = "/publishers/anthropic/models/claude-opus-4-8:streamRawPredict";
    let stream = ask(path, &body).send().await.unwrap();
    assert_eq!(header(&stream, "content-type"), "text/event-stream");
    let mut count = body.clone();
    count["model"] = "claude-opus-4-8".into();
    let counted = ask("/publishers/anthropic/models/count-tokens:rawPredict", &count);
    let counted: Value = counted.send().await.unwrap().json().await.unwrap();
    assert!(counted["input_tokens"].as_u64().unwrap() > 0);
    let body = json!({"contents": [{"parts": [{"text": "hello"}]}]});
    let answer = ask("/publishers/google/models/gemini-2.5-pro:generateContent", &body);
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["modelVersion"], "gemini-2.5-pro");
}

#[tokio::test]
async fn azure_has_deployments_and_a_dated_api() {
    let fake = strict().await;
    let body = json!({"stream": true, "messages": [{"role": "user", "content": "hello"}]});
    let path = "/openai/deployments/mine/chat/completions?api-version=2024-10-21";
    let stream = post(&fake, path, &body)
        .header("api-key", SECRET)
        .send()
        .await
        .unwrap();
    let text = stream.text().await.unwrap();
    assert!(text.starts_with("data: {\"choices\":[]"), "{text}");
    assert!(text.contains("\"model\":\"mine\""), "{text}");
    let path = "/openai/deployments/mine/chat/completions";
    let dateless = post(&fake, path, &body)
        .header("api-key", SECRET)
        .send()
        .await
        .unwrap();
    assert_eq!(dateless.status(), 400);
    let body = json!({"model": "mine", "input": "hello"});
    let v1 = post(&fake, "/openai/v1/responses", &body)
        .bearer_auth(SECRET)
        .send()
        .await
        .unwrap();
    assert_eq!(v1.status(), 200);
    let wrong = post(&fake, "/openai/v1/responses", &body)
        .header("api-key", "other")
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), 401);
}

#[tokio::test]
async fn droid_has_a_path_for_each_dialect() {
    let fake = strict().await;
    let messages = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]});
    for (path, body) in [
        ("/a/v1/messages", &messages),
        ("/o/v1/chat/completions", &messages),
        ("/o/v1/responses", &json!({"model": "m", "input": "hello"})),
    ] {
        let asked = post(&fake, path, body).header("anthropic-version", "2023-06-01");
        assert_eq!(
            asked.bearer_auth(SECRET).send().await.unwrap().status(),
            200,
            "{path}"
        );
    }
}
