//! E1–E3: tokens and cost in the ledger are the provider's own numbers, to the nano-dollar, also when calls are
//! refused, fail, break off or are given up.

use anyhow::Result;
use futures::StreamExt;
use penstock_fake_provider::{Behaviour, Usage};
use penstock_tests::{Stack, anthropic_body, chat_body};

/// Nano-USD per token of claude-opus-4-8 and gpt-5.5, from the vendors' price lists.
pub(crate) fn opus_cost(usage: &Usage) -> u64 {
    usage.input * 5_000
        + usage.output * 25_000
        + usage.cache_read * 500
        + usage.cache_write_5m * 6_250
        + usage.cache_write_1h * 10_000
}

pub(crate) fn gpt_cost(usage: &Usage) -> u64 {
    usage.input * 5_000 + usage.output * 30_000 + usage.cache_read * 500 + usage.cache_write_5m * 5_000
}

#[tokio::test]
async fn e01_tokens_and_cost_of_every_way_to_ask_are_in_the_ledger() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    for stream in [false, true] {
        let text = "[[fake input=100 cache-read=1000 cache-write-5m=200 cache-write-1h=300 output=50]] hello";
        let answer = stack.messages(0, &key, &anthropic_body(text, stream)).await?;
        assert_eq!(answer.status(), 200);
        answer.text().await?;
    }
    let claude = stack.ledger(2).await?;
    assert_eq!(claude["requests"], 2);
    assert_eq!(claude["cost_nanousd"], 2 * 6_500_000);
    assert_eq!(claude["cost_usd"], "0.013");
    assert_eq!(
        (&claude["input_tokens"], &claude["output_tokens"]),
        (&200.into(), &100.into())
    );
    assert_eq!(
        (&claude["cache_read_tokens"], &claude["cache_write_1h_tokens"]),
        (&2000.into(), &600.into())
    );

    let before = stack.fake.usage_totals().complete;
    for stream in [false, true] {
        let answer = stack
            .chat(
                0,
                &key,
                &chat_body("[[fake input=70 cache-read=30 output=20]] hello", stream),
            )
            .await?;
        assert_eq!(answer.status(), 200);
        let body = answer.text().await?;
        assert!(
            !stream || !body.contains("\"usage\""),
            "usage nobody asked for: {body}"
        );
    }
    let both = stack.ledger(4).await?;
    let reported = stack.fake.usage_totals().complete;
    let gpt = Usage {
        input: reported.input - before.input,
        output: reported.output - before.output,
        cache_read: reported.cache_read - before.cache_read,
        ..Usage::default()
    };
    assert_eq!(
        both["cost_nanousd"].as_u64().unwrap(),
        opus_cost(&before) + gpt_cost(&gpt)
    );
    Ok(())
}

#[tokio::test]
async fn e01_refused_failed_and_broken_calls_are_recorded_for_what_they_were() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    let cli = stack.cli(0);
    cli.run(&[
        "key",
        "create",
        "--user",
        "alice",
        "--name",
        "narrow",
        "--allow-model",
        "claude-haiku-4-5",
    ])?;
    let narrow = cli.json(&["key", "rotate", "narrow"])?["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    stack.synced().await?;

    assert_eq!(
        stack
            .messages(0, &narrow, &anthropic_body("hello", false))
            .await?
            .status(),
        403
    );
    assert_eq!(
        stack
            .messages(0, "psk_nobody_knows_this_key_0123", &anthropic_body("x", false))
            .await?
            .status(),
        401
    );
    // Of another model, for which the provider is left alone for a while then.
    let mut overloaded = anthropic_body("[[fake status=529]]", false);
    overloaded["model"] = "claude-haiku-4-5".into();
    assert_eq!(stack.messages(0, &key, &overloaded).await?.status(), 529);
    let broken = anthropic_body("[[fake cut=4 output=9 chunks=20]]", true);
    let mut body = stack.messages(0, &key, &broken).await?.bytes_stream();
    let mut cut = String::new();
    let ended = loop {
        match body.next().await {
            Some(Ok(piece)) => cut += &String::from_utf8_lossy(&piece),
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
    };
    assert!(ended.is_err(), "a cut stream must not end cleanly");
    assert!(
        cut.contains("event: error"),
        "a cut stream must not end cleanly: {cut}"
    );

    let usage = stack.ledger(3).await?;
    assert_eq!(usage["rejected"], 1, "the unknown key leaves no record: {usage}");
    let records = cli.json(&["usage", "records"])?;
    let mut outcomes: Vec<_> = records["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["outcome"].as_str().unwrap().to_owned())
        .collect();
    outcomes.sort();
    assert_eq!(outcomes, ["interrupted", "rejected", "upstream_error"]);
    Ok(())
}

#[tokio::test]
async fn c04_a_caller_that_goes_away_ends_the_upstream_call_and_is_billed_for_what_it_saw() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    stack
        .fake
        .set_default(Behaviour::parse("pace=50 chunks=2000 input=40")?);
    let answer = stack.messages(0, &key, &anthropic_body("hello", true)).await?;
    let mut body = answer.bytes_stream();
    for _ in 0..5 {
        body.next().await.unwrap()?;
    }
    drop(body);
    stack.fake.until(|counts| counts.abandoned == 1).await;
    stack.ledger(1).await?;
    let records = stack.cli(0).json(&["usage", "records"])?;
    let record = &records["items"][0];
    assert_eq!(
        (&record["outcome"], &record["status"]),
        (&"client_abort".into(), &499.into())
    );
    assert_eq!(
        (&record["estimated"], &record["input_tokens"]),
        (&true.into(), &40.into())
    );
    Ok(())
}
