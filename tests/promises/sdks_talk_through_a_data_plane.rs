//! The vendors' own SDKs in Python and JavaScript, pointed at a data plane: streaming and not, with tools.
//!
//! Each script ends with calls that fail as the vendor's API fails; they are answers too, though not good ones.

use anyhow::{Context, Result};
use penstock_tests::{Npm, Stack, python};
use serde_json::Value;

use crate::e01_the_ledger_equals_what_the_provider_reported::opus_cost;

/// An installation with providers of all dialects, and a key.
async fn stack() -> Result<(Stack, String)> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.provider("google", "gemini", &stack.fake.base_url(), &[])?;
    stack.synced().await?;
    Ok((stack, key))
}

async fn python_works(script: &str, version: &str, failing: u64) -> Result<()> {
    let (stack, key) = stack().await?;
    let url = format!("{}{version}", stack.data[0].url);
    let Some(output) = python(script, &[&url, &key])? else {
        return Ok(());
    };
    check(&stack, &output, failing).await.map(drop)
}

async fn javascript_works(script: &str, version: &str, failing: u64) -> Result<()> {
    let Some(npm) = Npm::new()? else { return Ok(()) };
    let (stack, key) = stack().await?;
    let url = format!("{}{version}", stack.data[0].url);
    let output = npm.script(script, &[&url, &key]).await?;
    check(&stack, &output, failing).await.map(drop)
}

/// The ledger has every call, and of good answers the very tokens that the provider reported.
async fn check(stack: &Stack, output: &str, failing: u64) -> Result<Value> {
    assert!(output.contains("ok"), "{output}");
    let reported = stack.fake.usage_totals();
    let calls = reported.answers + failing;
    let usage = stack.ledger(calls).await?;
    let tokens = |field: &str| usage[field].as_u64().context("a number");
    assert_eq!(tokens("requests")?, calls);
    let input = reported.complete.input + reported.partial.input;
    assert_eq!(tokens("input_tokens")?, input);
    // What a stream had said when it broke off is estimated.
    let estimated = tokens("output_tokens")? - reported.complete.output;
    assert!((estimated > 0) == (reported.partial_answers > 0), "{usage}");
    Ok(usage)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anthropic_in_python() -> Result<()> {
    let (stack, key) = stack().await?;
    let Some(output) = python("anthropic_sdk.py", &[&stack.data[0].url, &key])? else {
        return Ok(());
    };
    let usage = check(&stack, &output, 1).await?;
    let cost = opus_cost(&stack.fake.usage_totals().complete);
    assert_eq!(usage["cost_nanousd"].as_u64(), Some(cost));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openai_in_python() -> Result<()> {
    python_works("openai_sdk.py", "/v1", 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_in_python() -> Result<()> {
    python_works("google_sdk.py", "", 2).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anthropic_in_javascript() -> Result<()> {
    javascript_works("anthropic.mjs", "", 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openai_in_javascript() -> Result<()> {
    javascript_works("openai.mjs", "/v1", 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_in_javascript() -> Result<()> {
    javascript_works("google.mjs", "", 2).await
}
