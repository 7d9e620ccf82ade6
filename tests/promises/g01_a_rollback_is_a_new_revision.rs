//! G1: changes are commits; they can be listed, compared and taken back; nobody overwrites somebody unknowingly.

use anyhow::Result;
use penstock_tests::{Stack, anthropic_body};

#[tokio::test]
async fn g01_a_rollback_restores_a_state_as_a_new_revision_and_the_data_planes_follow() -> Result<()> {
    let stack = Stack::builder().data_planes(2).start().await?;
    let key = stack.prepare()?;
    let cli = stack.cli(0);
    let good = cli.json(&["config", "history"])?["head"].as_u64().unwrap();
    cli.run(&[
        "provider",
        "update",
        "claude",
        "--base-url",
        "http://127.0.0.1:1",
        "--keep-credential",
        "--reason",
        "a mistake",
    ])?;
    cli.run(&["provider", "update", "claude", "--priority", "9"])?;
    stack.synced().await?;
    let broken = stack.messages(0, &key, &anthropic_body("hello", false)).await?;
    assert_eq!(broken.status(), 502, "{}", broken.text().await?);

    let head = good + 2;
    let target = good.to_string();
    cli.run(&["config", "rollback", &target, "--reason", "back to what worked"])?;
    let history = cli.json(&["config", "history"])?;
    assert_eq!(history["head"], head + 1, "a rollback is a revision of its own");
    assert_eq!(history["items"][0]["reason"], "back to what worked");
    stack.synced().await?;
    for data in 0..2 {
        let mended = stack
            .messages(data, &key, &anthropic_body("hello", false))
            .await?;
        assert_eq!(mended.status(), 200, "{}", mended.text().await?);
    }
    let now = (head + 1).to_string();
    let diff = cli.json(&["config", "diff", &target, &now])?;
    assert_eq!(diff["items"].as_array().map(Vec::len), Some(0), "{diff}");
    Ok(())
}

#[tokio::test]
async fn g01_a_rollback_does_not_enable_a_key_unless_asked() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    let cli = stack.cli(0);
    let before = cli.json(&["config", "history"])?["head"].to_string();
    cli.run(&["key", "disable", "laptop"])?;
    cli.run(&["config", "rollback", &before])?;
    stack.synced().await?;
    assert_eq!(
        stack
            .messages(0, &key, &anthropic_body("hello", false))
            .await?
            .status(),
        401
    );
    cli.run(&["config", "rollback", &before, "--include-access"])?;
    stack.synced().await?;
    assert_eq!(
        stack
            .messages(0, &key, &anthropic_body("hello", false))
            .await?
            .status(),
        200
    );
    Ok(())
}
