//! What becomes of `tests/fixtures/claude-code-hub`, which `make.py` there makes.

use std::path::PathBuf;

use penstock_proto::admin::v1::ImportItem;
use penstock_proto::admin::v1::create_key_request::Import;
use penstock_proto::admin::v1::import_item::Resource;
use penstock_proto::admin::v1::{CreateKeyRequest, CreateProviderRequest};
use penstock_proto::config::v1 as config;
use serde_json::json;

use super::*;
use crate::import::draft::Remark;

fn drafted(name: &str) -> (Vec<ImportItem>, Vec<Remark>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures")
        .join(name);
    let options = Options {
        zone: "Asia/Shanghai".to_owned(),
    };
    read(&path, &options).ok().unwrap().into_parts()
}

/// Of tables that are written in the test.
fn drafted_of(tables: &serde_json::Value) -> (Vec<ImportItem>, Vec<Remark>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tables.json");
    std::fs::write(&path, tables.to_string()).unwrap();
    let options = Options {
        zone: "Asia/Shanghai".to_owned(),
    };
    read(&path, &options).ok().unwrap().into_parts()
}

fn user(items: &[ImportItem], name: &str) -> config::User {
    let found = items.iter().find_map(|item| match &item.resource {
        Some(Resource::User(request)) => request.spec.clone().filter(|spec| spec.name == name),
        _ => None,
    });
    found.unwrap()
}

fn key(items: &[ImportItem], source: &str) -> CreateKeyRequest {
    let found = items
        .iter()
        .find(|item| item.source == source && matches!(item.resource, Some(Resource::Key(_))));
    match found.and_then(|item| item.resource.clone()) {
        Some(Resource::Key(request)) => request,
        _ => panic!("{source}"),
    }
}

fn provider(items: &[ImportItem], name: &str) -> CreateProviderRequest {
    let found = items.iter().find_map(|item| match &item.resource {
        Some(Resource::Provider(request)) => {
            Some((**request).clone()).filter(|request| request.spec.as_ref().unwrap().name == name)
        }
        _ => None,
    });
    found.unwrap()
}

fn notes(notes: &[Remark], source: &str) -> String {
    let of = notes.iter().filter(|remark| remark.source == source);
    of.map(|remark| remark.note.as_str())
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn a03_csv_and_json_of_one_database_say_the_same() {
    let (csv, csv_notes) = drafted("claude-code-hub");
    let (json, json_notes) = drafted("claude-code-hub.json");
    assert!(csv == json && !csv.is_empty());
    assert_eq!(csv_notes, json_notes);
}

#[test]
fn a03_users_and_keys_keep_their_limits_and_secrets() {
    let (items, _) = drafted("claude-code-hub");
    let ann = user(&items, "ann");
    let limits = ann.limits.unwrap();
    assert_eq!((limits.rpm, limits.usd_daily_nanousd), (60, 100_000_000_000));
    assert_eq!(
        (limits.daily_reset_minute, limits.zone.as_str()),
        (480, "Asia/Shanghai")
    );
    assert_eq!(ann.access.unwrap().expires_at_ms, Some(4_102_358_400_000));
    let key = key(&items, "keys 1");
    assert!(
        matches!(key.import, Some(Import::Secret(secret)) if secret == "sk-0123456789abcdef0123456789abcdef")
    );
    let limits = key.spec.unwrap().limits.unwrap();
    assert!(limits.daily_rolling);
    assert_eq!(
        (limits.usd_daily_nanousd, limits.concurrent_sessions),
        (10_500_000_000, 2)
    );
}

#[test]
fn a03_a_key_may_use_what_it_could_use_there() {
    let (items, _) = drafted("claude-code-hub");
    assert_eq!(user(&items, "ann").access.unwrap().groups, ["backup", "cli"]);
    assert_eq!(
        key(&items, "keys 1").spec.unwrap().access.unwrap().groups,
        ["cli"]
    );
    assert_eq!(
        key(&items, "keys 2").spec.unwrap().access.unwrap().groups,
        ["cli", "backup"]
    );
    // Providers without a group are those of the group default.
    assert_eq!(provider(&items, "shared").spec.unwrap().groups, ["default"]);
}

#[test]
fn a03_providers_keep_their_settings() {
    let (items, _) = drafted("claude-code-hub");
    let main = provider(&items, "Main-EU").spec.unwrap();
    assert_eq!(
        (main.weight, main.priority, main.cost_multiplier_millionths),
        (10, 1, 1_250_000)
    );
    assert_eq!(main.breaker.unwrap().failures, Some(3));
    assert_eq!(main.timeouts.unwrap().first_byte_ms, Some(30_000));
    assert_eq!(main.redirects[0].to, "claude-sonnet-4-5-20250929");
    assert_eq!(
        provider(&items, "shared").spec.unwrap().base_urls,
        ["PROVIDER_URL"]
    );
    let codex = provider(&items, "codex");
    assert_eq!(codex.proxy_password.as_deref(), Some("p@ss"));
    let codex = codex.spec.unwrap();
    assert_eq!(codex.base_urls, ["PROVIDER_URL/v1"]);
    assert_eq!(codex.outbound.unwrap().proxy, "http://relay@proxy.example:8080");
}

#[test]
fn a03_the_newest_manual_price_and_the_rules_come_along() {
    let (items, remarks) = drafted("claude-code-hub");
    let price = items.iter().find_map(|item| match &item.resource {
        Some(Resource::Price(request)) => Some(request.clone()),
        _ => None,
    });
    let price = price.unwrap();
    assert_eq!(price.name, "house-model");
    assert!(
        price
            .spec
            .unwrap()
            .rates
            .iter()
            .any(|rate| rate.pico_usd == 1_000_000)
    );
    let kinds = |wanted: fn(&Resource) -> bool| {
        items
            .iter()
            .filter(|item| item.resource.as_ref().is_some_and(wanted))
            .count()
    };
    assert_eq!(kinds(|resource| matches!(resource, Resource::ErrorRule(_))), 1);
    assert_eq!(kinds(|resource| matches!(resource, Resource::WordRule(_))), 1);
    assert_eq!(
        kinds(|resource| matches!(resource, Resource::RequestFilter(_))),
        2
    );
    assert!(notes(&remarks, "model_prices").contains("1 prices came from LiteLLM"));
}

#[test]
fn a03_what_has_no_counterpart_is_said_and_not_quoted() {
    let (_, remarks) = drafted("claude-code-hub");
    assert!(notes(&remarks, "users 3").contains("deleted"));
    assert!(notes(&remarks, "users 1").contains("administrator"));
    assert!(notes(&remarks, "keys 1").contains("cache_ttl_preference"));
    assert!(notes(&remarks, "providers 1").contains("max_retry_attempts"));
    assert!(notes(&remarks, "providers 3").contains("codex_reasoning_effort_preference"));
    assert!(notes(&remarks, "providers 4").contains("gemini-cli"));
    assert!(notes(&remarks, "message_request").contains("1 rows"));
    let all: String = remarks.iter().map(|remark| remark.note.clone()).collect();
    for secret in ["sk-0123", "sk-fake", "p%40ss", "p@ss"] {
        assert!(!all.contains(secret), "{secret}");
    }
}

#[test]
fn a03_a_limit_or_an_end_that_cannot_be_read_disables_what_it_belongs_to() {
    let (items, remarks) = drafted_of(&json!({
        "users": [
            {"id": 1, "name": "ann", "is_enabled": true, "daily_limit_usd": 0.300_000_000_000_000_04, "rpm_limit": "60.0"},
            {"id": 2, "name": "bob", "is_enabled": true, "daily_limit_usd": "5 USD"},
        ],
        "keys": [
            {"id": 1, "user_id": 1, "key": "sk-made-up-0123456789abcdef0001", "name": "fine", "limit_5h_usd": "1e-10"},
            {"id": 2, "user_id": 1, "key": "sk-made-up-0123456789abcdef0002", "name": "end", "expires_at": "Thu Dec 31 2026"},
            {"id": 3, "user_id": 1, "key": "sk-made-up-0123456789abcdef0003", "name": "count", "limit_concurrent_sessions": "two"},
            {"id": 4, "user_id": 1, "key": "sk-made-up-0123456789abcdef0004", "name": "groups", "provider_group": "[\"cli\","},
        ],
        "providers": [
            {"id": 1, "name": "main", "url": "https://api.example", "key": "sk-made-up", "limit_daily_usd": "NaN", "weight": 1},
        ],
    }));
    let ann = user(&items, "ann");
    assert!(ann.access.unwrap().enabled);
    let limits = ann.limits.unwrap();
    assert_eq!((limits.usd_daily_nanousd, limits.rpm), (300_000_000, 60));
    assert!(!user(&items, "bob").access.unwrap().enabled);
    assert!(!provider(&items, "main").spec.unwrap().enabled);
    let fine = key(&items, "keys 1").spec.unwrap();
    assert!(fine.access.unwrap().enabled);
    assert_eq!(fine.limits.unwrap().usd_5h_nanousd, 1, "never to none");
    for (source, field) in [
        ("keys 2", "expires_at"),
        ("keys 3", "limit_concurrent_sessions"),
        ("keys 4", "provider_group"),
        ("users 2", "daily_limit_usd"),
        ("providers 1", "limit_daily_usd"),
    ] {
        let note = notes(&remarks, source);
        assert!(
            note.contains(field) && note.contains("it is disabled here"),
            "{source}: {note}"
        );
        if source.starts_with("keys") {
            assert!(
                !key(&items, source).spec.unwrap().access.unwrap().enabled,
                "{source}"
            );
        }
    }
    assert!(!notes(&remarks, "keys 1").contains("cannot be read"));
    let all: String = remarks.iter().map(|remark| remark.note.clone()).collect();
    assert!(
        !all.contains("5 USD") && !all.contains("two"),
        "values are not repeated"
    );
}

#[test]
fn a03_no_two_filters_have_one_name() {
    let long = "x".repeat(80);
    let filter = |id: u32, name: &str, providers: &[u32]| {
        json!({
            "id": id, "name": name, "scope": "header", "action": "remove", "target": "x-a", "is_enabled": true,
            "binding_type": if providers.is_empty() { "global" } else { "providers" }, "provider_ids": providers,
        })
    };
    let provider =
        |id: u32, name: &str| json!({"id": id, "name": name, "url": "https://api.example", "weight": 1});
    let (items, remarks) = drafted_of(&json!({
        "providers": [provider(1, "main"), provider(2, "2"), provider(3, &long)],
        "request_filters": [
            filter(1, &long, &[]), filter(2, &long, &[]), filter(3, &long, &[1, 2, 3]), filter(4, &long, &[1, 2, 3]),
            filter(5, "drop", &[2]), filter(2, "drop-5", &[]), filter(6, "drop", &[1, 2]),
        ],
    }));
    let names = items.iter().filter_map(|item| match &item.resource {
        Some(Resource::RequestFilter(request)) => Some(request.name.clone()),
        _ => None,
    });
    let names: Vec<String> = names.collect();
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!((names.len(), distinct.len()), (12, 12), "{names:?}");
    assert!(
        names
            .iter()
            .all(|name| penstock_core::name::check("name", name).is_ok()),
        "{names:?}"
    );
    assert!(names.contains(&"drop-6-main".to_owned()), "{names:?}");
    assert!(notes(&remarks, "request_filters 1").contains("is called"));
}

#[test]
fn a03_every_name_that_is_another_one_here_is_listed() {
    let (items, remarks) = drafted_of(&json!({
        "users": [{"id": 1, "name": "张三", "provider_group": "研发,cli", "tags": ["重要", "team-a"]}],
        "keys": [{
            "id": 7, "user_id": 1, "key": "sk-made-up-0123456789abcdef0001", "name": "默认", "provider_group": "研发",
        }],
        "providers": [
            {"id": 3, "name": "主", "url": "https://api.example", "group_tag": "研发"},
            {"id": 4, "name": "other", "url": "https://api.example", "group_tag": "市场"},
        ],
    }));
    let access = user(&items, "user-1").access.unwrap();
    let ours = provider(&items, "provider-3").spec.unwrap().groups;
    let others = provider(&items, "other").spec.unwrap().groups;
    assert_ne!(ours, others);
    assert!(access.groups.contains(&ours[0]), "{:?}", access.groups);
    let groups = notes(&remarks, "groups");
    assert_eq!(groups.matches("研发").count(), 1, "once: {groups}");
    for (source, theirs, ours) in [
        ("groups", "研发", ours[0].as_str()),
        ("groups", "市场", others[0].as_str()),
        ("tags", "重要", access.tags[0].as_str()),
        ("users 1", "张三", "user-1"),
        ("keys 7", "默认", "key-7"),
        ("providers 3", "主", "provider-3"),
    ] {
        let note = notes(&remarks, source);
        assert!(
            note.contains(&format!("{theirs:?}")) && note.contains(ours),
            "{source}: {note}"
        );
    }
    let kept = [notes(&remarks, "groups"), notes(&remarks, "tags")].concat();
    assert!(!kept.contains("cli") && !kept.contains("team-a"), "{kept}");
}

#[test]
fn a03_a_provider_of_whose_models_something_cannot_be_read_is_disabled() {
    let provider_with = |field: &str, value: serde_json::Value| {
        let mut record = json!({"id": 1, "name": "main", "url": "https://api.example", "key": "sk-made-up", "is_enabled": true});
        record[field] = value;
        let (items, remarks) = drafted_of(&json!({ "providers": [record] }));
        let noted = remarks.iter().any(|remark| format!("{remark:?}").contains(field));
        (provider(&items, "main").spec.unwrap(), noted)
    };
    let (fine, noted) = provider_with(
        "allowed_models",
        json!(["claude-opus", {"pattern": "claude-", "matchType": "prefix"}]),
    );
    assert!(fine.enabled && !noted && fine.models.len() == 2);
    for (field, value) in [
        ("allowed_models", json!([{"something": "else"}])),
        (
            "allowed_models",
            json!([{"pattern": "claude", "matchType": "sounds like"}]),
        ),
        ("model_redirects", json!([{"source": "a"}])),
        ("model_redirects", json!({"a": 1})),
        ("circuit_breaker_failure_threshold", json!("many")),
    ] {
        let (spec, noted) = provider_with(field, value);
        assert!(!spec.enabled && noted, "{field}");
    }
}
