//! Paths (wire facts §11) and where requests go.

use http::{HeaderMap, Method};
use penstock_core::dialect::Dialect::{Anthropic, OpenaiChat};
use penstock_core::provider::ProviderKind;
use penstock_dialect::route::{Endpoint, Matched, RouteError, asks_beta, parse};

fn matched(method: Method, path: &str, headers: &HeaderMap) -> String {
    match parse(&method, path, headers) {
        Ok(Matched { endpoint, dialect }) => format!("{method} {path} -> {endpoint:?} {dialect}"),
        Err(error) => format!("{method} {path} -> {error:?}"),
    }
}

#[test]
fn every_path_has_its_endpoint() {
    let lines: Vec<String> = [
        (Method::POST, "/v1/messages"),
        (Method::POST, "/anthropic/v1/messages"),
        (Method::POST, "/claude/v1/messages"),
        (Method::POST, "/api/v1/messages"),
        (Method::POST, "/claude/v1/messages/count_tokens"),
        (Method::POST, "/v1/chat/completions"),
        (Method::POST, "/openai/v1/chat/completions"),
        (Method::POST, "/api/v1/chat/completions"),
        (Method::POST, "/azure/chat/completions"),
        (Method::GET, "/v1/models"),
        (Method::GET, "/claude/v1/models"),
        (Method::GET, "/openai/v1/models/gpt-5.5"),
        (Method::GET, "/v1/models/vendor%2Fmodel"),
        (Method::GET, "/v1/models/ft:gpt-5.5:org::id"),
        (Method::GET, "/penstock/v1/limits"),
        (Method::POST, "/penstock/v1/limits"),
        (Method::GET, "/openai/penstock/v1/limits"),
        (Method::GET, "/v1/messages"),
        (Method::DELETE, "/openai/v1/chat/completions"),
        (Method::POST, "/v1/models"),
        (Method::POST, "/openai/v1/messages"),
        (Method::POST, "/claude/v1/chat/completions"),
        (Method::POST, "/v1/messages/"),
        (Method::POST, "/v1/messagesx"),
        (Method::GET, "/v1/models/"),
        (Method::GET, "/v1/models/%zz"),
        (Method::GET, "/v1/models/a%0ab"),
        (Method::POST, "//v1/messages"),
        (Method::POST, "/v1/../v1/messages"),
        (Method::HEAD, "/"),
        (Method::GET, ""),
    ]
    .into_iter()
    .map(|(method, path)| matched(method, path, &HeaderMap::new()))
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn models_belong_to_the_dialect_that_the_headers_speak() {
    let dialect = |name: &'static str, value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        parse(&Method::GET, "/v1/models", &headers).unwrap().dialect
    };
    assert_eq!(dialect("anthropic-version", "2023-06-01"), Anthropic);
    assert_eq!(dialect("x-api-key", "k"), Anthropic);
    assert_eq!(dialect("user-agent", "claude-code/2.1"), Anthropic);
    assert_eq!(dialect("authorization", "Bearer k"), OpenaiChat);
    assert_eq!(dialect("x-goog-api-key", "k"), OpenaiChat);
}

#[test]
fn a_prefix_is_stronger_than_headers() {
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", "k".parse().unwrap());
    let found = parse(&Method::GET, "/openai/v1/models", &headers).unwrap();
    assert_eq!(found.dialect, OpenaiChat);
}

#[test]
fn an_overlong_model_is_not_found() {
    let path = format!("/v1/models/{}", "m".repeat(257));
    let refused = parse(&Method::GET, &path, &HeaderMap::new());
    assert_eq!(refused, Err(RouteError::NotFound { dialect: OpenaiChat }));
}

#[test]
fn upstream_paths_follow_the_base_url_as_sdks_take_it() {
    let path = |endpoint: Endpoint, kind, base| endpoint.upstream_path(kind, base, false);
    let (anthropic, openai) = (ProviderKind::Anthropic, ProviderKind::OpenaiCompatible);
    assert_eq!(
        path(Endpoint::Messages, anthropic, "").as_deref(),
        Some("/v1/messages")
    );
    assert_eq!(
        path(Endpoint::Messages, anthropic, "/relay/").as_deref(),
        Some("/relay/v1/messages")
    );
    assert_eq!(
        path(Endpoint::CountTokens, anthropic, "/").as_deref(),
        Some("/v1/messages/count_tokens")
    );
    assert_eq!(
        path(Endpoint::ChatCompletions, openai, "/v1").as_deref(),
        Some("/v1/chat/completions")
    );
    assert_eq!(path(Endpoint::ChatCompletions, anthropic, ""), None);
    assert_eq!(path(Endpoint::Models, openai, "/v1"), None);
}

#[test]
fn of_the_query_only_the_known_flag_goes_upstream() {
    assert!(asks_beta(Some("beta=true")) && asks_beta(Some("x=1&beta=true")));
    assert!(!asks_beta(Some("beta=true%26x")) && !asks_beta(Some("beta=1")) && !asks_beta(None));
    let path = |endpoint: Endpoint, kind| endpoint.upstream_path(kind, "/v1", true);
    assert_eq!(
        path(Endpoint::Messages, ProviderKind::Anthropic).as_deref(),
        Some("/v1/v1/messages?beta=true")
    );
    assert_eq!(
        path(Endpoint::ChatCompletions, ProviderKind::Openai).as_deref(),
        Some("/v1/chat/completions")
    );
}

#[test]
fn e01_only_model_calls_are_metered() {
    assert!(Endpoint::Messages.is_metered() && Endpoint::ChatCompletions.is_metered());
    assert!(!Endpoint::CountTokens.is_metered() && !Endpoint::Models.is_metered());
    assert!(!Endpoint::Limits.is_metered() && !Endpoint::Limits.goes_upstream());
    assert!(Endpoint::CountTokens.goes_upstream() && !Endpoint::Model("m".into()).goes_upstream());
}
