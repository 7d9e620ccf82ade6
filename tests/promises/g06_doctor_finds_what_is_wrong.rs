//! `penstock doctor`, `diagnose` and `explain`: what is wrong is found and said with what to do.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use penstock_tests::{ADMIN_TOKEN, CREDENTIAL, Stack, anthropic_body, free_port, until};
use serde_json::Value;

fn found<'a>(told: &'a Value, check: &str, level: &str) -> Vec<&'a Value> {
    let items = told["items"].as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter(|it| it["check"] == check && it["level"] == level)
        .collect()
}

/// What it printed, and whether it ended well.
fn doctor(stack: &Stack) -> Result<(Value, bool)> {
    match stack.cli(0).run(&["doctor", "-o", "json"]) {
        Ok(text) => Ok((serde_json::from_str(&text)?, true)),
        Err(error) => {
            let failed: penstock_tests::CliError = error.downcast()?;
            ensure!(failed.code == Some(1), "{failed}");
            let told = serde_json::from_str(&failed.stdout).with_context(|| failed.to_string())?;
            Ok((told, false))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g06_doctor_says_that_all_is_well_and_then_what_is_not() -> Result<()> {
    let stack = Stack::builder().start().await?;
    stack.prepare()?;
    stack.synced().await?;
    let (told, well) = doctor(&stack)?;
    ensure!(well, "{told:#}");
    for check in [
        "database",
        "schema",
        "master key",
        "data planes",
        "redis",
        "tokens",
        "prices",
        "reach",
        "clock",
    ] {
        ensure!(!found(&told, check, "ok").is_empty(), "{check}: {told:#}");
    }
    // A provider at a port where nobody listens, and limits that are off.
    let nowhere = format!("http://127.0.0.1:{}", free_port()?);
    stack.provider("gone", "anthropic", &nowhere, &[])?;
    stack.cli(0).run(&["setting", "set", "limits", "--off"])?;
    stack.synced().await?;
    let (told, well) = doctor(&stack)?;
    ensure!(!well, "{told:#}");
    let reach = found(&told, "reach", "fail");
    ensure!(reach.len() == 1 && reach[0]["subject"] == "gone", "{told:#}");
    ensure!(
        reach[0]["fix"]
            .as_str()
            .is_some_and(|fix| fix.contains("penstock provider test gone")),
        "{told:#}"
    );
    ensure!(!found(&told, "settings", "warn").is_empty(), "{told:#}");
    // Nobody is connected to when that is not wanted.
    let offline = stack.cli(0).json(&["doctor", "--offline"])?;
    ensure!(found(&offline, "reach", "fail").is_empty(), "{offline:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g06_doctor_finds_that_nobody_serves() -> Result<()> {
    let mut stack = Stack::builder().start().await?;
    stack.prepare()?;
    stack.data[0].terminate().await?;
    until("the data plane is gone", || async {
        let (told, well) = doctor(&stack)?;
        Ok((!well && !found(&told, "data planes", "fail").is_empty()).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_a_support_bundle_holds_no_secret() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let secret = stack.prepare()?;
    // A failed call, and a key that somebody typed where it does not belong.
    let marked = "sk-ant-marked0123456789abcdef";
    stack
        .cli(0)
        .run(&["user", "create", "--name", "bob", "--reason", marked])?;
    stack.synced().await?;
    let text = format!("[[fake status=500 type=api_error message='broken, with {marked}']]");
    stack.messages(0, &secret, &anthropic_body(&text, false)).await?;
    until("the failure is in the log", || async {
        let calls = stack.cli(0).json(&["logs", "--failed"])?;
        Ok((calls["items"].as_array().map_or(0, Vec::len) > 0).then_some(()))
    })
    .await?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bundle.tar.gz");
    let path_text = path.to_string_lossy().into_owned();
    let manifest = stack.cli(0).json(&["diagnose", "-f", &path_text])?;
    ensure!(
        manifest["missing"].as_array().is_some_and(Vec::is_empty),
        "{manifest:#}"
    );
    let unpacked = Command::new("tar")
        .args(["xzf", &path_text, "-C"])
        .arg(folder.path())
        .status()?;
    ensure!(unpacked.success());
    let bundle = folder.path().join("penstock-diagnose");
    for file in [
        "manifest.json",
        "status.json",
        "doctor.json",
        "nodes.json",
        "failures.json",
        "configuration.yaml",
        "metrics.txt",
    ] {
        let text = std::fs::read_to_string(bundle.join(file)).context(file)?;
        ensure!(!text.trim().is_empty(), "{file} is empty");
    }
    let metrics = std::fs::read_to_string(bundle.join("metrics.txt"))?;
    let memory = metrics
        .lines()
        .find_map(|line| line.strip_prefix("penstock_control_memory_bytes "));
    ensure!(
        memory.is_some_and(|bytes| bytes != "0"),
        "as they are now: {memory:?}"
    );
    let found = std::fs::read_to_string(bundle.join("doctor.json"))?;
    ensure!(
        found.contains("differs from this machine"),
        "what the command line sees of clocks too: {found}"
    );
    for entry in std::fs::read_dir(&bundle)? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        for hidden in [secret.as_str(), ADMIN_TOKEN, CREDENTIAL, marked] {
            ensure!(!text.contains(hidden), "{} holds {hidden}", path.display());
        }
    }
    let failures = std::fs::read_to_string(bundle.join("failures.json"))?;
    ensure!(failures.contains("api_error"), "{failures}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g06_explain_needs_no_server() -> Result<()> {
    let cli = penstock_tests::Cli::new(&[("HOME", "/nonexistent")]);
    for asked in [
        "529",
        "NO_AVAILABLE_ACCOUNT",
        "Extra inputs are not permitted",
        "Migration failed",
    ] {
        let told = cli.json(&["explain", asked])?;
        let items = told["items"].as_array().context("items")?;
        ensure!(
            !items.is_empty() && items.iter().all(|it| it["cause"] != "" && it["fix"] != ""),
            "{told:#}"
        );
    }
    ensure!(
        cli.fails(&["explain", "NO_AVAILABLE_ACOUNT"])?
            .stderr
            .contains("NO_AVAILABLE_ACCOUNT")
    );
    Ok(())
}
