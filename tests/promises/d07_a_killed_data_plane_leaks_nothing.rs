//! D7: a crashed data plane leaks no concurrency.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use crate::limited::{Limited, told};

/// Of the specification.
const FREE_WITHIN: Duration = Duration::from_secs(60);

#[tokio::test]
async fn d07_a_hundred_slots_of_a_killed_data_plane_are_free_within_a_minute() -> Result<()> {
    let limits = [
        "--concurrent-requests",
        "100",
        "--usd-total",
        "100",
        "--budget",
        "strict",
    ];
    let mut limited = Limited::start(2, "5s", &limits).await?;
    let http = limited.stack.http.clone();
    let url = format!("{}/v1/messages", limited.stack.data[0].url);
    let body = told("pace=1000 chunks=300 bytes=3000", 4_000);
    let open = || {
        http.post(&url)
            .header("x-api-key", &limited.key)
            .json(&body)
            .send()
    };
    let streams = futures::future::join_all((0..100).map(|_| open())).await;
    let streams = streams.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert!(streams.iter().all(|answer| answer.status() == 200));
    let refused = limited
        .stack
        .messages(1, &limited.key, &told("bytes=10", 100))
        .await?;
    assert_eq!(refused.status(), 429);
    let held = limited.shows("usd_total")?;
    assert!(held.reserved > 0 && held.used == 0, "{held:?}");
    limited.stack.data[0].kill()?;
    let killed = Instant::now();
    loop {
        let answer = limited
            .stack
            .messages(1, &limited.key, &told("bytes=10", 100))
            .await?;
        if answer.status() == 200 {
            break;
        }
        // Twice the promise, for a machine that stalls; the bench measures.
        anyhow::ensure!(killed.elapsed() < 2 * FREE_WITHIN, "the slots are not free");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(limited.shows("concurrent_requests")?.used <= 1);
    let lapsed = limited.shows("usd_total")?;
    assert!(
        lapsed.used >= held.reserved,
        "what was held counts as spent: {held:?} {lapsed:?}"
    );
    // The data plane comes back, says what it had, and the money is what the ledger has.
    let http = limited.stack.http.clone();
    limited.stack.data[0].start(&http).await?;
    drop(streams);
    limited.stack.ledger(102).await?;
    penstock_tests::until("the counters have what the ledger has", || async {
        let usage = limited.stack.cli(0).json(&["usage"])?;
        let cost: penstock_core::money::NanoUsd = usage["cost_usd"].as_str().unwrap_or_default().parse()?;
        let shown = limited.shows("usd_total")?;
        Ok((shown.used == cost.0 && shown.reserved == 0).then_some(()))
    })
    .await
}
