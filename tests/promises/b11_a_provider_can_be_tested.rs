//! B11: a test of a provider runs through a data plane, says apart what is reachable, accepted and answered, and what to do.
//! B9: a credential that was refused is probed at once, and out of rotation when the probe is refused too.

use std::time::Duration;

use anyhow::{Result, ensure};
use penstock_tests::{Redis, Stack, anthropic_body};
use serde_json::Value;

const WRONG: &str = "sk-wrong-credential-of-the-provider-98765";

fn create(stack: &Stack, name: &str, url: &str, credential: &str) -> Result<()> {
    let args = [
        "provider",
        "create",
        "--name",
        name,
        "--kind",
        "anthropic",
        "--base-url",
        url,
        "--api-key",
        "-",
    ];
    stack.cli(0).run_with(&args, credential).map(drop)
}

fn outcomes(test: &Value) -> [&str; 3] {
    ["reachable", "credential", "model"].map(|check| test[check]["outcome"].as_str().unwrap_or_default())
}

/// The provider answers while the command line is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b11_three_checks_are_told_apart_and_say_what_to_do() -> Result<()> {
    let stack = Stack::builder().start().await?;
    stack.prepare()?;
    create(&stack, "wrong", &stack.fake.base_url(), WRONG)?;
    create(&stack, "dead", "http://127.0.0.1:1", WRONG)?;
    stack.synced().await?;
    let cli = stack.cli(0);
    let well = cli.json(&["provider", "test", "claude", "--model", "claude-opus-4-8"])?;
    assert_eq!(outcomes(&well), ["passed"; 3], "{well}");
    assert!(well["model"]["took_ms"].is_number() && well["node_id"].is_string());
    let unnamed = cli.json(&["provider", "test", "claude"])?;
    assert_eq!(outcomes(&unnamed), ["passed", "passed", "skipped"], "{unnamed}");

    let failed = cli.fails(&["provider", "test", "wrong", "-o", "json"])?;
    let wrong: Value = serde_json::from_str(&failed.stdout)?;
    assert_eq!(outcomes(&wrong), ["passed", "failed", "skipped"], "{wrong}");
    let (error, advice) = (&wrong["credential"]["error"], &wrong["credential"]["advice"]);
    assert!(error.as_str().unwrap().starts_with("HTTP 401"), "{error}");
    assert!(advice.as_str().unwrap().contains("--api-key"), "{advice}");

    let failed = cli.fails(&["provider", "test", "--all", "--timeout", "5s", "-o", "json"])?;
    assert_eq!(failed.code, Some(1));
    assert!(
        failed.stderr.contains("dead") && failed.stderr.contains("wrong"),
        "{}",
        failed.stderr
    );
    let all: Value = serde_json::from_str(&failed.stdout)?;
    let dead = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["provider"] == "dead")
        .unwrap();
    assert_eq!(outcomes(dead), ["failed", "skipped", "skipped"], "{dead}");
    assert!(
        dead["reachable"]["error"]
            .as_str()
            .unwrap()
            .starts_with("connect: "),
        "{dead}"
    );
    assert!(!failed.stdout.contains(WRONG));
    Ok(())
}

#[tokio::test]
async fn b09_a_revoked_credential_is_out_at_its_first_401_and_probed() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    let cli = stack.cli(0);
    create(&stack, "revoked", &stack.fake.base_url(), WRONG)?;
    cli.run(&["provider", "update", "claude", "--priority", "5"])?;
    stack.synced().await?;
    let body = anthropic_body("hello", false);
    for _ in 0..3 {
        let answer = stack.messages(0, &key, &body).await?;
        ensure!(answer.status() == 200, "{}", answer.text().await?);
    }
    let state = || -> Result<String> {
        let listed = cli.json(&["breaker", "list", "--provider", "revoked"])?;
        Ok(listed["items"][0]["state"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    };
    penstock_tests::until("the probe is refused too", || async {
        Ok((state()? == "credential_failed").then_some(()))
    })
    .await?;
    let mend = ["provider", "update", "revoked", "--api-key", "-"];
    cli.run_with(&mend, penstock_tests::CREDENTIAL)?;
    assert_eq!(state()?, "closed", "what was known of the old one is of no use");
    stack.synced().await?;
    let answer = stack.messages(0, &key, &body).await?;
    assert_eq!(answer.status(), 200);
    Ok(())
}

#[tokio::test]
async fn b13_probes_are_made_where_wanted_and_by_one_data_plane_at_a_time() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(folder.path()).await?;
    let url = redis.url();
    let flags = ["--redis-url", &url, "--redis-timeout", "5s"];
    let stack = Stack::builder()
        .data_planes(2)
        .data_plane_flags(&flags)
        .start()
        .await?;
    stack.prepare()?;
    stack.synced().await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(stack.fake.request_count(), 0, "off unless wanted");
    stack
        .cli(0)
        .run(&["provider", "update", "claude", "--probe", "10s"])?;
    penstock_tests::until("the first probe", || async {
        Ok((stack.fake.request_count() > 0).then_some(()))
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(stack.fake.request_count(), 1, "one for both data planes");
    let probe = stack.fake.requests().remove(0);
    assert_eq!(
        (probe.method.as_str(), probe.path.as_str()),
        ("GET", "/v1/models")
    );
    penstock_tests::until("the next probe", || async {
        Ok((stack.fake.request_count() == 2).then_some(()))
    })
    .await
}
