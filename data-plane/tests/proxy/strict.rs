//! Strict budgets are never overspent, whatever streams through (D4).

use futures::future::join_all;
use http::StatusCode;
use penstock_core::dialect::Dialect;
use penstock_core::limits::{Budget, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::provider::Provider;
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, Gate};
use serde_json::{Value, json};

use super::client::{ReadOut, chat, messages};
use super::gateway::{Gateway, Setup, openai};
use super::limits::{ask, comes_to, limited, provider, reading, told};

fn strict(limit: i64) -> Limits {
    Limits {
        usd_total: NanoUsd(limit),
        budget: Budget::Strict,
        ..Limits::default()
    }
}

/// Says much more than the budgets of these tests have room for.
fn talkative() -> Behaviour {
    Behaviour::default().text_bytes(40_000).chunks(200)
}

fn long_messages() -> Value {
    let mut body = messages("hi", true);
    body["max_tokens"] = 100_000.into();
    body
}

fn long_chat() -> Value {
    let mut body = chat("hi", true);
    (body["max_tokens"], body["reasoning_effort"]) = (100_000.into(), "none".into());
    body
}

async fn is_cut(gateway: &Gateway, out: &ReadOut, limit: i64) {
    assert!(!out.clean, "never a clean end");
    let record = gateway.records(1).await.only().clone();
    assert_eq!((record.outcome, record.status), (Outcome::Interrupted, 200));
    assert_eq!(record.code.as_deref(), Some("QUOTA_EXCEEDED"));
    assert!(record.cost.0 > 0 && record.cost.0 <= limit, "{:?}", record.cost);
    comes_to(gateway, "usd_total", json!(record.cost.to_string())).await;
    assert_eq!(reading(gateway, "user", "usd_total").await.1, "0");
}

#[tokio::test]
async fn d04_a_stream_that_the_budget_has_no_room_for_is_cut_with_an_error_event() {
    let limit = 60_000_000;
    let (_fake, gateway) = limited(talkative(), strict(limit)).await;
    let answer = gateway.client().messages(&long_messages()).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    let out = answer.read().await;
    is_cut(&gateway, &out, limit).await;
    assert!(out.text.contains("content_block_delta") && !out.text.contains("message_stop"));
    let last = out.text.trim_end().rsplit("\n\n").next().unwrap();
    assert!(
        last.starts_with("event: error\ndata: {\"type\":\"error\""),
        "{last}"
    );
    assert!(last.contains("Quota exceeded"), "{last}");
    gateway.stop().await;
}

#[tokio::test]
async fn d04_a_stream_of_the_other_dialect_is_cut_likewise() {
    let limit = 20_000_000;
    let (_fake, gateway) = limited(talkative(), strict(limit)).await;
    let answer = gateway.client().chat(&long_chat()).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    let out = answer.read().await;
    is_cut(&gateway, &out, limit).await;
    assert!(!out.text.contains("[DONE]"));
    let last = out.text.trim_end().rsplit("\n\n").next().unwrap();
    assert!(
        last.starts_with("data: {\"error\":{\"message\":\"Quota exceeded"),
        "{last}"
    );
    assert!(last.contains("insufficient_quota"), "{last}");
    gateway.stop().await;
}

#[tokio::test]
async fn d04_a_stream_that_the_budget_has_room_for_passes_whole() {
    let (_fake, gateway) = limited(talkative(), strict(3_000_000_000)).await;
    let out = gateway
        .client()
        .messages(&long_messages())
        .send()
        .await
        .read()
        .await;
    assert!(out.clean && out.text.contains("message_stop"));
    let record = gateway.records(1).await.only().clone();
    assert_eq!(record.outcome, Outcome::Succeeded);
    comes_to(&gateway, "usd_total", json!(record.cost.to_string())).await;
    gateway.stop().await;
}

#[tokio::test]
async fn d04_streams_beside_each_other_never_spend_more_than_the_budget() {
    let limit = 300_000_000;
    let (_fake, gateway) = limited(talkative(), strict(limit)).await;
    let streams = (0..20).map(|_| async {
        let answer = gateway.client().messages(&long_messages()).send().await;
        answer.read().await.clean
    });
    let ends = join_all(streams).await;
    assert!(ends.contains(&false));
    let ledger = gateway.records(20).await;
    let spent: i64 = ledger.records.iter().map(|record| record.cost.0).sum();
    assert!(spent > 0 && spent <= limit, "{spent}");
    comes_to(&gateway, "usd_total", json!(NanoUsd(spent).to_string())).await;
    gateway.stop().await;
}

#[tokio::test]
async fn d04_an_answer_that_is_no_stream_holds_its_whole_bound() {
    let gate = Gate::new();
    let mut behaviour = told();
    behaviour.hold = Some(gate.clone());
    let (fake, mut gateway) = limited(behaviour, strict(40_000_000)).await;
    let refused = ask(&gateway, false).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("x-penstock-code"), Some("QUOTA_EXCEEDED"));
    assert_eq!(refused.header("retry-after"), Some("86400"), "it never fits");
    assert_eq!(fake.request_count(), 0);
    // 1000 tokens of output, and the body at a token a byte with the vendor's words around it.
    gateway.change(|setup| setup.user_limits = strict(60_000_000));
    let (answer, ()) = tokio::join!(ask(&gateway, false), async {
        while fake.request_count() == 0 {
            tokio::task::yield_now().await;
        }
        let held = reading(&gateway, "user", "usd_total").await.1;
        let held: f64 = held.as_str().unwrap().parse().unwrap();
        assert!(held > 0.025 + 0.02 && held < 0.06, "{held}");
        gate.open();
    });
    assert!(answer.read().await.clean);
    assert_eq!(
        reading(&gateway, "user", "usd_total").await,
        (json!("0.0175"), json!("0"))
    );
    gateway.stop().await;
}

#[tokio::test]
async fn d04_a_call_without_a_bound_is_400_and_says_what_it_wants() {
    let (fake, gateway) = limited(told(), strict(1_000_000_000)).await;
    let mut body = messages("hi", true);
    body.as_object_mut().unwrap().remove("max_tokens");
    let refused = gateway.client().chat(&chat("hi", true)).send().await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.header("x-penstock-code"), Some("STRICT_BUDGET_UNBOUNDED"));
    assert!(refused.message().await.contains("max_tokens"));
    body["max_tokens"] = 100.into();
    body["tools"] = json!([{"type": "web_search_20250305", "name": "web_search"}]);
    let refused = gateway.client().messages(&body).send().await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.message().await.contains("max_uses"));
    assert_eq!(fake.request_count(), 0);
    let ledger = gateway.records(2).await;
    assert_eq!(ledger.records[0].code.as_deref(), Some("STRICT_BUDGET_UNBOUNDED"));
    assert_eq!(
        reading(&gateway, "user", "usd_total").await,
        (json!("0"), json!("0"))
    );
    gateway.stop().await;
}

#[tokio::test]
async fn d04_a_stream_goes_on_without_a_lead_while_there_is_room_for_its_output() {
    let mut pieces = Vec::new();
    for limit in (60_000_000..120_000_000).step_by(10_000_000) {
        let (_fake, gateway) = limited(talkative(), strict(limit)).await;
        let out = gateway
            .client()
            .messages(&long_messages())
            .send()
            .await
            .read()
            .await;
        assert!(!out.clean);
        pieces.push(out.text.matches("event: content_block_delta").count());
        gateway.stop().await;
    }
    // A lead has at least five pieces.
    assert!(pieces.windows(2).all(|pair| pair[1] - pair[0] < 5), "{pieces:?}");
    assert!(pieces.last() > pieces.first(), "{pieces:?}");
}

#[tokio::test]
async fn d04_a_stream_that_would_be_translated_holds_its_whole_bound() {
    let fake = provider(talkative()).await;
    let relay = Provider {
        translate: vec![Dialect::Anthropic],
        ..openai(&fake)
    };
    let setup = Setup {
        user_limits: strict(60_000_000),
        ..Setup::of([relay])
    };
    let mut gateway = setup.start().await;
    let refused = gateway.client().messages(&long_messages()).send().await;
    assert_eq!(
        refused.header("x-penstock-code"),
        Some("QUOTA_EXCEEDED"),
        "what the provider hides is not known"
    );
    gateway.change(|setup| setup.user_limits = strict(3_000_000_000));
    let out = gateway
        .client()
        .messages(&long_messages())
        .send()
        .await
        .read()
        .await;
    assert!(out.clean && out.text.contains("message_stop"), "{}", out.text);
    gateway.stop().await;
}
