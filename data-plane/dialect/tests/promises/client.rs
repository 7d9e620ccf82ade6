//! Which program sent a request (A6): several signals that agree, never the user agent alone.

use bytes::Bytes;
use http::HeaderMap;
use penstock_core::client::KnownClient;
use penstock_core::dialect::Dialect;
use penstock_dialect::client::{by_user_agent, recognise, user_agent};
use penstock_dialect::inspect::inspect;

const UUID: &str = "0d1f0c9e-2f0d-4b8c-9a65-1d3f7a0c2b11";
const CLAUDE: (&str, &str) = ("user-agent", "claude-cli/2.1.329 (external, sdk-cli)");
const CODEX: (&str, &str) = ("user-agent", "codex_exec/0.169.0 (Linux 6.1; x86_64) unknown");
const GEMINI: (&str, &str) = ("user-agent", "GeminiCLI-cli/0.61.0/gemini-2.5-flash (linux; x64)");

fn known(headers: &[(&'static str, &str)], body: &str) -> Option<KnownClient> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().unwrap());
    }
    let body = Bytes::from(body.to_owned());
    let inspected = inspect(Dialect::Anthropic, None, &body).unwrap();
    recognise(&user_agent(&map), &map, &inspected, &body).known
}

fn user_id(session: &str) -> String {
    format!(
        r#"{{"model":"m","metadata":{{"user_id":"{{\"device_id\":\"ab\",\"account_uuid\":\"\",\"session_id\":\"{session}\"}}"}}}}"#
    )
}

const BARE: &str = r#"{"model":"gemini-2.5-flash"}"#;

#[test]
fn a06_claude_code_as_it_really_calls() {
    let first_turn = [
        CLAUDE,
        ("x-app", "cli"),
        ("x-claude-code-session-id", UUID),
        (
            "anthropic-beta",
            "claude-code-20250219,interleaved-thinking-2025-05-14",
        ),
    ];
    assert_eq!(known(&first_turn, &user_id(UUID)), Some(KnownClient::ClaudeCode));
    let older = format!(r#"{{"model":"m","metadata":{{"user_id":"user_ab_account__session_{UUID}"}}}}"#);
    assert_eq!(
        known(&[CLAUDE, ("x-app", "cli")], &older),
        Some(KnownClient::ClaudeCode)
    );
    let counting = [
        CLAUDE,
        ("x-app", "cli"),
        ("anthropic-beta", "token-counting-2024-11-01"),
        ("anthropic-beta", "other, claude-code-20250219"),
    ];
    assert_eq!(known(&counting, BARE), Some(KnownClient::ClaudeCode));
    let system =
        r#"{"model":"m","system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2;"}]}"#;
    assert_eq!(
        known(&[CLAUDE, ("x-app", "cli")], system),
        Some(KnownClient::ClaudeCode)
    );
}

#[test]
fn a06_a_user_agent_alone_is_a_claim() {
    for told in [CLAUDE, CODEX, GEMINI] {
        let mut map = HeaderMap::new();
        map.insert(told.0, told.1.parse().unwrap());
        let user_agent = user_agent(&map);
        let client = by_user_agent(&user_agent);
        assert!(client.claimed.is_some() && client.known.is_none(), "{told:?}");
        assert_eq!(known(&[told], r#"{"model":"m"}"#), None);
    }
    assert_eq!(
        known(&[CLAUDE, ("x-app", "cli")], r#"{"model":"m"}"#),
        None,
        "one more is too few"
    );
}

#[test]
fn a06_signals_that_contradict_each_other_do_not_count() {
    let other = "ffffffff-2f0d-4b8c-9a65-1d3f7a0c2b11";
    let headers = [CLAUDE, ("x-claude-code-session-id", UUID)];
    assert_eq!(known(&headers, &user_id(UUID)), Some(KnownClient::ClaudeCode));
    assert_eq!(known(&headers, &user_id(other)), None);
    let headers = [CODEX, ("session-id", UUID)];
    let cached = |key: &str| format!(r#"{{"model":"m","prompt_cache_key":"{key}"}}"#);
    assert_eq!(known(&headers, &cached(UUID)), Some(KnownClient::Codex));
    assert_eq!(known(&headers, &cached(other)), None);
}

#[test]
fn a06_signals_without_the_user_agent_are_nothing() {
    let headers = [
        ("user-agent", "python-requests/2"),
        ("x-app", "cli"),
        ("x-claude-code-session-id", UUID),
        ("anthropic-beta", "claude-code-20250219"),
    ];
    assert_eq!(known(&headers, &user_id(UUID)), None);
    for near in ["claude-clix/2.1", "claude-cli/x", "my-codex/1", "codex agent/1"] {
        let headers = [("user-agent", near), headers[1], headers[2], headers[3]];
        assert_eq!(known(&headers, &user_id(UUID)), None, "{near}");
    }
}

#[test]
fn a06_codex_and_gemini_cli_as_they_really_call() {
    let codex = [
        CODEX,
        ("originator", "codex_exec"),
        ("session-id", UUID),
        ("x-codex-window-id", UUID),
    ];
    assert_eq!(known(&codex, BARE), Some(KnownClient::Codex));
    let borrowed = [CODEX, ("originator", "codex_vscode"), ("x-codex-window-id", UUID)];
    assert_eq!(
        known(&borrowed, BARE),
        None,
        "the originator is not the user agent's"
    );
    let gemini = [
        GEMINI,
        ("x-goog-api-client", "google-genai-sdk/3.1.0 gl-node/v24.0.0"),
    ];
    assert_eq!(known(&gemini, BARE), Some(KnownClient::GeminiCli));
    let other_model = r#"{"model":"gemini-2.5-pro","systemInstruction":{"parts":[]}}"#;
    assert_eq!(known(&gemini, other_model), Some(KnownClient::GeminiCli));
    assert_eq!(known(&[GEMINI], other_model), None);
}

#[test]
fn a06_a_byte_that_is_no_text_hides_no_program() {
    let mut map = HeaderMap::new();
    let value = http::HeaderValue::from_bytes(b"claude-cli/2.1.329 \xff").unwrap();
    map.insert("user-agent", value);
    let user_agent = user_agent(&map);
    assert_eq!(by_user_agent(&user_agent).claimed, Some(KnownClient::ClaudeCode));
}
