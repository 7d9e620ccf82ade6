//! G4: an installation is made from files, serves, and says itself as files again: on Postgres, and on SQLite by `up`'s
//! database.

use anyhow::{Context, Result};
use penstock_tests::{CREDENTIAL, Stack, anthropic_body};

const KEY: &str = "a-key-that-the-files-give-0123456789";

fn files(stack: &Stack) -> Result<String> {
    let path = stack.folder.path().join("installation.yaml");
    std::fs::write(
        stack.folder.path().join("credential.txt"),
        format!("{CREDENTIAL}\n"),
    )?;
    std::fs::write(stack.folder.path().join("key.txt"), KEY)?;
    let text = format!(
        "- apiVersion: penstock/v1
  kind: Provider
  name: claude
  spec:
    kind: anthropic
    base_urls: [{}]
    credential: {{api_key: \"${{file:credential.txt}}\"}}
- apiVersion: penstock/v1
  kind: User
  name: alice
  spec: {{limits: {{rpm: 100}}}}
- apiVersion: penstock/v1
  kind: Key
  name: laptop
  spec: {{user: alice, secret: \"${{file:key.txt}}\"}}
",
        stack.fake.base_url()
    );
    std::fs::write(&path, text)?;
    Ok(path.to_string_lossy().into_owned())
}

async fn from_files_to_calls_and_back(stack: Stack) -> Result<()> {
    let cli = stack.cli(0);
    let path = files(&stack)?;
    let head = cli.json(&["config", "history"])?["head"]
        .as_u64()
        .context("a history has a head")?;
    let made = cli.json(&["apply", "-f", &path, "--reason", "made from files"])?;
    assert_eq!(
        (&made["revision"], &made["created"]),
        (&(head + 1).into(), &3.into())
    );
    stack.synced().await?;
    let answer = stack.messages(0, KEY, &anthropic_body("hello", false)).await?;
    assert_eq!(answer.status(), 200, "{}", answer.text().await?);

    let again = cli.json(&["apply", "-f", &path])?;
    assert_eq!((&again["revision"], &again["unchanged"]), (&0.into(), &3.into()));
    let export = cli.run(&["export"])?;
    assert!(!export.contains(KEY) && !export.contains(CREDENTIAL), "{export}");
    assert_eq!(
        cli.run_with(&["diff", "--exit-code", "--prune", "-f", "-"], &export)?,
        ""
    );

    cli.run(&["user", "disable", "alice"])?;
    let drift = cli.fails(&["diff", "--exit-code", "-f", &path])?;
    assert!(drift.stdout.contains("access.enabled: false -> true"), "{drift}");
    cli.run(&["apply", "-f", &path])?;
    stack.synced().await?;
    let answer = stack.messages(0, KEY, &anthropic_body("hello", false)).await?;
    assert_eq!(answer.status(), 200, "{}", answer.text().await?);
    Ok(())
}

#[tokio::test]
async fn g04_files_make_an_installation_on_postgres() -> Result<()> {
    from_files_to_calls_and_back(Stack::builder().start().await?).await
}

#[tokio::test]
async fn g04_files_make_an_installation_on_sqlite() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("penstock.db").display());
    from_files_to_calls_and_back(Stack::builder().database(&url).start().await?).await
}
