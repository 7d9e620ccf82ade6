//! G14 and G6: a failed call is found with all that is known of it, live and later, also when its control plane was away;
//! levels change at run time, files hold one target a day, HTTP debug shows one key's traffic.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use penstock_tests::{ADMIN_TOKEN, Cli, Database, Stack, anthropic_body, binary, until};
use reqwest::Response;
use serde_json::Value;

fn id_of(answer: &Response) -> Result<String> {
    let id = answer.headers().get("x-penstock-request-id");
    Ok(id.context("each answer carries its id")?.to_str()?.to_owned())
}

async fn call(stack: &Stack, key: &str, text: &str) -> Result<String> {
    let answer = stack.messages(0, key, &anthropic_body(text, false)).await?;
    let id = id_of(&answer)?;
    answer.bytes().await?;
    Ok(id)
}

fn items(cli: &Cli, flags: &[&str]) -> Result<Vec<Value>> {
    let mut args = vec!["logs"];
    args.extend(flags);
    let found = cli.json(&args)?;
    Ok(found["items"].as_array().context("items")?.clone())
}

fn ids(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .filter_map(|item| item["request_id"].as_str())
        .collect()
}

/// Once all records have arrived.
async fn logged(cli: &Cli, calls: usize) -> Result<Vec<Value>> {
    until(&format!("the log has {calls} calls"), || async {
        let found = items(cli, &[])?;
        let told = found
            .iter()
            .filter(|call| call["status"] != 200)
            .all(|call| call["error_type"].is_string());
        Ok((found.len() == calls && told).then_some(found))
    })
    .await
}

async fn searched(stack: &Stack) -> Result<()> {
    let key = stack.prepare()?;
    let other = stack.create_key("alice", "other")?;
    stack.synced().await?;
    let cli = stack.cli(0);
    let good = call(stack, &key, "hello").await?;
    let bad = call(
        stack,
        &other,
        "[[fake status=500 type=api_error message='something 50%_broke']]",
    )
    .await?;
    let mut unknown = anthropic_body("hello", false);
    unknown.as_object_mut().context("an object")?.remove("model");
    let unknown = id_of(&stack.messages(0, &key, &unknown).await?)?;
    // Ids of one millisecond have no order.
    tokio::time::sleep(Duration::from_millis(5)).await;
    // Makes no record in the ledger.
    let list = stack
        .http
        .get(format!("{}/v1/models/no-such-model", stack.data[0].url));
    let listed = id_of(
        &list
            .header("x-api-key", &key)
            .header("anthropic-version", "2023-06-01")
            .send()
            .await?,
    )?;

    let all = logged(&cli, 4).await?;
    let model = all[3]["model"].as_str().context("a model")?;
    assert_eq!(ids(&all), [&listed, &unknown, &bad, &good], "newest first");
    let failed = &all[2];
    assert_eq!(
        (&failed["status"], &failed["error_type"]),
        (&500.into(), &"api_error".into())
    );
    assert_eq!(
        (&failed["user"], &failed["key"]),
        (&"alice".into(), &"alice/other".into())
    );
    assert_eq!(
        (&failed["provider"], &failed["attempts"]),
        (&"claude".into(), &2.into())
    );
    assert_eq!(failed["provider_chain"], "claude:500 > claude:500");
    assert_eq!(
        (&all[0]["outcome"], &all[0]["status"]),
        (&Value::Null, &404.into())
    );
    assert_eq!(
        (&all[3]["outcome"], &all[3]["error_type"]),
        (&"succeeded".into(), &Value::Null)
    );

    for (flags, expected) in [
        (&["--status", "5xx"][..], vec![&bad]),
        (&["--status", "404"], vec![&listed]),
        (&["--status", "4xx"], vec![&listed, &unknown]),
        (&["--key", "alice/other"], vec![&bad]),
        (&["--user", "alice", "--status", "200"], vec![&good]),
        (&["--provider", "claude"], vec![&bad, &good]),
        (&["--model", model], vec![&bad, &good]),
        (&["--error-type", "api_error"], vec![&bad]),
        (&["--error-class", "provider_error"], vec![&bad]),
        (&["--grep", "50%_BROKE"], vec![&bad]),
        (&["--grep", &good], vec![&good]),
        (&["--grep", "nowhere"], vec![]),
        (&["--failed"], vec![&listed, &unknown, &bad]),
        (&["--failed", "--limit", "1"], vec![&listed]),
        (&["--slower-than", "1h"], vec![]),
        (&["--since", "1h", "--until", "30m"], vec![]),
    ] {
        assert_eq!(ids(&items(&cli, flags)?), expected, "{flags:?}");
    }
    let wrong = cli.fails(&["logs", "--status", "9xx"])?;
    ensure!(wrong.stderr.contains("write 429 or 5xx"), "{wrong}");

    let shown = cli.json(&["logs", "show", &bad])?;
    let [attempt, own] = &shown["items"].as_array().context("items")?[..] else {
        anyhow::bail!("{shown}")
    };
    assert_eq!((&attempt["final"], &own["final"]), (&false.into(), &true.into()));
    assert_eq!(
        (&own["level"], &own["msg"]),
        (&"error".into(), &"call upstream_error".into())
    );
    assert_eq!(own["retry_reason"], "5xx_server_error");
    assert_eq!(own["request_attempts_log"].as_array().map(Vec::len), Some(2));
    let printed = cli.run(&["logs", "show", &bad])?;
    for part in [
        "something 50%_broke",
        "attempt 1 that failed before",
        "claude:500 > claude:500",
    ] {
        ensure!(printed.contains(part), "{part}: {printed}");
    }
    let none = cli.fails(&["logs", "show", &good])?;
    ensure!(
        none.stderr.contains("does not exist") || none.stderr.contains("failure record"),
        "{none}"
    );
    Ok(())
}

#[tokio::test]
async fn g06_the_log_is_searched_on_postgres() -> Result<()> {
    searched(&Stack::builder().start().await?).await
}

#[tokio::test]
async fn g06_the_log_is_searched_on_sqlite() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("penstock.db").display());
    searched(&Stack::builder().database(&url).start().await?).await
}

/// `penstock logs -f`, with what it prints in files.
struct Follower {
    child: std::process::Child,
    out: std::path::PathBuf,
    err: std::path::PathBuf,
}

impl Follower {
    fn start(stack: &Stack, token: &str, flags: &[&str]) -> Result<Self> {
        let (out, err) = (
            stack.folder.path().join("follow.out"),
            stack.folder.path().join("follow.err"),
        );
        let child = Command::new(binary("penstock")?)
            .args(["logs", "-f", "-o", "json"])
            .args(flags)
            .env("PENSTOCK_SERVER", &stack.control[0].url)
            .env("PENSTOCK_TOKEN", token)
            .env("HOME", stack.folder.path())
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&out)?)
            .stderr(std::fs::File::create(&err)?)
            .spawn()?;
        Ok(Self { child, out, err })
    }

    fn ids(&self) -> Result<Vec<String>> {
        let text = std::fs::read_to_string(&self.out)?;
        let ids = text.lines().filter_map(|line| {
            let call: Value = serde_json::from_str(line).ok()?;
            call["request_id"].as_str().map(str::to_owned)
        });
        Ok(ids.collect())
    }

    async fn has(&self, id: &str) -> Result<()> {
        until(&format!("the follower prints {id}"), || async {
            Ok(self.ids()?.iter().any(|printed| printed == id).then_some(()))
        })
        .await
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test]
async fn g06_the_log_is_followed_through_a_restart_of_the_control_plane_and_failures_wait_for_it()
-> Result<()> {
    let mut stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    let follower = Follower::start(&stack, ADMIN_TOKEN, &["--status", "5xx", "--since", "30s"])?;
    let first = call(&stack, &key, "[[fake status=500]]").await?;
    follower.has(&first).await?;

    stack.control[0].terminate().await?;
    until("the follower notices", || async {
        let said = std::fs::read_to_string(&follower.err)?;
        Ok(said.contains("the control plane went away").then_some(()))
    })
    .await?;
    let meanwhile = call(&stack, &key, "[[fake status=500 message=meanwhile]]").await?;
    let http = stack.http.clone();
    stack.control[0].start(&http).await?;
    until("the failure arrives", || async {
        Ok(stack.cli(0).json(&["logs", "show", &meanwhile]).ok())
    })
    .await?;
    follower.has(&meanwhile).await?;
    let good = call(&stack, &key, "hello").await?;
    let last = call(&stack, &key, "[[fake status=500]]").await?;
    follower.has(&last).await?;
    let printed = follower.ids()?;
    assert_eq!(
        printed.iter().filter(|id| **id == first).count(),
        1,
        "{printed:?}"
    );
    ensure!(!printed.contains(&good), "the filter holds");
    Ok(())
}

#[tokio::test]
async fn g09_who_follows_the_log_is_sent_away_when_its_access_ends() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    let cli = stack.cli(0);
    let token = cli.run(&["operator", "create", "--name", "ann", "--role", "viewer"])?;
    let mut follower = Follower::start(&stack, token.trim(), &["--since", "1h"])?;
    let seen = call(&stack, &key, "hello").await?;
    follower.has(&seen).await?;
    cli.run(&["operator", "update", "ann", "--enabled", "false"])?;
    let ended = until("the follower ends", || {
        let ended = follower.child.try_wait();
        async move { Ok(ended?) }
    })
    .await?;
    assert!(!ended.success());
    let said = std::fs::read_to_string(&follower.err)?;
    ensure!(said.contains("refused the token"), "{said}");
    Ok(())
}

#[tokio::test]
async fn g14_levels_change_at_run_time_and_each_target_has_its_file() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (control, data) = (folder.path().join("control"), folder.path().join("data"));
    let flag = |path: &std::path::Path| format!("--log-dir={}", path.display());
    let stack = Stack::builder()
        .control_plane_flags(&[&flag(&control)])
        .data_plane_flag(&flag(&data))
        .start()
        .await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    let text = |directory: &std::path::Path, name: &str| -> Result<String> {
        let mut text = String::new();
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path
                .file_name()
                .is_some_and(|file| file.to_string_lossy().starts_with(&format!("{name}.")))
            {
                text += &std::fs::read_to_string(path)?;
            }
        }
        Ok(text)
    };
    let failed = call(&stack, &key, "[[fake status=500]]").await?;
    let good = call(&stack, &key, "hello").await?;
    until("each call is in its files", || async {
        let (calls, failures) = (text(&data, "call")?, text(&data, "failure")?);
        let right = calls.contains(&failed) && calls.contains(&good) && failures.contains(&failed);
        Ok((right && !failures.contains(&good)).then_some(()))
    })
    .await?;
    ensure!(
        !text(&data, "penstock")?.contains(&good)
            && text(&control, "penstock")?.contains("\"level\":\"info\"")
    );

    let cli = stack.cli(0);
    cli.run(&[
        "setting",
        "set",
        "logging",
        "--level",
        "debug",
        "--targets",
        "penstock::call=warn",
    ])?;
    stack.synced().await?;
    let quiet = call(&stack, &key, "hello").await?;
    let loud = call(&stack, &key, "[[fake status=400]]").await?;
    until(
        "warnings are still written, and both planes say debug",
        || async {
            let debug = [&control, &data].into_iter().all(|directory| {
                text(directory, "penstock").is_ok_and(|text| text.contains("\"level\":\"debug\""))
            });
            Ok((text(&data, "call")?.contains(&loud) && debug).then_some(()))
        },
    )
    .await?;
    ensure!(
        !text(&data, "call")?.contains(&quiet),
        "penstock::call is at warn"
    );
    cli.run(&["setting", "reset", "logging"])?;
    stack.synced().await?;
    let again = call(&stack, &key, "hello").await?;
    until("back at info", || async {
        Ok(text(&data, "call")?.contains(&again).then_some(()))
    })
    .await?;
    let health: Value = stack
        .http
        .get(format!("{}/health", stack.data[0].admin_url))
        .send()
        .await?
        .json()
        .await?;
    assert_eq!(health["log"]["dropped_lines"], 0, "{health}");
    Ok(())
}

#[tokio::test]
async fn g14_http_debug_shows_one_keys_traffic_for_a_while_and_bodies_only_when_asked() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    let other = stack.create_key("alice", "other")?;
    let cli = stack.cli(0);
    let wrong = cli.fails(&["debug", "http", "--for", "1m"])?;
    assert_eq!(wrong.code, Some(2));
    cli.run(&["debug", "http", "--key", "alice/laptop", "--for", "10m"])?;
    stack.synced().await?;
    let bodies = stack.folder.path().join("data-plane-0/http-debug/bodies.jsonl");
    let shown = call(&stack, &key, "a text of the body").await?;
    let hidden = call(&stack, &other, "hello").await?;
    let lines = || {
        let log = stack.data[0].log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["target"] == "penstock::http_debug")
            .collect::<Vec<_>>()
    };
    let of_call = until("four lines", || async {
        let lines = lines();
        Ok((lines.len() >= 4).then_some(lines))
    })
    .await?;
    assert_eq!(of_call.len(), 4, "{of_call:#?}");
    for line in &of_call {
        assert_eq!(line["request_id"], shown.as_str());
        ensure!(line["headers"].is_object(), "{line}");
    }
    assert_eq!(of_call[0]["headers"]["x-api-key"], "***");
    assert_eq!(of_call[1]["headers"]["x-api-key"], "***");
    ensure!(!stack.data[0].log().contains("a text of the body") && !bodies.exists());

    let listed = cli.json(&["debug", "list"])?;
    assert_eq!(listed["items"][0]["key"], "alice/laptop");
    cli.run(&["debug", "http", "--provider", "claude", "--bodies"])?;
    stack.synced().await?;
    call(&stack, &other, "a text of the body").await?;
    let written = until("the bodies are written", || async {
        let text = std::fs::read_to_string(&bodies).unwrap_or_default();
        Ok((text.lines().count() >= 2).then_some(text))
    })
    .await?;
    ensure!(written.contains("a text of the body") && !written.contains(penstock_tests::CREDENTIAL));
    assert_eq!(std::fs::metadata(&bodies)?.permissions().mode() & 0o777, 0o600);

    cli.run(&["debug", "stop"])?;
    stack.synced().await?;
    let before = lines().len();
    call(&stack, &key, "hello").await?;
    stack.ledger(4).await?;
    assert_eq!(lines().len(), before);
    ensure!(!lines().iter().any(|line| line["request_id"] == hidden.as_str()));
    let direct = Database {
        url: stack.database_url.clone(),
    }
    .dump()?;
    ensure!(
        !direct.contains("a text of the body"),
        "no body is in the database"
    );
    Ok(())
}
