//! A provider for tests to start from, and what a provider may be.

use super::*;

pub(crate) fn provider(name: &str) -> Provider {
    Provider {
        limits: crate::limits::Limits::none(),
        name: name.to_owned(),
        kind: ProviderKind::Anthropic,
        base_urls: vec!["https://api.anthropic.com".to_owned()],
        enabled: true,
        groups: Vec::new(),
        priority: 0,
        weight: 1,
        cost_multiplier: Millionths::ONE,
        models: Vec::new(),
        timeouts: Timeouts::default(),
        extra_headers: Vec::new(),
    }
}

fn url_problem(url: &str) -> Option<String> {
    Provider {
        base_urls: vec![url.to_owned()],
        ..provider("p")
    }
    .validate()
    .err()
    .map(|e| e.to_string())
}

#[test]
fn base_urls_are_what_vendors_sdks_take() {
    for url in [
        "https://api.openai.com/v1",
        "http://127.0.0.1:9100",
        "http://[::1]:80/x",
        "http://[::1]",
    ] {
        assert_eq!(url_problem(url), None, "{url}");
    }
}

#[test]
fn base_urls_that_could_go_elsewhere_are_refused() {
    for url in [
        "ftp://x",
        "https://",
        "https://u:p@host",
        "https://h/?key=1",
        "https://h:0",
        "https://h:x",
        "::::",
    ] {
        assert!(url_problem(url).is_some(), "{url}");
    }
    assert!(
        !url_problem("https://user:hunter2@host")
            .unwrap()
            .contains("hunter2")
    );
}

#[test]
fn c01_no_timeout_is_infinite_and_kinds_have_their_own() {
    let anthropic = provider("a");
    assert_eq!(anthropic.idle_timeout(), Duration::from_secs(60));
    assert_eq!(anthropic.total_timeout(true), Duration::from_secs(3600));
    let openai = Provider {
        kind: ProviderKind::Openai,
        ..provider("o")
    };
    assert_eq!(openai.first_byte_timeout(), Duration::from_secs(180));
    let zero = Provider {
        timeouts: Timeouts {
            idle_ms: Some(0),
            ..Timeouts::default()
        },
        ..provider("z")
    };
    assert_eq!(zero.validate().unwrap_err().field, "timeouts.idle_ms");
}

#[test]
fn extra_headers_cannot_carry_credentials_or_line_breaks() {
    let with = |name: &str, value: &str| {
        let header = Header {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        Provider {
            extra_headers: vec![header],
            ..provider("p")
        }
        .validate()
    };
    assert_eq!(with("x-team", "a b"), Ok(()));
    assert!(with("X-Api-Key", "1").is_err());
    assert!(with("x-team", "a\r\nb").is_err());
    assert!(with("x team", "a").is_err());
}
