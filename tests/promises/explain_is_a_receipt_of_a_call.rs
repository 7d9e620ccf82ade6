//! `penstock explain ID`: who could have served a call, who was asked, what it cost, where its time went.

use anyhow::{Context, Result};
use penstock_tests::{CREDENTIAL, Stack, anthropic_body, until};
use reqwest::Response;
use serde_json::Value;

fn id_of(answer: &Response) -> Result<String> {
    let id = answer.headers().get("x-penstock-request-id");
    Ok(id.context("each answer carries its id")?.to_str()?.to_owned())
}

/// Once the record has arrived.
async fn explained(stack: &Stack, id: &str) -> Result<Value> {
    let cli = stack.cli(0);
    until("the record arrives", || async {
        Ok(cli.json(&["explain", id]).ok())
    })
    .await
}

/// A second provider at the same fake; the first one is overloaded.
fn failing_over(stack: &Stack) -> Result<()> {
    let (cli, url) = (stack.cli(0), stack.fake.base_url());
    for (name, more) in [("spare", ["--priority", "1"]), ("resting", ["--priority", "2"])] {
        let mut args = vec!["provider", "create", "--name", name, "--kind", "anthropic"];
        args.extend(["--base-url", &url, "--api-key", "-"]);
        args.extend(more);
        cli.run_with(&args, CREDENTIAL)?;
    }
    cli.run(&["provider", "disable", "resting"])?;
    cli.run(&["provider", "update", "claude", "--header", "x-fake: status=529"])?;
    cli.run(&["provider", "update", "spare", "--cost-multiplier", "1.25"])?;
    Ok(())
}

#[tokio::test]
async fn a_call_that_failed_over_shows_both_providers_the_class_and_its_cost() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    failing_over(&stack)?;
    stack
        .cli(0)
        .run(&["user", "update", "alice", "--usd-daily", "5"])?;
    stack.synced().await?;
    let answer = stack.messages(0, &key, &anthropic_body("hello", false)).await?;
    assert_eq!(answer.status(), 200);
    let id = id_of(&answer)?;
    let receipt = explained(&stack, &id).await?;

    assert_eq!(
        (&receipt["user"], &receipt["key"]),
        (&"alice".into(), &"alice/laptop".into())
    );
    assert_eq!(receipt["provider"], "spare");
    let attempts: Vec<_> = receipt["attempts"]
        .as_array()
        .context("attempts")?
        .iter()
        .map(|attempt| (&attempt["provider"], &attempt["status"], &attempt["class"]))
        .collect();
    let (claude, spare) = (Value::from("claude"), Value::from("spare"));
    let overloaded = (&claude, &Value::from(529), &Value::from("O"));
    assert_eq!(
        attempts,
        [overloaded, overloaded, (&spare, &Value::from(200), &Value::Null)]
    );
    let verdicts: Vec<_> = receipt["candidates"]
        .as_array()
        .context("candidates")?
        .iter()
        .map(|candidate| format!("{} {}", candidate["provider"], candidate["verdict"]))
        .collect();
    assert_eq!(
        verdicts,
        [
            r#""claude" "candidate""#,
            r#""gpt" "other_dialect""#,
            r#""spare" "candidate""#,
            r#""resting" "disabled""#
        ]
    );
    let cost = &receipt["cost"];
    assert_eq!(cost["adds_up"], true, "{cost}");
    assert_eq!(cost["multiplier"], "1.25");
    let classes: Vec<_> = cost["lines"]
        .as_array()
        .context("lines")?
        .iter()
        .map(|line| &line["what"])
        .collect();
    assert_eq!(classes[..2], ["input", "output"]);
    assert!(cost["total_nanousd"].as_i64() > Some(0));
    let phases = &receipt["phases"];
    assert!(
        phases["total_us"].as_u64() >= phases["first_byte_us"].as_u64(),
        "{phases}"
    );
    let limits = receipt["limits_now"]["items"].as_array().context("limits")?;
    assert!(limits.iter().any(|limit| limit["dimension"] == "usd_daily"));

    let printed = stack.cli(0).run(&["explain", &id])?;
    for part in [
        "alice/laptop",
        "is disabled",
        "O overloaded",
        "x 1.25",
        "Penstock's own",
        "usd_daily",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    Ok(())
}

#[tokio::test]
async fn cost_lines_are_those_of_the_price_that_was_in_force_then() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    let cli = stack.cli(0);
    let body = anthropic_body("hello", false);
    let model = body["model"].as_str().context("model")?.to_owned();
    let create = [
        "price",
        "create",
        "--name",
        &model,
        "--rate",
        "input=3",
        "--rate",
        "output=15",
    ];
    cli.run(&create)?;
    stack.synced().await?;
    let id = id_of(&stack.messages(0, &key, &body).await?)?;
    let before = explained(&stack, &id).await?;
    cli.run(&["price", "update", &model, "--rate", "input=9"])?;
    let after = explained(&stack, &id).await?;
    assert_eq!(before["cost"]["lines"][0]["rate_usd"], "3", "{before}");
    assert_eq!(before["cost"], after["cost"]);
    assert_eq!(after["cost"]["adds_up"], true);
    Ok(())
}

#[tokio::test]
async fn what_is_no_known_call_is_said_with_what_to_do() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let cli = stack.cli(0);
    let unknown = cli.fails(&["explain", "019a0000-0000-7000-8000-000000000000"])?;
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("is not in the ledger") && unknown.stderr.contains("node list"));
    let word = cli.fails(&["explain", "no-error-of-anybody"])?;
    assert_eq!(word.code, Some(1));
    assert!(word.stderr.contains("x-penstock-request-id"), "{}", word.stderr);
    Ok(())
}
