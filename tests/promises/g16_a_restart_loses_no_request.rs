//! G16: told to stop, a data plane lets its calls run to their end, reports their usage, and goes.

use anyhow::Result;
use futures::future::join_all;
use penstock_fake_provider::Behaviour;
use penstock_tests::{Stack, anthropic_body};

#[tokio::test]
async fn g16_streams_run_to_their_end_through_a_shutdown_and_are_in_the_ledger() -> Result<()> {
    let mut stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    stack.fake.set_default(Behaviour::parse("pace=20 chunks=50")?);
    let url = format!("{}/v1/messages", stack.data[0].url);
    let http = stack.http.clone();
    let calls = (0..20).map(|n| {
        let request = http
            .post(&url)
            .header("x-api-key", &key)
            .json(&anthropic_body(&format!("call {n}"), true));
        async move { anyhow::Ok(request.send().await?.text().await?) }
    });
    let fake = &stack.fake;
    let data = &mut stack.data[0];
    let stop = async {
        fake.until(|counts| counts.in_flight == 20).await;
        data.terminate().await
    };
    let (answers, stopped) = tokio::join!(join_all(calls), stop);
    stopped?;
    for answer in answers {
        assert!(answer?.contains("message_stop"));
    }
    let usage = stack.ledger(20).await?;
    assert_eq!(usage["requests"], 20);
    Ok(())
}
