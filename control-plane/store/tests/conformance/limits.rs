//! Limits are kept whole, and an older data plane is told that it does not understand them.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_core::id::UserId;
use penstock_core::limits::{Budget, DailyReset, Dimension, Limits, Zone};
use penstock_core::money::NanoUsd;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::time::UnixMs;
use penstock_store::{Backend, CredentialChange, LoggedSpec, NewSpec, Put, Stored, StoredSpec};

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    d01_limits_of_users_keys_and_providers_read_back_whole,
    d01_limits_change_and_go,
    d01_rows_from_before_there_were_limits_have_none,
    d01_limits_that_cannot_be_read_are_not_taken_for_none,
    g01_the_history_tells_limits_before_and_after,
    g02_what_is_limited_needs_a_data_plane_that_knows_limits,
);

/// Every field set to something else than its default.
fn every_limit() -> Arc<Limits> {
    Arc::new(Limits {
        rpm: 1,
        tpm: 2,
        usd_5h: NanoUsd(3),
        usd_daily: NanoUsd(4),
        usd_weekly: NanoUsd(5),
        usd_monthly: NanoUsd(6),
        usd_total: penstock_core::limits::MAX_BUDGET,
        concurrent_sessions: 8,
        concurrent_requests: 9,
        budget: Budget::Strict,
        daily_reset: DailyReset::At(8 * 60),
        zone: Zone("Asia/Shanghai".to_owned()),
        session_idle_s: Some(0),
        resets: BTreeMap::from([(Dimension::Usd5h, NOW), (Dimension::Rpm, UnixMs(1))]),
    })
}

/// User, key and provider 1 with these limits.
fn limited(limits: &Arc<Limits>) -> [Put; 3] {
    let limits = || Arc::clone(limits);
    let (mut alice, mut laptop, mut main) = (user("alice"), key(1, "laptop"), Box::new(provider("main")));
    (alice.limits, laptop.limits, main.limits) = (limits(), limits(), limits());
    let main = NewSpec::Provider {
        provider: main,
        credential: CredentialChange::Keep,
        proxy_password: CredentialChange::Keep,
    };
    [
        Put::new(user_ref(1), NewSpec::User(alice)),
        put_key(1, laptop),
        Put::new(provider_ref(1), main),
    ]
}

async fn write(bench: &Bench, limits: &Arc<Limits>) {
    let mut all = commit();
    all.ops = limited(limits).into_iter().map(Into::into).collect();
    bench.store.commit(all).await.unwrap();
}

async fn read(bench: &Bench) -> Vec<Stored> {
    let mut read = Vec::new();
    for reference in [user_ref(1), key_ref(1), provider_ref(1)] {
        read.extend(bench.store.get(&reference).await.unwrap());
    }
    read
}

fn limits(stored: &Stored) -> &Limits {
    match &stored.spec {
        StoredSpec::User(user) => &user.limits,
        StoredSpec::Key(key) => &key.limits,
        StoredSpec::Provider(stored) => &stored.provider.limits,
        StoredSpec::Price(_)
        | StoredSpec::Setting(_)
        | StoredSpec::ImportSuffix(_)
        | StoredSpec::ErrorRule(_)
        | StoredSpec::WordRule(_)
        | StoredSpec::RequestFilter(_) => panic!("{stored:?}"),
    }
}

async fn all_have(bench: &Bench, expected: &Limits) {
    let stored = read(bench).await;
    assert_eq!(stored.len(), 3);
    for stored in stored {
        assert_eq!(limits(&stored), expected, "{}", stored.reference);
    }
}

async fn d01_limits_of_users_keys_and_providers_read_back_whole(bench: Bench) {
    write(&bench, &every_limit()).await;
    all_have(&bench, &every_limit()).await;
}

async fn d01_limits_change_and_go(bench: Bench) {
    write(&bench, &Limits::none()).await;
    all_have(&bench, &Limits::default()).await;
    write(&bench, &every_limit()).await;
    all_have(&bench, &every_limit()).await;
    write(&bench, &Limits::none()).await;
    all_have(&bench, &Limits::default()).await;
}

async fn d01_rows_from_before_there_were_limits_have_none(bench: Bench) {
    let id = UserId::from_parts(1, &[1; 10]).0;
    let literal = match bench.store.backend() {
        Backend::Postgres => format!("'{id}'"),
        Backend::Sqlite => format!("X'{}'", id.simple()),
    };
    let statement = format!(
        "INSERT INTO users (id, name, enabled, tags, provider_groups, allowed_models, blocked_models, version, \
         min_schema, created_at, updated_at) VALUES ({literal}, 'alice', TRUE, '[]', '[]', '[]', '[]', 1, 1, 1, 1)"
    );
    bench.execute(statement).await;
    let alice = bench.store.get(&user_ref(1)).await.unwrap().unwrap();
    assert_eq!(alice.spec, StoredSpec::User(user("alice")));
}

async fn d01_limits_that_cannot_be_read_are_not_taken_for_none(bench: Bench) {
    write(&bench, &every_limit()).await;
    bench
        .execute("UPDATE users SET limits = '{\"rpm\": \"many\"}'".to_owned())
        .await;
    let error = bench.store.get(&user_ref(1)).await.unwrap_err();
    assert!(error.to_string().contains("limits: "), "{error}");
    assert_eq!(bench.store.load().await.unwrap().unreadable.len(), 1);
}

async fn g01_the_history_tells_limits_before_and_after(bench: Bench) {
    write(&bench, &Limits::none()).await;
    write(&bench, &every_limit()).await;
    let revision = bench.store.revision(2).await.unwrap().unwrap();
    assert_eq!(revision.changes.len(), 3);
    for change in revision.changes {
        let told = |json: Option<serde_json::Value>| told(&change.reference, &json.unwrap());
        assert_eq!(told(change.before), Limits::none(), "{}", change.label);
        assert_eq!(told(change.after), every_limit(), "{}", change.label);
    }
}

fn told(reference: &ResourceRef, json: &serde_json::Value) -> Arc<Limits> {
    match LoggedSpec::read(reference.kind(), json).unwrap() {
        LoggedSpec::User(user) => user.limits,
        LoggedSpec::Key(key) => key.limits,
        LoggedSpec::Provider(logged) => logged.provider.limits,
        LoggedSpec::Price(_)
        | LoggedSpec::Setting(_)
        | LoggedSpec::ImportSuffix
        | LoggedSpec::ErrorRule(_)
        | LoggedSpec::WordRule(_)
        | LoggedSpec::RequestFilter(_) => panic!("{json}"),
    }
}

async fn g02_what_is_limited_needs_a_data_plane_that_knows_limits(bench: Bench) {
    let schemas = async || -> Vec<u32> {
        read(&bench)
            .await
            .iter()
            .map(|stored| stored.min_schema)
            .collect()
    };
    write(&bench, &Limits::none()).await;
    assert_eq!(schemas().await, [1, 1, 1]);
    let one = Limits {
        concurrent_requests: 1,
        ..Limits::default()
    };
    write(&bench, &one.shared()).await;
    assert_eq!(schemas().await, [2, 2, 2]);
    write(&bench, &Limits::none()).await;
    assert_eq!(schemas().await, [1, 1, 1]);
}

#[test]
fn g01_a_key_in_the_log_from_before_there_were_limits_had_none() {
    let written = serde_json::json!({
        "name": "laptop", "user_id": user_id(1), "access": penstock_core::access::Access::default(), "hint": "",
        "import_suffix": null, "previous_valid_until": null,
    });
    let LoggedSpec::Key(read) = LoggedSpec::read(Kind::Key, &written).unwrap() else {
        panic!("a key")
    };
    assert_eq!(read.limits, Limits::none());
}
