//! The vendors' own Python SDKs, pointed at a data plane, streaming and not.

use anyhow::Result;
use penstock_tests::{Stack, python};

use crate::e01_the_ledger_equals_what_the_provider_reported::{gpt_cost, opus_cost};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_anthropic_sdk_works_and_the_ledger_equals_what_the_provider_reported() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    let Some(output) = python("anthropic_sdk.py", &[&stack.data[0].url, &key])? else {
        return Ok(());
    };
    assert!(output.contains("ok"), "{output}");
    let reported = stack.fake.usage_totals();
    // The script also gets one 529: an answer, though not a good one.
    let usage = stack.ledger(reported.answers + 1).await?;
    assert_eq!(usage["requests"].as_u64(), Some(reported.answers + 1));
    assert_eq!(usage["input_tokens"].as_u64(), Some(reported.complete.input));
    assert_eq!(usage["output_tokens"].as_u64(), Some(reported.complete.output));
    assert_eq!(
        usage["cost_nanousd"].as_u64(),
        Some(opus_cost(&reported.complete))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_openai_sdk_works_and_the_ledger_equals_what_the_provider_reported() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    let Some(output) = python("openai_sdk.py", &[&format!("{}/v1", stack.data[0].url), &key])? else {
        return Ok(());
    };
    assert!(output.contains("ok"), "{output}");
    let reported = stack.fake.usage_totals();
    let usage = stack.ledger(reported.answers).await?;
    assert_eq!(usage["requests"].as_u64(), Some(reported.answers));
    assert_eq!(usage["output_tokens"].as_u64(), Some(reported.complete.output));
    assert_eq!(usage["cost_nanousd"].as_u64(), Some(gpt_cost(&reported.complete)));
    Ok(())
}
