//! What is written down about a call, and what never is (G14, A1).

use std::io::Write;
use std::sync::{Arc, Mutex};

use http::Method;
use penstock_fake_provider::{Behaviour, FakeProvider};
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;

use super::client::messages;
use super::gateway::{CLAUDE, CREDENTIAL, KEY, Setup, anthropic, key_id, provider_id, user_id};

/// Collects the log of this thread, which is all of a test's runtime.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(super) fn at(level: LevelFilter) -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(penstock_log::JsonLine)
            .with_max_level(level)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of calls.
    fn calls(&self) -> Vec<Value> {
        self.of("penstock::call")
    }

    pub(super) fn of(&self, target: &str) -> Vec<Value> {
        let lines = self.text();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == target).collect()
    }
}

#[tokio::test]
async fn g14_each_call_is_one_line_with_who_what_where_and_how() {
    let (log, _guard) = Log::at(LevelFilter::INFO);
    let fake = FakeProvider::builder()
        .script([
            Behaviour::default(),
            Behaviour::status(529),
            Behaviour::status(529),
        ])
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    for stream in [false, true] {
        gateway
            .client()
            .messages(&messages("hi", stream))
            .header("x-claude-code-session-id", "my-session")
            .send()
            .await
            .read()
            .await;
    }
    let [good, bad] = &log.calls()[..] else {
        panic!("two calls, two lines")
    };
    for line in [good, bad] {
        assert_eq!(line["provider_id"], provider_id(0).to_string());
        assert_eq!(line["user_id"], user_id().to_string());
        assert_eq!(line["key_id"], key_id(0).to_string());
        assert_eq!(line["model"], CLAUDE);
        assert_eq!(line["session_id"].as_str().unwrap().len(), 32);
        assert!(line["duration_ms"].is_u64() && line["request_id"].is_string());
    }
    assert_eq!(
        (&good["level"], &good["status_code"]),
        (&"info".into(), &200.into())
    );
    assert!(good.as_object().unwrap()["error"].is_null(), "absent is null");
    assert_eq!(good["provider_chain"], "claude:200");
    assert_eq!(
        (&bad["level"], &bad["status_code"]),
        (&"error".into(), &529.into())
    );
    assert!(bad["error"].as_str().unwrap().contains("overloaded_error"));
    assert_eq!(bad["provider_chain"], "claude:529 > claude:529");
    gateway.stop().await;
}

#[tokio::test]
async fn a01_no_key_credential_session_or_text_is_logged_at_any_level() {
    let (log, _guard) = Log::at(LevelFilter::TRACE);
    let message = format!("refused {CREDENTIAL} of ops@example.com");
    let fake = FakeProvider::builder()
        .script([
            Behaviour::default(),
            Behaviour::status(400).error("invalid_request_error", &message, None),
            Behaviour::status(401).error("authentication_error", &message, None),
        ])
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = gateway.client();
    for _ in 0..3 {
        let asking = client.post(
            &format!("/v1/messages?key={KEY}"),
            &messages("the secret text", false),
        );
        asking
            .header("session-id", "my-own-session")
            .send()
            .await
            .read()
            .await;
    }
    let asking = client
        .request(Method::POST, "/v1/messages")
        .header("x-api-key", "psk_unknown_to_all");
    asking.send().await.read().await;
    gateway.stop().await;
    let text = log.text();
    assert_eq!(log.calls().len(), 4);
    for secret in [
        KEY,
        CREDENTIAL,
        "the secret text",
        "my-own-session",
        "psk_unknown_to_all",
        "ops@example.com",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
