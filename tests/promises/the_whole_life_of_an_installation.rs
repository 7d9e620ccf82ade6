//! What a platform team does with Penstock from the first file to the restored backup, with nothing but the command line.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use penstock_fake_provider::{Behaviour, FakeProvider};
use penstock_tests::{CREDENTIAL, Cli, Receiver, Stack, anthropic_body, until};
use serde_json::Value;

struct Life {
    stack: Stack,
    cli: Cli,
    receiver: Receiver,
    key: String,
}

impl Life {
    fn path(&self, name: &str) -> PathBuf {
        self.stack.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<String> {
        let path = self.path(name);
        std::fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    }

    async fn call(&self) -> Result<reqwest::Response> {
        self.stack.synced().await?;
        let body = anthropic_body("hello", false);
        self.stack.messages(0, &self.key, &body).await
    }

    async fn works(&self) -> Result<()> {
        let answer = self.call().await?;
        let status = answer.status();
        ensure!(status == 200, "{status} {}", answer.text().await?);
        Ok(())
    }

    /// An empty installation becomes one that serves, by one file.
    fn set_up(&self) -> Result<()> {
        let status = self.cli.json(&["status"])?;
        ensure!(
            status["database"].is_object() || status["database"].is_string(),
            "{status}"
        );
        self.write("credential.txt", CREDENTIAL)?;
        let file = self.write(
            "penstock.yaml",
            &format!(
                "- apiVersion: penstock/v1
  kind: Provider
  name: claude
  spec:
    kind: anthropic
    base_urls: [{}]
    credential: {{api_key: \"${{file:credential.txt}}\"}}
    breaker: {{failures: 3}}
- apiVersion: penstock/v1
  kind: User
  name: alice
- apiVersion: penstock/v1
  kind: Setting
  name: notifications
  spec: {{enabled: true}}
",
                self.stack.fake.base_url()
            ),
        )?;
        self.cli.run(&["diff", "-f", &file])?;
        self.cli
            .run(&["apply", "-f", &file, "--reason", "the first day"])?;
        let args = [
            "webhook",
            "create",
            "--name",
            "ops",
            "--url",
            &self.receiver.url,
            "--secret",
            "-",
        ];
        self.cli.run_with(&args, "what-signs-the-messages")?;
        Ok(())
    }

    /// A user gets a key and a view of its own, works, and is seen working.
    async fn onboard(&mut self) -> Result<()> {
        let key = self
            .cli
            .run(&["key", "create", "--user", "alice", "--name", "laptop"])?;
        self.key = key.trim().to_owned();
        let token = self.stack.operator("alice", "user", &["--user", "alice"])?;
        self.works().await?;
        self.stack.ledger(1).await?;
        let own = self.stack.cli_as(0, &token);
        for cli in [&self.cli, &own] {
            let usage = cli.json(&["usage", "--user", "alice"])?;
            ensure!(usage["requests"] == 1, "{usage}");
        }
        let refused = own.fails(&["provider", "list"])?;
        ensure!(refused.stderr.contains("role"), "{refused}");
        Ok(())
    }

    /// A limit refuses; who is refused, and why, can be read.
    async fn hit_a_limit(&self) -> Result<()> {
        self.cli.run(&["user", "update", "alice", "--rpm", "2"])?;
        let refused = until("the limit refuses", || async {
            let answer = self.call().await?;
            Ok((answer.status() == 429).then_some(answer))
        })
        .await?;
        let id = refused.headers().get("x-penstock-request-id");
        let id = id.context("an id")?.to_str()?.to_owned();
        let why = until("the refusal can be explained", || async {
            Ok(self.cli.run(&["explain", &id]).ok())
        })
        .await?;
        ensure!(why.contains("rpm"), "{why}");
        let failed = self.cli.json(&["logs", "--status", "429", "--user", "alice"])?;
        ensure!(
            failed["items"].as_array().is_some_and(|items| !items.is_empty()),
            "{failed}"
        );
        let shown = self.cli.run(&["limits", "show", "--user", "alice"])?;
        ensure!(shown.contains("rpm"), "{shown}");
        self.cli.run(&["explain", "429"])?;
        self.cli.run(&["user", "update", "alice", "--rpm", "0"])?;
        self.works().await
    }

    /// The provider dies, the team is told, and another takes its place.
    async fn replace_a_dead_provider(&self, other: &FakeProvider) -> Result<()> {
        self.stack.fake.set_default(Behaviour::status(500));
        until("the breaker opens", || async {
            let answer = self.call().await?;
            Ok((answer.status() == 503).then_some(()))
        })
        .await?;
        until("the alert arrives", || async {
            let told = |message: &Value| message["rule"] == "breaker_open" && message["event"] == "fired";
            let received = self.receiver.received();
            Ok(received
                .iter()
                .any(|received| received.json().is_ok_and(|m| told(&m)))
                .then_some(()))
        })
        .await?;
        let doctor = self.cli.fails(&["doctor"]).map(|failed| failed.stdout);
        let doctor = doctor.or_else(|_| self.cli.run(&["doctor"]))?;
        ensure!(doctor.contains("claude"), "{doctor}");
        self.stack
            .provider("spare", "anthropic", &other.base_url(), &[])?;
        self.stack.synced().await?;
        self.cli.run(&["provider", "test", "spare"])?;
        self.works().await?;
        self.cli
            .run(&["provider", "disable", "claude", "--reason", "dead"])?;
        self.works().await
    }

    /// What was a mistake is found in the history and taken back.
    async fn take_a_mistake_back(&self) -> Result<()> {
        let address = ["provider", "update", "spare", "--base-url", "http://127.0.0.1:1"];
        let words = ["--keep-credential", "--reason", "a mistake"];
        self.cli.run(&[&address[..], &words].concat())?;
        ensure!(self.call().await?.status() != 200, "the mistake bites");
        let history = self.cli.json(&["config", "history"])?;
        ensure!(history["items"][0]["reason"] == "a mistake", "{history}");
        self.cli
            .run(&["config", "rollback", "-1", "--reason", "as it was"])?;
        self.works().await
    }

    /// Everything goes, and comes back as it was.
    async fn wipe_and_bring_back(&self) -> Result<()> {
        let before = self.cli.run(&["export"])?;
        let usage = self.cli.json(&["usage", "--by", "user"])?;
        let file = self.path("penstock.backup").to_string_lossy().into_owned();
        self.cli.run(&["backup", "create", &file, "--include-usage"])?;
        let nobody = "apiVersion: penstock/v1\nkind: User\nname: nobody\n";
        let nothing = self.write("nothing.yaml", nobody)?;
        self.cli.run(&[
            "apply",
            "-f",
            &nothing,
            "--prune",
            "--yes",
            "--kinds",
            "user,key,provider",
        ])?;
        ensure!(self.call().await?.status() == 401, "the key is gone");
        self.cli.run(&["backup", "restore", &file, "--yes"])?;
        assert_eq!(self.cli.run(&["export"])?, before);
        assert_eq!(
            self.cli.json(&["usage", "--by", "user"])?["items"][0]["cost_usd"],
            usage["items"][0]["cost_usd"]
        );
        self.works().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_life_of_an_installation_is_lived_on_the_command_line() -> Result<()> {
    let receiver = Receiver::start().await?;
    let flags = ["--trusted-host", "127.0.0.1"];
    let stack = Stack::builder().control_plane_flags(&flags).start().await?;
    let other = FakeProvider::builder()
        .require_credential(CREDENTIAL)
        .start()
        .await?;
    let mut life = Life {
        cli: stack.cli(0),
        stack,
        receiver,
        key: String::new(),
    };
    life.set_up()?;
    life.onboard().await?;
    life.hit_a_limit().await?;
    life.replace_a_dead_provider(&other).await?;
    life.take_a_mistake_back().await?;
    life.wipe_and_bring_back().await
}
