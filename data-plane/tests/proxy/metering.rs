//! Every call is recorded once, with what it used and what that costs (E1–E3).

use http::StatusCode;
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::price::TokenClass;
use penstock_core::setting::{Setting, UnpricedAction, UnpricedPolicy};
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, Ending, FakeProvider, Gate, Instead, UsageOverride};
use serde_json::json;

use super::client::{chat, messages};
use super::gateway::{CLAUDE, GPT, Setup, anthropic, key_id, openai, price, provider_id, user_id};

fn told() -> Behaviour {
    Behaviour::usage(UsageOverride {
        input: Some(1000),
        output: Some(500),
        cache_read: Some(2000),
        cache_write_5m: Some(300),
        cache_write_1h: Some(100),
        reasoning: Some(0),
    })
}

#[tokio::test]
async fn e01_a_record_says_who_used_what_for_how_much_anthropic() {
    let fake = FakeProvider::builder()
        .default_behaviour(told())
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    for stream in [false, true] {
        let asking = gateway.client().messages(&messages("hi", stream));
        let asking = asking.header("x-claude-code-session-id", "session-1");
        let answer = asking.send().await;
        let request_id = answer.header("x-penstock-request-id").unwrap().to_owned();
        assert!(answer.read().await.clean);
        let record = gateway.ledger().records.pop().unwrap();
        assert_eq!(record.id.to_string(), request_id);
        assert_eq!((record.user_id, record.key_id), (user_id(), key_id(0)));
        assert_eq!(record.provider_id, Some(provider_id(0)));
        assert_eq!(
            (record.model.as_str(), record.model_served.as_str()),
            (CLAUDE, CLAUDE)
        );
        assert_eq!((record.dialect.as_str(), record.stream), ("anthropic", stream));
        assert_eq!((record.status, record.outcome), (200, Outcome::Succeeded));
        let tokens = &record.tokens;
        assert_eq!((tokens.input, tokens.output), (1000, 500));
        assert_eq!(
            (tokens.cache_read, tokens.cache_write, tokens.cache_write_1h),
            (2000, 300, 100)
        );
        // 1000×5 + 500×25 + 2000×0.5 + 300×6.25 + 100×10 millionths of a USD.
        assert_eq!(record.cost, NanoUsd(21_375_000));
        assert_eq!(record.price, Some((CLAUDE.to_owned(), 1)));
        assert_eq!(
            (record.attempts, record.revision, record.estimated),
            (1, 1, false)
        );
        assert_eq!(record.node_id, "node-1");
        assert_eq!(record.session.as_ref().map(String::len), Some(32));
        assert!(record.upstream_request_id.is_some() && record.first_byte_ms.is_some());
    }
    gateway.stop().await;
}

#[tokio::test]
async fn e01_a_record_says_who_used_what_for_how_much_openai() {
    let told = Behaviour::usage(UsageOverride {
        input: Some(1000),
        output: Some(500),
        cache_read: Some(2000),
        cache_write_5m: Some(0),
        cache_write_1h: Some(0),
        reasoning: Some(120),
    });
    let fake = FakeProvider::builder()
        .default_behaviour(told)
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([openai(&fake)]).start().await;
    for stream in [false, true] {
        assert!(
            gateway
                .client()
                .chat(&chat("hi", stream))
                .send()
                .await
                .read()
                .await
                .clean
        );
        let record = gateway.ledger().records.pop().unwrap();
        let tokens = &record.tokens;
        assert_eq!(
            (tokens.input, tokens.output, tokens.cache_read),
            (1000, 500, 2000)
        );
        assert_eq!(tokens.reasoning, 120);
        // 1000×1.25 + 500×10 + 2000×0.125 millionths of a USD.
        assert_eq!(record.cost, NanoUsd(6_500_000));
        assert_eq!(
            (record.dialect.as_str(), record.stream, record.estimated),
            ("openai-chat", stream, false)
        );
    }
    gateway.stop().await;
}

#[tokio::test]
async fn e01_the_ledger_adds_up_to_what_the_provider_reported() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake), openai(&fake)]).start().await;
    let client = gateway.client();
    for (text, stream) in [("a", false), ("some more text", true), ("even more of it", false)] {
        client.messages(&messages(text, stream)).send().await.read().await;
        client.chat(&chat(text, stream)).send().await.read().await;
    }
    let totals = fake.usage_totals().complete;
    let records = gateway.ledger().records;
    assert_eq!(records.len(), 6);
    assert_eq!(
        records.iter().map(|record| record.tokens.input).sum::<u64>(),
        totals.input
    );
    assert_eq!(
        records.iter().map(|record| record.tokens.output).sum::<u64>(),
        totals.output
    );
    gateway.stop().await;
}

#[tokio::test]
async fn e05_the_record_is_in_the_spool_before_the_end_of_a_stream_is_written() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
    answer.until("message_stop").await;
    assert_eq!(gateway.ledger().only().outcome, Outcome::Succeeded);
    gateway.stop().await;
}

#[tokio::test]
async fn e05_an_answer_that_has_begun_is_an_open_entry_until_its_record() {
    let gate = Gate::new();
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::held_after(4, &gate))
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
    let id = answer.header("x-penstock-request-id").unwrap().to_owned();
    answer.until("content_block_start").await;
    let ledger = gateway.ledger();
    assert!(ledger.records.is_empty() && ledger.open.contains_key(&id));
    gate.open();
    answer.until("message_stop").await;
    let ledger = gateway.ledger();
    assert!(ledger.open.is_empty());
    assert_eq!(ledger.only().id.to_string(), id);
    gateway.stop().await;
}

#[tokio::test]
async fn e05_a_crash_would_leave_an_estimate_of_the_input_and_its_cost() {
    let gate = Gate::new();
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::held_after(4, &gate))
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let body = messages("hi", true);
    let mut answer = gateway.client().messages(&body).send().await;
    answer.until("content_block_start").await;
    let ledger = gateway.ledger();
    let (_, left) = ledger.open.first_key_value().unwrap();
    let tokens = body.to_string().len().div_ceil(4) as u64;
    assert_eq!((left.tokens.input, left.tokens.output), (tokens, 0));
    assert_eq!(left.cost.0, i64::try_from(tokens).unwrap() * 5_000);
    assert_eq!(left.price.as_ref().map(|(name, _)| name.as_str()), Some(CLAUDE));
    assert!(left.estimated && left.outcome == Outcome::Interrupted);
    gate.open();
    answer.until("message_stop").await;
    assert!(
        !gateway.ledger().only().estimated,
        "the record itself knows better"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn e02_usage_is_asked_for_and_hidden_from_a_caller_who_did_not_ask() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([openai(&fake)]).start().await;
    let out = gateway.client().chat(&chat("hi", true)).send().await.read().await;
    assert!(out.clean && out.text.ends_with("data: [DONE]\n\n"));
    assert!(!out.text.contains("usage"), "{}", out.text);
    let sent = fake.requests().pop().unwrap().json().unwrap();
    assert_eq!(sent["stream_options"]["include_usage"], true);
    let record = gateway.ledger().records.pop().unwrap();
    assert!(record.tokens.input > 0 && !record.estimated);
    gateway.stop().await;
}

#[tokio::test]
async fn e02_a_caller_who_asked_sees_the_usage_and_his_body_is_untouched() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([openai(&fake)]).start().await;
    let mut body = chat("hi", true);
    body["stream_options"] = json!({"include_usage": true});
    let out = gateway.client().chat(&body).send().await.read().await;
    assert!(out.text.contains("\"usage\":{"));
    assert_eq!(fake.requests().pop().unwrap().body, body.to_string());
    gateway.stop().await;
}

#[tokio::test]
async fn e03_the_multiplier_of_the_provider_counts() {
    let fake = FakeProvider::builder()
        .default_behaviour(told())
        .start()
        .await
        .unwrap();
    let mut provider = anthropic(&fake);
    provider.cost_multiplier = Millionths(1_500_000);
    let gateway = Setup::of([provider]).start().await;
    gateway
        .client()
        .messages(&messages("hi", false))
        .send()
        .await
        .read()
        .await;
    let ledger = gateway.ledger();
    assert_eq!(ledger.only().cost, NanoUsd(32_062_500));
    assert_eq!(ledger.only().cost_multiplier, Millionths(1_500_000));
    gateway.stop().await;
}

#[tokio::test]
async fn e03_a_model_without_a_price_pays_the_dearest_of_its_platform_or_the_stated_default() {
    let fake = FakeProvider::builder()
        .default_behaviour(told())
        .start()
        .await
        .unwrap();
    let mut gateway = Setup::of([anthropic(&fake)]).start().await;
    let mut body = messages("hi", false);
    body["model"] = json!("claude-brand-new");
    gateway.client().messages(&body).send().await.read().await;
    let record = gateway.ledger().records.pop().unwrap();
    assert_eq!(record.cost, NanoUsd(21_375_000));
    assert_eq!(
        (record.unpriced, record.price),
        (Some(UnpricedAction::ChargeDefault), None)
    );

    gateway.change(|setup| {
        let default = price(
            "",
            &[(TokenClass::Input, 1_000_000), (TokenClass::Output, 1_000_000)],
        );
        setup.settings.push(Setting::Unpriced(UnpricedPolicy {
            action: UnpricedAction::ChargeDefault,
            default_rates: default.rates,
        }));
    });
    gateway.client().messages(&body).send().await.read().await;
    assert_eq!(gateway.ledger().records.pop().unwrap().cost, NanoUsd(3_900_000));
    gateway.stop().await;
}

#[tokio::test]
async fn e03_a_model_without_a_price_is_free_or_refused_as_the_operator_chose() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut gateway = Setup::of([anthropic(&fake)]).start().await;
    let policy = |action| {
        Setting::Unpriced(UnpricedPolicy {
            action,
            default_rates: Vec::new(),
        })
    };
    let mut body = messages("hi", false);
    body["model"] = json!("claude-brand-new");
    gateway.change(|setup| setup.settings = vec![policy(UnpricedAction::Free)]);
    assert_eq!(
        gateway.client().messages(&body).send().await.status,
        StatusCode::OK
    );
    let record = gateway.ledger().records.pop().unwrap();
    assert_eq!(
        (record.cost, record.unpriced),
        (NanoUsd(0), Some(UnpricedAction::Free))
    );

    gateway.change(|setup| setup.settings = vec![policy(UnpricedAction::Reject)]);
    let answer = gateway.client().messages(&body).send().await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("x-penstock-code"), Some("MODEL_UNPRICED"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(gateway.ledger().records.pop().unwrap().outcome, Outcome::Rejected);
    assert_eq!(fake.request_count(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn e01_counting_tokens_and_listing_models_make_no_record() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = gateway.client();
    let counted = client
        .post("/v1/messages/count_tokens", &messages("hi", false))
        .send()
        .await;
    assert_eq!(counted.status, StatusCode::OK);
    assert!(counted.json().await["input_tokens"].as_u64().unwrap() > 0);
    assert_eq!(client.get("/v1/models").send().await.status, StatusCode::OK);
    assert_eq!(fake.requests()[0].path, "/v1/messages/count_tokens");
    let ledger = gateway.ledger();
    assert!(ledger.records.is_empty() && ledger.open.is_empty());
    gateway.stop().await;
}

#[tokio::test]
async fn g07_tokens_and_cost_are_metrics_by_provider() {
    let fake = FakeProvider::builder()
        .default_behaviour(told())
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    gateway
        .client()
        .messages(&messages("hi", false))
        .send()
        .await
        .read()
        .await;
    let metrics = gateway.metrics();
    for line in [
        "penstock_requests_total{dialect=\"anthropic\",outcome=\"succeeded\",status=\"200\"} 1",
        "class=\"output\"} 500",
        "penstock_overhead_seconds_count 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(metrics.contains("provider=\"claude\"") && !metrics.contains(GPT));
    gateway.stop().await;
}

#[tokio::test]
async fn e02_a_prompt_whose_length_nobody_reports_is_estimated_and_charged() {
    let silent = r#"{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hello there"}}]}"#;
    for (behaviour, stream) in [
        (Behaviour::instead(Instead::Body(silent.to_owned())), false),
        (Behaviour::ends(3, Ending::Cut), true),
    ] {
        let fake = FakeProvider::builder()
            .default_behaviour(behaviour)
            .start()
            .await
            .unwrap();
        let gateway = Setup::of([openai(&fake)]).start().await;
        let body = chat(&"a long prompt ".repeat(100), stream);
        gateway.client().chat(&body).send().await.read().await;
        let ledger = gateway.records(1).await;
        let record = ledger.only();
        assert!(record.estimated && record.cost.0 > 0);
        assert!(
            (300..450).contains(&record.tokens.input),
            "{}",
            record.tokens.input
        );
        assert!(record.tokens.output > 0);
        gateway.stop().await;
    }
}
