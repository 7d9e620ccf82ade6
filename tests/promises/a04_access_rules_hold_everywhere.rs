//! A4 to A6: what a key may be used for, with which program, from where and until when, set by the command line and held
//! by every data plane.

use anyhow::Result;
use penstock_tests::{Stack, anthropic_body};
use serde_json::Value;

const CLAUDE: &str = "claude-cli/2.1.329 (external, sdk-cli)";

/// The status, the code and the words of a Messages call with these headers.
async fn call(
    stack: &Stack,
    data: usize,
    key: &str,
    headers: &[(&str, &str)],
) -> Result<(u16, String, String)> {
    let mut request = stack
        .http
        .post(format!("{}/v1/messages", stack.data[data].url))
        .header("x-api-key", key)
        .json(&anthropic_body("hello", false));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await?;
    let code = match answer.headers().get("x-penstock-code") {
        Some(code) => code.to_str()?.to_owned(),
        None => String::new(),
    };
    let status = answer.status().as_u16();
    let body: Value = answer.json().await?;
    let words = body["error"]["message"].as_str().unwrap_or_default().to_owned();
    Ok((status, code, words))
}

#[tokio::test]
async fn a04_a06_each_rule_refuses_with_its_code_and_its_words() -> Result<()> {
    let stack = Stack::builder().data_planes(2).start().await?;
    let key = stack.prepare()?;
    let cli = stack.cli(0);
    let real = [
        ("user-agent", CLAUDE),
        ("x-app", "cli"),
        ("x-claude-code-session-id", "0d1f0c9e-2f0d-4b8c-9a65-1d3f7a0c2b11"),
    ];
    for (flags, headers, code, words) in [
        (
            ["--allow-dialect", "openai-chat"],
            &real[..],
            "DIALECT_NOT_ALLOWED",
            "openai-chat",
        ),
        (
            ["--allow-address", "2001:db8::/32"],
            &real[..],
            "ADDRESS_NOT_ALLOWED",
            "127.0.0.1",
        ),
        (
            ["--allow-client", "claude-code"],
            &real[..1],
            "CLIENT_NOT_ALLOWED",
            "claude-code",
        ),
        (
            ["--block-client", "contains:sdk-cli"],
            &real[..],
            "CLIENT_NOT_ALLOWED",
            "blocked",
        ),
        (
            ["--block-model", "claude-*"],
            &real[..],
            "INVALID_MODEL",
            "claude",
        ),
    ] {
        cli.run(&[&["key", "update", "laptop"], &flags[..]].concat())?;
        stack.synced().await?;
        for data in 0..2 {
            let refused = call(&stack, data, &key, headers).await?;
            assert_eq!((refused.0, refused.1.as_str()), (403, code), "{}", refused.2);
            assert!(refused.2.contains(words), "{}", refused.2);
        }
        cli.run(&["key", "update", "laptop", flags[0], ""])?;
    }
    cli.run(&["user", "update", "alice", "--allow-client", "claude-code"])?;
    cli.run(&[
        "key",
        "update",
        "laptop",
        "--allow-address",
        "127.0.0.0/8",
        "--allow-dialect",
        "anthropic",
    ])?;
    stack.synced().await?;
    assert_eq!(call(&stack, 0, &key, &real).await?.0, 200);
    let (status, _, words) = call(&stack, 0, &key, &[]).await?;
    assert_eq!(status, 403);
    assert!(words.contains("the user of this API key"), "{words}");

    let shown = cli.json(&["key", "get", "laptop"])?;
    assert_eq!(shown["allowed_addresses"][0], "127.0.0.0/8");
    assert_eq!(shown["allowed_dialects"][0], "anthropic");
    let listed = cli.run(&["user", "list"])?;
    assert!(listed.contains("claude-code"), "{listed}");
    let found = cli.run_with(&["key", "find", "--secret", "-", "-o", "json"], &key)?;
    assert!(found.contains("127.0.0.0/8"), "{found}");
    Ok(())
}

#[tokio::test]
async fn a04_an_expiry_counts_from_the_first_use_on_all_nodes_and_is_stamped_once() -> Result<()> {
    let mut stack = Stack::builder().control_planes(2).data_planes(2).start().await?;
    let key = stack.prepare()?;
    stack
        .cli(0)
        .run(&["key", "update", "laptop", "--expires-after", "8s"])?;
    stack
        .cli(0)
        .run(&["user", "update", "alice", "--expires-after", "30d"])?;
    stack.synced().await?;
    let waiting = stack.cli(0).json(&["key", "get", "laptop"])?;
    assert_eq!(
        (&waiting["first_used_at"], &waiting["ends_at"]),
        (&Value::Null, &Value::Null)
    );

    // Both nodes see a first use at the same time.
    let (one, other) = tokio::join!(call(&stack, 0, &key, &[]), call(&stack, 1, &key, &[]));
    assert_eq!((one?.0, other?.0), (200, 200));
    let stamped = penstock_tests::until("the first use is stamped", || async {
        let key = stack.cli(1).json(&["key", "get", "laptop"])?;
        Ok(key["first_used_at"].as_str().map(str::to_owned))
    })
    .await?;
    let version = stack.cli(0).json(&["key", "get", "laptop"])?["version"].clone();

    // Neither a restart nor the ledger stamps it again.
    stack.data[1].kill()?;
    let http = stack.http.clone();
    stack.data[1].start(&http).await?;
    stack.ledger(2).await?;
    stack.synced().await?;
    let later = stack.cli(0).json(&["key", "get", "laptop"])?;
    assert_eq!(
        (later["first_used_at"].as_str(), &later["version"]),
        (Some(&*stamped), &version)
    );
    let user = stack.cli(0).json(&["user", "get", "alice"])?;
    assert!(user["first_used_at"].is_string() && user["ends_at"].is_string());

    for data in 0..2 {
        penstock_tests::until("the key has expired", || async {
            let (status, _, words) = call(&stack, data, &key, &[]).await?;
            Ok((status == 401 && words == "Key has expired").then_some(()))
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a04_a_first_use_while_the_control_plane_is_away_is_not_lost() -> Result<()> {
    let mut stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack
        .cli(0)
        .run(&["key", "update", "laptop", "--expires-after", "30d"])?;
    stack.synced().await?;
    stack.control[0].kill()?;
    assert_eq!(
        call(&stack, 0, &key, &[]).await?.0,
        200,
        "until it is stamped it works"
    );
    stack.data[0].kill()?;
    let http = stack.http.clone();
    stack.control[0].start(&http).await?;
    stack.data[0].start(&http).await?;
    penstock_tests::until("the call's record told it", || async {
        let key = stack.cli(0).json(&["key", "get", "laptop"])?;
        Ok(key["first_used_at"].as_str().map(|_| ()))
    })
    .await
}
