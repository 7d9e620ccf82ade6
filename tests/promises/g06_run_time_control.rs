//! What is changed while everything runs: a data plane taken out of service, the master key replaced.

use anyhow::{Result, ensure};
use penstock_tests::{Stack, anthropic_body, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g06_a_drained_data_plane_is_not_ready_and_serves_all_the_same() -> Result<()> {
    let stack = Stack::builder().data_planes(2).start().await?;
    let secret = stack.prepare()?;
    stack.synced().await?;
    let cli = stack.cli(0);
    let nodes = cli.json(&["node", "list"])?;
    let http = &stack.http;
    let ready = async |node: usize| {
        Ok::<_, anyhow::Error>(
            http.get(format!("{}/health/ready", stack.data[node].admin_url))
                .send()
                .await?
                .status()
                .as_u16(),
        )
    };
    let id = node_id(&stack, 0).await?;
    ensure!(nodes.to_string().contains(&id), "{nodes:#}");
    cli.run(&["node", "drain", &id, "--reason", "a new kernel"])?;
    until("it is not ready", || async {
        Ok((ready(0).await? == 503).then_some(()))
    })
    .await?;
    ensure!(ready(1).await? == 200);
    // A balancer that has not looked yet loses nothing.
    let answer = stack
        .messages(0, &secret, &anthropic_body("hello", false))
        .await?;
    ensure!(answer.status() == 200, "{}", answer.status());
    // What was drained is no configuration, so a rollback does not bring it back into service.
    cli.run(&["user", "create", "--name", "bob"])?;
    let rolled = cli.run(&["config", "rollback", "-2"])?;
    stack.synced().await?;
    ensure!(ready(0).await? == 503, "{rolled}");
    cli.run(&["node", "drain", &id, "--undo"])?;
    until("it is ready again", || async {
        Ok((ready(0).await? == 200).then_some(()))
    })
    .await?;
    let refused = cli.fails(&["node", "drain", "nobody"])?;
    ensure!(refused.stderr.contains("does not exist"), "{}", refused.stderr);
    Ok(())
}

async fn node_id(stack: &Stack, node: usize) -> Result<String> {
    let health: serde_json::Value = stack
        .http
        .get(format!("{}/health", stack.data[node].admin_url))
        .send()
        .await?
        .json()
        .await?;
    Ok(health["node_id"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_the_master_key_is_replaced_under_load_and_the_old_one_is_put_away() -> Result<()> {
    let mut stack = Stack::builder().start().await?;
    let secret = stack.prepare()?;
    stack.synced().await?;
    let folder = tempfile::tempdir()?;
    let fresh = folder.path().join("new.key");
    std::fs::write(&fresh, hex::encode(rand::random::<[u8; 32]>()))?;
    let args = stack.control[0].args.clone();
    let at = args.iter().position(|arg| arg == "--master-key-file").unwrap() + 1;
    let old = args[at].clone();
    let fresh = fresh.to_string_lossy().into_owned();
    let with = |main: &str, other: Option<&str>| {
        let mut args = args.clone();
        args[at] = main.to_owned();
        args.extend(
            other
                .iter()
                .flat_map(|other| ["--other-master-key-file".to_owned(), (*other).to_owned()]),
        );
        args
    };
    restart(&mut stack, with(&fresh, Some(&old))).await?;
    let shown = stack.cli(0).json(&["master-key", "show"])?;
    ensure!(shown["sealed"][0]["key_id"] != shown["key_id"], "{shown:#}");
    let calls = async {
        for _ in 0..20 {
            let answer = stack
                .messages(0, &secret, &anthropic_body("hello", false))
                .await?;
            ensure!(answer.status() == 200, "{}", answer.status());
        }
        Ok(())
    };
    let cli = stack.cli(0);
    let rotating = tokio::task::spawn_blocking(move || cli.json(&["master-key", "rotate"]));
    calls.await?;
    let rotated = rotating.await??;
    ensure!(rotated["resealed"] == 2, "{rotated:#}");
    ensure!(stack.cli(0).json(&["master-key", "rotate"])?["resealed"] == 0);
    // Without the old one; and a new data plane gets the credentials.
    restart(&mut stack, with(&fresh, None)).await?;
    stack.synced().await?;
    let answer = stack
        .messages(0, &secret, &anthropic_body("hello", false))
        .await?;
    ensure!(answer.status() == 200, "{}", answer.status());
    let tested = stack.cli(0).json(&["provider", "test", "claude"])?;
    ensure!(tested["credential"]["outcome"] == "passed", "{tested:#}");
    // The old one alone is no key of this installation any more.
    stack.control[0].terminate().await?;
    stack.control[0].args = with(&old, None);
    ensure!(stack.control[0].start(&stack.http.clone()).await.is_err());
    ensure!(stack.control[0].log().contains("the master key is not the one"));
    Ok(())
}

async fn restart(stack: &mut Stack, args: Vec<String>) -> Result<()> {
    let http = stack.http.clone();
    stack.control[0].terminate().await?;
    stack.control[0].args = args;
    stack.control[0].start(&http).await
}
