//! Rules of access, words and prices on one machine, without Postgres and Redis.

use anyhow::Result;
use penstock_tests::{client, until};

use crate::up_runs_all_on_one_machine::{Up, paste_curl};

#[tokio::test]
async fn a04_up_holds_access_rules_and_stamps_the_first_use() -> Result<()> {
    let up = Up::start(&["--demo"]).await?;
    let cli = up.cli();
    cli.run(&["user", "create", "--name", "ann"])?;
    let flags = ["--expires-after", "30d", "--allow-client", "codex"];
    let create = ["key", "create", "--user", "ann", "--name", "laptop"];
    let key = cli.run(&[&create[..], &flags[..]].concat())?;
    let ask = async |headers: &[(&str, &str)]| -> Result<u16> {
        let mut request = client()
            .post(format!("{}/v1/messages", up.traffic))
            .header("x-api-key", key.trim())
            .json(&penstock_tests::anthropic_body("hello", false));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(request.send().await?.status().as_u16())
    };
    until("a stranger is refused", || async {
        Ok((ask(&[]).await? == 403).then_some(()))
    })
    .await?;
    assert!(cli.json(&["key", "get", "laptop"])?["first_used_at"].is_null());
    let codex = [
        ("user-agent", "codex_exec/0.169.0 (Linux)"),
        ("originator", "codex_exec"),
        ("session-id", "0d1f0c9e-2f0d-4b8c-9a65-1d3f7a0c2b11"),
    ];
    assert_eq!(ask(&codex).await?, 200);
    until("the first use is stamped", || async {
        Ok(cli.json(&["key", "get", "laptop"])?["ends_at"]
            .as_str()
            .map(|_| ()))
    })
    .await
}

#[tokio::test]
async fn g12_e04_up_refuses_words_and_takes_over_prices() -> Result<()> {
    let up = Up::start(&["--demo"]).await?;
    let cli = up.cli();
    cli.run(&["word-rule", "create", "--name", "w", "--contains", "hello"])?;
    until("the printed call is refused", || async {
        let answer = paste_curl(&up.printed(), up.folder.path()).unwrap_or_default();
        Ok(answer.contains("Sensitive content detected").then_some(()))
    })
    .await?;
    let file = up.folder.path().join("prices.json");
    let model =
        r#"{"m":{"litellm_provider":"openai","input_cost_per_token":1e-6,"output_cost_per_token":2e-6}}"#;
    std::fs::write(&file, model)?;
    let path = file.to_string_lossy();
    let imported = cli.json(&["price", "import", &path, "--yes"])?;
    assert_eq!(imported["added"][0]["name"], "m", "{imported}");
    let counted = cli.json(&["price", "backfill", "--from", "1h", "--yes"])?;
    assert_eq!(counted["changed"], 0, "{counted}");
    Ok(())
}
