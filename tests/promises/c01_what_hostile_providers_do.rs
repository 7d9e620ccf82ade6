//! C1, C3, S10, E2: a provider that hangs, repeats its credential in disguise, does not say what it used, or does not close its
//! connection harms neither callers nor the ledger.

use std::time::Duration;

use anyhow::{Context, Result};
use penstock_fake_provider::{Behaviour, Ending, FakeProvider, Instead};
use penstock_tests::{CREDENTIAL, Stack, anthropic_body};
use reqwest::StatusCode;
use serde_json::json;
use tokio::time::Instant;

async fn fake(stack: &Stack, name: &str, more: &[&str]) -> Result<FakeProvider> {
    let fake = FakeProvider::builder()
        .require_credential(CREDENTIAL)
        .shutdown_grace(Duration::ZERO)
        .start()
        .await?;
    stack.provider(name, "anthropic", &fake.base_url(), more)?;
    Ok(fake)
}

#[tokio::test]
async fn c01_a_hung_provider_is_left_alone_after_a_few_calls_that_do_not_stream() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let flags = ["--timeout-total", "1s", "--breaker-failures", "2"];
    let hung = fake(&stack, "hung", &flags).await?;
    hung.set_default(Behaviour::instead(Instead::Hang));
    let well = fake(&stack, "well", &["--timeout-total", "1s", "--priority", "1"]).await?;
    let key = stack.alice()?;
    stack.synced().await?;
    for _ in 0..2 {
        let answer = stack.messages(0, &key, &anthropic_body("hi", false)).await?;
        assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    }
    let answer = stack.messages(0, &key, &anthropic_body("hi", false)).await?;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!((hung.request_count(), well.request_count()), (2, 1));
    Ok(())
}

#[tokio::test]
async fn s10_a_credential_in_disguise_is_shown_to_nobody() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let fake = fake(&stack, "leaky", &["--breaker-failures", "0"]).await?;
    let key = stack.alice()?;
    stack.synced().await?;
    let rest = CREDENTIAL.strip_prefix('s').context("it begins with sk-")?;
    let escaped = format!("\\u0073{rest}");
    let body = format!(
        r#"{{"type":"error","error":{{"type":"invalid_request_error","message":"bad: {escaped}"}}}}"#
    );
    let mut behaviour = Behaviour {
        status: Some(StatusCode::BAD_REQUEST),
        ..Behaviour::instead(Instead::Body(body))
    };
    for name in ["x-api-key", "x-debug", "request-id"] {
        behaviour.headers.insert(name, CREDENTIAL.parse()?);
    }
    fake.set_default(behaviour);
    let answer = stack.messages(0, &key, &anthropic_body("hi", false)).await?;
    let headers = format!("{:?}", answer.headers());
    let text = answer.text().await?;
    assert!(text.contains("bad: [credential]"), "{text}");
    assert!(!headers.contains(CREDENTIAL), "{headers}");
    stack.ledger(1).await?;
    for node in &stack.data {
        assert!(!node.log().contains(CREDENTIAL));
    }
    Ok(())
}

#[tokio::test]
async fn e02_a_prompt_is_charged_though_the_provider_does_not_say_how_long_it_was() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let fake = fake(&stack, "silent", &[]).await?;
    let answer = json!({"type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Hello there"}]});
    fake.set_default(Behaviour::instead(Instead::Body(answer.to_string())));
    let key = stack.alice()?;
    stack.synced().await?;
    let body = anthropic_body(&"a long prompt ".repeat(400), false);
    assert_eq!(stack.messages(0, &key, &body).await?.status(), StatusCode::OK);
    let ledger = stack.ledger(1).await?;
    assert!(ledger["input_tokens"].as_u64() > Some(1_000), "{ledger}");
    Ok(())
}

#[tokio::test]
async fn c03_an_answer_ends_with_its_last_event_though_the_connection_stays_open() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let fake = fake(&stack, "open", &[]).await?;
    fake.set_default(Behaviour::ends(100_000, Ending::Stall));
    let key = stack.alice()?;
    stack.synced().await?;
    let begun = Instant::now();
    let answer = stack.messages(0, &key, &anthropic_body("hi", true)).await?;
    let text = answer.text().await?;
    assert!(text.contains("message_stop"), "{text}");
    // The idle timeout is a minute.
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(stack.ledger(1).await?["requests"].as_u64(), Some(1));
    Ok(())
}
