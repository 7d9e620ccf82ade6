//! Everything of a provider is kept whole, and its two secrets apart.

use penstock_core::dialect::Dialect;
use penstock_core::limits::Zone;
use penstock_core::model::ModelPattern;
use penstock_core::provider::{
    ActiveHours, AddressFamily, BreakerSettings, Outbound, Override, Probe, Provider, ProviderKind, Redirect,
};
use penstock_core::setting::{ModelFallback, RoutingPolicy, Setting};
use penstock_store::{CredentialChange, LoggedSpec, NewSpec, Put, StoredProvider, StoredSpec};

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    b01_a_provider_reads_back_whole,
    b10_the_proxys_password_is_kept_changed_and_cleared_apart_from_the_credential,
    f01_the_history_names_the_password_by_its_version_only,
    b04_settings_about_routing_read_back_whole,
    b01_rows_from_before_these_columns_have_defaults,
);

/// Every field set to something else than its default.
fn every_field() -> Provider {
    Provider {
        base_urls: vec!["https://a.example".into(), "https://b.example".into()],
        redirects: vec![Redirect {
            from: ModelPattern::Regex("a.*".to_owned().into()),
            to: "b".into(),
        }],
        active_hours: Some(ActiveHours {
            zone: Zone("Asia/Shanghai".into()),
            ..hours("22:00-06:00")
        }),
        breaker: BreakerSettings {
            failures: 1,
            open_ms: 2,
            successes: 3,
            network_errors: false,
        },
        outbound: Outbound {
            proxy: Some("socks5h://me@[::1]:9".parse().unwrap()),
            fallback_to_direct: true,
            address_family: Some(AddressFamily::Any),
            ca_pem: "-----BEGIN CERTIFICATE-----".into(),
            http2: false,
        },
        overrides: vec![
            Override {
                path: "temperature".into(),
                value: Some("0.50".into()),
            },
            Override {
                path: "user".into(),
                value: None,
            },
        ],
        probe: Some(Probe { interval_ms: 60_000 }),
        kind: ProviderKind::AzureOpenai,
        dialects: vec![Dialect::OpenaiChat, Dialect::OpenaiResponses],
        translate: vec![Dialect::Anthropic],
        api_version: Some("2024-10-21".into()),
        ..provider("main")
    }
}

fn hours(text: &str) -> ActiveHours {
    text.parse().unwrap()
}

fn put(provider: Provider, credential: CredentialChange, proxy_password: CredentialChange) -> Put {
    let spec = NewSpec::Provider {
        provider: Box::new(provider),
        credential,
        proxy_password,
    };
    Put::new(provider_ref(1), spec)
}

async fn write(bench: &Bench, put: Put) -> StoredProvider {
    bench.store.commit(commit().with(put)).await.unwrap();
    let stored = bench.store.get(&provider_ref(1)).await.unwrap().unwrap();
    let StoredSpec::Provider(stored) = stored.spec else {
        panic!("a provider")
    };
    *stored
}

async fn b01_a_provider_reads_back_whole(bench: Bench) {
    use CredentialChange::Keep;
    let stored = write(&bench, put(provider("main"), Keep, Keep)).await;
    assert_eq!(stored.provider, provider("main"));
    let stored = write(&bench, put(every_field(), Keep, Keep)).await;
    assert_eq!(stored.provider, every_field());
    let all = bench.store.get(&provider_ref(1)).await.unwrap().unwrap();
    assert_eq!(all.min_schema, 4);
    let stored = write(&bench, put(provider("main"), Keep, Keep)).await;
    assert_eq!(stored.provider, provider("main"));
}

async fn b10_the_proxys_password_is_kept_changed_and_cleared_apart_from_the_credential(bench: Bench) {
    use CredentialChange::{Clear, Keep, Set};
    let first = write(
        &bench,
        put(every_field(), Set(sealed("credential")), Set(sealed("password"))),
    )
    .await;
    assert_eq!(first.credential.as_ref().unwrap().sealed, sealed("credential"));
    assert_eq!(first.proxy_password.as_ref().unwrap().sealed, sealed("password"));
    let kept = write(&bench, put(provider("main"), Keep, Keep)).await;
    assert_eq!(kept.proxy_password, first.proxy_password);
    let changed = write(&bench, put(provider("main"), Keep, Set(sealed("other")))).await;
    assert_eq!(changed.credential, first.credential);
    assert_eq!(changed.proxy_password.unwrap().version, 3);
    let cleared = write(&bench, put(provider("main"), Keep, Clear)).await;
    assert_eq!(cleared.credential, first.credential);
    assert_eq!(cleared.proxy_password, None);
}

async fn f01_the_history_names_the_password_by_its_version_only(bench: Bench) {
    use CredentialChange::{Keep, Set};
    write(&bench, put(every_field(), Keep, Set(sealed("MARKED")))).await;
    let revision = bench.store.revision(1).await.unwrap().unwrap();
    let after = revision.changes[0].after.clone().unwrap();
    assert_eq!(after["proxy_password_version"], 1);
    assert!(!after.to_string().contains("MARKED"), "{after}");
    let read = LoggedSpec::read(provider_ref(1).kind(), &after).unwrap();
    let LoggedSpec::Provider(logged) = read else {
        panic!("a provider")
    };
    assert_eq!(logged.provider, every_field());
}

async fn b04_settings_about_routing_read_back_whole(bench: Bench) {
    let routing = Setting::Routing(RoutingPolicy {
        max_providers: 2,
        return_to_better_tier: true,
        ..RoutingPolicy::default()
    });
    let fallbacks = Setting::ModelFallbacks(vec![ModelFallback {
        model: ModelPattern::Prefix("claude-".into()),
        substitutes: vec!["a".into(), "b".into()],
    }]);
    for setting in [routing, fallbacks] {
        let put = put_setting(setting.clone());
        let reference = put.reference.clone();
        bench.store.commit(commit().with(put)).await.unwrap();
        let stored = bench.store.get(&reference).await.unwrap().unwrap();
        assert_eq!(stored.spec, StoredSpec::Setting(setting));
        assert_eq!(stored.min_schema, 3);
    }
}

async fn b01_rows_from_before_these_columns_have_defaults(bench: Bench) {
    use CredentialChange::Keep;
    write(&bench, put(every_field(), Keep, Keep)).await;
    // What the migration gives to rows that are there.
    let statement = "UPDATE providers SET redirects = '[]', active_hours = 'null', breaker = '{}', outbound = '{}', \
                     overrides = '[]', probe_interval_ms = NULL, dialects = '[]', translate = '[]', \
                     api_version = NULL";
    bench.execute(statement.to_owned()).await;
    let stored = bench.store.get(&provider_ref(1)).await.unwrap().unwrap();
    let StoredSpec::Provider(stored) = stored.spec else {
        panic!("a provider")
    };
    let expected = Provider {
        base_urls: every_field().base_urls,
        kind: every_field().kind,
        ..provider("main")
    };
    assert_eq!(stored.provider, expected);
}
