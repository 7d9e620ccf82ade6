//! A plain client: sends a call and reads the answer apart.

use penstock_fake_provider::FakeProvider;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

/// One server-sent event.
#[derive(Debug)]
pub(crate) struct Event {
    /// Empty when the event has no name.
    pub(crate) name: String,
    /// Null when the data is not JSON.
    pub(crate) data: Value,
    pub(crate) raw: String,
}

pub(crate) fn client() -> Client {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// `POST /v1/messages` with a key and a version.
pub(crate) fn messages(fake: &FakeProvider, body: &Value) -> RequestBuilder {
    let request = client().post(format!("{}/v1/messages", fake.base_url()));
    request
        .header("x-api-key", "sk-ant")
        .header("anthropic-version", "2023-06-01")
        .json(body)
}

/// `POST /v1/chat/completions` with a key.
pub(crate) fn chat(fake: &FakeProvider, body: &Value) -> RequestBuilder {
    client()
        .post(format!("{}/chat/completions", fake.openai_base_url()))
        .bearer_auth("sk-oai")
        .json(body)
}

/// A message of the user, ready for either dialect.
pub(crate) fn says(text: &str) -> Value {
    json!({"model": "m-1", "max_tokens": 100_000, "messages": [{"role": "user", "content": text}]})
}

/// The same, streamed.
pub(crate) fn streams(text: &str) -> Value {
    let mut body = says(text);
    body["stream"] = true.into();
    body
}

pub(crate) fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// The events of a whole stream.
pub(crate) async fn events(request: RequestBuilder) -> Vec<Event> {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), "text/event-stream");
    parse(&response.text().await.unwrap())
}

/// What arrived of a stream, and whether it ended properly.
pub(crate) async fn until_broken(request: RequestBuilder) -> (Vec<Event>, bool) {
    let mut response = request.send().await.unwrap();
    let mut text = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
            Ok(None) => return (parse(&String::from_utf8(text).unwrap()), true),
            Err(_) => return (parse(&String::from_utf8(text).unwrap()), false),
        }
    }
}

pub(crate) fn parse(text: &str) -> Vec<Event> {
    let text = text.replace("\r\n", "\n");
    let frames = text.split("\n\n").filter(|frame| !frame.is_empty());
    frames
        .map(|frame| {
            let field = |name: &str| {
                frame
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .unwrap_or_default()
            };
            let data = serde_json::from_str(field("data: ")).unwrap_or(Value::Null);
            Event {
                name: field("event: ").to_owned(),
                data,
                raw: frame.to_owned(),
            }
        })
        .collect()
}

pub(crate) fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}
