//! `penstock up`: both planes in one process, no Postgres, no Redis, no account.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use penstock_tests::{Cli, Process, binary, client, free_port, until};

pub(crate) struct Up {
    pub(crate) folder: tempfile::TempDir,
    process: Process,
    admin: String,
    pub(crate) traffic: String,
    flags: Vec<String>,
}

impl Up {
    pub(crate) async fn start(more: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut flags = Vec::new();
        let (traffic, admin) = (free_port()?, free_port()?);
        for (flag, port) in [
            ("--listen", traffic),
            ("--listen-admin", admin),
            ("--listen-grpc", free_port()?),
            ("--listen-console", free_port()?),
        ] {
            flags.extend([flag.to_owned(), format!("127.0.0.1:{port}")]);
        }
        flags.extend(more.iter().map(|flag| (*flag).to_owned()));
        let process = spawn(folder.path(), &flags)?;
        let mut up = Self {
            folder,
            process,
            admin: format!("http://127.0.0.1:{admin}"),
            traffic: format!("http://127.0.0.1:{traffic}"),
            flags,
        };
        up.live().await?;
        Ok(up)
    }

    async fn live(&mut self) -> Result<()> {
        let url = format!("{}/health/live", self.admin);
        self.process.ready(&client(), &url).await
    }

    async fn restart(&mut self) -> Result<()> {
        self.process.terminate().await?;
        self.process = spawn(self.folder.path(), &self.flags)?;
        self.live().await
    }

    /// Nothing but a home directory: the rest is in the context file.
    pub(crate) fn cli(&self) -> Cli {
        Cli::new(&[("HOME", &self.folder.path().to_string_lossy())])
    }

    /// Of the demo's user, which is made soon after the start.
    async fn demo_key(&self) -> Result<String> {
        let file = self.folder.path().join(".local/share/penstock/demo/demo.key");
        until("the demo is made", || async {
            let key = std::fs::read_to_string(&file).unwrap_or_default();
            Ok(key.ends_with('\n').then(|| key.trim().to_owned()))
        })
        .await
    }

    pub(crate) fn printed(&self) -> String {
        self.process.log()
    }
}

fn spawn(home: &Path, flags: &[String]) -> Result<Process> {
    let mut command = Command::new(binary("penstock")?);
    command
        .arg("up")
        .args(flags)
        .env_clear()
        .env("HOME", home)
        .current_dir(home);
    command.env("PATH", std::env::var("PATH").unwrap_or_default());
    Process::start("penstock up", &mut command, &home.join("up.log"))
}

/// Runs the first curl that was printed, as a user would paste it.
pub(crate) fn paste_curl(printed: &str, home: &Path) -> Result<String> {
    let mut command = String::new();
    for line in printed
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("curl "))
    {
        command.push_str(line.trim_end().trim_end_matches('\\'));
        if !line.trim_end().ends_with('\\') {
            break;
        }
    }
    anyhow::ensure!(!command.is_empty(), "no curl is printed: {printed}");
    let output = Command::new("sh")
        .args(["-c", &command])
        .env("HOME", home)
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn up_demo_prints_a_curl_that_is_answered_through_the_gateway_and_is_in_the_ledger() -> Result<()> {
    let up = Up::start(&["--demo"]).await?;
    let answer = until("a curl is printed", || async {
        Ok(paste_curl(&up.printed(), up.folder.path()).ok())
    })
    .await?;
    assert!(
        answer.contains("\"type\":\"message\"") || answer.contains("message_stop"),
        "{answer}"
    );
    let cli = up.cli();
    until("the call is in the ledger", || async {
        Ok((cli.json(&["usage"])?["requests"] == 1).then_some(()))
    })
    .await?;
    let status = cli.json(&["status"])?;
    assert_eq!(status["database"], "sqlite", "{status}");
    assert_eq!(
        cli.json(&["node", "list"])?["items"].as_array().map(Vec::len),
        Some(1)
    );
    Ok(())
}

#[tokio::test]
async fn b12_up_explains_its_calls_and_makes_dry_runs() -> Result<()> {
    let up = Up::start(&["--demo"]).await?;
    until("a curl is printed and answered", || async {
        Ok(paste_curl(&up.printed(), up.folder.path()).ok())
    })
    .await?;
    let cli = up.cli();
    let record = until("the call is in the ledger", || async {
        Ok(cli.json(&["usage", "records"])?["items"].get(0).cloned())
    })
    .await?;
    let (id, model) = (&record["id"], &record["model"]);
    let (id, model) = (id.as_str().context("id")?, model.as_str().context("model")?);
    let receipt = cli.json(&["explain", id])?;
    assert_eq!(receipt["attempts"][0]["status"], 200, "{receipt}");
    assert_eq!(receipt["cost"]["adds_up"], true, "{receipt}");
    let user = receipt["user"].as_str().context("user")?;
    let plan = cli.json(&["route", "--user", user, "--model", model])?;
    assert_eq!(plan["goes_to"][0]["provider"], receipt["provider"], "{plan}");
    Ok(())
}

#[tokio::test]
async fn the_readmes_curl_is_answered_by_the_demo() -> Result<()> {
    let up = Up::start(&["--demo"]).await?;
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"))?;
    let here = readme.replace("http://127.0.0.1:8080", &up.traffic);
    let answer = paste_curl(&here, up.folder.path())?;
    assert!(answer.contains("You said: Hello"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn up_keeps_its_state_over_a_restart_and_shows_the_admin_token_once() -> Result<()> {
    let mut up = Up::start(&["--demo"]).await?;
    let first = until("the banner is printed", || async {
        let printed = up.printed();
        Ok(printed.contains("\n  penstock ").then_some(printed))
    })
    .await?;
    up.restart().await?;
    let cli = up.cli();
    assert_eq!(
        cli.json(&["user", "list"])?["items"].as_array().map(Vec::len),
        Some(1)
    );
    let context = std::fs::read_to_string(up.folder.path().join(".config/penstock/context.json"))?;
    let context: serde_json::Value = serde_json::from_str(&context)?;
    let token = context["token"].as_str().context("the context has a token")?;
    assert_eq!(first.matches(token).count(), 1);
    assert_eq!(
        up.printed().matches(token).count(),
        1,
        "a later start does not print it again"
    );
    let answer = paste_curl(&first, up.folder.path())?;
    assert!(
        answer.contains("\"type\":\"message\"") || answer.contains("message_stop"),
        "the demo key still works: {answer}"
    );
    Ok(())
}

#[tokio::test]
async fn up_files_that_hold_secrets_are_for_their_owner_only() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let up = Up::start(&["--demo"]).await?;
    let mut found = 0;
    let home = up.folder.path();
    let listed = Command::new("find")
        .arg(home)
        .args([
            "-name",
            "*.key",
            "-o",
            "-name",
            "*token*",
            "-o",
            "-name",
            "context.json",
        ])
        .output()?;
    for path in String::from_utf8_lossy(&listed.stdout).lines() {
        let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{path}");
        found += 1;
    }
    assert!(found >= 2, "the master key and the context file");
    Ok(())
}

#[tokio::test]
async fn up_without_demo_says_how_to_make_the_first_provider_and_key() -> Result<()> {
    let up = Up::start(&[]).await?;
    let printed = until("the banner is printed", || async {
        let printed = up.printed();
        Ok(printed.contains("penstock provider create").then_some(printed))
    })
    .await?;
    for hint in [
        "penstock provider create",
        "penstock user create",
        "penstock key create",
    ] {
        assert!(printed.contains(hint), "{hint}: {printed}");
    }
    assert_eq!(
        up.cli().json(&["provider", "list"])?["items"]
            .as_array()
            .map(Vec::len),
        Some(0)
    );
    Ok(())
}

#[tokio::test]
async fn d06_up_counts_alone_and_knows_after_a_restart_or_a_kill_what_was_spent() -> Result<()> {
    let mut up = Up::start(&["--demo"]).await?;
    let key = up.demo_key().await?;
    let cli = up.cli();
    let user = cli.json(&["user", "list"])?["items"][0]["name"].clone();
    let user = user.as_str().context("the demo has a user")?.to_owned();
    cli.run(&[
        "user",
        "update",
        &user,
        "--usd-total",
        "0.1",
        "--budget",
        "strict",
    ])?;
    // What was spent is asked of the ledger, and no call waits for that for long: here one is refused instead.
    cli.run(&["setting", "set", "limits", "--degraded", "closed"])?;
    let call = async |up: &Up| {
        let url = format!("{}/v1/messages", up.traffic);
        let request = client().post(url).header("x-api-key", &key);
        let answer = request
            .json(&penstock_tests::anthropic_body("alone", false))
            .send()
            .await?;
        let status = answer.status().as_u16();
        answer.bytes().await?;
        anyhow::Ok(status)
    };
    until("the limit is in force", || async {
        call(&up).await?;
        Ok(cli.json(&["limits", "show", "--user", &user])?["items"]
            .get(0)
            .is_some()
            .then_some(()))
    })
    .await?;
    let refuses = async |up: &Up| {
        let refused = || async {
            match call(up).await {
                Ok(429) => Ok(Some(())),
                Ok(503) | Err(_) => Ok(None),
                Ok(other) => anyhow::bail!("{other}, where nothing is left"),
            }
        };
        until("it refuses", refused).await
    };
    let used = |up: &Up| {
        let shown = up.cli().json(&["limits", "show", "--user", &user])?;
        anyhow::ensure!(shown["enforcement"] == "alone", "{shown}");
        anyhow::Ok(shown["items"][0]["used_nanousd"].as_i64().context("used")?)
    };
    let before = loop {
        // What is held for the call before would refuse this one.
        let settled = until("nothing is held", || async {
            let shown = up.cli().json(&["limits", "show", "--user", &user])?;
            Ok((shown["items"][0]["reserved_nanousd"] == 0).then_some(()))
        });
        settled.await?;
        match call(&up).await? {
            200 | 503 => {}
            429 => break used(&up)?,
            other => anyhow::bail!("{other}, where the budget has room or has none"),
        }
    };
    assert!(before > 0);
    up.restart().await?;
    refuses(&up).await?;
    assert_eq!(used(&up)?, before);
    up.process.kill()?;
    up.process = spawn(up.folder.path(), &up.flags)?;
    up.live().await?;
    refuses(&up).await?;
    assert_eq!(used(&up)?, before);
    cli.run(&["limits", "reset", "--user", &user])?;
    until("it is reset", || async {
        Ok(matches!(call(&up).await, Ok(200)).then_some(()))
    })
    .await
}

#[tokio::test]
async fn f01_the_master_key_of_up_is_replaced_and_calls_go_on() -> Result<()> {
    let mut up = Up::start(&["--demo"]).await?;
    let home = up.folder.path().join(".local/share/penstock/demo");
    let key = up.demo_key().await?;
    let answered = async |up: &Up| {
        let url = format!("{}/v1/messages", up.traffic);
        until("a call is answered", || async {
            let request = client().post(&url).header("x-api-key", &key);
            let body = penstock_tests::anthropic_body("hello", false);
            let answer = request.json(&body).send().await?;
            Ok((answer.status() == 200).then_some(()))
        })
        .await
    };
    answered(&up).await?;
    // The demo gives its own provider a credential at each start.
    let kept = [
        "provider",
        "create",
        "--name",
        "kept",
        "--kind",
        "anthropic",
        "--api-key",
        "-",
    ];
    up.cli().run_with(&kept, "sk-kept-0123456789")?;
    up.cli().run(&["provider", "disable", "kept"])?;
    let old = home.join("old.key");
    std::fs::rename(home.join("master.key"), &old)?;
    std::fs::write(home.join("master.key"), hex::encode(rand::random::<[u8; 32]>()))?;
    let flags = up.flags.len();
    up.flags.extend([
        "--other-master-key-file".to_owned(),
        old.to_string_lossy().into_owned(),
    ]);
    up.restart().await?;
    answered(&up).await?;
    let rotated = up.cli().json(&["master-key", "rotate"])?;
    assert_eq!(rotated["resealed"], 1, "{rotated}");
    up.flags.truncate(flags);
    std::fs::remove_file(old)?;
    up.restart().await?;
    answered(&up).await?;
    let shown = up.cli().json(&["master-key", "show"])?;
    let sealed = shown["sealed"].as_array().context("a list")?;
    assert!(
        sealed.iter().all(|key| key["key_id"] == shown["key_id"]),
        "{shown}"
    );
    Ok(())
}
