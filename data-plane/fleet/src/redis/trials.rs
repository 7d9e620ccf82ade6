//! Trials of half-open breakers in Redis: one key each, on the hash tag of its provider.

use std::time::Duration;

use super::counters::{PATIENCE, RedisCounters};
use super::script::ScriptCall;
use crate::counters::Unreachable;
use crate::trial::{TrialName, Trials};

impl Trials for RedisCounters {
    async fn take(&self, name: &TrialName, number: u64, lease: Duration) -> Result<i64, Unreachable> {
        let mut call = ScriptCall::new(&self.scripts.trial, &[key(name)]);
        let lease = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX).max(1);
        call.arg(self.now()).arg(self.holder(number)).arg(lease);
        Ok(self.link.invoke(&call, self.link.timeout()).await?)
    }

    async fn left(&self, name: &TrialName) -> Result<i64, Unreachable> {
        let mut call = ScriptCall::new(&self.scripts.trial, &[key(name)]);
        call.arg(self.now()).arg("").arg(0);
        Ok(self.link.invoke(&call, self.link.timeout()).await?)
    }

    async fn end(&self, name: &TrialName, number: u64) -> Result<bool, Unreachable> {
        let mut call = ScriptCall::new(&self.scripts.end_trial, &[key(name)]);
        call.arg(self.holder(number));
        Ok(self.link.invoke::<i64>(&call, PATIENCE).await? == 1)
    }
}

impl RedisCounters {
    fn holder(&self, number: u64) -> String {
        format!("{}/{number}", self.process)
    }
}

fn key(name: &TrialName) -> String {
    let provider = name.provider.0.simple();
    match &name.model {
        None => format!("penstock:1:{{p{provider}}}:trial"),
        Some(model) => format!("penstock:1:{{p{provider}}}:trial:{model}"),
    }
}
