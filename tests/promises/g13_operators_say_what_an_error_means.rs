//! An operator's error rule is in force on every data plane as soon as it is made, and decides before Penstock's own
//! table: who is asked next, and what the caller gets.

use anyhow::{Context, Result, ensure};
use penstock_fake_provider::{Behaviour, FakeProvider};
use penstock_tests::{CREDENTIAL, Stack, until};
use serde_json::{Value, json};

const MODEL: &str = "claude-opus-4-8";

#[tokio::test]
async fn g13_a_rule_is_pushed_and_sends_calls_elsewhere() -> Result<()> {
    let stack = Stack::builder().data_planes(2).start().await?;
    let key = stack.prepare()?;
    let other = FakeProvider::builder()
        .require_credential(CREDENTIAL)
        .start()
        .await?;
    let url = other.base_url();
    let args = [
        "provider",
        "create",
        "--name",
        "other",
        "--kind",
        "anthropic",
        "--base-url",
        &url,
        "--priority",
        "9",
    ];
    stack
        .cli(0)
        .run_with(&[&args[..], &["--api-key", "-"]].concat(), CREDENTIAL)?;
    stack.synced().await?;
    stack
        .fake
        .set_default(Behaviour::status(400).error("odd_error", "The tenant is frozen", None));

    // By its status it is the caller's fault.
    for data in 0..2 {
        let (status, body) = ask(&stack, data, &key).await?;
        ensure!(
            status == 400 && body["error"]["message"] == "The tenant is frozen",
            "{status} {body}"
        );
    }
    let args = [
        "error-rule",
        "create",
        "--name",
        "frozen",
        "--class",
        "transient",
        "--contains",
        "tenant is frozen",
    ];
    stack.cli(0).run(&args)?;
    for data in 0..2 {
        until("the rule sends calls to the other provider", || async {
            let (status, _) = ask(&stack, data, &key).await?;
            Ok((status == 200).then_some(()))
        })
        .await?;
    }
    ensure!(other.counts().completed >= 2, "the other provider answered");

    stack.cli(0).run(&["error-rule", "delete", "frozen"])?;
    for data in 0..2 {
        until("the rule is gone", || async {
            let (status, _) = ask(&stack, data, &key).await?;
            Ok((status == 400).then_some(()))
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn g13_a_rule_replaces_what_the_caller_gets() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack
        .fake
        .set_default(Behaviour::status(400).error("odd_error", "The tenant acme is frozen", None));
    let args = [
        "error-rule",
        "create",
        "--name",
        "frozen",
        "--class",
        "caller",
        "--regex",
        "tenant .* is frozen",
    ];
    let replace = [
        "--replace-status",
        "503",
        "--replace-message",
        "Closed until Monday.",
    ];
    stack.cli(0).run(&[&args[..], &replace].concat())?;
    stack.synced().await?;
    let (status, body) = ask(&stack, 0, &key).await?;
    ensure!(status == 503 && body["type"] == "error", "{status} {body}");
    ensure!(body["error"]["message"] == "Closed until Monday.", "{body}");

    let body = r#"{"closed":true}"#;
    let args = [
        "error-rule",
        "update",
        "frozen",
        "--replace-status",
        "",
        "--replace-json",
        body,
    ];
    stack.cli(0).run(&args)?;
    stack.synced().await?;
    let (status, found) = ask(&stack, 0, &key).await?;
    ensure!(
        status == 400 && found == json!({"closed": true}),
        "{status} {found}"
    );
    let error = r#"{"error":{"type":"odd_error","message":"The tenant acme is frozen"}}"#;
    let args = [
        "error-rule",
        "test",
        "--provider",
        "claude",
        "--status",
        "400",
        "--body",
        error,
    ];
    let judged = stack.cli(0).json(&args)?;
    ensure!(
        judged["rule"] == "frozen" && judged["replace_json"] == body,
        "the dry run says the same: {judged}"
    );
    Ok(())
}

/// Each call is a conversation of its own, so that none stays where another was served.
async fn ask(stack: &Stack, data: usize, key: &str) -> Result<(u16, Value)> {
    static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let n = CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let body = json!({
        "model": MODEL,
        "max_tokens": 50,
        "messages": [{"role": "user", "content": format!("Question {n}")}],
    });
    let response = stack.messages(data, key, &body).await?;
    let status = response.status().as_u16();
    let text = response.text().await?;
    Ok((status, serde_json::from_str(&text).with_context(|| text.clone())?))
}
