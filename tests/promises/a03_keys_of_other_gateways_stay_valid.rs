//! A3: what another gateway had is imported, and its keys go on working without any change at the callers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use penstock_tests::{Cli, Stack, anthropic_body};
use serde_json::Value;

const VARIABLE: &str = "made-up-encryption-key-32-chars!";

/// The made-up dump with the provider's address in its place.
fn dump(stack: &Stack, name: &str) -> Result<PathBuf> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let to = stack.folder.path().join(name);
    if from.is_dir() {
        std::fs::create_dir_all(&to)?;
        for entry in std::fs::read_dir(&from)? {
            let file = entry?.path();
            copy(stack, &file, &to.join(file.file_name().context("a name")?))?;
        }
    } else {
        std::fs::create_dir_all(to.parent().context("a folder")?)?;
        copy(stack, &from, &to)?;
    }
    Ok(to)
}

fn copy(stack: &Stack, from: &Path, to: &Path) -> Result<()> {
    let text = std::fs::read_to_string(from)?;
    std::fs::write(to, text.replace("PROVIDER_URL", &stack.fake.base_url()))?;
    Ok(())
}

fn relay_keys() -> Result<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/claude-relay-service/keys.json");
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

fn cli(stack: &Stack) -> Cli {
    let home = stack.folder.path().to_string_lossy().into_owned();
    Cli::new(&[
        ("PENSTOCK_SERVER", &stack.control[0].url),
        ("PENSTOCK_TOKEN", penstock_tests::ADMIN_TOKEN),
        ("HOME", &home),
        ("ENCRYPTION_KEY", VARIABLE),
    ])
}

fn head(cli: &Cli) -> Result<u64> {
    cli.json(&["status"])?["head"].as_u64().context("a revision")
}

/// How many items ended so.
fn count(imported: &Value, outcome: &str) -> usize {
    let items = imported["items"].as_array().into_iter().flatten();
    items.filter(|item| item["outcome"] == outcome).count()
}

async fn ask(stack: &Stack, key: &str, model: &str, user_agent: &str) -> Result<(u16, String)> {
    let mut body = anthropic_body("hello", false);
    body["model"] = model.into();
    let url = format!("{}/v1/messages", stack.data[0].url);
    let request = stack
        .http
        .post(url)
        .header("x-api-key", key)
        .header("user-agent", user_agent);
    let answer = request.json(&body).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

#[tokio::test]
async fn a03_keys_of_claude_code_hub_work_unchanged() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let cli = cli(&stack);
    let folder = dump(&stack, "claude-code-hub")?;
    let args = ["import", "claude-code-hub", folder.to_str().unwrap()];
    let before = head(&cli)?;
    let dry = cli.json(&[&args[..], &["--dry-run"]].concat())?;
    assert_eq!(count(&dry, "refused"), 0, "{dry}");
    assert_eq!(head(&cli)?, before, "a dry run makes nothing");
    let made = cli.json(&args)?;
    assert_eq!(count(&made, "created"), count(&dry, "created"));
    let revision = made["revision"].as_u64().context("a revision")?;
    assert_eq!(revision, before + 1, "one commit");
    stack.synced().await?;

    let model = "claude-sonnet-4-5";
    let (status, text) = ask(&stack, "sk-0123456789abcdef0123456789abcdef", model, "x").await?;
    assert_eq!(status, 200, "{text}");
    let (status, text) = ask(&stack, "cch_ffffffffffffffffffffffffffffffff", model, "x").await?;
    assert_eq!(status, 401);
    assert!(text.contains("Key is disabled"), "{text}");
    let zhang = "sk-zhang-0123456789abcdef01234567";
    assert_eq!(ask(&stack, zhang, model, "my-agent/1.0").await?.0, 200);
    assert_eq!(
        ask(&stack, zhang, model, "curl/8").await?.0,
        403,
        "another client"
    );
    assert_eq!(
        ask(&stack, zhang, "claude-opus-4-8", "my-agent/1.0").await?.0,
        403,
        "another model"
    );

    let again = cli.json(&args)?;
    assert_eq!(count(&again, "unchanged"), count(&made, "created"), "{again}");
    assert_eq!(again["revision"], revision);
    let same = dump(&stack, "claude-code-hub.json")?;
    let json = cli.json(&["import", "claude-code-hub", same.to_str().unwrap()])?;
    assert_eq!(count(&json, "unchanged"), count(&made, "created"), "{json}");
    Ok(())
}

#[tokio::test]
async fn a03_keys_of_claude_relay_service_work_unchanged() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let (cli, keys) = (cli(&stack), relay_keys()?);
    let key = |name: &str| keys[name].as_str().unwrap().to_owned();
    let file = dump(&stack, "claude-relay-service/export.json")?;
    let args = [
        "import",
        "claude-relay-service",
        file.to_str().unwrap(),
        "--encryption-key-env",
        "ENCRYPTION_KEY",
    ];
    let without = cli.fails(&args[..3])?;
    assert!(
        without.stderr.contains("--encryption-key-env"),
        "{}",
        without.stderr
    );
    let made = cli.json(&args)?;
    assert_eq!(count(&made, "refused"), 0, "{made}");
    assert!(made["notes"].to_string().contains("weeklyOpusCostLimit"));
    // It would be asked for real.
    cli.run(&["provider", "disable", "Setup-token"])?;
    stack.synced().await?;

    let model = "claude-sonnet-4-5";
    for name in ["shared", "bound", "plain"] {
        let (status, text) = ask(&stack, &key(name), model, "x").await?;
        assert_eq!(status, 200, "{name}: {text}");
        // Known by its plain hash from now on.
        assert_eq!(ask(&stack, &key(name), model, "x").await?.0, 200, "{name}, again");
    }
    assert_eq!(
        ask(&stack, &key("bound"), "claude-opus-4-1", "x").await?.0,
        403,
        "a blocked model"
    );
    assert_eq!(
        ask(&stack, &key("waiting"), model, "curl/8").await?.0,
        403,
        "not Claude Code"
    );
    assert_eq!(cli.json(&["key", "get", "bob/bound"])?["user"], "bob");

    let again = cli.json(&args)?;
    assert_eq!(count(&again, "created") + count(&again, "refused"), 0, "{again}");
    Ok(())
}

#[tokio::test]
async fn a03_the_redis_of_claude_relay_service_is_read_with_its_encrypted_secrets() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let (cli, keys) = (cli(&stack), relay_keys()?);
    let file = dump(&stack, "claude-relay-service/redis.jsonl")?;
    let args = [
        "import",
        "claude-relay-service",
        file.to_str().unwrap(),
        "--encryption-key-env",
        "ENCRYPTION_KEY",
    ];
    let made = cli.json(&args)?;
    assert_eq!(count(&made, "refused"), 0, "{made}");
    stack.synced().await?;
    let shared = keys["shared"].as_str().unwrap();
    let (status, text) = ask(&stack, shared, "claude-sonnet-4-5", "x").await?;
    assert_eq!(status, 200, "{text}");
    let log = stack.control[0].log();
    assert!(!log.contains(VARIABLE) && !log.contains(penstock_tests::CREDENTIAL));
    Ok(())
}
