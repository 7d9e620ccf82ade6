//! What is written is read back the same, and what cannot be understood is refused by name.

use std::str::FromStr;

use penstock_core::access::{Access, Activation, Rules};
use penstock_core::api_key::KeyHash;
use penstock_core::client::{ClientRule, KnownClient};
use penstock_core::dialect::Dialect;
use penstock_core::error_rule::{ErrorField, ErrorPattern, ErrorRule, ErrorText, Replace, ReplaceBody};
use penstock_core::failure::Class;
use penstock_core::id::{KeyId, ProviderId, RequestId, UserId};
use penstock_core::key::{Key, PreviousSecret};
use penstock_core::model::ModelPattern;
use penstock_core::money::{Millionths, NanoUsd, PicoUsd};
use penstock_core::price::{Factor, Price, PriceSource, Rate, ServiceTier, TokenClass};
use penstock_core::provider::{
    ActiveHours, AddressFamily, BreakerSettings, Header, Outbound, Override, Probe, Provider, ProviderKind,
    Redirect, Timeouts,
};
use penstock_core::resource::{ImportSuffixSpec, ProviderSpec, Resource, ResourceRef, Spec};
use penstock_core::secret::Secret;
use penstock_core::setting::{
    DebugSubject, DebugWindow, HttpDebug, ImportSuffix, LogLevel, LoggingPolicy, ModelFallback,
    NotificationPolicy, RetentionPolicy, RoutingPolicy, Setting, UnpricedAction, UnpricedPolicy,
};
use penstock_core::snapshot::{Refusal, Upsert};
use penstock_core::time::UnixMs;
use penstock_core::usage::{Outcome, TokenUsage, UsageRecord};
use penstock_core::user::User;

use super::*;
use crate::config::v1 as wire;

fn access() -> Access {
    Access {
        enabled: false,
        expires_at: Some(UnixMs(5)),
        tags: vec!["t".into()],
        groups: vec!["g".into()],
        allowed_models: vec![
            ModelPattern::Regex("a.*".to_owned().into()),
            ModelPattern::Suffix("s".into()),
        ],
        blocked_models: vec![
            ModelPattern::Prefix("p".into()),
            ModelPattern::Contains("c".into()),
        ],
        rules: Rules {
            allowed_dialects: vec![Dialect::OpenaiChat],
            allowed_clients: vec![ClientRule::Known(KnownClient::Codex)],
            blocked_clients: vec![ClientRule::UserAgent(ModelPattern::Prefix("curl/".into()))],
            allowed_addresses: vec!["2001:db8::/32".parse().unwrap()],
        }
        .shared(),
        activation: Some(Activation {
            expires_after_ms: 9,
            first_used_at: Some(UnixMs(4)),
            granted_at: Some(UnixMs(3)),
        }),
    }
}

fn rates() -> Vec<Rate> {
    let rate = Rate {
        class: TokenClass::CacheWrite12h,
        tier: ServiceTier::Flex,
        above_tokens: 7,
        pico_usd: PicoUsd(3),
    };
    vec![rate]
}

fn error_rule() -> ErrorRule {
    ErrorRule {
        name: "odd".into(),
        enabled: true,
        priority: 3,
        kind: Some(ProviderKind::Anthropic),
        provider: Some("main".into()),
        status: Some(418),
        pattern: Some(ErrorPattern {
            field: ErrorField::Code,
            text: ErrorText::Regex("tea.*".to_owned().into()),
        }),
        class: Class::Unrecognised,
        replace: Some(Replace {
            status: Some(503),
            body: Some(ReplaceBody::Message("Later".into())),
        }),
    }
}

fn specs() -> Vec<(ResourceRef, Spec)> {
    let user_id = UserId::from_parts(1, &[1; 10]);
    let key = Key {
        limits: penstock_core::limits::Limits::none(),
        name: "k".into(),
        user_id,
        access: access(),
        hint: "psk_1234****abcd".into(),
        hash: KeyHash([1; 32]),
        import_suffix: Some("relay".into()),
        previous: Some(PreviousSecret {
            hash: KeyHash([2; 32]),
            valid_until: UnixMs(9),
        }),
    };
    let provider = Provider {
        limits: penstock_core::limits::Limits::none(),
        name: "p".into(),
        kind: ProviderKind::OpenaiCompatible,
        base_urls: vec!["http://h/v1".into()],
        enabled: true,
        groups: vec!["g".into()],
        priority: 1,
        weight: 2,
        cost_multiplier: Millionths(3),
        models: vec![ModelPattern::Exact("m".into())],
        timeouts: Timeouts {
            idle_ms: Some(4),
            ..Timeouts::default()
        },
        extra_headers: vec![Header {
            name: "x-a".into(),
            value: "b".into(),
        }],
        redirects: vec![Redirect {
            from: ModelPattern::Prefix("gpt-".into()),
            to: "mine".into(),
        }],
        active_hours: Some(ActiveHours {
            zone: penstock_core::limits::Zone("Asia/Shanghai".into()),
            ..ActiveHours::from_str("22:00-06:00").unwrap()
        }),
        breaker: BreakerSettings {
            failures: 0,
            open_ms: 1,
            successes: 3,
            network_errors: false,
        },
        outbound: Outbound {
            proxy: Some("socks5h://me%40x@[::1]:9".parse().unwrap()),
            fallback_to_direct: true,
            address_family: Some(AddressFamily::Any),
            ca_pem: "-----BEGIN CERTIFICATE-----".into(),
            http2: false,
        },
        overrides: vec![
            Override {
                path: "temperature".into(),
                value: Some("0.5".into()),
            },
            Override {
                path: "user".into(),
                value: None,
            },
        ],
        probe: Some(Probe { interval_ms: 60_000 }),
        dialects: vec![Dialect::OpenaiChat, Dialect::OpenaiResponses],
        translate: vec![Dialect::Anthropic],
        api_version: Some("2024-10-21".into()),
    };
    let price = Price {
        source: PriceSource::Manual,
        platform: "openai".into(),
        rates: rates(),
        web_search: NanoUsd(8),
        request: NanoUsd(9),
        factors: vec![Factor {
            name: "us".into(),
            millionths: Millionths(1_100_000),
        }],
        max_input_tokens: Some(1),
        max_output_tokens: None,
        deprecation_date: "2027-01-01".into(),
    };
    let policy = UnpricedPolicy {
        action: UnpricedAction::Free,
        default_rates: rates(),
    };
    let suffix = ImportSuffix {
        secret: Secret::new("pepper"),
    };
    vec![
        (
            ResourceRef::Provider(ProviderId::from_parts(2, &[2; 10])),
            Spec::Provider(Box::new(ProviderSpec {
                provider,
                credential: Some(penstock_core::credential::Credential::ApiKey(Secret::new("sk"))),
                proxy_password: Some(Secret::new("pw")),
            })),
        ),
        (
            ResourceRef::User(user_id),
            Spec::User(User {
                limits: penstock_core::limits::Limits::none(),
                name: "u".into(),
                access: access(),
            }),
        ),
        (
            ResourceRef::Key(KeyId::from_parts(3, &[3; 10])),
            Spec::Key(Box::new(key)),
        ),
        (
            ResourceRef::Price("gemini/x".into()),
            Spec::Price(Box::new(price)),
        ),
        (
            ResourceRef::Setting("unpriced".into()),
            Spec::Setting(Setting::Unpriced(policy)),
        ),
        (
            ResourceRef::Setting("routing".into()),
            Spec::Setting(Setting::Routing(RoutingPolicy {
                max_providers: 1,
                keepalive_after_ms: 0,
                keepalive_every_ms: 2,
                return_to_better_tier: true,
                sticky_ttl_ms: 3,
                sticky_renew_below_ms: 0,
                read_on_ms: 3,
            })),
        ),
        (
            ResourceRef::Setting("notifications".into()),
            Spec::Setting(Setting::Notifications(NotificationPolicy {
                enabled: false,
                error_rate_percent: 0,
                budget_percents: Vec::new(),
                summary_at: None,
                ..NotificationPolicy::default()
            })),
        ),
        (
            ResourceRef::Setting("model_fallbacks".into()),
            Spec::Setting(Setting::ModelFallbacks(vec![ModelFallback {
                model: ModelPattern::Contains("opus".into()),
                substitutes: vec!["a".into(), "b".into()],
            }])),
        ),
        (
            ResourceRef::Setting("retention".into()),
            Spec::Setting(Setting::Retention(RetentionPolicy {
                enabled: false,
                usage_records_days: 1,
                failed_calls_days: 2,
                audit_log_days: 3,
            })),
        ),
        (
            ResourceRef::Setting("logging".into()),
            Spec::Setting(Setting::Logging(LoggingPolicy {
                level: Some(LogLevel::Debug),
                targets: [("penstock::call".to_owned(), LogLevel::Off)].into(),
                hash_user_ids: true,
            })),
        ),
        (
            ResourceRef::Setting("http_debug".into()),
            Spec::Setting(Setting::HttpDebug(HttpDebug {
                windows: vec![DebugWindow {
                    subject: DebugSubject::Provider(ProviderId::from_parts(1, &[1; 10])),
                    until: UnixMs(9),
                    bodies: true,
                }],
            })),
        ),
        (
            ResourceRef::ImportSuffix("relay".into()),
            Spec::ImportSuffix(ImportSuffixSpec(suffix)),
        ),
        (
            ResourceRef::ErrorRule("odd".into()),
            Spec::ErrorRule(Box::new(error_rule())),
        ),
    ]
}

#[test]
fn every_kind_of_resource_is_read_back_as_written() {
    for (reference, spec) in specs() {
        let resource = Resource {
            reference,
            version: 4,
            min_schema: 1,
            spec,
        };
        assert_eq!(resource_from_wire(resource_to_wire(&resource)), Ok(resource));
    }
}

#[test]
fn a_usage_record_is_read_back_as_written() {
    let record = UsageRecord {
        admitted_at: None,
        id: RequestId::from_parts(1, &[1; 10]),
        started_at: UnixMs(1),
        user_id: UserId::from_parts(1, &[1; 10]),
        key_id: KeyId::from_parts(1, &[1; 10]),
        provider_id: None,
        dialect: "anthropic".into(),
        model: "m".into(),
        model_served: "m2".into(),
        stream: true,
        status: 200,
        outcome: Outcome::Interrupted,
        code: Some("X".into()),
        tokens: TokenUsage {
            input: 1,
            output: 2,
            cache_write_12h: 3,
            audio_input: 1,
            image_output: 2,
            factors: vec!["us".into()],
            ..TokenUsage::default()
        },
        estimated: true,
        cost: NanoUsd(5),
        price: Some(("m".into(), 3)),
        cost_multiplier: Millionths(2),
        duration_ms: 6,
        first_byte_ms: Some(0),
        attempts: 1,
        session: None,
        revision: 7,
        node_id: "n".into(),
        upstream_request_id: Some("req".into()),
        unpriced: Some(UnpricedAction::ChargeDefault),
        decision: Some(Box::default()),
    };
    let mut wire = usage_record_to_wire(&record);
    assert_eq!(usage_record_from_wire(wire.clone()), Ok(record.clone()));
    // What a newer data plane decided by is left out; the record stays.
    wire.decision.as_mut().unwrap().affinity = 99;
    let without = UsageRecord {
        decision: None,
        ..record
    };
    assert_eq!(usage_record_from_wire(wire), Ok(without));
}

#[test]
fn g02_a_resource_that_cannot_be_read_is_refused_by_name() {
    let id = ProviderId::from_parts(1, &[1; 10]).to_string();
    let spec = wire::ProviderSpec {
        kind: 99,
        ..wire::ProviderSpec::default()
    };
    let provider = wire::Provider {
        spec: Some(spec),
        credential: None,
        other_credential: None,
        proxy_password: None,
    };
    let resource = wire::Resource {
        id,
        version: 3,
        min_schema: 1,
        spec: Some(wire::resource::Spec::Provider(Box::new(provider))),
    };
    let Ok(Upsert::Unreadable(Refusal { version, reason, .. })) = upsert_from_wire(resource) else {
        panic!("must be refused");
    };
    assert_eq!(version, 3);
    assert!(reason.starts_with("kind: has the value 99"), "{reason}");
}

#[test]
fn a_resource_without_a_name_breaks_the_stream() {
    assert!(upsert_from_wire(wire::Resource::default()).is_err());
}

#[test]
fn refusals_are_read_back_as_written() {
    let refusal = Refusal {
        reference: ResourceRef::Price("x".into()),
        version: 2,
        reason: "why".into(),
    };
    assert_eq!(nack_from_wire(nack_to_wire(&refusal)), Ok(refusal));
}

#[test]
fn b10_a_malformed_proxy_is_refused_by_name_and_no_password_is_quoted() {
    let spec = |proxy: &str| wire::ProviderSpec {
        kind: wire::ProviderKind::Anthropic.into(),
        outbound: Some(wire::Outbound {
            proxy: proxy.into(),
            ..wire::Outbound::default()
        }),
        ..wire::ProviderSpec::default()
    };
    let refused = provider_from_wire(spec("socks4://h:1")).unwrap_err();
    assert_eq!(refused.field, "outbound.proxy");
    let refused = provider_from_wire(spec("http://u:hunter2@h:1")).unwrap_err();
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
}
