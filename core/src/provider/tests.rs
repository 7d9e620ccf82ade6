//! A provider for tests to start from, and what a provider may be.

use super::*;

pub(crate) fn provider(name: &str) -> Provider {
    Provider::new(name, ProviderKind::Anthropic, "https://api.anthropic.com")
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

#[test]
fn b01_a_provider_has_one_to_eight_base_urls() {
    let with = |n: usize| Provider {
        base_urls: (0..n).map(|n| format!("https://{n}.example")).collect(),
        ..provider("p")
    };
    assert_eq!(with(8).validate(), Ok(()));
    assert_eq!(with(0).validate().unwrap_err().field, "base_urls");
    assert_eq!(with(9).validate().unwrap_err().field, "base_urls");
    let twice = Provider {
        base_urls: vec!["https://a.example".into(); 2],
        ..provider("p")
    };
    assert_eq!(twice.validate().unwrap_err().field, "base_urls[1]");
}

#[test]
fn b01_the_first_redirect_that_matches_names_the_model() {
    let redirect = |from: ModelPattern, to: &str| Redirect { from, to: to.into() };
    let provider = Provider {
        redirects: vec![
            redirect(ModelPattern::Exact("gpt-5".into()), "mine"),
            redirect(ModelPattern::Prefix("gpt-".into()), "other"),
        ],
        ..provider("p")
    };
    assert_eq!(provider.validate(), Ok(()));
    assert_eq!(provider.upstream_model("gpt-5"), "mine");
    assert_eq!(provider.upstream_model("gpt-6"), "other");
    assert_eq!(provider.upstream_model("claude"), "claude");
}

#[test]
fn g02_a_node_that_knows_no_active_hours_refuses_a_provider_that_has_them() {
    assert_eq!(provider("p").required_schema(), 1);
    let limited = Provider {
        active_hours: Some("22:00-06:00".parse().unwrap()),
        ..provider("p")
    };
    assert_eq!(limited.required_schema(), 3);
}

#[test]
fn g02_a_provider_from_before_these_fields_reads_as_defaults() {
    let mut json = serde_json::to_value(provider("p")).unwrap();
    let fields = json.as_object_mut().unwrap();
    for field in [
        "redirects",
        "active_hours",
        "breaker",
        "outbound",
        "overrides",
        "probe",
    ] {
        assert!(fields.remove(field).is_some(), "{field}");
    }
    assert_eq!(serde_json::from_value::<Provider>(json).unwrap(), provider("p"));
}

#[test]
fn b01_members_that_penstock_sets_itself_are_not_overridden() {
    let with = |path: &str, value: Option<&str>| {
        let value = value.map(str::to_owned);
        Provider {
            overrides: vec![Override {
                path: path.to_owned(),
                value,
            }],
            ..provider("p")
        }
        .validate()
        .map_err(|e| e.field)
    };
    assert_eq!(with("temperature", Some("0.5")), Ok(()));
    assert_eq!(with("metadata", Some("{\"user_id\": \"x\"}")), Ok(()));
    assert_eq!(with("user", None), Ok(()));
    let path = || Err("overrides[0].path".to_owned());
    assert_eq!(with("model", Some("\"x\"")), path());
    assert_eq!(with("stream", None), path());
    for conversation in ["messages", "input", "contents"] {
        assert_eq!(with(conversation, Some("[]")), path());
        assert_eq!(with(conversation, None), path());
    }
    assert_eq!(with("metadata.user_id", None), path());
    assert_eq!(
        with("temperature", Some("hot")),
        Err("overrides[0].value".to_owned())
    );
}
