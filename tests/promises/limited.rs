//! Parts of the promises about limits: a fleet with one Redis, and what its counters say.

use anyhow::{Context, Result};
use penstock_core::money::NanoUsd;
use penstock_tests::{Redis, Stack};
use serde_json::{Value, json};

/// Data planes of one control plane and one Redis, and a key of a user with these limits.
pub(crate) struct Limited {
    pub(crate) stack: Stack,
    pub(crate) redis: Redis,
    pub(crate) key: String,
    _folder: tempfile::TempDir,
}

impl Limited {
    /// `timeout`: of Redis. A long one where exactness is shown, since this machine may stall.
    pub(crate) async fn start(data_planes: usize, timeout: &str, limits: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let redis = Redis::start(folder.path()).await?;
        let url = redis.url();
        let flags = ["--redis-url", &url, "--redis-timeout", timeout];
        let stack = Stack::builder()
            .data_planes(data_planes)
            .data_plane_flags(&flags)
            .start()
            .await?;
        let key = stack.prepare()?;
        let limited = Self {
            stack,
            redis,
            key,
            _folder: folder,
        };
        limited.limit(limits)?;
        limited.stack.synced().await?;
        limited.shared().await?;
        Ok(limited)
    }

    /// Changes the user's limits.
    pub(crate) fn limit(&self, limits: &[&str]) -> Result<()> {
        let args = [&["user", "update", "alice"], limits].concat();
        self.stack.cli(0).run(&args).map(drop)
    }

    /// Waits until every data plane counts in Redis.
    pub(crate) async fn shared(&self) -> Result<()> {
        for data in 0..self.stack.data.len() {
            self.enforced(data, "shared").await?;
        }
        Ok(())
    }

    /// Waits until a data plane enforces limits so.
    pub(crate) async fn enforced(&self, data: usize, mode: &str) -> Result<()> {
        penstock_tests::until(&format!("data plane {data} says limits are {mode}"), || async {
            let health = self.health(data).await?;
            Ok((health["limits"] == mode).then_some(()))
        })
        .await
    }

    pub(crate) async fn health(&self, data: usize) -> Result<Value> {
        let url = format!("{}/health", self.stack.data[data].admin_url);
        Ok(self.stack.http.get(url).send().await?.json().await?)
    }

    /// Waits until every call is settled, and tells what is used.
    pub(crate) async fn nothing_is_held(&self, dimension: &str) -> Result<i64> {
        penstock_tests::until(&format!("nothing of {dimension} is held"), || async {
            let shown = self.shows(dimension)?;
            Ok((shown.reserved == 0).then_some(shown.used))
        })
        .await
    }

    /// One of the user's limits, live.
    pub(crate) fn shows(&self, dimension: &str) -> Result<Used> {
        let shown = self.stack.cli(0).json(&["limits", "show", "--user", "alice"])?;
        let items = shown["items"].as_array().context("items")?;
        let item = items.iter().find(|item| item["dimension"] == dimension);
        let item = item.with_context(|| format!("{dimension} is in {shown}"))?;
        let amount = |field: &str| match item[field].as_str() {
            Some(usd) => anyhow::Ok(usd.parse::<NanoUsd>()?.0),
            None => item[field].as_i64().context("an amount"),
        };
        Ok(Used {
            used: amount("used")?,
            reserved: amount("reserved")?,
        })
    }
}

/// In the dimension's unit, nano-USD for money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) used: i64,
    pub(crate) reserved: i64,
}

/// A stream that the fake provider is told about in its prompt.
pub(crate) fn told(words: &str, max_tokens: u64) -> Value {
    json!({
        "model": "claude-opus-4-8",
        "max_tokens": max_tokens,
        "stream": true,
        "messages": [{"role": "user", "content": format!("[[fake {words}]]")}],
    })
}
