//! `docs/troubleshooting.md`: every command in it, as it stands there, against a running `penstock up --demo`.
//!
//! A command ends with exit code 0; one whose line ends with `# exit code N`, with N.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use penstock_tests::{anthropic_body, binary, client, until};

use super::up_runs_all_on_one_machine::{Up, paste_curl};

/// What the page is about.
const SUBJECTS: [&str; 16] = [
    "Deployment",
    "Sign-in",
    "Keys",
    "Providers",
    "Breakers",
    "Proxies",
    "Limits",
    "Latency",
    "Streams that stall",
    "Memory and disk",
    "OAuth",
    "Prices",
    "Sessions",
    "Webhooks",
    "Emergencies",
    "Asking for help",
];

fn commands(page: &str) -> Vec<(String, i32)> {
    let blocks = page.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    lines
        .map(|line| match line.split_once("# exit code ") {
            Some((command, code)) => (command.trim().to_owned(), code.trim().parse().unwrap_or(-1)),
            None => (line.trim().to_owned(), 0),
        })
        .collect()
}

/// The id of a call that failed, in the log, and the model that the demo's curl asks for.
async fn prepare(up: &Up) -> Result<(String, String, String)> {
    let cli = up.cli();
    until("the demo's curl is answered", || async {
        Ok(paste_curl(&up.printed(), up.folder.path()).ok())
    })
    .await?;
    let secret = cli.run(&["key", "create", "--user", "demo", "--name", "second"])?;
    let secret = secret.trim().to_owned();
    let answer = until("a call fails", || async {
        let answer = client()
            .post(format!("{}/v1/messages", up.traffic))
            .header("x-api-key", &secret)
            .json(&anthropic_body("[[fake status=500 type=api_error]]", false))
            .send()
            .await?;
        Ok((answer.status() == 500).then_some(answer))
    })
    .await?;
    let id = answer
        .headers()
        .get("x-penstock-request-id")
        .context("an id")?
        .to_str()?
        .to_owned();
    until("the failed call is in the log", || async {
        let shown = cli.run(&["logs", "show", &id]).is_ok();
        Ok((shown && cli.run(&["explain", &id]).is_ok()).then_some(()))
    })
    .await?;
    Ok((id, secret, "claude-opus-4-8".to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g06_every_command_of_the_troubleshooting_page_runs() -> Result<()> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/troubleshooting.md"))?;
    for subject in SUBJECTS {
        ensure!(
            page.contains(&format!("\n## {subject}\n")),
            "nothing is said of {subject}"
        );
    }
    let up = Up::start(&["--demo"]).await?;
    let (id, secret, model) = prepare(&up).await?;
    let programs = binary("penstock")?;
    let path = format!(
        "{}:{}",
        programs.parent().context("a folder")?.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for (line, code) in commands(&page) {
        ensure!(line.contains("penstock "), "{line:?} is not a command of ours");
        let home = up.folder.path();
        let output = Command::new("sh")
            .args(["-c", &line])
            .env_clear()
            .env("PATH", &path)
            .env("HOME", home)
            .env("ID", &id)
            .env("SECRET", &secret)
            .env("MODEL", &model)
            .env("PENSTOCK_DATABASE_URL", database(home)?)
            .current_dir(home)
            .output()?;
        ran += 1;
        if output.status.code() != Some(code) {
            let said = [output.stdout, output.stderr].concat();
            wrong.push(format!(
                "{line}\n  {:?}: {}",
                output.status.code(),
                String::from_utf8_lossy(&said)
            ));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(ran > 60, "only {ran} commands were found");
    Ok(())
}

/// The demo's, wherever below its home.
fn database(home: &std::path::Path) -> Result<String> {
    let data = home.join(".local/share/penstock/demo/penstock.db");
    ensure!(data.exists(), "no database at {}", data.display());
    Ok(format!("sqlite://{}", data.display()))
}
