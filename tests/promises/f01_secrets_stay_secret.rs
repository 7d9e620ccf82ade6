//! F1, A3: credentials are sealed, keys are hashed, and neither is in a log, an answer, a metric or the database.

use std::process::Command;

use anyhow::Result;
use penstock_tests::{ADMIN_TOKEN, CREDENTIAL, Database, NODE_TOKEN, Stack, anthropic_body};

#[tokio::test]
async fn f01_no_secret_is_in_any_output_log_metric_file_or_database_row() -> Result<()> {
    let stack = Stack::builder()
        .data_plane_flag("--log-level=trace")
        .start()
        .await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    for text in [
        "hello",
        "[[fake status=401]]",
        "[[fake status=500]]",
        "[[fake cut=3]]",
    ] {
        for stream in [false, true] {
            let answer = stack.messages(0, &key, &anthropic_body(text, stream)).await?;
            let (headers, body) = (
                format!("{:?}", answer.headers()),
                answer.text().await.unwrap_or_default(),
            );
            assert!(!headers.contains(CREDENTIAL) && !body.contains(CREDENTIAL));
        }
    }
    stack.ledger(8).await?;

    let cli = stack.cli(0);
    let mut seen = String::new();
    for args in [
        &["provider", "list"][..],
        &["provider", "get", "claude"],
        &["key", "list"],
        &["config", "history"],
        &["status"],
        &["node", "list"],
    ] {
        seen += &cli.json(args)?.to_string();
        seen += &cli.run(args)?;
    }
    for node in stack.control.iter().chain(&stack.data) {
        seen += &node.log();
        for path in ["/metrics", "/health"] {
            seen += &stack
                .http
                .get(format!("{}{path}", node.admin_url))
                .send()
                .await?
                .text()
                .await?;
        }
    }
    seen += &Database {
        url: stack.database_url.clone(),
    }
    .dump()?;
    // Everything on disk, the spool and the last known good among it.
    let grep = |secret: &str| {
        Command::new("grep")
            .args(["-rlaF", secret])
            .arg(stack.folder.path())
            .output()
    };
    for secret in [CREDENTIAL, key.as_str(), ADMIN_TOKEN, NODE_TOKEN] {
        assert!(!seen.contains(secret), "{secret} was seen");
        assert_eq!(
            String::from_utf8_lossy(&grep(secret)?.stdout),
            "",
            "{secret} is on disk"
        );
    }
    Ok(())
}
