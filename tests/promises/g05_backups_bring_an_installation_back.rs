//! G5: what was backed up comes back, under the same master key or any other, and a broken file changes nothing.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use penstock_tests::{CREDENTIAL, Cli, Stack, anthropic_body, until};
use serde_json::Value;

use crate::up_runs_all_on_one_machine::Up;

const PASSPHRASE: &str = "correct horse battery staple";

/// An installation with something of everything, and two calls in its ledger. The secret of the one key.
async fn lived_in() -> Result<(Stack, String)> {
    let stack = Stack::builder().start().await?;
    let cli = stack.cli(0);
    stack.provider(
        "acme-main",
        "anthropic",
        &stack.fake.base_url(),
        &["--group", "acme-group"],
    )?;
    stack.provider(
        "acme-spare",
        "openai",
        &stack.fake.openai_base_url(),
        &["--weight", "3"],
    )?;
    cli.run(&[
        "user", "create", "--name", "acme-ann", "--tag", "acme-tag", "--rpm", "500",
    ])?;
    let key = stack.create_key("acme-ann", "acme-laptop")?;
    for line in [
        "key update acme-laptop --group acme-group --usd-total 50",
        "price create --name acme-model --rate input=1 --rate output=2",
        "word-rule create --name acme-words --contains acme-forbidden",
        "setting set explain_refusals true",
    ] {
        cli.run(&line.split(' ').collect::<Vec<_>>())?;
    }
    let suffix = ["key", "import-suffix", "acme-relay", "--secret", "-"];
    cli.run_with(&suffix, "acme-relay-pepper")?;
    let hook = [
        "webhook",
        "create",
        "--name",
        "acme-hook",
        "--url",
        "https://hooks.acme.example/acme-hidden-path",
        "--secret",
        "-",
    ];
    cli.run_with(&hook, "acme-hook-signs")?;
    stack.operator("acme-olga", "operator", &[])?;
    stack.synced().await?;
    for _ in 0..2 {
        let answer = stack.messages(0, &key, &anthropic_body("hello", false)).await?;
        assert_eq!(answer.status(), 200);
    }
    stack.ledger(2).await?;
    Ok((stack, key))
}

fn create(cli: &Cli, folder: &Path, kind: &str, more: &[&str]) -> Result<PathBuf> {
    let file = folder.join(format!("{kind}.penstock"));
    let mut args = vec!["backup", "create", text(&file), "--kind", kind];
    args.extend(more);
    match kind {
        "encrypted" => {
            args.extend(["--passphrase", "-"]);
            cli.run_with(&args, PASSPHRASE)?;
        }
        _ => drop(cli.run(&args)?),
    }
    assert_eq!(
        std::fs::metadata(&file)?.permissions().mode() & 0o777,
        0o600,
        "{kind}"
    );
    Ok(file)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// What operators see of the configuration, but for when and how often it was changed.
fn state(cli: &Cli) -> Result<Value> {
    let mut all = Vec::new();
    for of in [
        "provider",
        "user",
        "key",
        "price",
        "word-rule",
        "error-rule",
        "request-filter",
        "setting",
    ] {
        let mut listed = cli.json(&[of, "list"])?;
        for item in listed["items"].as_array_mut().context("a list")? {
            let item = item.as_object_mut().context("an object")?;
            for field in ["version", "updated_at", "refused_by"] {
                item.remove(field);
            }
        }
        all.push(listed);
    }
    Ok(Value::Array(all))
}

fn totals(cli: &Cli) -> Result<Vec<Value>> {
    let usage = cli.json(&["usage"])?;
    Ok(["requests", "cost_nanousd", "input_tokens", "output_tokens"]
        .map(|field| usage[field].clone())
        .into())
}

fn head(cli: &Cli) -> Result<u64> {
    cli.json(&["status"])?["head"].as_u64().context("a revision")
}

/// Null when there is none.
fn section<'a>(restored: &'a Value, name: &str) -> &'a Value {
    let mut sections = restored["sections"].as_array().into_iter().flatten();
    let found = sections.find(|section| section["name"] == name);
    found.unwrap_or(&Value::Null)
}

#[tokio::test]
async fn g05_what_was_wiped_comes_back_with_its_ledger_and_twice_changes_nothing() -> Result<()> {
    let (old, key) = lived_in().await?;
    let file = create(&old.cli(0), old.folder.path(), "standard", &["--include-usage"])?;
    let inspected = old.cli(0).json(&["backup", "inspect", text(&file)])?;
    assert_eq!(inspected["kind"], "standard");
    assert_eq!(inspected["sections"]["usage_records"], 2);

    // Another database; the master key is the same.
    let new = Stack::builder().start().await?;
    let cli = new.cli(0);
    cli.run(&["user", "create", "--name", "not-in-the-backup"])?;
    let before = head(&cli)?;
    let dry = cli.json(&["backup", "restore", text(&file), "--dry-run"])?;
    assert_eq!(section(&dry, "users")["created"], 1);
    assert_eq!(section(&dry, "users")["deleted"], 1);
    assert_eq!(head(&cli)?, before, "a dry run changes nothing");

    let restored = cli.json(&["backup", "restore", text(&file), "--yes"])?;
    assert_eq!(section(&restored, "usage_records")["created"], 2);
    assert_eq!(state(&cli)?, state(&old.cli(0))?);
    assert_eq!(totals(&cli)?, totals(&old.cli(0))?);
    new.synced().await?;
    let answer = new.messages(0, &key, &anthropic_body("hello", false)).await?;
    assert_eq!(answer.status(), 200, "{}", answer.text().await?);
    new.ledger(3).await?;

    let lived_on = totals(&cli)?;
    let again = cli.json(&["backup", "restore", text(&file), "--yes"])?;
    for name in ["users", "keys", "providers", "prices", "import_suffixes"] {
        let section = section(&again, name);
        assert_eq!(section["unchanged"], section["rows"], "{name}");
    }
    assert_eq!(section(&again, "usage_records")["unchanged"], 2);
    assert_eq!(section(&again, "spend_totals")["created"], 0);
    assert_eq!(totals(&cli)?, lived_on, "nothing is counted twice");
    Ok(())
}

#[tokio::test]
async fn g05_an_encrypted_backup_moves_to_another_machine_with_another_master_key() -> Result<()> {
    let (old, key) = lived_in().await?;
    let encrypted = create(&old.cli(0), old.folder.path(), "encrypted", &["--include-usage"])?;
    let standard = create(&old.cli(0), old.folder.path(), "standard", &[])?;
    let packed = std::fs::read(&encrypted)?;
    assert!(packed.starts_with(b"age-encryption.org/v1"));

    // SQLite, and a master key of its own.
    let up = Up::start(&[]).await?;
    let cli = up.cli();
    let refused = cli.fails(&["backup", "restore", text(&standard), "--yes"])?;
    assert!(
        refused.stderr.contains("another master key"),
        "{}",
        refused.stderr
    );
    let args = [
        "backup",
        "restore",
        text(&encrypted),
        "--yes",
        "--passphrase",
        "-",
    ];
    let wrong = cli.run_with(&args, "another passphrase").unwrap_err().to_string();
    assert!(wrong.contains("not the passphrase"), "{wrong}");
    cli.run_with(&args, PASSPHRASE)?;
    assert_eq!(state(&cli)?, state(&old.cli(0))?);
    assert_eq!(totals(&cli)?, totals(&old.cli(0))?);
    let url = format!("{}/v1/messages", up.traffic);
    let body = anthropic_body("hello", false);
    until("the restored key is let in", || async {
        let answer = old
            .http
            .post(&url)
            .header("x-api-key", &key)
            .json(&body)
            .send()
            .await?;
        Ok((answer.status() == 200).then_some(()))
    })
    .await
}

#[tokio::test]
async fn g05_accounts_webhooks_and_logs_come_back_beside_what_is_there() -> Result<()> {
    let (old, key) = lived_in().await?;
    let token = old.operator("acme-otto", "operator", &[])?;
    let body = anthropic_body("[[fake status=400 type=invalid_request_error message=no]]", false);
    assert_eq!(old.messages(0, &key, &body).await?.status(), 400);
    let failed = until("the failure log has the call", || async {
        let found = old.cli(0).json(&["logs", "--status", "4xx"])?;
        let call = found["items"][0].clone();
        // Of the ledger and of the failure log, which come one after the other.
        let whole = call["outcome"].is_string() && call["error_type"].is_string();
        Ok(whole.then_some(call))
    })
    .await?;
    let file = create(&old.cli(0), old.folder.path(), "standard", &["--include-usage"])?;
    let restore = ["backup", "restore", text(&file), "--yes"];

    let new = Stack::builder().data_planes(0).start().await?;
    let cli = new.cli(0);
    new.operator("acme-olga", "viewer", &[])?;
    let dry = cli.json(&["backup", "restore", text(&file), "--dry-run"])?;
    assert_eq!(section(&dry, "operators")["created"], 1);
    assert_eq!(section(&dry, "webhooks")["created"], 1);
    let said = dry["remarks"].to_string();
    assert!(said.contains("acme-otto") && said.contains("acme-olga"), "{said}");
    new.cli_as(0, &token).fails(&["user", "list"])?;

    let restored = cli.json(&restore)?;
    assert_eq!(section(&restored, "operators")["created"], 1, "{restored}");
    new.cli_as(0, &token).run(&["user", "list"])?;
    assert_eq!(cli.json(&["operator", "show", "acme-olga"])?["role"], "viewer");
    let hooks = ["webhook", "list"];
    assert_eq!(cli.json(&hooks)?, old.cli(0).json(&hooks)?);
    let found = cli.json(&["logs", "--status", "4xx"])?;
    assert_eq!(found["items"][0], failed);
    let audited = cli.json(&["audit", "list", "--action", "CreateKey"])?.to_string();
    assert!(audited.contains("acme-laptop"), "{audited}");

    // What was changed since then stays.
    cli.run(&["operator", "rotate", "acme-otto"])?;
    let again = cli.json(&restore)?;
    for name in ["webhooks", "audit_log", "failed_calls", "notifications"] {
        assert_eq!(
            section(&again, name)["created"].as_u64().unwrap_or(0),
            0,
            "{name}"
        );
    }
    assert_eq!(section(&again, "operators")["unchanged"], 1, "{again}");
    new.cli_as(0, &token).fails(&["user", "list"])?;
    Ok(())
}

#[tokio::test]
async fn g05_a_broken_file_changes_nothing() -> Result<()> {
    let (stack, _) = lived_in().await?;
    let cli = stack.cli(0);
    let file = create(&cli, stack.folder.path(), "standard", &["--include-usage"])?;
    let whole = std::fs::read(&file)?;
    cli.run(&["user", "create", "--name", "made-since"])?;
    let (before, listed) = (head(&cli)?, state(&cli)?);
    let broken = stack.folder.path().join("broken");
    let lines = zstd::decode_all(whole.as_slice())?;
    let at = lines
        .windows(8)
        .position(|window| window == b"acme-ann")
        .context("the name")?;
    let mut changed = lines.clone();
    changed[at] = b'A';
    for (what, bytes) in [
        ("cut off", whole[..whole.len() - 20].to_vec()),
        ("half", whole[..whole.len() / 2].to_vec()),
        ("nothing", Vec::new()),
        ("a changed line", changed),
        ("cut off between lines", lines[..lines.len() - 90].to_vec()),
        ("something else", b"{\"users\": []}\n".to_vec()),
    ] {
        std::fs::write(&broken, bytes)?;
        let refused = cli.fails(&["backup", "restore", text(&broken), "--yes"])?;
        assert_eq!(refused.code, Some(1), "{what}: {}", refused.stderr);
        assert_eq!(head(&cli)?, before, "{what}");
    }
    assert_eq!(state(&cli)?, listed);
    Ok(())
}

#[tokio::test]
async fn g05_a_sanitised_backup_holds_no_secret_and_no_name() -> Result<()> {
    let (stack, key) = lived_in().await?;
    let cli = stack.cli(0);
    let file = create(&cli, stack.folder.path(), "sanitised", &["--include-usage"])?;
    let lines = String::from_utf8(zstd::decode_all(std::fs::read(&file)?.as_slice())?)?;
    let mut forbidden = vec![
        "acme".to_owned(),
        CREDENTIAL.to_owned(),
        key,
        "ciphertext".to_owned(),
    ];
    forbidden.push(stack.fake.base_url().trim_start_matches("http://").to_owned());
    for of in ["provider", "user", "key"] {
        let listed = cli.json(&[of, "list"])?;
        for item in listed["items"].as_array().context("a list")? {
            forbidden.push(item["id"].as_str().context("an id")?.to_owned());
        }
    }
    for text in forbidden {
        let shown: String = lines.lines().filter(|line| line.contains(&text)).collect();
        // Prices are called after models, which say nothing about anybody.
        let shown = shown.replace("acme-model", "");
        assert!(!shown.contains(&text), "{text}: {shown}");
    }
    let refused = cli.fails(&["backup", "restore", text(&file), "--yes"])?;
    assert!(refused.stderr.contains("sanitised"), "{}", refused.stderr);
    Ok(())
}

#[tokio::test]
async fn g05_secrets_in_plain_text_are_asked_for_twice_and_logged() -> Result<()> {
    let (stack, _) = lived_in().await?;
    let cli = stack.cli(0);
    let file = stack.folder.path().join("asked");
    let refused = cli.fails(&["backup", "create", text(&file), "--kind", "with-secrets"])?;
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("--yes-i-know"), "{}", refused.stderr);
    assert!(!file.exists());
    let file = create(
        &cli,
        stack.folder.path(),
        "with-secrets",
        &["--yes-i-know", "--reason", "moving"],
    )?;
    let lines = String::from_utf8(zstd::decode_all(std::fs::read(&file)?.as_slice())?)?;
    for secret in [
        CREDENTIAL,
        "acme-relay-pepper",
        "acme-hidden-path",
        "acme-hook-signs",
    ] {
        assert!(lines.contains(secret), "{secret}");
    }
    let control = &stack.control[0];
    control.tells("a backup with all secrets is being made").await?;
    control.tells("moving").await?;
    assert!(!control.log().contains(CREDENTIAL));
    Ok(())
}
