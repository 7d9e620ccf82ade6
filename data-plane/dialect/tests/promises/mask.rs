//! What of a provider's error a caller must not see (security 10).

use std::borrow::Cow;

use penstock_dialect::mask::{mask, mask_known};

fn masked(text: &str) -> String {
    String::from_utf8(mask(text.as_bytes(), &[]).into_owned()).unwrap()
}

#[test]
fn credentials_addresses_and_organisations_are_masked_and_nothing_else() {
    let shown: Vec<String> = [
        r#"{"error":{"message":"Incorrect API key provided: sk-abc***wxyz. You can find your API key at https://platform.openai.com/account/api-keys.","code":"invalid_api_key"}}"#,
        "key\\nsk-ant-api03-AbCd1234efgh5678 was refused",
        "Google key AIzaSyA1234567890abcdefg, token ya29.a0Af_123456789.",
        "Authorization: Bearer abc/DEF+123== failed; bearer token required",
        "jwt eyJhbGciOiJI.eyJzdWIiOiIx.c2ln-bmF0 expired",
        "shown in part: abcd****wxyz, and ***bold*** stays",
        "Contact alice.smith+x@example.co.uk or (bob@corp.example).",
        "dial tcp 10.0.3.7:8443: refused; fe80::1: no; via http://192.168.1.1/x and 100.64.0.9, not 8.8.8.8",
        "upstream [fd00::1]:443 and ::1 failed; 2606:4700::1111 did not, at 12:30:45",
        "no route to db-0.postgres.svc or api.cluster.LOCAL or localhost:80, but local hosts and svc stay",
        "exceed your organization's rate limit (org: 12345678-1234-1234-1234-123456789abc, model: claude-opus-4-8)",
        r#"{"organization_id":"12345678-1234-1234-1234-123456789abc","request_id":"12345678-1234-1234-1234-123456789abc"}"#,
        "Rate limit reached for gpt-5.5 in organization org-AbCdEf123456 on tokens per min. Project proj_abc12345",
        "request req_011CSHoEeqs5C35K2UUqR7Fy: `key-management` for claude-opus-4@20250514 needs scope user:inference",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ]
    .iter()
    .map(|text| masked(text))
    .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn text_without_secrets_is_not_copied() {
    let text = br#"{"type":"error","error":{"type":"invalid_request_error","message":"Extra inputs are not permitted"}}"#;
    assert!(matches!(mask(text, &["not-in-there"]), Cow::Borrowed(_)));
}

#[test]
fn the_secrets_in_use_are_masked_whatever_they_look_like() {
    let masked = mask(
        b"token correcthorse and correcthorse, short",
        &["correcthorse", "short"],
    );
    assert_eq!(&*masked, b"token [credential] and [credential], short");
}

#[test]
fn s10_our_own_texts_keep_their_addresses_and_lose_the_secret() {
    let shown = |text: &str| mask_known(text.to_owned(), &["correct/horse"]);
    assert_eq!(
        shown("the proxy socks5://127.0.0.1:1080 refused correct/horse"),
        "the proxy socks5://127.0.0.1:1080 refused [credential]"
    );
    assert_eq!(shown(r#"it said "correct\/horse""#), r#"it said "[credential]""#);
}

#[test]
fn s10_escapes_of_json_hide_nothing() {
    let secret = "sk-ant/ab+cd==0123";
    for escaped in [
        r#"{"message":"bad key sk-ant\/ab+cd==0123."}"#,
        r#"{"message":"bad key \u0073k-ant/ab\u002bcd==0123."}"#,
        r#"{"message":"{\"error\":\"bad key sk-ant\\\/ab+cd==\\u0030123.\"}"}"#,
        "event: error\ndata: {\"message\":\"bad key sk-ant\\/\\u0061b+cd==0123.\"}\n\n",
    ] {
        let masked = String::from_utf8(mask(escaped.as_bytes(), &[secret]).into_owned()).unwrap();
        assert!(masked.contains("bad key [credential]."), "{masked}");
    }
    for (escaped, shown) in [
        (
            r#"{"a":"\u0073k-abcdefgh12345678 or sk-abc\u0064efgh12345678"}"#,
            "[credential] or [credential]",
        ),
        (
            r#"{"a":"alice\u0040x.example, 10\u002e0.0.1"}"#,
            "[email], [address]",
        ),
    ] {
        let value: serde_json::Value = serde_json::from_str(&masked(escaped)).unwrap();
        assert_eq!(value["a"], shown);
    }
}

#[test]
fn a_character_behind_a_backslash_stays_whole() {
    assert_eq!(masked(r"\\é@x.example"), r"\\[email]");
    assert_eq!(masked(r"\é@x.example"), r"\[email]");
    assert_eq!(masked(r"\ué@x.example"), r"\u[email]");
}

#[test]
fn a_masked_json_body_is_still_json() {
    let body =
        r#"{"a":"\"sk-abcdefgh12345678\"","b":["x@y.example","\\10.0.0.1"],"c":"\u0022localhost\u0022"}"#;
    let value: serde_json::Value = serde_json::from_str(&masked(body)).unwrap();
    assert_eq!(value["a"], "\"[credential]\"");
    assert_eq!(value["b"][0], "[email]");
    assert_eq!(value["c"], "\"[address]\"");
}
