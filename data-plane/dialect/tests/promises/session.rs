//! Sessions as clients name them (B4).

use bytes::Bytes;
use http::HeaderMap;
use penstock_core::dialect::Dialect;
use penstock_dialect::inspect::inspect;
use penstock_dialect::session::find;

fn session(headers: &[(&'static str, &str)], fields: &str) -> Option<String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let body = Bytes::from(format!(r#"{{"model":"m"{fields}}}"#));
    let inspected = inspect(Dialect::Anthropic, None, &body).unwrap();
    find(&map, &inspected).map(|found| format!("{} {}", found.source.as_str(), found.id))
}

const UUID: &str = "0d1f0c9e-2f0d-4b8c-9a65-1d3f7a0c2b11";

#[test]
fn b04_claude_codes_header_comes_first() {
    let found = session(
        &[("x-claude-code-session-id", UUID), ("session-id", "other")],
        r#","metadata":{"user_id":"user_a_account_b_session_c"}"#,
    );
    assert_eq!(found, Some(format!("claude_code_header {UUID}")));
}

#[test]
fn b04_the_user_id_is_read_as_json_and_in_the_older_form() {
    let json =
        r#","metadata":{"user_id":"{\"device_id\":\"ab\",\"account_uuid\":\"\",\"session_id\":\"s-1\"}"}"#;
    assert_eq!(session(&[], json).as_deref(), Some("metadata_user_id s-1"));
    let older = format!(r#","metadata":{{"user_id":"user_ab_account__session_{UUID}"}}"#);
    assert_eq!(session(&[], &older), Some(format!("metadata_user_id {UUID}")));
}

#[test]
fn b04_a_user_id_without_a_session_is_none() {
    for user_id in [
        "customer-17",
        r#"{\"session_id\":7}"#,
        r#"{\"a\":1}"#,
        "{broken",
        "x_session_",
    ] {
        assert_eq!(
            session(&[], &format!(r#","metadata":{{"user_id":"{user_id}"}}"#)),
            None,
            "{user_id}"
        );
    }
}

#[test]
fn b04_codex_headers_then_the_cache_key() {
    let key = r#","prompt_cache_key":"cache-1""#;
    for name in ["session-id", "thread-id", "session_id", "conversation_id"] {
        assert_eq!(
            session(&[(name, "c-1")], key).as_deref(),
            Some("codex_header c-1"),
            "{name}"
        );
    }
    assert_eq!(session(&[], key).as_deref(), Some("prompt_cache_key cache-1"));
}

#[test]
fn b04_ids_without_end_or_with_control_characters_are_none() {
    assert_eq!(session(&[("session-id", &"s".repeat(257))], ""), None);
    assert_eq!(session(&[], r#","prompt_cache_key":"a\nb""#), None);
    assert_eq!(session(&[], r#","prompt_cache_key":"""#), None);
    assert_eq!(session(&[], ""), None);
}

#[test]
fn a_session_does_not_print_its_id() {
    let mut headers = HeaderMap::new();
    headers.insert("session-id", "very-private".parse().unwrap());
    let inspected = inspect(Dialect::Anthropic, None, &Bytes::from_static(br#"{"model":"m"}"#)).unwrap();
    assert!(!format!("{:?}", find(&headers, &inspected)).contains("private"));
}
