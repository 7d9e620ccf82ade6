//! B5 and E5: while another provider could have answered, no caller sees a failure, and nothing is billed twice.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use futures::stream;
use penstock_fake_provider::{Behaviour, Ending, FakeProvider, Instead};
use penstock_tests::{CREDENTIAL, Stack, anthropic_body};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::StatusCode;

/// Of a full run; `PENSTOCK_TEST_CALLS=100000` is the promise's own number.
const CALLS: usize = 3_000;
/// At once.
const PARALLEL: usize = 256;

/// Good in seven of ten cases, else bad in a way that comes before any content.
fn behaviour(random: &mut StdRng) -> Behaviour {
    if random.random_range(0..10) >= 3 {
        return Behaviour::default();
    }
    match random.random_range(0..11) {
        0 => Behaviour::status(500),
        1 => Behaviour::status(502),
        2 => Behaviour::status(503),
        3 => Behaviour::status(403).error("permission_error", "Not today.", None),
        4 => Behaviour::instead(Instead::Reset),
        5 => Behaviour::instead(Instead::Html),
        6 => Behaviour::instead(Instead::EmptyBody),
        7 => Behaviour::instead(Instead::MalformedJson),
        8 => Behaviour::ends(0, Ending::Error).error("api_error", "Internal server error", None),
        9 => Behaviour::ends(1, Ending::Cut),
        _ => Behaviour::instead(Instead::Hang),
    }
}

async fn provider(stack: &Stack, name: &str, flags: &[&str]) -> Result<FakeProvider> {
    let fake = FakeProvider::builder()
        .require_credential(CREDENTIAL)
        .start()
        .await?;
    let url = fake.base_url();
    let args = [
        "provider",
        "create",
        "--name",
        name,
        "--kind",
        "anthropic",
        "--base-url",
        &url,
    ];
    let args = [&args[..], &["--api-key", "-"], flags].concat();
    stack.cli(0).run_with(&args, CREDENTIAL)?;
    Ok(fake)
}

#[tokio::test]
async fn b05_with_a_provider_that_fails_often_callers_see_no_failure_and_nothing_is_billed_twice()
-> Result<()> {
    let calls = match std::env::var("PENSTOCK_TEST_CALLS") {
        Ok(calls) => calls.parse().context("PENSTOCK_TEST_CALLS")?,
        Err(_) => CALLS,
    };
    let stack = Stack::builder().start().await?;
    // Without its breaker, so that it goes on failing. An answer that came too late is paid for and not booked, so the
    // times are long for a machine that stalls.
    let flags = [
        "--breaker-failures",
        "0",
        "--timeout-first-byte",
        "5s",
        "--timeout-total",
        "20s",
    ];
    let flaky = provider(&stack, "flaky", &flags).await?;
    let steady = provider(&stack, "steady", &[]).await?;
    stack.cli(0).run(&["user", "create", "--name", "alice"])?;
    let key = stack.create_key("alice", "laptop")?;
    stack.synced().await?;
    let mut random = StdRng::seed_from_u64(5);
    flaky.script((0..calls * 2).map(|_| behaviour(&mut random)));

    let asked = stream::iter(0..calls).map(|n| {
        let (stack, key) = (&stack, &key);
        async move {
            let streaming = n % 3 > 0;
            let body = anthropic_body(&format!("call {n}"), streaming);
            let answer = stack.messages(0, key, &body).await?;
            let status = answer.status();
            let text = answer.text().await?;
            ensure!(status == StatusCode::OK, "{n}: {status} {text}");
            ensure!(!text.contains("\"error\""), "{n}: {text}");
            ensure!(
                text.contains(if streaming { "message_stop" } else { "end_turn" }),
                "{n}: {text}"
            );
            Ok(())
        }
    });
    let outcomes: Vec<Result<()>> = asked.buffer_unordered(PARALLEL).collect().await;
    let failures: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .collect();
    assert!(
        failures.is_empty(),
        "{} failures, the first: {:?}",
        failures.len(),
        failures.first()
    );

    let ledger = stack.ledger(calls as u64).await?;
    assert_eq!(ledger["requests"].as_u64(), Some(calls as u64));
    let reported = [&flaky, &steady].map(|fake| fake.usage_totals().complete);
    let sum = |of: fn(&penstock_fake_provider::Usage) -> u64| reported.iter().map(of).sum::<u64>();
    assert_eq!(ledger["input_tokens"].as_u64(), Some(sum(|usage| usage.input)));
    assert_eq!(ledger["output_tokens"].as_u64(), Some(sum(|usage| usage.output)));
    // It did fail: more requests came to the providers than calls were made.
    let requests = flaky.request_count() + steady.request_count();
    assert!(requests > calls as u64 + calls as u64 / 20, "{requests}");
    tokio::time::timeout(Duration::from_secs(10), flaky.shutdown()).await?;
    Ok(())
}
