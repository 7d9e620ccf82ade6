//! B10: each kind of proxy, with user and password, dead or unwilling; a fallback past it where the operator allows it;
//! an authority of the provider's own. The proxies are real ones.

use std::path::Path;

use anyhow::{Context, Result};
use penstock_tests::{Authority, CREDENTIAL, Login, Proxy, Stack, anthropic_body, free_port};
use reqwest::StatusCode;

const LOGIN: Login<'_> = Some(("relay-user", "marked-proxy-password"));
const PASSWORD: &str = "marked-proxy-password";

struct Bench {
    stack: Stack,
    key: String,
}

impl Bench {
    /// A data plane with one provider, at the fake.
    async fn start() -> Result<Self> {
        let stack = Stack::builder()
            .data_plane_flag("--log-level=debug")
            .start()
            .await?;
        std::fs::write(stack.folder.path().join("password"), PASSWORD)?;
        let key = stack.prepare()?;
        Ok(Self { stack, key })
    }

    fn folder(&self) -> &Path {
        self.stack.folder.path()
    }

    fn fake_port(&self) -> u16 {
        self.stack.fake.address().port()
    }

    /// Changes the provider and waits until the data plane knows.
    async fn set(&self, flags: &[&str]) -> Result<()> {
        // The fake provider speaks plain http, so the proxy could read along.
        let mut args = vec!["provider", "update", "claude", "--keep-credential"];
        args.extend(flags);
        self.stack.cli(0).run(&args)?;
        self.stack.synced().await
    }

    /// The same with the password of [`LOGIN`].
    async fn set_with_password(&self, proxy: &str) -> Result<()> {
        let file = self.folder().join("password");
        let file = file.to_str().context("a path")?;
        self.set(&["--proxy", proxy, "--proxy-password-file", file]).await
    }

    async fn call(&self) -> Result<StatusCode> {
        let body = anthropic_body("hello", true);
        let answer = self.stack.messages(0, &self.key, &body).await?;
        let status = answer.status();
        answer.bytes().await?;
        Ok(status)
    }

    /// Waits for it in the log.
    async fn tells(&self, text: &str) -> Result<()> {
        self.stack.data[0].tells(text).await
    }

    fn log(&self) -> String {
        self.stack.data[0].log()
    }
}

/// A port where nobody listens.
fn dead() -> Result<String> {
    Ok(format!("127.0.0.1:{}", free_port()?))
}

#[tokio::test]
async fn b10_calls_go_through_socks5_with_and_without_a_password() -> Result<()> {
    let bench = Bench::start().await?;
    for login in [None, LOGIN] {
        for scheme in ["socks5", "socks5h"] {
            let Some(proxy) = Proxy::socks5(bench.folder(), login).await? else {
                return Ok(());
            };
            match login {
                None => {
                    let url = format!("{scheme}://127.0.0.1:{}", proxy.port());
                    bench.set(&["--proxy", &url]).await?;
                }
                Some((user, _)) => {
                    let url = format!("{scheme}://{user}@127.0.0.1:{}", proxy.port());
                    bench.set_with_password(&url).await?;
                }
            }
            assert_eq!(bench.call().await?, 200, "{scheme} {login:?}");
            assert!(proxy.led_to(bench.fake_port()), "{scheme} {login:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn b10_calls_go_through_http_and_https_proxies_by_connect() -> Result<()> {
    let bench = Bench::start().await?;
    for login in [None, LOGIN] {
        let Some(proxy) = Proxy::http(bench.folder(), login).await? else {
            return Ok(());
        };
        match login {
            None => {
                let url = format!("http://127.0.0.1:{}", proxy.port());
                bench.set(&["--proxy", &url]).await?;
            }
            Some((user, _)) => {
                let url = format!("http://{user}@127.0.0.1:{}", proxy.port());
                bench.set_with_password(&url).await?;
            }
        }
        assert_eq!(bench.call().await?, 200, "{login:?}");
        assert!(proxy.led_to(bench.fake_port()), "{login:?}");
    }
    Ok(())
}

#[tokio::test]
async fn b10_an_https_proxy_and_an_https_target_are_trusted_by_an_authority_of_their_own() -> Result<()> {
    let bench = Bench::start().await?;
    let authority = Authority::new()?;
    let Some(plain) = Proxy::http(bench.folder(), LOGIN).await? else {
        return Ok(());
    };
    let Some(proxy) = Proxy::tls(bench.folder(), &authority, plain.port()).await? else {
        return Ok(());
    };
    let Some(target) = Proxy::tls(bench.folder(), &authority, bench.fake_port()).await? else {
        return Ok(());
    };
    let base_url = format!("https://127.0.0.1:{}", target.port());
    bench.set(&["--base-url", &base_url]).await?;
    assert_eq!(bench.call().await?, 502);
    bench.tells("Tls").await?;

    let ca = bench.folder().join("ca.pem");
    std::fs::write(&ca, authority.pem())?;
    bench.set(&["--ca-file", ca.to_str().context("a path")?]).await?;
    assert_eq!(bench.call().await?, 200);
    assert!(!plain.led_to(target.port()));

    bench
        .set_with_password(&format!("https://relay-user@127.0.0.1:{}", proxy.port()))
        .await?;
    assert_eq!(bench.call().await?, 200);
    assert!(plain.led_to(target.port()));
    Ok(())
}

#[tokio::test]
async fn b10_a_dead_proxy_is_an_error_and_bypassed_only_where_the_operator_says_so() -> Result<()> {
    let bench = Bench::start().await?;
    for scheme in ["http", "https", "socks5", "socks5h"] {
        let url = format!("{scheme}://{}", dead()?);
        bench
            .set(&["--proxy", &url, "--fallback-to-direct", "false"])
            .await?;
        assert_eq!(bench.call().await?, 502, "{scheme}");
        bench.set(&["--fallback-to-direct", "true"]).await?;
        assert_eq!(bench.call().await?, 200, "{scheme}");
    }
    bench.tells("is bypassed").await?;
    Ok(())
}

#[tokio::test]
async fn b10_a_proxy_that_dies_is_bypassed_from_then_on() -> Result<()> {
    let bench = Bench::start().await?;
    let Some(mut proxy) = Proxy::socks5(bench.folder(), None).await? else {
        return Ok(());
    };
    let url = format!("socks5://127.0.0.1:{}", proxy.port());
    bench.set(&["--proxy", &url, "--fallback-to-direct"]).await?;
    assert_eq!(bench.call().await?, 200);
    assert!(proxy.led_to(bench.fake_port()));
    proxy.kill()?;
    assert_eq!(bench.call().await?, 200);
    Ok(())
}

#[tokio::test]
async fn b10_a_wrong_password_is_an_error_that_names_the_proxy_and_no_way_around_it() -> Result<()> {
    let bench = Bench::start().await?;
    let login = Some(("relay-user", "another-password"));
    let (Some(socks), Some(http)) = (
        Proxy::socks5(bench.folder(), login).await?,
        Proxy::http(bench.folder(), login).await?,
    ) else {
        return Ok(());
    };
    let (socks, http) = (socks.port(), http.port());
    for place in [
        format!("socks5://relay-user@127.0.0.1:{socks}"),
        format!("http://relay-user@127.0.0.1:{http}"),
    ] {
        bench.set_with_password(&place).await?;
        bench.set(&["--fallback-to-direct", "true"]).await?;
        assert_eq!(bench.call().await?, 502, "{place}");
        let shown = place.replace("relay-user@", "");
        bench
            .tells(&format!("the proxy {shown} gives no connection"))
            .await?;
    }
    assert_eq!(bench.stack.fake.request_count(), 0);
    assert!(!bench.log().contains(PASSWORD));
    Ok(())
}

#[tokio::test]
async fn b10_a_malformed_proxy_is_refused_when_it_is_configured() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let cli = stack.cli(0);
    for proxy in ["ftp://h:1", "h:1", "socks5://h:0", "http://u:p@h"] {
        let args = [
            "provider",
            "create",
            "--name",
            "x",
            "--kind",
            "anthropic",
            "--proxy",
            proxy,
        ];
        let refused = cli.fails(&args)?;
        assert!(refused.stderr.contains("--proxy"), "{}", refused.stderr);
    }
    assert_eq!(cli.json(&["provider", "list"])?["items"], serde_json::json!([]));
    Ok(())
}

#[tokio::test]
async fn f01_a_proxys_password_is_in_no_output_log_or_file() -> Result<()> {
    let bench = Bench::start().await?;
    bench
        .set_with_password(&format!("http://relay-user@{}", dead()?))
        .await?;
    std::fs::remove_file(bench.folder().join("password"))?;
    assert_eq!(bench.call().await?, 502);
    let cli = bench.stack.cli(0);
    let mut seen = bench.log() + &bench.stack.control[0].log();
    for args in [
        &["provider", "get", "claude"][..],
        &["provider", "list"],
        &["config", "history"],
        &["config", "diff", "-1"],
    ] {
        seen += &cli.json(args)?.to_string();
        seen += &cli.run(args)?;
    }
    let database = penstock_tests::Database {
        url: bench.stack.database_url.clone(),
    };
    seen += &database.dump()?;
    assert!(seen.contains("relay-user"));
    for secret in [PASSWORD, CREDENTIAL] {
        assert!(!seen.contains(secret), "{secret}");
        let found = std::process::Command::new("grep")
            .args(["-rlaF", secret])
            .arg(bench.folder())
            .output()?;
        assert_eq!(String::from_utf8_lossy(&found.stdout), "", "{secret} is on disk");
    }
    Ok(())
}
