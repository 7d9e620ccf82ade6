//! Who is let in, and who is told why not (A1–A6, A8).

use http::{Method, StatusCode};
use penstock_core::access::{Access, Rules};
use penstock_core::client::{ClientRule, KnownClient};
use penstock_core::dialect::Dialect;
use penstock_core::model::ModelPattern;
use penstock_core::time::UnixMs;
use penstock_core::usage::Outcome;
use penstock_fake_provider::FakeProvider;

use super::client::{chat, messages};
use super::gateway::{CLAUDE, KEY, Setup, anthropic, key_id, openai, user_id};

const OTHER_KEY: &str = "psk_another_key_of_the_tests_2";

fn disabled() -> Access {
    Access {
        enabled: false,
        ..Access::default()
    }
}

fn expired() -> Access {
    Access {
        expires_at: Some(UnixMs(1)),
        ..Access::default()
    }
}

#[tokio::test]
async fn a01_a_key_is_taken_from_every_place_on_every_route() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake), openai(&fake)]).start().await;
    let client = gateway.client();
    let bearer = format!("Bearer {KEY}");
    for (path, body) in [
        ("/v1/messages", messages("hi", false)),
        ("/v1/chat/completions", chat("hi", false)),
    ] {
        for (name, value) in [
            ("authorization", bearer.as_str()),
            ("x-api-key", KEY),
            ("x-goog-api-key", KEY),
            ("api-key", KEY),
        ] {
            let asking = client.request(Method::POST, path).body(body.to_string());
            let answer = asking.header(name, value).send().await;
            assert_eq!(answer.status, StatusCode::OK, "{path} {name}");
        }
        let asking = client.request(Method::POST, &format!("{path}?key={KEY}"));
        assert_eq!(asking.body(body.to_string()).send().await.status, StatusCode::OK);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a01_an_unknown_credential_beside_a_known_key_is_ignored() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let asking = gateway.client().messages(&messages("hi", false));
    let answer = asking.header("x-api-key", "sk-ant-somebody-elses").send().await;
    assert_eq!(answer.status, StatusCode::OK);
    gateway.stop().await;
}

#[tokio::test]
async fn a01_two_different_known_keys_are_401() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut setup = Setup::of([anthropic(&fake)]);
    setup.keys.push((OTHER_KEY, Access::default()));
    let gateway = setup.start().await;
    let asking = gateway.client().messages(&messages("hi", false));
    let answer = asking.header("x-api-key", OTHER_KEY).send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.message().await.contains("two different"));
    assert_eq!(fake.request_count(), 0);
    gateway.stop().await;
}

#[tokio::test]
async fn a01_the_key_never_reaches_the_provider() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = gateway.client();
    let asking = client.post(
        &format!("/v1/messages?key={KEY}&beta=true"),
        &messages("hi", false),
    );
    let answer = asking
        .header("x-api-key", KEY)
        .header("api-key", KEY)
        .header("x-goog-api-key", KEY)
        .header("cookie", KEY)
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let seen = &fake.requests()[0];
    assert_eq!(seen.query.as_deref(), Some("beta=true"));
    for (name, value) in &seen.headers {
        assert!(!value.to_str().unwrap().contains(KEY), "{name}");
    }
    assert!(!gateway.metrics().contains(KEY));
    gateway.stop().await;
}

#[tokio::test]
async fn a02_missing_and_unknown_keys_are_401_in_the_callers_dialect_and_leave_no_record() {
    let gateway = Setup::of([]).start().await;
    let client = gateway.client();
    let asking = client.request(Method::POST, "/v1/messages").body("{}");
    let answer = asking.send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("x-penstock-code"), Some("AUTHENTICATION_FAILED"));
    assert!(answer.header("x-penstock-request-id").is_some());
    let body = answer.json().await;
    assert_eq!(body["type"], "error");
    assert_eq!(body["error"]["type"], "authentication_error");
    assert_eq!(body["error"]["message"], "Invalid API key");

    let asking = client.request(Method::POST, "/v1/chat/completions").body("{}");
    let answer = asking.header("authorization", "Bearer psk_nobody").send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json().await["error"]["code"], "invalid_api_key");
    assert!(gateway.ledger().records.is_empty());
    gateway.stop().await;
}

#[tokio::test]
async fn a02_each_state_of_key_and_user_has_its_words_and_its_record() {
    let cases = [
        (Access::default(), disabled(), "Key is disabled"),
        (Access::default(), expired(), "Key has expired"),
        (disabled(), Access::default(), "User is disabled"),
        (expired(), Access::default(), "User has expired"),
    ];
    for (user, key, words) in cases {
        let mut setup = Setup::of([]);
        (setup.user, setup.keys) = (user, vec![(KEY, key)]);
        let gateway = setup.start().await;
        let answer = gateway.client().messages(&messages("hi", false)).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.message().await, words);
        let ledger = gateway.ledger();
        let record = ledger.only();
        assert_eq!((record.key_id, record.user_id), (key_id(0), user_id()));
        assert_eq!((record.outcome, record.status), (Outcome::Rejected, 401));
        assert_eq!(record.code.as_deref(), Some("AUTHENTICATION_FAILED"));
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a05_a_model_that_key_or_user_may_not_use_is_403_naming_it() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let blocked = Access {
        blocked_models: vec![ModelPattern::Contains("opus".into())],
        ..Access::default()
    };
    for (user, key) in [(blocked.clone(), Access::default()), (Access::default(), blocked)] {
        let mut setup = Setup::of([anthropic(&fake)]);
        (setup.user, setup.keys) = (user, vec![(KEY, key)]);
        let gateway = setup.start().await;
        let answer = gateway.client().messages(&messages("hi", false)).send().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.header("x-penstock-code"), Some("INVALID_MODEL"));
        assert_eq!(answer.header("x-should-retry"), Some("false"));
        let message = answer.message().await;
        assert!(
            message.starts_with(&format!("Model {CLAUDE} is not allowed")),
            "{message}"
        );
        assert_eq!(gateway.ledger().only().model, CLAUDE);
        gateway.stop().await;
    }
    assert_eq!(fake.request_count(), 0);
}

#[tokio::test]
async fn a08_a_disabled_key_is_refused_from_the_next_request_on() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = gateway.client();
    assert_eq!(client.messages(&messages("hi", false)).send().await.status, 200);
    gateway.change(|setup| setup.keys[0].1 = disabled());
    assert_eq!(client.messages(&messages("hi", false)).send().await.status, 401);
    gateway.stop().await;
}

fn allowing(rule: impl FnOnce(&mut Rules)) -> Access {
    let mut rules = Rules::default();
    rule(&mut rules);
    Access {
        rules: rules.shared(),
        ..Access::default()
    }
}

/// A 403 with this code, its words, and its record.
async fn refused(user: Access, key: Access, code: &str) -> String {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut setup = Setup::of([anthropic(&fake)]);
    (setup.user, setup.keys) = (user, vec![(KEY, key)]);
    let gateway = setup.start().await;
    let asking = gateway.client().messages(&messages("hi", false));
    let answer = asking
        .header("user-agent", "claude-cli/2.1.329 (external, cli)")
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.header("x-penstock-code"), Some(code));
    assert_eq!(answer.header("x-should-retry"), Some("false"));
    let message = answer.message().await;
    let ledger = gateway.ledger();
    assert_eq!(
        (ledger.only().outcome, ledger.only().code.as_deref()),
        (Outcome::Rejected, Some(code))
    );
    assert_eq!(fake.request_count(), 0);
    gateway.stop().await;
    message
}

#[tokio::test]
async fn a04_dialects_and_addresses_that_are_not_allowed_are_403_and_the_nearer_rule_is_named() {
    let chat_only = allowing(|rules| rules.allowed_dialects = vec![Dialect::OpenaiChat]);
    let words = refused(chat_only.clone(), chat_only.clone(), "DIALECT_NOT_ALLOWED").await;
    assert!(
        words.contains("anthropic is not allowed for this API key"),
        "{words}"
    );
    let words = refused(chat_only, Access::default(), "DIALECT_NOT_ALLOWED").await;
    assert!(words.contains("the user of this API key"), "{words}");
    let elsewhere = allowing(|rules| rules.allowed_addresses = vec!["10.0.0.0/8".parse().unwrap()]);
    let words = refused(Access::default(), elsewhere, "ADDRESS_NOT_ALLOWED").await;
    assert_eq!(words, "Address 127.0.0.1 is not allowed for this API key.");
}

#[tokio::test]
async fn a06_a_user_agent_alone_makes_no_known_client() {
    let claude = ClientRule::Known(KnownClient::ClaudeCode);
    let only = allowing(|rules| rules.allowed_clients = vec![claude.clone()]);
    let words = refused(Access::default(), only, "CLIENT_NOT_ALLOWED").await;
    assert!(
        words.contains("says that it is claude-code but does not"),
        "{words}"
    );
    let never = allowing(|rules| rules.blocked_clients = vec![claude]);
    let words = refused(never, Access::default(), "CLIENT_NOT_ALLOWED").await;
    assert!(words.contains("claude-code is blocked"), "{words}");
}

#[tokio::test]
async fn a06_a_client_with_agreeing_signals_is_let_in() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let only = allowing(|rules| rules.allowed_clients = vec![ClientRule::Known(KnownClient::ClaudeCode)]);
    let mut setup = Setup::of([anthropic(&fake)]);
    setup.keys = vec![(KEY, only)];
    let gateway = setup.start().await;
    let asking = gateway.client().messages(&messages("hi", false));
    let answer = asking
        .header("user-agent", "claude-cli/2.1.329 (external, cli)")
        .header("x-app", "cli")
        .header("anthropic-beta", "claude-code-20250219")
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let listing = gateway.client().request(Method::GET, "/v1/models");
    let answer = listing.header("x-api-key", KEY).send().await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "lists are asked by other tools too"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a04_the_address_is_what_trusted_proxies_say_and_nothing_else() {
    for (trusted, status) in [("127.0.0.1/32", 200), ("192.0.2.1/32", 403)] {
        let fake = FakeProvider::builder().start().await.unwrap();
        let near = allowing(|rules| rules.allowed_addresses = vec!["203.0.113.0/24".parse().unwrap()]);
        let mut setup = Setup::of([anthropic(&fake)]);
        setup.keys = vec![(KEY, near)];
        setup.traffic.trusted_proxies = vec![trusted.parse().unwrap()];
        let gateway = setup.start().await;
        let asking = gateway.client().messages(&messages("hi", false));
        let answer = asking.header("x-forwarded-for", "203.0.113.9").send().await;
        assert_eq!(answer.status, status);
        gateway.stop().await;
    }
}
