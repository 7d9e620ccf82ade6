//! F2: bearer tokens, keys of AWS and Google service accounts, from the command line to what the provider gets.

use anyhow::{Context, Result, ensure};
use penstock_fake_provider::{AuthorizationServer, FakeProvider};
use penstock_tests::{Stack, anthropic_body};
use serde_json::json;

/// Made for tests alone.
const PRIVATE_KEY: &str = include_str!("../../control-plane/src/credentials/service_account/test-key.pem");
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/marked-aws-secret";

struct Bench {
    stack: Stack,
    provider: FakeProvider,
    key: String,
}

impl Bench {
    /// `credential`: flags of `provider create`.
    async fn start(provider: FakeProvider, trusted: &str, credential: &[&str]) -> Result<Self> {
        let stack = Stack::builder()
            .control_plane_flags(&["--trusted-host", trusted])
            .start()
            .await?;
        let cli = stack.cli(0);
        let url = provider.base_url();
        let mut args = vec![
            "provider",
            "create",
            "--name",
            "main",
            "--kind",
            "anthropic",
            "--base-url",
            &url,
        ];
        args.extend(credential);
        cli.run(&args)?;
        cli.run(&["user", "create", "--name", "alice"])?;
        let key = stack.create_key("alice", "laptop")?;
        stack.synced().await?;
        Ok(Self { stack, provider, key })
    }

    /// The headers that the provider got with one call.
    async fn call(&self) -> Result<Vec<(String, String)>> {
        let body = anthropic_body("hello", false);
        let answer = self.stack.messages(0, &self.key, &body).await?;
        let status = answer.status();
        ensure!(status == 200, "{status}: {}", answer.text().await?);
        let request = self.provider.requests().pop().context("a request")?;
        let pairs = request.headers.iter();
        let pairs =
            pairs.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        Ok(pairs.collect())
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    let found = headers.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_with_keys_of_aws_each_request_is_signed_and_the_keys_stay_inside() -> Result<()> {
    let provider = FakeProvider::builder().start().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("secret");
    std::fs::write(&file, SECRET)?;
    let flags = [
        "--aws-access-key-id",
        "AKIAIOSFODNN7EXAMPLE",
        "--aws-secret-access-key-file",
        file.to_str().context("a path")?,
        "--region",
        "us-east-1",
    ];
    let bench = Bench::start(provider, "unused", &flags).await?;
    let headers = bench.call().await?;
    let signed = header(&headers, "authorization");
    ensure!(
        signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"),
        "{signed}"
    );
    ensure!(signed.contains("/us-east-1/bedrock/aws4_request"), "{signed}");
    ensure!(
        signed.contains("SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date"),
        "{signed}"
    );
    ensure!(header(&headers, "x-amz-content-sha256").len() == 64);
    ensure!(!format!("{headers:?}").contains("marked-aws-secret"));
    let shown = bench.stack.cli(0).json(&["provider", "get", "main"])?;
    ensure!(
        shown["credential_hint"] == "aws-keys: AKIAIOSFODNN7EXAMPLE in us-east-1",
        "{shown}"
    );
    let logs = bench.stack.control[0].log() + &bench.stack.data[0].log();
    ensure!(!logs.contains("marked-aws-secret"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_a_service_account_becomes_access_tokens_and_its_key_stays_in_the_control_plane() -> Result<()> {
    let server = AuthorizationServer::start().await?;
    let provider = FakeProvider::builder().accept_tokens_of(&server).start().await?;
    let folder = tempfile::tempdir()?;
    let account = |token_uri: &str| {
        json!({
            "type": "service_account",
            "private_key_id": "key-1",
            "private_key": PRIVATE_KEY,
            "client_email": "gateway@p.iam.gserviceaccount.com",
            "token_uri": token_uri,
        })
    };
    let file = folder.path().join("account.json");
    let path = file.to_str().context("a path")?;
    std::fs::write(&file, account(&server.token_url()).to_string())?;
    let trusted = server.address().to_string();
    let bench = Bench::start(provider, &trusted, &["--service-account-file", path]).await?;
    let cli = bench.stack.cli(0);
    let status = penstock_tests::until("there is an access token", || async {
        let status = cli.json(&["oauth", "status", "main"])?;
        Ok((status["items"][0]["state"] == "ready").then_some(status))
    })
    .await?;
    ensure!(status["items"][0]["kind"] == "service-account", "{status}");
    bench.stack.synced().await?;
    let headers = bench.call().await?;
    ensure!(header(&headers, "authorization").starts_with("Bearer fake-access-"));
    server.expire_access_tokens();
    bench.call().await?;
    ensure!(server.counts().assertions == 2, "{:?}", server.counts());
    cli.run(&["oauth", "test", "main"])?;
    // A key file that sends its assertions elsewhere is refused at once.
    std::fs::write(&file, account("http://127.0.0.1:9/token").to_string())?;
    let refused = cli.fails(&["provider", "update", "main", "--service-account-file", path])?;
    ensure!(refused.stderr.contains("token_uri"), "{refused}");
    std::fs::write(&file, account("https://evil.example/token").to_string())?;
    let refused = cli.fails(&["provider", "update", "main", "--service-account-file", path])?;
    ensure!(refused.stderr.contains("Google"), "{refused}");
    Ok(())
}
