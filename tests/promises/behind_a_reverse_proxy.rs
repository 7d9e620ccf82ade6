//! A real nginx with the configuration of `docs/nginx.conf` in front of a data plane takes nothing away.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::StreamExt;
use penstock_fake_provider::{Behaviour, Gate};
use penstock_tests::{Nginx, Stack, anthropic_body, chat_body, until};
use serde_json::Value;

/// A data plane behind nginx, and a key.
struct Fronted {
    stack: Stack,
    nginx: Nginx,
    key: String,
}

impl Fronted {
    async fn start() -> Result<Option<Self>> {
        let stack = Stack::builder()
            .data_plane_flags(&["--trusted-proxy", "127.0.0.1"])
            .start()
            .await?;
        let (folder, upstream) = (stack.folder.path(), &stack.data[0].url);
        let Some(nginx) = Nginx::start(folder, upstream, &stack.http).await? else {
            return Ok(None);
        };
        let key = stack.prepare()?;
        stack.synced().await?;
        Ok(Some(Self { stack, nginx, key }))
    }

    fn messages(&self, body: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/v1/messages", self.nginx.url);
        self.stack
            .http
            .post(url)
            .header("x-api-key", &self.key)
            .json(body)
    }
}

/// So many events of the stream, at least.
async fn events(answer: reqwest::Response, count: usize, gate: &Gate) -> Result<String> {
    let (mut stream, mut text) = (answer.bytes_stream(), String::new());
    while text.matches("event: ").count() < count {
        let next = tokio::time::timeout(Duration::from_secs(60), stream.next());
        let bytes = next.await.with_context(|| format!("held back behind {text:?}"))?;
        text.push_str(&String::from_utf8(bytes.context("the stream ended")??.to_vec())?);
    }
    gate.open();
    while let Some(bytes) = stream.next().await {
        text.push_str(&String::from_utf8(bytes?.to_vec())?);
    }
    Ok(text)
}

#[tokio::test]
async fn c02_behind_nginx_events_arrive_one_by_one() -> Result<()> {
    let Some(fronted) = Fronted::start().await? else {
        return Ok(());
    };
    // The provider sends nothing more until the caller has what it sent, from the first content event on.
    for count in 2..10 {
        let gate = Gate::new();
        let held = Behaviour::held_after(count, &gate).chunks(20);
        fronted.stack.fake.script([held]);
        let call = fronted.messages(&anthropic_body("hello", true));
        let answer = call.header("accept-encoding", "gzip").send().await?;
        assert_eq!(answer.status(), 200);
        let text = events(answer, count, &gate).await?;
        assert!(text.contains("message_stop"), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn c04_behind_nginx_the_upstream_call_ends_when_the_caller_goes_away() -> Result<()> {
    let Some(fronted) = Fronted::start().await? else {
        return Ok(());
    };
    fronted
        .stack
        .fake
        .script([Behaviour::held_after(3, &Gate::new())]);
    let mut answer = fronted.messages(&anthropic_body("hello", true)).send().await?;
    answer.chunk().await?.context("an event")?;
    drop(answer);
    let gone = fronted.stack.fake.until(|counts| counts.abandoned == 1);
    tokio::time::timeout(Duration::from_secs(30), gone).await?;
    Ok(())
}

#[tokio::test]
async fn c05_behind_nginx_large_bodies_pass_and_too_large_ones_are_refused() -> Result<()> {
    let Some(fronted) = Fronted::start().await? else {
        return Ok(());
    };
    let text = "x".repeat(20_000_000);
    let answer = fronted.messages(&anthropic_body(&text, false)).send().await?;
    assert_eq!(answer.status(), 200);
    let arrived = fronted.stack.fake.requests();
    let arrived = arrived.last().context("a request")?.json()?;
    assert_eq!(
        arrived["messages"][0]["content"].as_str().map(str::len),
        Some(text.len())
    );

    let answer = fronted
        .messages(&anthropic_body(&"x".repeat(40_000_000), false))
        .send()
        .await?;
    assert_eq!(answer.status(), 413);
    Ok(())
}

#[tokio::test]
async fn a_header_with_an_underscore_passes_nginx() -> Result<()> {
    let Some(fronted) = Fronted::start().await? else {
        return Ok(());
    };
    // Codex names its session so.
    let answer = fronted
        .stack
        .http
        .post(format!("{}/v1/chat/completions", fronted.nginx.url))
        .bearer_auth(&fronted.key)
        .header("session_id", "0198c0de")
        .json(&chat_body("hello", false))
        .send()
        .await?;
    assert_eq!(answer.status(), 200);
    let arrived = fronted.stack.fake.requests();
    let arrived = arrived.last().context("a request")?;
    assert_eq!(arrived.header("session_id"), Some("0198c0de"));
    Ok(())
}

#[tokio::test]
async fn s08_behind_nginx_the_caller_is_where_it_connects_from_whatever_it_says() -> Result<()> {
    let Some(fronted) = Fronted::start().await? else {
        return Ok(());
    };
    let from: IpAddr = "127.0.0.9".parse()?;
    let http = reqwest::Client::builder().local_address(from).build()?;
    let answer = http
        .post(format!("{}/v1/messages", fronted.nginx.url))
        .header("x-api-key", "psk_of_nobody_0123456789")
        .header("x-forwarded-for", "203.0.113.7")
        .header("forwarded", "for=203.0.113.8")
        .json(&anthropic_body("hello", false))
        .send()
        .await?;
    assert_eq!(answer.status(), 401);
    let line = until("the refusal is logged", || async {
        let log = fronted.stack.data[0].log();
        Ok(log
            .lines()
            .find(|line| line.contains("client_ip"))
            .map(str::to_owned))
    })
    .await?;
    let line: Value = serde_json::from_str(&line)?;
    assert_eq!(line["client_ip"], "127.0.0.9", "{line}");
    Ok(())
}
