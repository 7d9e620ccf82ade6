//! Paths (wire facts §11) and where requests go.

use http::{HeaderMap, Method};
use penstock_core::dialect::Dialect::{
    self, Anthropic, Gemini, OpenaiChat, OpenaiEmbeddings, OpenaiResponses,
};
use penstock_core::dialect::Operation;
use penstock_core::provider::ProviderKind;
use penstock_dialect::route::{Endpoint, Matched, RouteError, asks_beta, parse};
use penstock_dialect::upstream_path::{self, Wanted};

fn matched(method: Method, path: &str, headers: &HeaderMap) -> String {
    let (bare, query) = path
        .split_once('?')
        .map_or((path, None), |(path, query)| (path, Some(query)));
    match parse(&method, bare, query, headers) {
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
        (Method::POST, "/v1/responses"),
        (Method::POST, "/v1/responses/compact"),
        (Method::POST, "/openai/v1/responses"),
        (Method::POST, "/openai/responses"),
        (Method::POST, "/azure/responses"),
        (Method::POST, "/v1/embeddings"),
        (Method::POST, "/azure/embeddings"),
        (Method::POST, "/v1beta/models/gemini-2.5-pro:generateContent"),
        (
            Method::POST,
            "/v1/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        ),
        (
            Method::POST,
            "/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent",
        ),
        (Method::POST, "/v1beta/models/gemini-2.5-pro:countTokens"),
        (Method::POST, "/v1beta/models/gemini-2.5-pro:deleteEverything"),
        (Method::POST, "/droid/claude/v1/messages"),
        (Method::POST, "/droid/openai/v1/responses"),
        (Method::POST, "/droid/comm/v1/chat/completions"),
        (
            Method::POST,
            "/bedrock/model/anthropic.claude-opus-4-8-v1:0/invoke",
        ),
        (
            Method::POST,
            "/bedrock/model/arn%3Aaws%3Abedrock%2Fx/invoke-with-response-stream",
        ),
        (Method::GET, "/bedrock/inference-profiles?type=SYSTEM_DEFINED"),
        (Method::GET, "/v1beta/models"),
        (Method::GET, "/v1beta/models/gemini-2.5-pro"),
        (Method::GET, "/v1/responses"),
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
        parse(&Method::GET, "/v1/models", None, &headers).unwrap().dialect
    };
    assert_eq!(dialect("anthropic-version", "2023-06-01"), Anthropic);
    assert_eq!(dialect("x-api-key", "k"), Anthropic);
    assert_eq!(dialect("user-agent", "claude-code/2.1"), Anthropic);
    assert_eq!(dialect("authorization", "Bearer k"), OpenaiChat);
    assert_eq!(dialect("x-goog-api-key", "k"), Gemini);
}

#[test]
fn a_prefix_is_stronger_than_headers() {
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", "k".parse().unwrap());
    let found = parse(&Method::GET, "/openai/v1/models", None, &headers).unwrap();
    assert_eq!(found.dialect, OpenaiChat);
}

#[test]
fn an_overlong_model_is_not_found() {
    let path = format!("/v1/models/{}", "m".repeat(257));
    let refused = parse(&Method::GET, &path, None, &HeaderMap::new());
    assert_eq!(refused, Err(RouteError::NotFound { dialect: OpenaiChat }));
}

fn wanted(dialect: Dialect, model: &str) -> Wanted<'_> {
    Wanted {
        dialect,
        operation: Operation::Generate,
        model,
        stream: false,
        beta: false,
    }
}

#[test]
fn upstream_paths_follow_the_base_url_as_sdks_take_it() {
    use ProviderKind as Kind;
    let arn = "arn:aws:bedrock:us-east-1:1:inference-profile/x";
    let project = "/v1/projects/p/locations/global";
    let lines: Vec<String> = [
        (Kind::Anthropic, "", None, wanted(Anthropic, "m")),
        (Kind::Anthropic, "/relay/", None, wanted(Anthropic, "m")),
        (Kind::Anthropic, "", None, wanted(OpenaiChat, "m")),
        (Kind::OpenaiCompatible, "/v1", None, wanted(OpenaiChat, "m")),
        (Kind::Openai, "/v1", None, wanted(OpenaiResponses, "m")),
        (Kind::Openai, "/v1", None, wanted(OpenaiEmbeddings, "m")),
        (Kind::AzureOpenai, "", None, wanted(OpenaiChat, "m")),
        (
            Kind::AzureOpenai,
            "/openai/v1",
            None,
            wanted(OpenaiResponses, "m"),
        ),
        (
            Kind::AzureOpenai,
            "",
            Some("2024-10-21"),
            wanted(OpenaiChat, "my dep"),
        ),
        (
            Kind::AzureOpenai,
            "/openai",
            Some("2024-10-21"),
            wanted(OpenaiEmbeddings, "dep"),
        ),
        (
            Kind::AzureOpenai,
            "",
            Some("2025-04-01-preview"),
            wanted(OpenaiResponses, "dep"),
        ),
        (Kind::Gemini, "", None, wanted(Gemini, "gemini-2.5-pro")),
        (
            Kind::Gemini,
            "",
            None,
            Wanted {
                stream: true,
                ..wanted(Gemini, "gemini-2.5-pro")
            },
        ),
        (Kind::Gemini, "", None, wanted(Gemini, "..")),
        (Kind::Bedrock, "", None, wanted(Anthropic, arn)),
        (
            Kind::Bedrock,
            "",
            None,
            Wanted {
                stream: true,
                ..wanted(Anthropic, "a.claude-v1:0")
            },
        ),
        (Kind::Bedrock, "", None, wanted(Anthropic, "../../x")),
        (Kind::Vertex, project, None, wanted(Gemini, "gemini-2.5-pro")),
        (
            Kind::Vertex,
            project,
            None,
            Wanted {
                stream: true,
                ..wanted(Anthropic, "claude-opus-4-8@1")
            },
        ),
        (
            Kind::Vertex,
            project,
            None,
            Wanted {
                operation: Operation::CountTokens,
                ..wanted(Anthropic, "c")
            },
        ),
        (Kind::Droid, "/api/llm", None, wanted(Anthropic, "m")),
        (Kind::Droid, "/api/llm", None, wanted(OpenaiResponses, "m")),
    ]
    .into_iter()
    .map(|(kind, base, version, wanted)| {
        let path = upstream_path::of(kind, base, version, &wanted);
        format!(
            "{} {} {} -> {path:?}",
            kind.as_str(),
            wanted.dialect,
            wanted.model
        )
    })
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn of_the_query_only_the_known_flag_goes_upstream() {
    assert!(asks_beta(Some("beta=true")) && asks_beta(Some("x=1&beta=true")));
    assert!(!asks_beta(Some("beta=true%26x")) && !asks_beta(Some("beta=1")) && !asks_beta(None));
    let path = |dialect, kind| {
        let wanted = Wanted {
            beta: true,
            ..wanted(dialect, "m")
        };
        upstream_path::of(kind, "", None, &wanted).unwrap()
    };
    assert_eq!(path(Anthropic, ProviderKind::Anthropic), "/v1/messages?beta=true");
    assert_eq!(path(OpenaiChat, ProviderKind::Openai), "/chat/completions");
}

#[test]
fn codex_is_told_at_once_that_there_is_no_websocket() {
    let mut headers = HeaderMap::new();
    headers.insert("upgrade", "WebSocket".parse().unwrap());
    let refused = parse(&Method::GET, "/v1/responses", None, &headers);
    assert_eq!(refused, Err(RouteError::WebSocket));
}

#[test]
fn e01_only_model_calls_are_metered() {
    let endpoint = |method, path| parse(&method, path, None, &HeaderMap::new()).unwrap().endpoint;
    let posted = |path| endpoint(Method::POST, path);
    assert!(posted("/v1/messages").is_metered() && posted("/v1/responses/compact").is_metered());
    assert!(!posted("/v1/messages/count_tokens").is_metered());
    assert!(posted("/v1/messages/count_tokens").goes_upstream());
    let free = endpoint(Method::GET, "/penstock/v1/limits");
    assert_eq!(free, Endpoint::Limits);
    assert!(!free.is_metered() && !free.goes_upstream());
}
