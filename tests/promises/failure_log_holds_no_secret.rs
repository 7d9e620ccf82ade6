//! S10 and failure-log.md: marked secrets through every path (headers, query, bodies, tools, cookies, URLs, proxies,
//! errors that repeat them, refreshes that fail), and none of them in any log, metric, trace, row, export, backup, bundle or answer to operators.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use penstock_fake_provider::authorization::CLIENT_SECRET;
use penstock_fake_provider::{AuthorizationServer, FakeProvider};
use penstock_tests::{CREDENTIAL, Collector, Database, Login, Proxy, Stack, anthropic_body, until};
use serde_json::{Value, json};

use crate::f03_tokens_are_refreshed_once::log_in;

const PROXY_LOGIN: Login<'_> = Some(("relay-user", "marked-proxy-password-7Kq2"));
const PROXY_PASSWORD: &str = "marked-proxy-password-7Kq2";
const CONTENT: &str = "marked-content-of-a-message-8Zw1";
const SCHEMA: &str = "marked-schema-of-a-tool-3Yt5";
const COOKIE: &str = "marked-cookie-4Rp9";
const METADATA: &str = "marked-metadata-user-6Ln0";
const UNKNOWN_KEY: &str = "psk_marked_key_of_nobody_0123456789abcdefghij";
const HOOK: &str = "marked-webhook-9Vb3";
const USERINFO: &str = "marked-userinfo-2Hd8";

/// A body with a secret in every corner.
fn body(directive: &str, stream: bool) -> Value {
    let mut body = anthropic_body(&format!("{CONTENT} {directive}"), stream);
    body["system"] = format!("{CONTENT} system").into();
    body["metadata"] = json!({"user_id": METADATA});
    body["tools"] = json!([{"name": "get_weather", "description": SCHEMA,
        "input_schema": {"type": "object", "properties": {SCHEMA: {"type": "string", "description": SCHEMA}}}}]);
    body
}

/// Sends it, with the key in one of its places.
async fn send(stack: &Stack, key: &str, place: &str, body: &Value) -> Result<()> {
    let url = format!("{}/v1/messages", stack.data[0].url);
    let request = stack.http.post(match place {
        "query" => format!("{url}?key={key}"),
        _ => url,
    });
    let request = match place {
        "authorization" => request.bearer_auth(key),
        "x-api-key" | "x-goog-api-key" | "api-key" => request.header(place, key),
        _ => request,
    };
    let answer = request
        .header("cookie", format!("session={COOKIE}"))
        .header("proxy-authorization", format!("Basic {COOKIE}"))
        .header("x-my-token", COOKIE)
        .json(body)
        .send()
        .await?;
    // A stream may break on purpose.
    answer.bytes().await.ok();
    Ok(())
}

/// All that operators can see, and everything that is written.
async fn everything(stack: &Stack, failed: &[String]) -> Result<String> {
    let cli = stack.cli(0);
    let mut seen = String::new();
    for args in [
        &["logs", "--limit", "1000"][..],
        &["usage", "records", "--limit", "1000"],
        &["config", "history"],
        &["provider", "list"],
        &["key", "list"],
        &["debug", "list"],
        &["setting", "list"],
        &["oauth", "status"],
        &["node", "list"],
        &["status"],
        &["audit", "list", "--limit", "1000"],
        &["operator", "list"],
        &["webhook", "list"],
        &["alert", "list"],
        &["session", "list"],
    ] {
        seen += &cli.json(args)?.to_string();
        seen += &cli.run(args)?;
    }
    seen += &files(stack)?;
    for id in failed {
        if let Ok(records) = cli.json(&["logs", "show", id]) {
            seen += &records.to_string();
            seen += &cli.run(&["logs", "show", id])?;
        }
        if let Ok(receipt) = cli.json(&["explain", id]) {
            seen += &receipt.to_string();
        }
    }
    for node in stack.control.iter().chain(&stack.data) {
        seen += &node.log();
        for path in ["/metrics", "/health"] {
            seen += &stack
                .http
                .get(format!("{}{path}", node.admin_url))
                .send()
                .await?
                .text()
                .await?;
        }
    }
    seen += &Database {
        url: stack.database_url.clone(),
    }
    .dump()?;
    Ok(seen)
}

/// What leaves the installation as files: exports, backups, the bundle for support.
fn files(stack: &Stack) -> Result<String> {
    let (cli, folder) = (stack.cli(0), tempfile::tempdir()?);
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let mut seen = cli.run(&["export"])?;
    for format in ["csv", "jsonl"] {
        seen += &cli.run(&["usage", "export", "--format", format])?;
    }
    for kind in ["standard", "sanitised"] {
        let file = path(kind);
        cli.run(&["backup", "create", &file, "--kind", kind, "--include-usage"])?;
        let lines = zstd::decode_all(std::fs::File::open(&file)?)?;
        seen += &String::from_utf8(lines)?;
    }
    let bundle = path("bundle.tar.gz");
    cli.run(&["diagnose", "-f", &bundle])?;
    let unpacked = Command::new("tar").args(["xzOf", &bundle]).output()?;
    ensure!(unpacked.status.success(), "{unpacked:?}");
    Ok(seen + &String::from_utf8(unpacked.stdout)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failure_log_never_holds_a_secret_through_any_path() -> Result<()> {
    let server = AuthorizationServer::start().await?;
    let collector = Collector::start().await?;
    let oauth = FakeProvider::builder().accept_tokens_of(&server).start().await?;
    let trusted = server.address().to_string();
    let stack = Stack::builder()
        .control_plane_flags(&["--trusted-host", &trusted, "--log-level=debug"])
        .data_plane_flags(&[
            "--log-level=debug",
            "--otlp-sample=1",
            "--otlp-endpoint",
            &collector.url,
        ])
        .start()
        .await?;
    let (key, cli) = (stack.prepare()?, stack.cli(0));
    cli.run(&[
        "provider",
        "create",
        "--name",
        "oauth",
        "--kind",
        "anthropic",
        "--base-url",
        &oauth.base_url(),
        "--priority",
        "9",
    ])?;
    log_in(&stack.folder.path().join("secret"), &server, &cli, true).await?;
    let hook = format!("https://hooks.example.com/{HOOK}");
    cli.run_with(
        &[
            "webhook", "create", "--name", "ops", "--url", &hook, "--secret", "-",
        ],
        HOOK,
    )?;
    // Everything is shown that can be: the other targets at debug, and the headers of all traffic.
    cli.run(&["setting", "set", "logging", "--level", "debug"])?;
    cli.run(&["debug", "http", "--key", "alice/laptop"])?;
    stack.synced().await?;

    let repeats = format!("refused {CREDENTIAL} for {key} of ops@example.com");
    let mut calls = 0_u64;
    for place in ["x-api-key", "authorization", "x-goog-api-key", "api-key", "query"] {
        send(&stack, &key, place, &body("", false)).await?;
        send(&stack, &key, place, &body("[[fake status=400]]", false)).await?;
        send(&stack, UNKNOWN_KEY, place, &body("", false)).await?;
        calls += 2;
    }
    for stream in [false, true] {
        for directive in [
            format!("[[fake status=400 type=invalid_request_error message='{repeats}']]"),
            format!("[[fake status=500 message='{repeats}']]"),
            format!("[[fake status=401 message='{repeats}']]"),
            "[[fake html]]".to_owned(),
            "[[fake cut=3]]".to_owned(),
            format!("[[fake error=3 message='{repeats}']]"),
            "[[fake reset]]".to_owned(),
        ] {
            send(&stack, &key, "x-api-key", &body(&directive, stream)).await?;
            calls += 1;
            // What a refused credential or an open breaker set aside is there again for the next one.
            cli.run(&["breaker", "reset", "claude"])?;
            stack.synced().await?;
        }
    }
    let mut broken = body("", false);
    broken["model"] = "no-such-model".into();
    send(&stack, &key, "x-api-key", &broken).await?;
    calls += 1;

    // URLs with a user, proxies with a password: refused, or dead.
    let refused = cli.fails(&[
        "provider",
        "update",
        "claude",
        "--base-url",
        &format!("http://u:{USERINFO}@127.0.0.1:1"),
    ]);
    if let Ok(refused) = refused {
        ensure!(!refused.stderr.contains(USERINFO), "{refused}");
    }
    let file = stack.folder.path().join("password");
    std::fs::write(&file, PROXY_PASSWORD)?;
    let file = file.to_str().context("a path")?;
    let dead = format!("http://relay-user@127.0.0.1:{}", penstock_tests::free_port()?);
    cli.run(&[
        "provider",
        "update",
        "claude",
        "--proxy",
        &dead,
        "--proxy-password-file",
        file,
        "--keep-credential",
    ])?;
    stack.synced().await?;
    send(&stack, &key, "x-api-key", &body("", false)).await?;
    calls += 1;
    if let Some(proxy) = Proxy::http(stack.folder.path(), PROXY_LOGIN).await? {
        cli.run(&[
            "provider",
            "update",
            "claude",
            "--proxy",
            &format!("http://relay-user@127.0.0.1:{}", proxy.port()),
            "--proxy-password-file",
            file,
            "--keep-credential",
        ])?;
        stack.synced().await?;
        send(&stack, &key, "x-api-key", &body("[[fake status=400]]", true)).await?;
        calls += 1;
    }

    // A login that is revoked: the refresh fails, and the token is refused.
    cli.run(&["provider", "disable", "claude"])?;
    server.revoke_all();
    stack.synced().await?;
    send(&stack, &key, "x-api-key", &body("", false)).await?;
    calls += 1;
    stack.ledger(calls).await?;
    let failed = until("the failure records arrive", || async {
        let log = cli.json(&["logs", "--limit", "1000"])?;
        let calls = log["items"].as_array().context("items")?;
        let failed: Vec<&Value> = calls
            .iter()
            .filter(|call| call["outcome"] != "succeeded")
            .collect();
        let whole = failed.iter().all(|call| call["error_type"].is_string());
        let ids = failed
            .iter()
            .filter_map(|call| call["request_id"].as_str().map(str::to_owned));
        Ok((whole && failed.len() > 15).then(|| ids.collect::<Vec<_>>()))
    })
    .await?;
    let mut seen = everything(&stack, &failed).await?;
    let spans = collector.spans();
    ensure!(spans.len() > 15, "{} spans", spans.len());
    seen += &format!("{spans:?}");
    ensure!(
        seen.contains("penstock::failure")
            && seen.contains("penstock::http_debug")
            && seen.contains("get_weather")
    );
    let mut secrets = vec![
        CREDENTIAL.to_owned(),
        key,
        CLIENT_SECRET.to_owned(),
        PROXY_PASSWORD.to_owned(),
        CONTENT.to_owned(),
        SCHEMA.to_owned(),
        COOKIE.to_owned(),
        METADATA.to_owned(),
        UNKNOWN_KEY.to_owned(),
        USERINFO.to_owned(),
        HOOK.to_owned(),
        "ops@example.com".to_owned(),
    ];
    secrets.extend(server.secrets());
    for secret in &secrets {
        if let Some(at) = seen.find(secret.as_str()) {
            let from = seen.floor_char_boundary(at.saturating_sub(300));
            let to = seen.floor_char_boundary((at + 100).min(seen.len()));
            anyhow::bail!("{secret} was seen: …{}…", seen.get(from..to).unwrap_or_default());
        }
    }
    Ok(())
}
