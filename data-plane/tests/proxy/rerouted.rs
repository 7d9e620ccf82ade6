//! The same provider elsewhere, another name, another model (B1, B5, B14).

use penstock_core::model::ModelPattern;
use penstock_core::provider::{Override, Provider, Redirect};
use penstock_core::setting::{ModelFallback, RoutingPolicy, Setting};
use penstock_fake_provider::Behaviour;

use super::client::{chat, messages};
use super::failover::tier;
use super::gateway::{CLAUDE, Setup, anthropic, openai};
use super::limits::{provider, told};

#[tokio::test]
async fn b05_another_base_url_is_tried_at_once_and_comes_first_then() {
    let fake = provider(told()).await;
    let dead = provider(Behaviour::default()).await;
    let two = Provider {
        base_urls: vec![dead.base_url(), fake.base_url()],
        ..anthropic(&fake)
    };
    dead.shutdown().await;
    let gateway = Setup::of([two]).start().await;
    for _ in 0..3 {
        let answer = gateway.client().messages(&messages("hi", false)).send().await;
        assert_eq!(answer.status, 200);
    }
    let attempts: Vec<_> = gateway
        .records(3)
        .await
        .records
        .iter()
        .map(|r| r.attempts)
        .collect();
    assert_eq!(attempts, [2, 1, 1]);
    gateway.stop().await;
}

#[tokio::test]
async fn b01_a_provider_gets_its_own_name_of_the_model_and_its_own_members() {
    let fake = provider(told()).await;
    let redirected = Provider {
        redirects: vec![Redirect {
            from: ModelPattern::Prefix("gpt-".into()),
            to: "deployment-7".into(),
        }],
        overrides: vec![
            Override {
                path: "service_tier".into(),
                value: Some("\"flex\"".into()),
            },
            Override {
                path: "user".into(),
                value: None,
            },
        ],
        ..openai(&fake)
    };
    let gateway = Setup::of([redirected]).start().await;
    for stream in [false, true] {
        let mut body = chat("hi", stream);
        body["user"] = "somebody".into();
        let answer = gateway.client().chat(&body).send().await;
        assert_eq!(answer.status, 200);
        let read = answer.read().await;
        assert!(!stream || !read.text.contains("\"usage\""), "{}", read.text);
    }
    for request in fake.requests() {
        let body = request.json().unwrap();
        assert_eq!(
            (&body["model"], &body["service_tier"]),
            (&"deployment-7".into(), &"flex".into())
        );
        assert!(body.get("user").is_none());
    }
    let record = gateway.records(2).await.records[1].clone();
    assert_eq!(
        (record.model.as_str(), record.model_served.as_str()),
        ("gpt-5.5", "deployment-7")
    );
    assert!(record.tokens.output > 0, "the usage chunk was asked for and read");
    gateway.stop().await;
}

#[tokio::test]
async fn b14_when_nobody_is_left_for_a_model_its_substitutes_are_asked_in_order() {
    let fallback = ModelFallback {
        model: ModelPattern::Exact(CLAUDE.into()),
        substitutes: vec!["claude-forbidden".into(), "claude-haiku-4-5".into()],
    };
    for on in [false, true] {
        let fake = provider(Behaviour::default()).await;
        fake.script([Behaviour::status(429)]);
        let mut setup = Setup::of([tier(&fake, 0)]);
        setup.user.blocked_models = vec![ModelPattern::Exact("claude-forbidden".into())];
        if on {
            setup.settings = vec![
                Setting::ModelFallbacks(vec![fallback.clone()]),
                Setting::Routing(RoutingPolicy::default()),
            ];
        }
        let gateway = setup.start().await;
        let answer = gateway.client().messages(&messages("hi", false)).send().await;
        assert_eq!(answer.status, if on { 200 } else { 429 });
        let record = gateway.records(1).await.records[0].clone();
        let served = if on { "claude-haiku-4-5" } else { CLAUDE };
        assert_eq!(
            (record.model.as_str(), record.model_served.as_str()),
            (CLAUDE, served)
        );
        gateway.stop().await;
    }
}
