//! B12: `penstock route` names the provider that would serve a request, and what speaks against each other one.

use anyhow::{Context, Result};
use penstock_tests::{CREDENTIAL, Stack, anthropic_body};
use serde_json::Value;

fn create(stack: &Stack, name: &str, more: &[&str]) -> Result<()> {
    let url = stack.fake.base_url();
    let mut args = vec!["provider", "create", "--name", name, "--kind", "anthropic"];
    args.extend(["--base-url", &url, "--api-key", "-"]);
    args.extend(more);
    stack.cli(0).run_with(&args, CREDENTIAL).map(drop)
}

/// Verdicts of the n-th model by provider.
fn verdicts(plan: &Value, n: usize) -> Result<Vec<(&str, &str)>> {
    let providers = plan["models"][n]["providers"].as_array().context("providers")?;
    Ok(providers
        .iter()
        .filter_map(|provider| Some((provider["name"].as_str()?, provider["verdict"].as_str()?)))
        .collect())
}

#[tokio::test]
async fn b12_each_provider_that_is_passed_over_has_its_reason_and_nothing_is_sent() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    let cli = stack.cli(0);
    let body = anthropic_body("hello", false);
    let model = body["model"].as_str().context("model")?.to_owned();
    cli.run(&["provider", "update", "claude", "--group", "team"])?;
    cli.run(&["provider", "update", "claude", "--header", "x-fake: status=529"])?;
    cli.run(&["user", "update", "alice", "--group", "team"])?;
    create(&stack, "elsewhere", &["--priority", "1", "--group", "others"])?;
    create(
        &stack,
        "full",
        &["--priority", "1", "--group", "team", "--rpm", "1"],
    )?;
    create(
        &stack,
        "narrow",
        &["--priority", "2", "--group", "team", "--model", "gpt-*"],
    )?;
    create(&stack, "off", &["--priority", "2", "--group", "team"])?;
    cli.run(&["provider", "disable", "off"])?;
    create(
        &stack,
        "one",
        &["--priority", "3", "--group", "team", "--weight", "1"],
    )?;
    create(
        &stack,
        "three",
        &["--priority", "3", "--group", "team", "--weight", "3"],
    )?;
    stack.synced().await?;
    // `claude` is overloaded and cools down; `full` serves its one call of this minute.
    assert_eq!(stack.messages(0, &key, &body).await?.status(), 200);
    stack.ledger(1).await?;
    let sent = stack.fake.request_count();

    let plan = cli.json(&["route", "--key", "alice/laptop", "--model", &model])?;
    assert_eq!(
        verdicts(&plan, 0)?,
        [
            ("claude", "cooling_down"),
            ("gpt", "other_dialect"),
            ("elsewhere", "other_group"),
            ("full", "full"),
            ("narrow", "model_not_served"),
            ("off", "disabled"),
            ("one", "candidate"),
            ("three", "candidate"),
        ]
    );
    let goes_to: Vec<_> = plan["goes_to"]
        .as_array()
        .context("goes_to")?
        .iter()
        .map(|share| (&share["provider"], &share["share_millionths"]))
        .collect();
    let (one, three) = (Value::from("one"), Value::from("three"));
    assert_eq!(
        goes_to,
        [(&three, &Value::from(750_000)), (&one, &Value::from(250_000))]
    );
    let cooling = &plan["models"][0]["providers"][0];
    assert!(cooling["until"].is_string() && plan["models"][0]["providers"][3]["dimension"] == "rpm");
    let table = cli.run(&["route", "--user", "alice", "--model", &model])?;
    for part in [
        "three (75.0 %), one (25.0 %)",
        "is full (rpm)",
        "nothing was sent",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert_eq!(stack.fake.request_count(), sent);
    assert_eq!(stack.ledger(1).await?["requests"], 1);
    Ok(())
}

#[tokio::test]
async fn b12_a_session_its_substitutes_and_a_refused_key_are_seen() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    let cli = stack.cli(0);
    let body = anthropic_body("hello", false);
    let model = body["model"].as_str().context("model")?.to_owned();
    create(&stack, "second", &["--priority", "1"])?;
    cli.run(&["provider", "update", "claude", "--priority", "2"])?;
    let fallback = format!("rare-model={model}");
    cli.run(&["setting", "set", "model_fallbacks", &fallback])?;
    for name in ["claude", "second"] {
        cli.run(&["provider", "update", name, "--model", &model])?;
    }
    stack.synced().await?;
    let url = format!("{}/v1/messages", stack.data[0].url);
    let request = stack.http.post(url).header("x-api-key", &key).json(&body);
    let answer = request.header("x-claude-code-session-id", "s1").send().await?;
    assert_eq!(answer.status(), 200);
    cli.run(&["provider", "update", "claude", "--priority", "0"])?;
    stack.synced().await?;

    let route = |more: &[&str]| {
        let mut args = vec!["route", "--key", "laptop"];
        args.extend(more);
        cli.json(&args)
    };
    let fresh = route(&["--model", &model])?;
    assert_eq!(fresh["goes_to"][0]["provider"], "claude", "{fresh}");
    let bound = route(&["--model", &model, "--session", "s1"])?;
    assert_eq!(
        (&bound["bound_to"], &bound["goes_to"][0]["provider"]),
        (&"second".into(), &"second".into())
    );
    let rare = route(&["--model", "rare-model"])?;
    assert_eq!(verdicts(&rare, 0)?[0], ("claude", "model_not_served"));
    assert_eq!(rare["goes_to"][0]["model"], model.as_str());

    cli.run(&["key", "disable", "laptop"])?;
    stack.synced().await?;
    let refused = route(&["--model", &model])?;
    assert_eq!(refused["message"], "Key is disabled");
    assert_eq!(refused["goes_to"].as_array().map(Vec::len), Some(0));
    Ok(())
}
