//! Which headers pass (wire facts §7 and §8, security 8, A1).

use http::HeaderMap;
use penstock_core::dialect::Dialect;
use penstock_core::provider::ProviderKind;
use penstock_core::secret::Secret;
use penstock_dialect::headers::{
    Leg, client_response_headers, set_credential, upstream_request_headers, upstream_request_id,
};

fn map(lines: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        let name: http::HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    headers
}

fn shown(headers: &HeaderMap) -> String {
    let mut lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    lines.join("\n")
}

const CLAUDE_CODE: &str = "
    host: 127.0.0.1:8080
    accept: application/json
    accept-encoding: gzip, deflate, br, zstd
    anthropic-beta: claude-code-20250219,effort-2025-11-24
    anthropic-beta: interleaved-thinking-2025-05-14
    anthropic-dangerous-direct-browser-access: true
    anthropic-version: 2026-10-21
    anthropic-workspace-id: wrkspc_1
    anthropic-user-profile-id: p
    authorization: Bearer psk_caller
    connection: keep-alive, X-Private
    content-encoding: zstd
    content-length: 10
    content-type: application/json
    user-agent: claude-cli/2.1.329 (external, cli)
    x-api-key: psk_caller
    x-app: cli
    x-claude-code-session-id: 0d1f
    x-private: 1
    x-stainless-timeout: 600
    x-unknown: kept";

const CODEX: &str = "
    authorization: Bearer psk_caller
    originator: codex_exec
    session-id: s
    thread-id: s
    x-client-request-id: s
    x-codex-window-id: w
    x-codex-turn-state: opaque
    openai-beta: x=1
    openai-organization: org-1
    openai-project: p
    idempotency-key: i
    user-agent: codex_exec/0.169.0
    x-stainless-lang: python";

const BROWSER_AND_PROXIES: &str = "
    accept-language: de
    baggage: a=b
    cdn-loop: cloudflare
    cf-connecting-ip: 1.2.3.4
    cookie: a=b
    dnt: 1
    expect: 100-continue
    fly-client-ip: 1.2.3.4
    forwarded: for=1.2.3.4
    api-key: k
    x-goog-api-key: k
    x-goog-api-client: gl
    x-goog-user-project: p
    x-gemini-api-privileged-user-id: u
    x-vertex-ai-llm-request-type: shared
    keep-alive: timeout=5
    origin: https://a
    priority: u=1
    proxy-authorization: Basic x
    proxy-connection: close
    referer: https://a
    sec-fetch-mode: cors
    sec-websocket-key: k
    te: trailers
    traceparent: 00-1-2-01
    tracestate: a=b
    trailer: x
    transfer-encoding: chunked
    true-client-ip: 1.2.3.4
    upgrade: websocket
    via: 1.1 proxy
    x-amz-date: 1
    x-amzn-trace-id: 1
    x-envoy-attempt-count: 1
    x-forwarded-for: 1.2.3.4
    x-penstock-anything: 1
    x-real-ip: 1.2.3.4
    x-requested-with: fetch";

/// A caller of a dialect that the kind speaks.
fn leg(kind: ProviderKind) -> Leg {
    let spoken = kind.can_speak()[0];
    Leg {
        kind,
        caller: spoken,
        spoken,
    }
}

#[test]
fn claude_code_to_anthropic() {
    insta::assert_snapshot!(shown(&upstream_request_headers(
        &map(CLAUDE_CODE),
        leg(ProviderKind::Anthropic)
    )));
}

#[test]
fn an_anthropic_callers_headers_do_not_go_to_openai() {
    insta::assert_snapshot!(shown(&upstream_request_headers(
        &map(CLAUDE_CODE),
        leg(ProviderKind::Openai)
    )));
}

#[test]
fn codex_to_openai() {
    insta::assert_snapshot!(shown(&upstream_request_headers(
        &map(CODEX),
        leg(ProviderKind::Openai)
    )));
}

#[test]
fn claude_code_to_claude_at_vertex() {
    insta::assert_snapshot!(shown(&upstream_request_headers(
        &map(CLAUDE_CODE),
        leg(ProviderKind::Vertex)
    )));
}

#[test]
fn of_a_translated_call_next_to_nothing_passes() {
    let translated = Leg {
        caller: Dialect::Anthropic,
        ..leg(ProviderKind::Openai)
    };
    insta::assert_snapshot!(shown(&upstream_request_headers(&map(CLAUDE_CODE), translated)));
}

#[test]
fn codex_to_a_compatible_provider() {
    insta::assert_snapshot!(shown(&upstream_request_headers(
        &map(CODEX),
        leg(ProviderKind::OpenaiCompatible)
    )));
}

#[test]
fn nothing_of_browsers_proxies_and_other_vendors_goes_upstream() {
    for kind in ProviderKind::ALL {
        let mut left = upstream_request_headers(&map(BROWSER_AND_PROXIES), leg(kind));
        assert_eq!(left.remove("accept-encoding").unwrap(), "identity");
        assert_eq!(
            left.remove("anthropic-version").is_some(),
            matches!(kind, ProviderKind::Anthropic | ProviderKind::Droid)
        );
        if kind == ProviderKind::Gemini {
            // Its own vendor's.
            assert!(left.remove("x-goog-api-client").is_some());
            assert!(left.remove("x-vertex-ai-llm-request-type").is_some());
        }
        assert!(left.is_empty(), "{kind:?} {left:?}");
    }
}

#[test]
fn a01_the_providers_credential_replaces_the_callers() {
    for (kind, name, value) in [
        (ProviderKind::Anthropic, "x-api-key", "sk-upstream"),
        (ProviderKind::Openai, "authorization", "Bearer sk-upstream"),
        (
            ProviderKind::OpenaiCompatible,
            "authorization",
            "Bearer sk-upstream",
        ),
        (ProviderKind::Gemini, "x-goog-api-key", "sk-upstream"),
        (ProviderKind::AzureOpenai, "api-key", "sk-upstream"),
        (ProviderKind::Bedrock, "authorization", "Bearer sk-upstream"),
    ] {
        let mut headers = upstream_request_headers(&map(CLAUDE_CODE), leg(kind));
        set_credential(&mut headers, kind, &Secret::new("sk-upstream")).unwrap();
        assert_eq!(headers[name], value);
        assert!(!shown(&headers).contains("psk_caller"));
        assert!(
            !format!("{headers:?}").contains("sk-upstream"),
            "a sensitive value is not printed"
        );
    }
}

#[test]
fn any_number_of_headers_is_copied() {
    let mut many = HeaderMap::new();
    for i in 0..20_000 {
        many.insert(http::HeaderName::try_from(format!("x-{i}")).unwrap(), i.into());
    }
    let left = upstream_request_headers(&many, leg(ProviderKind::Openai));
    assert_eq!(left.len(), 20_001);
}

#[test]
fn a_credential_that_no_header_can_carry_is_refused_without_being_shown() {
    let refused =
        set_credential(&mut HeaderMap::new(), ProviderKind::Openai, &Secret::new("a\nb")).unwrap_err();
    assert!(refused.to_string().contains("set it again"));
}

const ANTHROPIC_ANSWER: &str = "
    content-type: text/event-stream; charset=utf-8
    cache-control: no-cache
    content-length: 5
    content-encoding: gzip
    transfer-encoding: chunked
    connection: close
    request-id: req_1
    x-request-id: other
    anthropic-organization-id: 11111111-2222-3333-4444-555555555555
    anthropic-ratelimit-requests-remaining: 1
    anthropic-ratelimit-unified-status: allowed
    anthropic-priority-input-tokens-limit: 1
    anthropic-fast-input-tokens-limit: 1
    retry-after: 5
    retry-after-ms: 5
    x-should-retry: true
    set-cookie: a=b
    cf-ray: 1
    cf-cache-status: DYNAMIC
    server: cloudflare
    via: 1.1 google
    alt-svc: h3
    strict-transport-security: max-age=1
    report-to: x
    nel: x
    x-envoy-upstream-service-time: 1
    www-authenticate: Bearer
    location: https://evil
    x-penstock-request-id: spoofed
    server-timing: x
    x-new: kept";

const OPENAI_ANSWER: &str = "
    content-type: application/json
    x-request-id: req_2
    request-id: other
    apim-request-id: a
    x-amzn-requestid: b
    openai-organization: org-1
    openai-project: proj_1
    openai-model: gpt-5.5
    openai-processing-ms: 12
    openai-version: 2020-10-01
    x-models-etag: e
    x-codex-turn-state: opaque
    x-codex-primary-used-percent: 12
    x-codex-secondary-reset-at: 1
    x-ratelimit-remaining-tokens: 1
    x-goog-generation: 1";

#[test]
fn anthropics_answer_to_the_caller() {
    insta::assert_snapshot!(shown(&client_response_headers(
        &map(ANTHROPIC_ANSWER),
        Dialect::Anthropic,
        Dialect::Anthropic,
        true,
        ""
    )));
}

#[test]
fn openais_answer_to_the_caller() {
    insta::assert_snapshot!(shown(&client_response_headers(
        &map(OPENAI_ANSWER),
        Dialect::OpenaiChat,
        Dialect::OpenaiChat,
        false,
        ""
    )));
}

#[test]
fn s10_no_header_shows_what_the_provider_was_called_with() {
    let answer = map("
        content-type: application/json
        authorization: Bearer other
        api-key: other
        x-api-key: other
        x-goog-api-key: other
        access-control-allow-origin: *
        access-control-expose-headers: x-api-key
        x-debug: key=correct/horse+battery
        x-trace: sk-ant-api03-AbCd1234efgh5678
        request-id: correct/horse+battery
        x-new: kept");
    let (anthropic, chat) = (Dialect::Anthropic, Dialect::OpenaiChat);
    let secret = "correct/horse+battery";
    let to_caller = client_response_headers(&answer, anthropic, anthropic, false, secret);
    assert_eq!(shown(&to_caller), "content-type: application/json\nx-new: kept");
    let translated = client_response_headers(&answer, chat, anthropic, false, secret);
    assert_eq!(shown(&translated), "content-type: application/json");
}

#[test]
fn the_providers_request_id_is_found_for_the_log() {
    assert_eq!(upstream_request_id(&map(ANTHROPIC_ANSWER)), Some("req_1"));
    assert_eq!(upstream_request_id(&map("x-request-id: r")), Some("r"));
    assert_eq!(
        upstream_request_id(&map(&format!("x-request-id: {}", "r".repeat(257)))),
        None
    );
    assert_eq!(upstream_request_id(&HeaderMap::new()), None);
}

#[test]
fn an_accounts_state_of_codex_stays_here() {
    let answer = map("x-codex-credits-balance: 12\n    x-codex-plan-type: team");
    let told = client_response_headers(
        &answer,
        Dialect::OpenaiResponses,
        Dialect::OpenaiResponses,
        false,
        "",
    );
    assert!(told.is_empty(), "{told:?}");
}
