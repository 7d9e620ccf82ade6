//! D5 and D6: without Redis requests go on, nobody waits for it, and what was used up stays used up.

use std::time::Duration;

use anyhow::Result;
use penstock_tests::anthropic_body;
use tokio::time::Instant;

use crate::limited::{Limited, told};

/// How calls went.
#[derive(Debug, Default)]
struct Seen {
    statuses: std::collections::BTreeMap<u16, u64>,
    slowest: Duration,
}

/// Calls one after the other on each data plane until told to stop.
async fn load(limited: &Limited, stop: &tokio::sync::Notify) -> Result<Seen> {
    let mut seen = Seen::default();
    let body = anthropic_body("on and on", false);
    let calling = async {
        let mut n = 0;
        loop {
            let began = Instant::now();
            let answer = limited.stack.messages(n % 2, &limited.key, &body).await?;
            *seen.statuses.entry(answer.status().as_u16()).or_default() += 1;
            answer.bytes().await?;
            seen.slowest = seen.slowest.max(began.elapsed());
            n += 1;
        }
    };
    tokio::select! {
        () = stop.notified() => {}
        failed = calling => return failed,
    }
    Ok(seen)
}

#[tokio::test]
async fn d05_redis_killed_hung_emptied_and_restarted_under_load_is_felt_by_nobody() -> Result<()> {
    let mut limited = Limited::start(2, "50ms", &["--usd-total", "1000", "--rpm", "1000000"]).await?;
    let stop = tokio::sync::Notify::new();
    let story = async {
        let redis = &limited.redis;
        redis.hang()?;
        limited.enforced(0, "local").await?;
        redis.go_on()?;
        limited.shared().await?;
        redis.run(&["FLUSHALL"]).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        redis.run(&["SHUTDOWN", "NOSAVE"]).await.ok();
        for data in [0, 1] {
            limited.enforced(data, "local").await?;
        }
        stop.notify_one();
        anyhow::Ok(())
    };
    let (seen, told) = tokio::join!(load(&limited, &stop), story);
    told?;
    let seen = seen?;
    assert_eq!(
        seen.statuses.keys().copied().collect::<Vec<_>>(),
        [200],
        "{seen:?}"
    );
    // Measured in the bench; here only that nothing hung.
    assert!(seen.slowest < Duration::from_secs(5), "{seen:?}");
    let answered: u64 = seen.statuses.values().sum();
    assert!(answered > 20, "{seen:?}");
    limited.redis.restart().await?;
    limited.shared().await?;
    let usage = limited.stack.ledger(answered).await?;
    let cost: penstock_core::money::NanoUsd = usage["cost_usd"].as_str().unwrap_or_default().parse()?;
    penstock_tests::until("the counters have all that the ledger has", || async {
        let shown = limited.shows("usd_total")?;
        Ok((shown.used == cost.0).then_some(()))
    })
    .await?;
    let log = limited.stack.data[0].log();
    let lost = log.matches("Rate limit degraded: local").count();
    let joined = log.matches("Rate limit enforcement is shared again").count();
    assert!(
        lost >= 2 && lost == joined,
        "one line for each change: {lost} {joined}"
    );
    assert!(log.contains("Redis connection error"));
    Ok(())
}

#[tokio::test]
async fn d06_a_budget_that_is_used_up_stays_used_up_whatever_happens_to_redis() -> Result<()> {
    let mut limited = Limited::start(2, "2s", &["--usd-total", "0.01", "--budget", "strict"]).await?;
    let body = told("input=600 output=60", 100);
    let passes = async |limited: &Limited, data: usize| {
        let answer = limited.stack.messages(data, &limited.key, &body).await?;
        let status = answer.status().as_u16();
        answer.bytes().await?;
        anyhow::Ok(status)
    };
    limited.limit(&["--usd-total", "0.1"])?;
    limited.stack.synced().await?;
    let mut spent = 0;
    let mut refused = 0;
    while refused < 2 {
        match passes(&limited, 0).await? {
            200 => spent += 1,
            _ => refused += 1,
        }
        // What was held for the call is given back a moment after its answer.
        penstock_tests::until("nothing is held", || async {
            Ok((limited.shows("usd_total")?.reserved == 0).then_some(()))
        })
        .await?;
    }
    assert!(spent > 10);
    limited.stack.ledger(spent).await?;
    limited.redis.run(&["FLUSHALL"]).await?;
    assert_eq!(passes(&limited, 0).await?, 429, "after a flush");
    assert_eq!(passes(&limited, 1).await?, 429, "on the other data plane");
    limited.redis.kill()?;
    for data in [0, 1] {
        assert_eq!(passes(&limited, data).await?, 429, "without Redis");
    }
    limited.redis.restart().await?;
    limited.shared().await?;
    for data in [0, 1] {
        assert_eq!(passes(&limited, data).await?, 429, "with a new Redis");
    }
    // And a reset makes it usable again.
    limited
        .stack
        .cli(0)
        .run(&["limits", "reset", "--user", "alice", "--dimension", "usd_total"])?;
    limited.stack.synced().await?;
    assert_eq!(passes(&limited, 1).await?, 200, "after a reset");
    Ok(())
}

#[tokio::test]
async fn d05_closed_refuses_and_open_lets_pass_while_redis_is_away() -> Result<()> {
    let mut limited = Limited::start(1, "2s", &["--rpm", "1"]).await?;
    let cli = limited.stack.cli(0);
    limited.redis.kill()?;
    let body = anthropic_body("alone", false);
    for (mode, statuses) in [
        ("closed", [503, 503]),
        ("open", [200, 200]),
        ("local", [200, 429]),
    ] {
        cli.run(&["setting", "set", "limits", "--degraded", mode])?;
        limited.stack.synced().await?;
        limited.enforced(0, mode).await?;
        for status in statuses {
            let answer = limited.stack.messages(0, &limited.key, &body).await?;
            assert_eq!(answer.status(), status, "{mode}");
            if status == 503 {
                assert_eq!(answer.headers()["x-penstock-code"], "LIMITS_UNAVAILABLE");
                assert_eq!(answer.headers()["retry-after"], "1");
            }
        }
    }
    Ok(())
}
