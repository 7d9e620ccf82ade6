//! B7 and security 14: what callers do wrong opens no breaker and sets nothing aside; what is wrong with a provider does.

use anyhow::{Context, Result};
use futures::StreamExt;
use futures::stream;
use penstock_fake_provider::Behaviour;
use penstock_tests::{CREDENTIAL, Stack, anthropic_body};
use serde_json::{Value, json};

/// Of a caller who is wrong all the time.
const MISTAKES: usize = 1_000;

async fn status(stack: &Stack, key: &str, body: &Value) -> Result<u16> {
    let answer = stack.messages(0, key, body).await?;
    let status = answer.status().as_u16();
    answer.text().await?;
    Ok(status)
}

/// Of the providers that are not well.
fn states(stack: &Stack) -> Result<Vec<Value>> {
    let listed = stack.cli(0).json(&["breaker", "list"])?;
    let items = listed["items"].as_array().context("items")?;
    Ok(items
        .iter()
        .filter(|item| item["state"] != "closed")
        .cloned()
        .collect())
}

async fn with_two_keys() -> Result<(Stack, String, String)> {
    let stack = Stack::builder().start().await?;
    let everybody = stack.prepare()?;
    stack.cli(0).run(&["user", "create", "--name", "mallory"])?;
    let mallory = stack.create_key("mallory", "terminal")?;
    stack.synced().await?;
    Ok((stack, everybody, mallory))
}

#[tokio::test]
async fn b07_a_caller_who_sends_nonsense_a_thousand_times_opens_no_breaker() -> Result<()> {
    let (stack, everybody, mallory) = with_two_keys().await?;
    let nonsense = |n: usize| {
        let (status, words) = match n % 4 {
            0 => (404, "model: claude-99-made-up"),
            1 => (400, "prompt is too long: 210000 tokens > 200000 maximum"),
            2 => (400, "tools.0.custom.input_schema: Extra inputs are not permitted"),
            _ => (403, "This request is forbidden."),
        };
        let mut body = anthropic_body(
            &format!("[[fake status={status} message='{words}']]"),
            n.is_multiple_of(3),
        );
        if status == 404 {
            body["model"] = json!(format!("claude-99-made-up-{n}"));
        }
        body
    };
    let calls = stream::iter(0..MISTAKES).map(|n| {
        let (stack, mallory, body) = (&stack, &mallory, nonsense(n));
        async move { status(stack, mallory, &body).await }
    });
    let statuses: Vec<_> = calls.buffer_unordered(32).collect().await;
    for status in statuses {
        let status = status?;
        assert!([400, 403, 404, 502].contains(&status), "{status}");
    }
    assert_eq!(
        status(&stack, &everybody, &anthropic_body("hello", false)).await?,
        200
    );
    assert_eq!(states(&stack)?, Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn b07_a_provider_whose_credential_was_revoked_is_set_aside_at_once_and_everybody_goes_on() -> Result<()>
{
    let (stack, everybody, _) = with_two_keys().await?;
    // A second way, behind the first.
    let url = stack.fake.base_url();
    let args = [
        "provider",
        "create",
        "--name",
        "revoked",
        "--kind",
        "anthropic",
        "--base-url",
        &url,
    ];
    let args = [&args[..], &["--api-key", "-"]].concat();
    stack
        .cli(0)
        .run_with(&args, "sk-this-one-was-revoked-0123456789abcdef")?;
    stack
        .cli(0)
        .run(&["provider", "update", "claude", "--priority", "1"])?;
    stack.synced().await?;
    let before = stack.fake.request_count();
    for _ in 0..20 {
        assert_eq!(
            status(&stack, &everybody, &anthropic_body("hello", false)).await?,
            200
        );
    }
    let refused = stack.fake.request_count() - before - 20;
    // The gateway's own probe may come while the test runs.
    assert!(
        (1..=2).contains(&refused),
        "asked {refused} times with what was refused"
    );
    let states = penstock_tests::until("the credential's state is known", || async {
        let states = states(&stack)?;
        Ok((!states.is_empty()).then_some(states))
    })
    .await?;
    assert_eq!(states.len(), 1, "{states:?}");
    assert!(states[0].to_string().contains("credential"), "{states:?}");
    // With a good one it is back.
    stack
        .cli(0)
        .run_with(&["provider", "update", "revoked", "--api-key", "-"], CREDENTIAL)?;
    stack.cli(0).run(&["provider", "reset", "revoked"])?;
    stack.synced().await?;
    let again = std::sync::atomic::AtomicUsize::new(0);
    penstock_tests::until("it serves again", || async {
        // A conversation of its own: others stay where they are.
        let n = again.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let body = anthropic_body(&format!("again {n}"), false);
        let answer = stack.messages(0, &everybody, &body).await?;
        let id = answer.headers()["x-penstock-request-id"].to_str()?.to_owned();
        answer.text().await?;
        let receipt = stack.cli(0).json(&["explain", &id])?;
        Ok((receipt["provider"] == "revoked").then_some(()))
    })
    .await
}

#[tokio::test]
async fn b07_one_key_alone_opens_no_breaker_that_others_use() -> Result<()> {
    let (stack, everybody, mallory) = with_two_keys().await?;
    let good = anthropic_body("hello", false);
    let bad = anthropic_body("[[fake status=500]]", false);
    assert_eq!(status(&stack, &everybody, &good).await?, 200);
    for _ in 0..8 {
        assert_eq!(status(&stack, &mallory, &bad).await?, 500);
    }
    assert_eq!(status(&stack, &everybody, &good).await?, 200);
    // When everybody sees it fail, it is the provider.
    stack.fake.set_default(Behaviour::status(500));
    for key in [&everybody, &mallory, &everybody, &mallory, &everybody, &mallory] {
        status(&stack, key, &good).await?;
    }
    assert_eq!(status(&stack, &everybody, &good).await?, 503);
    Ok(())
}
