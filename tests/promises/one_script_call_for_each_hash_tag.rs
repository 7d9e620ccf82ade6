//! What a call costs in Redis: one script call for each hash tag at admission and at settlement, nothing else.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use futures::StreamExt;
use penstock_tests::anthropic_body;

use crate::limited::Limited;

/// Hash tags of script calls, with their number; everything else by its command.
fn counted(lines: &[String]) -> BTreeMap<String, u64> {
    let mut counted = BTreeMap::new();
    for line in lines {
        // What a script does is said to come from lua.
        if line.contains(" lua] ") {
            continue;
        }
        let command = line.split('"').nth(1).unwrap_or_default().to_uppercase();
        let what = match command.as_str() {
            "EVALSHA" => line.split(['{', '}']).nth(1).unwrap_or("no hash tag").to_owned(),
            _ => command,
        };
        *counted.entry(what).or_default() += 1;
    }
    counted
}

#[tokio::test]
async fn one_script_call_for_each_hash_tag_at_admission_and_at_settlement_and_nothing_else() -> Result<()> {
    let limited = Limited::start(1, "5s", &["--rpm", "1000", "--usd-daily", "10"]).await?;
    let stack = &limited.stack;
    stack
        .cli(0)
        .run(&["provider", "update", "claude", "--rpm", "1000"])?;
    stack.synced().await?;
    // The first call makes the baseline.
    let body = anthropic_body("warm", false);
    assert_eq!(stack.messages(0, &limited.key, &body).await?.status(), 200);
    let client = redis::Client::open(limited.redis.url())?;
    let monitor = client.get_async_monitor().await?;
    let mut lines = monitor.into_on_message::<String>();
    for _ in 0..20 {
        assert_eq!(stack.messages(0, &limited.key, &body).await?.status(), 200);
    }
    // Settlements are off the caller's path: until the last of them.
    limited.redis.run(&["ECHO", "settling"]).await?;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    limited.redis.run(&["ECHO", "the end"]).await?;
    let mut seen = Vec::new();
    loop {
        let line = lines.next().await.context("the monitor ended")?;
        if line.contains("the end") {
            break;
        }
        seen.push(line);
    }
    let mut counted = counted(&seen);
    // The test's own, and the look after a connection that nobody uses.
    for own in ["ECHO", "CLIENT", "HELLO", "PING", "TIME", "MONITOR", "INFO"] {
        counted.remove(own);
    }
    assert_eq!(counted.len(), 2, "one user and one provider: {counted:?}");
    for (tag, calls) in &counted {
        // Admission and settlement of twenty calls, and perhaps a renewal or two.
        assert!((40..=42).contains(calls), "{tag}: {counted:?}");
    }
    Ok(())
}
