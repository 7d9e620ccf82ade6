//! G9: the role `user` reaches its own user by whatever name or id, and nothing of anybody else.

use anyhow::Result;
use penstock_tests::{Cli, Stack, anthropic_body, until};
use serde_json::Value;

/// A user's own account, and another user with keys and usage.
struct Story {
    stack: Stack,
    cli: Cli,
    bob: Value,
    bobs_key: Value,
}

impl Story {
    async fn begin() -> Result<Self> {
        let stack = Stack::builder().start().await?;
        let alices = stack.prepare()?;
        let admin = stack.cli(0);
        admin.run(&["user", "create", "--name", "bob"])?;
        let bobs = stack.create_key("bob", "laptop")?;
        stack.synced().await?;
        for key in [&alices, &bobs, &bobs] {
            let answer = stack.messages(0, key, &anthropic_body("hello", false)).await?;
            assert_eq!(answer.status(), 200);
        }
        stack.ledger(3).await?;
        let token = stack.operator("alice-self", "user", &["--user", "alice"])?;
        Ok(Self {
            cli: stack.cli_as(0, &token),
            bob: admin.json(&["user", "get", "bob"])?,
            bobs_key: admin.json(&["key", "get", "bob/laptop"])?,
            stack,
        })
    }

    fn bobs_ids(&self) -> [String; 2] {
        let id = |value: &Value| value["id"].as_str().unwrap_or_default().to_owned();
        [id(&self.bob), id(&self.bobs_key)]
    }
}

#[tokio::test]
async fn g09_of_others_the_answer_is_that_of_what_does_not_exist() -> Result<()> {
    let story = Story::begin().await?;
    let (cli, [bob, key]) = (&story.cli, story.bobs_ids());
    let cases: [(&str, &str, &[&str]); 15] = [
        ("bob", "nobody", &["user", "get", "?"]),
        (
            &bob,
            "019a0000-0000-7000-8000-000000000000",
            &["user", "get", "?"],
        ),
        ("bob/laptop", "nobody/laptop", &["key", "get", "?"]),
        (&key, "019a0000-0000-7000-8000-000000000000", &["key", "get", "?"]),
        ("bob", "nobody", &["key", "list", "--user", "?"]),
        ("bob", "nobody", &["usage", "--user", "?"]),
        (
            &bob,
            "019a0000-0000-7000-8000-000000000000",
            &["usage", "records", "--user", "?"],
        ),
        ("bob/laptop", "nobody/laptop", &["usage", "records", "--key", "?"]),
        ("bob", "nobody", &["limits", "show", "--user", "?"]),
        (
            &key,
            "019a0000-0000-7000-8000-000000000000",
            &["limits", "show", "--key", "?"],
        ),
        ("bob", "nobody", &["usage", "series", "--user", "?"]),
        ("bob/laptop", "nobody/laptop", &["usage", "export", "--key", "?"]),
        ("bob", "nobody", &["session", "list", "--user", "?"]),
        ("bob/laptop", "nobody/laptop", &["session", "list", "--key", "?"]),
        ("bob", "nobody", &["limits", "forecast", "--user", "?"]),
    ];
    for (others, nothing, args) in cases {
        let said = |name: &str| -> Result<String> {
            let args: Vec<_> = args
                .iter()
                .map(|arg| if *arg == "?" { name } else { arg })
                .collect();
            let said = cli.fails(&args)?.stderr;
            // A key that is not there may be called by its user, who is not there either.
            Ok(said.replace(name.split('/').next().unwrap_or(name), "?"))
        };
        assert_eq!(said(others)?, said(nothing)?, "{args:?}");
    }
    Ok(())
}

#[tokio::test]
async fn g09_its_own_is_all_that_it_is_shown() -> Result<()> {
    let story = Story::begin().await?;
    let (cli, [_, key]) = (&story.cli, story.bobs_ids());
    let who = cli.json(&["whoami"])?;
    assert_eq!(
        (&who["name"], &who["role"]),
        (&"alice-self".into(), &"user".into())
    );
    assert_eq!(
        (&who["user"], &who["self_service"]),
        (&"alice".into(), &false.into())
    );
    assert_eq!(cli.json(&["user", "get", "alice"])?["name"], "alice");
    // A bare name is one of its own, however many others have one of that name.
    assert_eq!(cli.json(&["key", "get", "laptop"])?["user"], "alice");
    let keys = cli.json(&["key", "list"])?;
    assert_eq!(keys["items"].as_array().map(Vec::len), Some(1), "{keys}");
    assert_eq!(cli.json(&["usage"])?["requests"], 1);
    assert_eq!(cli.json(&["usage", "--key", &key])?["requests"], 0);
    let groups = cli.json(&["usage", "--by", "user"])?;
    assert_eq!(groups["items"].as_array().map(Vec::len), Some(1), "{groups}");
    let records = cli.json(&["usage", "records"])?;
    let records = records["items"].as_array().cloned().unwrap_or_default();
    assert_eq!(records.len(), 1);
    let told = Value::from(records).to_string();
    let provider = story.stack.cli(0).json(&["provider", "get", "claude"])?;
    for hidden in [&provider["id"], &story.bob["id"]] {
        assert!(!told.contains(hidden.as_str().unwrap_or("none")), "{told}");
    }
    assert!(cli.json(&["limits", "show", "--key", "laptop"]).is_ok());
    for args in [
        &["usage", "--by", "provider"][..],
        &["usage", "--provider", "claude"],
        &["usage", "series", "--provider", "claude"],
        &["usage", "export", "--provider", "claude"],
        &["usage", "top", "provider"],
        &["usage", "errors"],
        &["usage", "clean", "--dry-run"],
        &["session", "list", "--provider", "claude"],
        &["session", "kick", "00000000000000000000000000000000"],
        &["counter", "list"],
        &["limits", "forecast", "--provider", "claude"],
        &["limits", "show", "--provider", "claude"],
        &["user", "list"],
        &["provider", "list"],
        &["audit", "list"],
        &["config", "history"],
        &["key", "update", "laptop", "--rpm", "0"],
        &["operator", "list"],
    ] {
        let said = cli.fails(args)?.stderr;
        assert!(said.contains("role user"), "{args:?}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn g09_its_own_is_all_that_it_can_count_and_take_away() -> Result<()> {
    let story = Story::begin().await?;
    let (cli, admin, [bob, key]) = (&story.cli, story.stack.cli(0), story.bobs_ids());
    let provider = admin.json(&["provider", "get", "claude"])?;
    let hidden =
        [&provider["id"], &provider["name"], &story.bob["id"]].map(|value| value.as_str().unwrap_or("none"));
    let series = cli.json(&["usage", "series", "--bucket", "month"])?;
    assert_eq!(series["totals"]["requests"], 1, "{series}");
    let from = series["items"]
        .as_array()
        .and_then(|items| items.last()?["from"].as_str());
    let month: String = from.unwrap_or_default().chars().take(7).collect();
    for args in [
        &["usage", "top", "user"][..],
        &["usage", "top", "session"],
        &["usage", "--session", "none-of-anybody"],
        &["usage", "chargeback", "--month", &month, "--by", "user"],
        &["usage", "chargeback", "--month", &month, "--by", "key"],
        &["usage", "chargeback", "--month", &month, "--by", "tag"],
        &["session", "list"],
        &["session", "list", "--key", "laptop"],
    ] {
        let told = cli.json(args)?;
        let items = told["items"].as_array().map_or(0, Vec::len);
        assert!(items <= 1, "{args:?}: {told}");
        if let Some(requests) = told["totals"]["requests"].as_u64() {
            assert!(requests <= 1, "{args:?}: {told}");
        }
        for hidden in hidden {
            let quoted = format!("\"{hidden}\"");
            assert!(!told.to_string().contains(&quoted), "{args:?}: {told}");
        }
    }
    for format in ["csv", "jsonl"] {
        let file = cli.run(&["usage", "export", "--format", format])?;
        assert_eq!(
            file.lines().filter(|line| line.contains("alice")).count(),
            1,
            "{file}"
        );
        for hidden in hidden {
            assert!(
                !file.contains(&format!("\"{hidden}\"")) && !file.contains(&format!(",{hidden},")),
                "{file}"
            );
        }
        let others = cli.run(&["usage", "export", "--format", format, "--key", &key])?;
        assert!(!others.contains("bob") && !others.contains(&bob), "{others}");
    }
    admin.run(&["user", "update", "alice", "--usd-total", "1000", "--tag", "ours"])?;
    admin.run(&["user", "update", "bob", "--usd-total", "1000", "--tag", "ours"])?;
    let forecast = cli.json(&["limits", "forecast", "--key", "laptop"])?;
    assert_eq!(forecast["items"].as_array().map(Vec::len), Some(1), "{forecast}");
    until("the tag is known", || async {
        Ok((admin.json(&["usage", "--tag", "ours"])?["requests"] == 3).then_some(()))
    })
    .await?;
    assert_eq!(cli.json(&["usage", "--tag", "ours"])?["requests"], 1);
    Ok(())
}

#[tokio::test]
async fn g09_self_service_is_a_switch_whose_refusal_says_how_to_enable_it() -> Result<()> {
    let story = Story::begin().await?;
    let (cli, admin, [_, key]) = (&story.cli, story.stack.cli(0), story.bobs_ids());
    let create = ["key", "create", "--user", "alice", "--name", "phone"];
    for args in [
        &create[..],
        &["key", "rotate", "laptop"],
        &["key", "delete", "laptop"],
    ] {
        let said = cli.fails(args)?.stderr;
        assert!(said.contains("penstock setting set self_service true"), "{said}");
    }
    admin.run(&["setting", "set", "self_service", "true"])?;
    let secret = cli.run(&create)?;
    story.stack.synced().await?;
    let answer = story
        .stack
        .messages(0, secret.trim(), &anthropic_body("hello", false))
        .await?;
    assert_eq!(answer.status(), 200);
    cli.run(&["key", "rotate", "phone"])?;
    cli.run(&["key", "delete", "alice/phone"])?;
    for args in [
        &["key", "create", "--user", "bob", "--name", "mine"][..],
        &["key", "rotate", "bob/laptop"],
        &["key", "delete", &key],
    ] {
        let said = cli.fails(args)?.stderr;
        assert!(said.contains("does not exist"), "{args:?}: {said}");
    }
    let hash = "01".repeat(32);
    let imported = [&create[..], &["--sha256", &hash]].concat();
    assert!(cli.fails(&imported)?.stderr.contains("only operators"));
    assert_eq!(
        admin.json(&["key", "get", "bob/laptop"])?["version"],
        story.bobs_key["version"]
    );
    admin.run(&["setting", "reset", "self_service"])?;
    assert!(cli.fails(&create)?.stderr.contains("self-service is off"));
    Ok(())
}
