//! D3: counters are shared by all data planes and exact under concurrency.

use anyhow::Result;
use futures::future::join_all;
use penstock_tests::anthropic_body;

use crate::limited::Limited;

#[tokio::test]
async fn d03_of_fifty_calls_at_once_through_three_data_planes_ten_a_minute_let_exactly_ten_pass() -> Result<()>
{
    let limited = Limited::start(3, "5s", &["--rpm", "10"]).await?;
    let stack = &limited.stack;
    let body = anthropic_body("at once", false);
    let calls = (0..50).map(|n| stack.messages(n % 3, &limited.key, &body));
    let answers = join_all(calls).await.into_iter().collect::<Result<Vec<_>>>()?;
    let passed = answers.iter().filter(|answer| answer.status() == 200).count();
    assert_eq!(passed, 10);
    for refused in answers.into_iter().filter(|answer| answer.status() != 200) {
        assert_eq!(refused.status(), 429);
        let wait: u64 = refused.headers()["retry-after"].to_str()?.parse()?;
        assert!((1..=61).contains(&wait), "{wait}");
        assert_eq!(refused.headers()["x-ratelimit-limit"], "10");
        assert_eq!(refused.headers()["x-ratelimit-remaining"], "0");
        assert_eq!(refused.headers()["x-penstock-code"], "RATE_LIMIT_EXCEEDED");
        let body: serde_json::Value = refused.json().await?;
        assert_eq!(body["error"]["penstock"]["dimension"], "rpm", "{body}");
        assert_eq!(body["error"]["penstock"]["level"], "user", "{body}");
    }
    assert_eq!(stack.fake.request_count(), 10);
    assert_eq!(limited.shows("rpm")?.used, 10);
    let usage = stack.ledger(50).await?;
    assert_eq!((&usage["requests"], &usage["rejected"]), (&10.into(), &40.into()));
    Ok(())
}
