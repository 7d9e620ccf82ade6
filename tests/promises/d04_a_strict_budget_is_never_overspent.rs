//! D4: budgets are reserved before and settled after; a strict one is never overspent, and usable nearly to its end.

use anyhow::Result;
use futures::StreamExt;
use futures::stream;
use penstock_core::money::NanoUsd;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::limited::{Limited, told};

const USD: i64 = 1_000_000_000;

/// As far as it came: what is cut off has no clean end.
async fn read(mut answer: reqwest::Response) -> String {
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        text.extend_from_slice(&chunk);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Streams whose cost varies: a few tokens of input to thousands, a short answer or one that is paid for on its way.
fn words(random: &mut StdRng) -> String {
    let (input, bytes) = (random.random_range(10..2_000), random.random_range(10..3_500));
    format!("input={input} bytes={bytes} chunks=12 pace=3")
}

#[tokio::test]
async fn d04_two_hundred_streams_at_once_never_pass_one_usd_and_all_but_a_twentieth_can_be_used() -> Result<()>
{
    let limited = Limited::start(3, "5s", &["--usd-5h", "1", "--budget", "strict"]).await?;
    let (stack, key) = (&limited.stack, &limited.key);
    let mut random = StdRng::seed_from_u64(4);
    let bodies: Vec<_> = (0..200).map(|_| told(&words(&mut random), 4_000)).collect();
    let calls = stream::iter(bodies.iter().enumerate()).map(|(n, body)| async move {
        let answer = stack.messages(n % 3, key, body).await?;
        anyhow::Ok((answer.status().as_u16(), read(answer).await))
    });
    let all = calls.buffer_unordered(200).collect::<Vec<_>>();
    let watching = async {
        // Until the calls are over.
        loop {
            let shown = limited.shows("usd_5h")?;
            anyhow::ensure!(shown.used + shown.reserved <= USD, "overspent: {shown:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let answers = tokio::select! {
        answers = all => answers.into_iter().collect::<Result<Vec<_>>>()?,
        failed = watching => return failed,
    };
    for (status, text) in &answers {
        let whole = text.contains("message_stop");
        let cut = text.contains("event: error") && text.contains("Quota exceeded");
        assert!(
            *status == 429 || (*status == 200 && (whole || cut)),
            "{status} {text}"
        );
    }
    // One after the other, the rest can be used.
    let mut refused = 0;
    while refused < 60 {
        limited.nothing_is_held("usd_5h").await?;
        let answer = stack.messages(0, key, &told(&words(&mut random), 4_000)).await?;
        let status = answer.status();
        let text = read(answer).await;
        refused += u32::from(status == 429 || text.contains("Quota exceeded"));
    }
    let used = limited.nothing_is_held("usd_5h").await?;
    assert!(used <= USD, "{used}");
    assert!(used >= USD * 95 / 100, "{used}");
    let in_ledger = penstock_tests::until("the ledger has all of it", || async {
        let usage = stack.cli(0).json(&["usage"])?;
        let cost: NanoUsd = usage["cost_usd"].as_str().unwrap_or_default().parse()?;
        Ok((cost.0 == used).then_some(()))
    });
    in_ledger.await
}

#[tokio::test]
async fn d04_a_soft_budget_is_overshot_by_no_more_than_what_was_in_flight() -> Result<()> {
    let limited = Limited::start(2, "5s", &["--usd-total", "0.1"]).await?;
    let (stack, key) = (&limited.stack, &limited.key);
    // Each costs 0.0075 USD, exactly.
    let body = &told("input=1000 output=100", 200);
    let calls = (0..64_usize).map(|n| async move {
        let answer = stack.messages(n % 2, key, body).await?;
        let passed = answer.status() == 200;
        answer.text().await?;
        anyhow::Ok(passed)
    });
    let passed = stream::iter(calls).buffer_unordered(16).collect::<Vec<_>>().await;
    let passed = passed.into_iter().collect::<Result<Vec<_>>>()?;
    let mut passed = i64::try_from(passed.into_iter().filter(|passed| *passed).count())?;
    let cost = 7_500_000;
    // What is held for calls under way refuses others; once they are settled, the rest can be used.
    loop {
        limited.nothing_is_held("usd_total").await?;
        let answer = stack.messages(0, key, body).await?;
        let refused = answer.status() == 429;
        answer.text().await?;
        if refused {
            break;
        }
        passed += 1;
    }
    assert!(passed * cost >= USD / 10, "the budget can be used: {passed}");
    assert!(
        passed * cost <= USD / 10 + 16 * cost,
        "over by more than was in flight: {passed}"
    );
    penstock_tests::until("all of it is settled", || async {
        let shown = limited.shows("usd_total")?;
        Ok((shown.used == passed * cost && shown.reserved == 0).then_some(()))
    })
    .await
}
