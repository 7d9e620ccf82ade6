//! G2: one bad resource is refused alone, shown to operators, and blocks nothing.

use anyhow::Result;
use penstock_tests::{Database, Stack, anthropic_body, until};

/// What a newer or faulty control plane could have written: a revision that makes the provider invalid.
const MAKE_INVALID: &str = "
    begin;
    update providers set base_urls = '[\"::::\"]', version = version + 1 where name = 'gpt';
    insert into config_changes (change_set, seq, kind, resource_id, label, action, version)
        select '0198c0de-0000-7000-8000-00000000abcd', 0, 'provider', id::text, 'provider gpt', 'updated', version
        from providers where name = 'gpt';
    update config_head set revision = revision + 1;
    insert into config_revisions (revision, epoch, change_set, actor, reason, change_count, created_at)
        select revision, epoch, '0198c0de-0000-7000-8000-00000000abcd', 'test', 'make it invalid', 1, 0 from config_head;
    commit";

#[tokio::test]
async fn g02_an_invalid_provider_is_refused_and_shown_while_the_next_revocation_lands() -> Result<()> {
    let stack = Stack::builder().control_planes(2).data_planes(3).start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    Database {
        url: stack.database_url.clone(),
    }
    .execute(MAKE_INVALID)
    .await?;

    let cli = stack.cli(0);
    let nodes = until("every node refuses the provider and says why", || async {
        let nodes = cli.json(&["node", "list"])?;
        let refusing = nodes["items"].as_array().into_iter().flatten().filter(|node| {
            let reason = node["refused"][0]["reason"].as_str().unwrap_or_default();
            reason.contains("base_urls") && node["revision"] == nodes["head"]
        });
        Ok((refusing.count() == 3).then(|| nodes.clone()))
    })
    .await?;
    assert!(
        nodes.to_string().contains("gpt"),
        "the refused resource is named: {nodes}"
    );
    for data in 0..3 {
        let chat = stack
            .chat(data, &key, &penstock_tests::chat_body("hello", false))
            .await?;
        assert_eq!(chat.status(), 200, "the last good version serves on");
    }

    stack.cli(1).run(&["key", "disable", "laptop"])?;
    stack.synced().await?;
    for data in 0..3 {
        let answer = stack
            .messages(data, &key, &anthropic_body("hello", false))
            .await?;
        assert_eq!(answer.status(), 401);
    }

    cli.run(&[
        "provider",
        "update",
        "gpt",
        "--base-url",
        &stack.fake.openai_base_url(),
        "--keep-credential",
    ])?;
    until("nothing is refused any more", || async {
        let nodes = cli.json(&["node", "list"])?;
        let refusing = nodes["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|n| n["refused"].as_array().is_some_and(|r| !r.is_empty()));
        Ok((refusing.count() == 0).then_some(()))
    })
    .await
}

#[tokio::test]
async fn g01_a_stale_edit_is_refused_and_names_the_conflict() -> Result<()> {
    let stack = Stack::builder().start().await?;
    stack.prepare()?;
    let cli = stack.cli(0);
    let read = cli.json(&["provider", "get", "claude"])?["version"].to_string();
    cli.run(&["provider", "update", "claude", "--weight", "7"])?;
    let refused = cli.fails(&[
        "provider",
        "update",
        "claude",
        "--weight",
        "8",
        "--expected-version",
        &read,
    ])?;
    assert!(
        refused.stderr.contains("claude") && refused.stderr.contains("version"),
        "{}",
        refused.stderr
    );
    assert_eq!(cli.json(&["provider", "get", "claude"])?["weight"], 7);
    Ok(())
}
