//! G11: trouble reaches a real receiver: once, signed, with its end; and a control plane that dies loses nothing of it.

use anyhow::{Context, Result, ensure};
use hmac::{Hmac, KeyInit, Mac};
use penstock_fake_provider::{AuthorizationServer, Behaviour};
use penstock_tests::{Received, Receiver, Stack, anthropic_body, until};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::f03_tokens_are_refreshed_once::log_in;

const SECRET: &str = "a-signing-secret";
const TRUST: &[&str] = &["--trusted-host", "127.0.0.1"];

/// An installation with a webhook to this receiver.
async fn told_to(receiver: &Receiver, control_planes: usize) -> Result<(Stack, String)> {
    let stack = Stack::builder()
        .control_planes(control_planes)
        .control_plane_flags(TRUST)
        .start()
        .await?;
    let key = stack.prepare()?;
    let create = [
        "webhook",
        "create",
        "--name",
        "ops",
        "--url",
        &receiver.url,
        "--secret",
        "-",
    ];
    let made = stack.cli(0).run_with(&create, SECRET)?;
    ensure!(!made.contains(SECRET), "{made}");
    stack.synced().await?;
    Ok((stack, key))
}

/// Calls fail until the provider's breaker is open.
async fn trip(stack: &Stack, key: &str) -> Result<()> {
    stack.fake.set_default(Behaviour::status(500));
    until("the breaker opens", || async {
        let body = anthropic_body("hello", false);
        let answer = stack.messages(0, key, &body).await?;
        Ok((answer.status() == 503).then_some(()))
    })
    .await
}

/// The messages of this rule.
fn of_rule(receiver: &Receiver, rule: &str) -> Result<Vec<(Received, Value)>> {
    let mut found = Vec::new();
    for received in receiver.received() {
        let message = received.json()?;
        if message["rule"] == rule {
            found.push((received, message));
        }
    }
    Ok(found)
}

async fn event(receiver: &Receiver, rule: &str, event: &str) -> Result<(Received, Value)> {
    until(&format!("{rule} {event} is told"), || async {
        let found = of_rule(receiver, rule)?;
        Ok(found.into_iter().find(|(_, message)| message["event"] == event))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g11_an_open_breaker_is_told_once_signed_and_so_is_its_end() -> Result<()> {
    let receiver = Receiver::start().await?;
    let (stack, key) = told_to(&receiver, 2).await?;
    let tested = stack.cli(0).json(&["webhook", "test", "ops"])?;
    assert_eq!(
        (&tested["delivered"], &tested["status"]),
        (&json!(true), &json!(200))
    );
    trip(&stack, &key).await?;
    let (received, message) = event(&receiver, "breaker_open", "fired").await?;
    assert_eq!(message["scope"], "provider");
    let title = message["title"].as_str().context("title")?;
    ensure!(title.contains("claude"), "{message}");
    assert_eq!(received.header("x-penstock-notification"), message["id"]);
    let signature = received.header("x-penstock-signature");
    let (time, code) = signature.split_once(",v1=").context("signature")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(format!("{}.", time.trim_start_matches("t=")).as_bytes());
    mac.update(&received.body);
    assert_eq!(code, hex::encode(mac.finalize().into_bytes()));
    let alerts = stack.cli(1).json(&["alert", "list"])?;
    let rules: Vec<_> = alerts["items"]
        .as_array()
        .context("items")?
        .iter()
        .map(|alert| &alert["rule"])
        .collect();
    ensure!(rules.contains(&&json!("breaker_open")), "{alerts}");
    stack.fake.set_default(Behaviour::default());
    stack.cli(0).run(&["breaker", "reset", "claude"])?;
    event(&receiver, "breaker_open", "recovered").await?;
    assert_eq!(of_rule(&receiver, "breaker_open")?.len(), 2, "each is told once");
    let history = stack
        .cli(0)
        .json(&["webhook", "deliveries", "--state", "delivered"])?;
    ensure!(
        history["items"].as_array().is_some_and(|items| items.len() >= 2),
        "{history}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g11_a_control_plane_that_dies_before_delivery_loses_nothing() -> Result<()> {
    let receiver = Receiver::start().await?;
    receiver.fail_with(503);
    let (mut stack, key) = told_to(&receiver, 1).await?;
    trip(&stack, &key).await?;
    until("a delivery was tried", || async {
        let listed = stack
            .cli(0)
            .json(&["webhook", "deliveries", "--state", "waiting"])?;
        let tried = |item: &Value| item["notification"]["rule"] == "breaker_open" && item["status"] == 503;
        Ok(listed["items"]
            .as_array()
            .is_some_and(|items| items.iter().any(tried))
            .then_some(()))
    })
    .await?;
    stack.control[0].kill()?;
    receiver.succeed();
    let http = stack.http.clone();
    stack.control[0].start(&http).await?;
    event(&receiver, "breaker_open", "fired").await?;
    assert_eq!(of_rule(&receiver, "breaker_open")?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g11_a_webhook_shows_neither_its_url_nor_its_secret() -> Result<()> {
    let receiver = Receiver::start().await?;
    let (stack, _) = told_to(&receiver, 1).await?;
    for args in [&["webhook", "list"][..], &["webhook", "show", "ops"]] {
        let shown = stack.cli(0).json(args)?.to_string();
        ensure!(!shown.contains("/hook") && !shown.contains(SECRET), "{shown}");
    }
    let inside = stack.cli(0).fails(&[
        "webhook",
        "create",
        "--name",
        "x",
        "--url",
        "https://10.0.0.1/hook?token=s3cret",
    ])?;
    ensure!(!inside.stderr.contains("s3cret"), "{inside}");
    Ok(())
}

/// Thresholds that a few calls pass, and a summary that is due whenever the day has begun.
const EAGER: &[&str] = &[
    "--error-rate-calls",
    "5",
    "--rate-limited-per-minute",
    "2",
    "--summary-at",
    "00:00",
];

async fn calls(stack: &Stack, key: &str, text: &str, count: usize) -> Result<()> {
    for _ in 0..count {
        let answer = stack.messages(0, key, &anthropic_body(text, false)).await?;
        answer.bytes().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g11_each_rule_is_told_once_of_its_condition() -> Result<()> {
    let receiver = Receiver::start().await?;
    let server = AuthorizationServer::start().await?;
    let (stack, key) = told_to(&receiver, 1).await?;
    let cli = stack.cli(0);
    cli.run(&[&["setting", "set", "notifications"], EAGER].concat())?;
    // Fails without end, so its breaker is off; the others are asked first and refuse their credential.
    cli.run(&[
        "provider",
        "update",
        "claude",
        "--breaker-failures",
        "0",
        "--priority",
        "5",
    ])?;
    let url = stack.fake.base_url();
    let wrong = [
        "provider",
        "create",
        "--name",
        "wrong",
        "--kind",
        "anthropic",
        "--base-url",
        &url,
    ];
    let wrong = [&wrong[..], &["--priority", "1", "--api-key", "-"]].concat();
    cli.run_with(&wrong, "sk-not-the-credential-of-the-fake-0123456789")?;
    let oauth = [
        "provider",
        "create",
        "--name",
        "oauth",
        "--kind",
        "anthropic",
        "--base-url",
        &url,
    ];
    cli.run(&[&oauth[..], &["--priority", "9"]].concat())?;
    log_in(&stack.folder.path().join("secret"), &server, &cli, true).await?;
    stack.synced().await?;

    calls(&stack, &key, "hello", 1).await?;
    stack.ledger(1).await?;
    calls(&stack, &key, "[[fake status=500]]", 12).await?;
    cli.run(&["user", "update", "alice", "--rpm", "1", "--usd-total", "0.0001"])?;
    stack.synced().await?;
    calls(&stack, &key, "hello", 5).await?;
    server.revoke_all();
    cli.run(&["oauth", "refresh", "oauth"]).ok();

    let rules = [
        "provider_down",
        "token_refresh_failed",
        "budget",
        "error_rate",
        "consecutive_failures",
        "rate_limited",
        "repeated_status",
        "daily_summary",
    ];
    for rule in rules {
        event(&receiver, rule, "fired").await?;
    }
    // Another look finds the same, and says nothing again.
    let looks = || async {
        let text = stack.http.get(format!("{}/metrics", stack.control[0].admin_url));
        let text = text.send().await?.text().await?;
        let line = text
            .lines()
            .find(|line| line.starts_with("penstock_control_alert_looks_total"));
        anyhow::Ok(
            line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
                .unwrap_or(0),
        )
    };
    let before = looks().await?;
    until("two more looks", || async {
        Ok((looks().await? >= before + 2).then_some(()))
    })
    .await?;
    for rule in rules {
        let mut subjects: Vec<_> = of_rule(&receiver, rule)?
            .into_iter()
            .filter(|(_, message)| message["event"] == "fired")
            .map(|(_, message)| message["subject"].to_string())
            .collect();
        let told = subjects.len();
        subjects.sort_unstable();
        subjects.dedup();
        assert_eq!(
            told,
            subjects.len(),
            "{rule} was told twice of the same: {subjects:?}"
        );
    }
    Ok(())
}
