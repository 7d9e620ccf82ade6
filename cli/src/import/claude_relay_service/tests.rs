//! What becomes of `tests/fixtures/claude-relay-service`, which `make.py` there makes.

use std::path::PathBuf;

use penstock_core::api_key::KeyHash;
use penstock_proto::admin::v1::create_key_request::Import;
use penstock_proto::admin::v1::import_item::Resource;
use penstock_proto::admin::v1::new_credential::Credential;
use penstock_proto::admin::v1::{CreateKeyRequest, CreateProviderRequest, ImportItem};
use serde_json::json;

use super::*;
use crate::import::draft::Remark;

const VARIABLE: &str = "made-up-encryption-key-32-chars!";

fn read_with(name: &str, variable: Option<&str>) -> Result<Draft, Failure> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/claude-relay-service");
    let options = Options {
        encryption_key: variable.map(Secret::new),
        user: "relay".to_owned(),
        suffix: "relay".to_owned(),
        zone: "Asia/Shanghai".to_owned(),
    };
    read(&path.join(name), &options)
}

fn drafted(name: &str) -> (Vec<ImportItem>, Vec<Remark>) {
    read_with(name, Some(VARIABLE)).ok().unwrap().into_parts()
}

/// Of a Redis that is written in the test.
fn drafted_of(redis: &serde_json::Value) -> (Vec<ImportItem>, Vec<Remark>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redis.json");
    std::fs::write(&path, redis.to_string()).unwrap();
    let options = Options {
        encryption_key: None,
        user: "relay".to_owned(),
        suffix: "relay".to_owned(),
        zone: "Asia/Shanghai".to_owned(),
    };
    read(&path, &options).ok().unwrap().into_parts()
}

fn notes(notes: &[Remark], source: &str) -> String {
    let of = notes.iter().filter(|remark| remark.source == source);
    of.map(|remark| remark.note.as_str())
        .collect::<Vec<_>>()
        .join("; ")
}

fn key(items: &[ImportItem], name: &str) -> CreateKeyRequest {
    let found = items.iter().find_map(|item| match &item.resource {
        Some(Resource::Key(request)) => {
            Some(request.clone()).filter(|request| request.spec.as_ref().unwrap().name == name)
        }
        _ => None,
    });
    found.unwrap()
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

fn credential(request: &CreateProviderRequest) -> Option<Credential> {
    request.new_credential.clone().and_then(|new| new.credential)
}

#[test]
fn a03_keys_are_known_by_the_hash_with_the_variable() {
    let (items, _) = drafted("export.json");
    let Some(Resource::ImportSuffix(suffix)) = &items[0].resource else {
        panic!("the suffix comes first");
    };
    assert_eq!(
        (suffix.name.as_str(), suffix.secret.as_str()),
        ("relay", VARIABLE)
    );
    let keys: std::collections::BTreeMap<String, String> = serde_json::from_str(include_str!(
        "../../../../tests/fixtures/claude-relay-service/keys.json"
    ))
    .unwrap();
    match key(&items, "shared").import.unwrap() {
        Import::Suffixed(hash) => {
            assert_eq!(hash.sha256, KeyHash::of_suffixed(&keys["shared"], VARIABLE).0);
            assert_eq!(hash.import_suffix, "relay");
        }
        Import::Secret(_) | Import::Sha256(_) => panic!("a hash"),
    }
    assert!(
        matches!(key(&items, "plain").import.unwrap(), Import::Secret(secret) if secret == keys["plain"])
    );
}

#[test]
fn a03_limits_are_taken_over_exactly_or_told() {
    let (items, remarks) = drafted("export.json");
    let shared = key(&items, "shared").spec.unwrap();
    let limits = shared.limits.unwrap();
    assert_eq!((limits.rpm, limits.concurrent_requests), (600, 3));
    assert_eq!(limits.usd_daily_nanousd, 12_500_000_000);
    assert_eq!(shared.access.unwrap().allowed_dialects.len(), 4);
    assert!(key(&items, "bound").spec.unwrap().limits.is_none());
    let all: String = remarks
        .iter()
        .map(|remark| format!("{}: {}\n", remark.source, remark.note))
        .collect();
    for said in [
        "API key \"bound\": its number of requests in 60 minutes",
        "API key \"shared\": has no counterpart: weeklyOpusCostLimit",
        "was deleted there",
        "admins: 1 are not taken over",
    ] {
        assert!(all.contains(said), "{said}: {all}");
    }
}

#[test]
fn a03_a_bound_key_uses_its_account_and_others_the_shared_ones() {
    let (items, _) = drafted("export.json");
    let groups = |name| key(&items, name).spec.unwrap().access.unwrap().groups;
    assert_eq!(
        groups("bound"),
        [
            "account-Console-of-Bob",
            "shared-openai",
            "shared-gemini",
            "shared-droid"
        ]
    );
    assert!(groups("shared").contains(&"shared-claude".to_owned()));
    let of = |name| provider(&items, name).spec.unwrap().groups;
    assert_eq!(of("Console-of-Bob"), ["account-Console-of-Bob"]);
    assert_eq!(of("Console-shared"), ["account-Console-shared", "shared-claude"]);
}

#[test]
fn a03_rules_on_models_clients_and_the_first_use_come_along() {
    let (items, _) = drafted("export.json");
    let bound = key(&items, "bound").spec.unwrap();
    assert_eq!(bound.user_id, "bob");
    assert_eq!(bound.access.unwrap().blocked_models.len(), 1);
    let waiting = key(&items, "waiting").spec.unwrap().access.unwrap();
    assert_eq!(waiting.activation.unwrap().expires_after_ms, 7 * 86_400_000);
    assert_eq!(waiting.allowed_clients.len(), 1);
}

#[test]
fn a03_accounts_that_log_in_wait_for_a_login_and_others_work() {
    let (items, _) = drafted("export.json");
    let oauth = provider(&items, "OAuth");
    assert!(credential(&oauth).is_none() && !oauth.spec.unwrap().enabled);
    let setup = provider(&items, "Setup-token");
    assert!(matches!(credential(&setup), Some(Credential::BearerToken(_))));
    assert_eq!(setup.proxy_password.as_deref(), Some("proxy-password-made-up"));
    let console = provider(&items, "Console-shared").spec.unwrap();
    let limits = console.limits.unwrap();
    assert_eq!(
        (limits.usd_daily_nanousd, limits.daily_reset_minute),
        (25_000_000_000, 390)
    );
}

#[test]
fn a03_secrets_of_a_redis_are_decrypted_under_the_variable_alone() {
    let (items, _) = drafted("redis.jsonl");
    let responses = provider(&items, "Responses");
    let key = "sk-fake-credential-of-the-provider-0123456789";
    assert!(matches!(credential(&responses), Some(Credential::ApiKey(text)) if text == key));
    let groups = responses.spec.unwrap().groups;
    assert!(
        groups.iter().any(|group| group.starts_with("Team-GPT-")),
        "{groups:?}"
    );
    let azure = provider(&items, "Azure").spec.unwrap();
    assert_eq!(
        (azure.api_version.as_str(), azure.redirects[0].to.as_str()),
        ("2024-10-21", "our-gpt")
    );
    match credential(&provider(&items, "Bedrock")) {
        Some(Credential::AwsKeys(keys)) => assert_eq!(keys.access_key_id, "AKIAMADEUP0123456789"),
        _ => panic!("keys of AWS"),
    }
    let without = read_with("redis.jsonl", None).err().unwrap().to_string();
    assert!(without.contains("--encryption-key-env"), "{without}");
    let wrong = read_with("redis.jsonl", Some("another"))
        .err()
        .unwrap()
        .to_string();
    assert!(wrong.contains("not the ENCRYPTION_KEY"), "{wrong}");
}

#[test]
fn a03_a_key_of_whose_bindings_none_is_left_is_disabled() {
    let (items, remarks) = drafted_of(&json!({
        "apikey:1": {
            "id": "1", "name": "adrift", "apiKey": "cr_made-up-0123456789abcdef0001", "isActive": "true",
            "claudeAccountId": "gone-1", "openaiAccountId": "responses:gone-2", "geminiAccountId": "api:gone-3",
            "droidAccountId": "group:gone-4",
        },
        "apikey:2": {
            "id": "2", "name": "partly", "apiKey": "cr_made-up-0123456789abcdef0002", "isActive": "true",
            "claudeAccountId": "gone-1",
        },
        "apikey:3": {"id": "3", "name": "free", "apiKey": "cr_made-up-0123456789abcdef0003", "isActive": "true"},
    }));
    let access = |name| key(&items, name).spec.unwrap().access.unwrap();
    let adrift = access("adrift");
    assert!(
        adrift.groups.is_empty() && !adrift.enabled,
        "no group is every provider"
    );
    let note = notes(&remarks, "API key \"adrift\"");
    assert!(
        note.contains("is disabled") && note.contains("penstock key update --group"),
        "{note}"
    );
    for (name, claude) in [("partly", false), ("free", true)] {
        let access = access(name);
        let has_claude = access.groups.contains(&"shared-claude".to_owned());
        assert!(
            access.enabled && !access.groups.is_empty() && has_claude == claude,
            "{name}"
        );
    }
    assert!(!notes(&remarks, "API key \"partly\"").contains("disabled"));
}

#[test]
fn a03_a_limit_or_an_end_that_cannot_be_read_disables_its_key() {
    let of = |id: &str, field: &str, value: &str| {
        json!({
            "id": id, "name": id, "apiKey": format!("cr_made-up-0123456789abcdef000{id}"), "isActive": "true",
            "userId": "u-9", "userUsername": "bob", field: value,
        })
    };
    let (items, remarks) = drafted_of(&json!({
        "apikey:1": of("1", "dailyCostLimit", "0.30000000000000004"),
        "apikey:2": of("2", "dailyCostLimit", "1e-7"),
        "apikey:3": of("3", "totalCostLimit", "$10"),
        "apikey:4": of("4", "expiresAt", "31/12/2026"),
        "apikey:5": of("5", "concurrencyLimit", "1.5"),
        "apikey:6": of("6", "enableModelRestriction", "maybe"),
        "claude_console_account:7": {
            "id": "7", "name": "main", "apiUrl": "https://api.example", "apiKey": "sk-made-up", "dailyQuota": "a lot",
        },
        "user:u-9": {"id": "u-9", "username": "bob", "isActive": "perhaps"},
    }));
    let daily = |name| key(&items, name).spec.unwrap().limits.unwrap().usd_daily_nanousd;
    assert_eq!((daily("1"), daily("2")), (300_000_000, 100));
    let enabled = |name| key(&items, name).spec.unwrap().access.unwrap().enabled;
    assert!(enabled("1") && enabled("2"));
    for name in ["3", "4", "5", "6"] {
        let note = notes(&remarks, &format!("API key {name:?}"));
        assert!(
            !enabled(name) && note.contains("it is disabled here"),
            "{name}: {note}"
        );
    }
    assert!(!provider(&items, "main").spec.unwrap().enabled);
    let bob = items.iter().find_map(|item| match &item.resource {
        Some(Resource::User(request)) => request.spec.clone(),
        _ => None,
    });
    assert!(!bob.unwrap().access.unwrap().enabled);
    assert!(notes(&remarks, "user \"bob\"").contains("isActive"));
}

#[test]
fn a03_groups_stay_apart_and_every_other_name_is_listed() {
    let account = |id: &str, name: &str| {
        json!({
            "id": id, "name": name, "apiUrl": "https://api.example", "apiKey": "sk-made-up", "accountType": "group",
        })
    };
    let (items, remarks) = drafted_of(&json!({
        "claude_console_account:a1": account("a1", "one"),
        "claude_console_account:a2": account("a2", "two"),
        "claude_console_account:a3": account("a3", "账户"),
        "account_group:g1": {"id": "g1", "name": "研发", "platform": "claude"},
        "account_group:g2": {"id": "g2", "name": "研发", "platform": "claude"},
        "account_group:g3": {"id": "g3", "name": "shared-claude", "platform": "claude"},
        "account_group:g4": {"id": "g4", "name": "account-one", "platform": "claude"},
        "account_group_members:g1": ["a1"], "account_group_members:g2": ["a2"],
        "account_group_members:g3": ["a2"], "account_group_members:g4": ["a3"],
        "apikey:1": {
            "id": "1", "name": "默认", "apiKey": "cr_made-up-0123456789abcdef0001", "claudeAccountId": "group:g1",
            "userUsername": "张三", "tags": "[\"重要\",\"要紧\"]",
        },
    }));
    let of = |name| provider(&items, name).spec.unwrap().groups;
    let (one, two, third) = (of("one"), of("two"), of("account-a3"));
    for group in &one {
        assert!(
            !two.contains(group) && !third.contains(group),
            "{one:?} {two:?} {third:?}"
        );
    }
    assert!(!two.contains(&"shared-claude".to_owned()), "{two:?}");
    let key = key(&items, "key-1").spec.unwrap();
    let access = key.access.unwrap();
    assert!(access.groups.iter().any(|group| one.contains(group)));
    assert!(!access.groups.iter().any(|group| two.contains(group)));
    assert_ne!(access.tags[0], access.tags[1]);
    for (source, ours) in [
        ("group \"研发\"", access.groups[0].as_str()),
        ("group \"shared-claude\"", "shared-claude-g3"),
        ("tags", access.tags[0].as_str()),
        ("tags", access.tags[1].as_str()),
        ("users", key.user_id.as_str()),
        ("API key \"默认\"", "key-1"),
        ("claude-console account \"账户\"", "account-a3"),
    ] {
        let note = notes(&remarks, source);
        assert!(
            note.contains(&format!("is called {ours} here")),
            "{source}: {note}"
        );
    }
}
