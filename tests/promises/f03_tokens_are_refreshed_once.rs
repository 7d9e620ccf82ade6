//! F3 and F4: an OAuth provider for real (authorization code with PKCE, rotating refresh tokens, reuse noticed) behind
//! two control planes and three data planes. Never two refreshes at once, never a lost token, never a failed caller while
//! a refresh could help.
//!
//! `PENSTOCK_TEST_EXPIRIES` is how many tokens expire under load; a few by default.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use penstock_fake_provider::authorization::{CLIENT_ID, CLIENT_SECRET};
use penstock_fake_provider::{AuthorizationServer, FakeProvider};
use penstock_tests::{Cli, Proxy, Stack, anthropic_body, until};
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use serde_json::Value;
use tokio::time::Instant;

use crate::up_runs_all_on_one_machine::Up;

/// Calls that meet the same refused token at each data plane.
const AT_ONCE: usize = 4;

struct Bench {
    stack: Stack,
    server: AuthorizationServer,
    /// Accepts the server's tokens and nothing else.
    _provider: FakeProvider,
    key: String,
}

impl Bench {
    async fn start(control_planes: usize, data_planes: usize) -> Result<Self> {
        let server = AuthorizationServer::start().await?;
        let provider = FakeProvider::builder().accept_tokens_of(&server).start().await?;
        let trusted = server.address().to_string();
        let stack = Stack::builder()
            .control_planes(control_planes)
            .data_planes(data_planes)
            .control_plane_flags(&["--trusted-host", &trusted, "--log-level=debug"])
            .data_plane_flag("--log-level=debug")
            .start()
            .await?;
        let cli = stack.cli(0);
        let url = provider.base_url();
        cli.run(&[
            "provider",
            "create",
            "--name",
            "oauth",
            "--kind",
            "anthropic",
            "--base-url",
            &url,
        ])?;
        cli.run(&["user", "create", "--name", "alice"])?;
        let key = stack.create_key("alice", "laptop")?;
        Ok(Self {
            stack,
            server,
            _provider: provider,
            key,
        })
    }

    /// Logs the provider in, as an operator with a browser would.
    async fn log_in(&self, cli: &Cli) -> Result<Value> {
        log_in(&self.stack.folder.path().join("secret"), &self.server, cli, true).await
    }

    async fn call(&self, data: usize) -> Result<(StatusCode, String)> {
        let body = anthropic_body("hello", data.is_multiple_of(2));
        let answer = self.stack.messages(data, &self.key, &body).await?;
        Ok((answer.status(), answer.text().await?))
    }

    /// Calls at all data planes at once, each of which must be answered.
    async fn all_served(&self) -> Result<()> {
        let planes = self.stack.data.len();
        let calls = (0..planes * AT_ONCE).map(|n| self.call(n % planes));
        for answered in join_all(calls).await {
            let (status, body) = answered?;
            ensure!(status == 200, "{status}: {body}");
        }
        Ok(())
    }

    fn status(&self, control: usize) -> Result<Value> {
        let listed = self.stack.cli(control).json(&["oauth", "status", "oauth"])?;
        Ok(listed["items"][0].clone())
    }

    async fn state(&self, wanted: &str) -> Result<Value> {
        until(&format!("the token's state is {wanted}"), || async {
            let status = self.status(0)?;
            Ok((status["state"] == wanted).then_some(status))
        })
        .await
    }

    /// Neither two refreshes at once nor a token used twice; no secret in any log.
    fn nothing_went_wrong(&self) -> Result<()> {
        let counts = self.server.counts();
        ensure!(counts.overlaps == 0 && counts.reuses == 0, "{counts:?}");
        let logs = self.stack.control.iter().chain(&self.stack.data);
        for log in logs.map(penstock_tests::Node::log) {
            for secret in self.server.secrets().iter().chain([&CLIENT_SECRET.to_owned()]) {
                ensure!(!log.contains(secret.as_str()), "{secret} is in a log");
            }
        }
        Ok(())
    }
}

/// `first`: the provider has no client yet.
pub(crate) async fn log_in(
    secret: &std::path::Path,
    server: &AuthorizationServer,
    cli: &Cli,
    first: bool,
) -> Result<Value> {
    std::fs::write(secret, CLIENT_SECRET)?;
    let (authorize, token) = (server.authorize_url(), server.token_url());
    let secret = secret.to_str().context("a path")?;
    let mut args = vec!["oauth", "start", "oauth"];
    let client = [
        "--authorize-url",
        &authorize,
        "--token-url",
        &token,
        "--client-id",
        CLIENT_ID,
        "--client-secret-file",
        secret,
        "--scope",
        "models",
        "--redirect-uri",
        "http://localhost:1/callback",
    ];
    if first {
        args.extend(client);
    }
    let begun = cli.json(&args)?;
    let url = begun["authorize_url"].as_str().context("a URL")?;
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let answer = browser.get(url).send().await?;
    let back = answer.headers().get(LOCATION).context("a redirect")?.to_str()?;
    let done = cli.run_with(
        &["oauth", "finish", "oauth", "-o", "json"],
        &format!("  {back}\n"),
    )?;
    Ok(serde_json::from_str::<Value>(&done)?["items"][0].clone())
}

fn expiries() -> u32 {
    let set = std::env::var("PENSTOCK_TEST_EXPIRIES").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(8)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_a_token_that_is_refused_is_refreshed_once_for_the_whole_fleet_and_no_caller_fails() -> Result<()>
{
    let bench = Bench::start(2, 3).await?;
    let status = bench.log_in(&bench.stack.cli(1)).await?;
    assert_eq!(
        (&status["state"], &status["has_refresh_token"]),
        (&"ready".into(), &true.into())
    );
    bench.stack.synced().await?;
    bench.all_served().await?;
    bench.server.set_delay(Duration::from_millis(50));
    for round in 1..=u64::from(expiries()) {
        bench.server.expire_access_tokens();
        bench
            .all_served()
            .await
            .with_context(|| format!("round {round}"))?;
        let refreshes = bench.server.counts().refreshes;
        ensure!(refreshes == round, "round {round}: {refreshes} refreshes");
    }
    bench.nothing_went_wrong()?;
    let history = bench.stack.cli(0).json(&["config", "history"])?;
    let newest = &history["items"][0]["changes"][0]["after"]["credential_version"];
    ensure!(
        newest.is_u64(),
        "the login is the newest change; tokens are no configuration"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_tokens_are_refreshed_ahead_of_their_end_and_slow_or_failing_answers_hurt_nobody() -> Result<()> {
    let bench = Bench::start(2, 3).await?;
    bench.server.set_lifetime(Duration::from_secs(3));
    bench.log_in(&bench.stack.cli(0)).await?;
    bench.stack.synced().await?;
    let end = Instant::now() + Duration::from_secs(9);
    let mut calls = 0;
    while Instant::now() < end {
        bench.all_served().await?;
        calls += 1;
        match calls {
            // Done, and answered when the old token is nearly over.
            20 => bench.server.set_delay(Duration::from_millis(200)),
            60 => bench.server.fail_next(1, 503),
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let counts = bench.server.counts();
    ensure!(counts.refreshes >= 2, "{counts:?}");
    bench.nothing_went_wrong()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_a_revoked_login_stops_refreshing_says_so_and_a_new_login_brings_the_provider_back() -> Result<()>
{
    let bench = Bench::start(1, 1).await?;
    bench.log_in(&bench.stack.cli(0)).await?;
    bench.stack.synced().await?;
    bench.all_served().await?;
    let cli = bench.stack.cli(0);
    bench.server.expire_access_tokens();
    cli.run(&["provider", "test", "oauth"])?;
    bench.server.revoke_all();
    let (status, body) = bench.call(0).await?;
    ensure!(
        status == 503 && body.contains("access token cannot be renewed"),
        "{status}: {body}"
    );
    let status = bench.state("needs_login").await?;
    let failure = &status["failure"];
    assert_eq!(
        (&failure["status"], &failure["error"]),
        (&400.into(), &"invalid_grant".into())
    );
    assert!(
        failure["advice"]
            .as_str()
            .is_some_and(|advice| advice.contains("oauth login"))
    );
    bench.stack.control[0].tells("TOKEN_REFRESH_FAILED").await?;
    // Nobody asks with a token that is worth nothing.
    let refused = bench.server.counts().refused;
    let (status, body) = bench.call(0).await?;
    ensure!(status == 503 && body.contains("access token"), "{status}: {body}");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(bench.server.counts().refused, refused);
    ensure!(cli.fails(&["oauth", "refresh", "--all"])?.code == Some(1));
    ensure!(
        cli.fails(&["oauth", "test", "oauth"])?
            .stdout
            .contains("needs_login")
    );
    let path = bench.stack.folder.path().join("secret");
    log_in(&path, &bench.server, &cli, false).await?;
    bench.stack.synced().await?;
    until("the provider serves again", || async {
        let (status, _) = bench.call(0).await?;
        Ok((status == 200).then_some(()))
    })
    .await?;
    cli.run(&["oauth", "test", "oauth"])?;
    bench.nothing_went_wrong()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_exchange_and_refresh_go_through_the_providers_proxy() -> Result<()> {
    let bench = Bench::start(1, 1).await?;
    let cli = bench.stack.cli(0);
    let folder = bench.stack.folder.path();
    let Some(mut proxy) = Proxy::socks5(folder, None).await? else {
        return Ok(());
    };
    let url = format!("socks5://127.0.0.1:{}", proxy.port());
    cli.run(&["provider", "update", "oauth", "--proxy", &url])?;
    bench.log_in(&cli).await?;
    assert!(proxy.led_to(bench.server.address().port()));
    bench.stack.synced().await?;
    bench.all_served().await?;
    let before = bench.server.counts();
    cli.run(&["oauth", "refresh", "oauth"])?;
    assert_eq!(bench.server.counts().refreshes, before.refreshes + 1);
    proxy.kill()?;
    let failed = cli.fails(&["oauth", "refresh", "oauth", "-o", "json"])?;
    let failed: Value = serde_json::from_str(&failed.stdout)?;
    let failure = &failed["items"][0]["failure"];
    assert_eq!(
        (&failure["step"], &failure["proxy"]),
        (&"connect".into(), &url.as_str().into())
    );
    assert_eq!(failed["items"][0]["state"], "failing");
    bench.nothing_went_wrong()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_an_answer_that_never_came_is_asked_once_more_and_then_waits_for_an_operator() -> Result<()> {
    let bench = Bench::start(1, 1).await?;
    bench.log_in(&bench.stack.cli(0)).await?;
    bench.server.swallow_next_answer();
    let failed = bench.stack.cli(0).fails(&["oauth", "refresh", "oauth"])?;
    ensure!(failed.stdout.contains("needs_login"), "{failed}");
    let counts = bench.server.counts();
    // The one case in which a refresh token is shown twice: nobody can know that it was taken.
    assert_eq!((counts.refreshes, counts.reuses, counts.overlaps), (1, 1, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_up_logs_in_and_refreshes_on_one_machine() -> Result<()> {
    let server = AuthorizationServer::start().await?;
    let provider = FakeProvider::builder().accept_tokens_of(&server).start().await?;
    let trusted = server.address().to_string();
    let up = Up::start(&["--trusted-host", &trusted]).await?;
    let cli = up.cli();
    let url = provider.base_url();
    cli.run(&[
        "provider",
        "create",
        "--name",
        "oauth",
        "--kind",
        "anthropic",
        "--base-url",
        &url,
    ])?;
    cli.run(&["user", "create", "--name", "alice"])?;
    let key = cli.run(&["key", "create", "--user", "alice", "--name", "laptop"])?;
    log_in(&up.folder.path().join("secret"), &server, &cli, true).await?;
    let call = async || {
        let request = penstock_tests::client().post(format!("{}/v1/messages", up.traffic));
        let request = request.header("x-api-key", key.trim());
        anyhow::Ok(
            request
                .json(&anthropic_body("alone", false))
                .send()
                .await?
                .status(),
        )
    };
    until("the first token is in force", || async {
        Ok((call().await? == 200).then_some(()))
    })
    .await?;
    for round in 1..=3 {
        server.expire_access_tokens();
        ensure!(call().await? == 200);
        ensure!(server.counts().refreshes == round, "{:?}", server.counts());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g05_a_login_comes_back_from_a_backup_without_a_new_one() -> Result<()> {
    let bench = Bench::start(1, 1).await?;
    let old = bench.stack.cli(0);
    bench.log_in(&old).await?;
    let file = bench.stack.folder.path().join("backup");
    let file = file.to_str().context("a path")?;
    old.run(&["backup", "create", file, "--kind", "with-secrets", "--yes-i-know"])?;

    let trusted = bench.server.address().to_string();
    let up = Up::start(&["--trusted-host", &trusted]).await?;
    let cli = up.cli();
    cli.run(&["backup", "restore", file, "--yes"])?;
    let status = cli.json(&["oauth", "status", "oauth"])?["items"][0].clone();
    assert_eq!(
        (&status["state"], &status["has_refresh_token"]),
        (&"ready".into(), &true.into())
    );
    let url = format!("{}/v1/messages", up.traffic);
    let body = anthropic_body("hello", false);
    until("the restored token is used", || async {
        let request = bench.stack.http.post(&url).header("x-api-key", &bench.key);
        let answer = request.json(&body).send().await?;
        Ok((answer.status() == 200).then_some(()))
    })
    .await?;
    // What is there is newer than the backup: it stays.
    cli.run(&["oauth", "refresh", "oauth"])?;
    let newer = cli.json(&["oauth", "status", "oauth"])?["items"][0]["token_version"].clone();
    let again = cli.json(&["backup", "restore", file, "--yes"])?;
    assert!(again["sections"].to_string().contains("provider_tokens"));
    assert_eq!(
        cli.json(&["oauth", "status", "oauth"])?["items"][0]["token_version"],
        newer
    );
    Ok(())
}
