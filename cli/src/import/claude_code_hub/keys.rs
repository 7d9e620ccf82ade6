//! Users and keys.

use std::collections::{BTreeMap, BTreeSet};

use penstock_core::access::{Access, Rules};
use penstock_core::client::{ClientRule, KnownClient};
use penstock_core::model::ModelPattern;
use penstock_core::secret::Secret;
use penstock_core::user::User;

use super::{ALL_GROUPS, DEFAULT_GROUP, Options, limits};
use crate::import::draft::{Draft, KeySecret, bare_key};
use crate::import::names::{self, Given};
use crate::import::record::Record;

const NOTHING: &[&str] = &[
    "id",
    "user_id",
    "created_at",
    "updated_at",
    "deleted_at",
    "description",
    "can_login_web_ui",
    "daily_quota_reset_at",
    "cost_reset_at",
    "limit_5h_cost_reset_at",
    "limit_5h_reset_mode",
    "daily_reset_mode",
];

/// What the users and keys ask of others.
pub(super) struct Owned {
    /// Somebody is bound to providers without a group.
    pub(super) default_group: bool,
}

/// The groups of one user and its keys; None: all.
type Groups = Option<Vec<String>>;

pub(super) fn draft(draft: &mut Draft, users: &[Record], keys: &[Record], options: &Options) -> Owned {
    let mut of_user: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for key in keys {
        of_user
            .entry(key.text("user_id").unwrap_or_default())
            .or_default()
            .push(key);
    }
    let (mut given, mut groups_seen) = (Given::default(), BTreeSet::new());
    for user in users {
        let id = user.text("id").unwrap_or_default();
        let keys = of_user.remove(&id).unwrap_or_default();
        let name = user.text("name").unwrap_or_default();
        let ours = given.take(names::nearest_user(&name, &format!("user-{id}")), &id);
        note_name(draft, &user.source, &name, &ours);
        note_groups(draft, user);
        let own = groups(user);
        let all = union(&own, &keys);
        groups_seen.extend(all.iter().flatten().cloned());
        let narrowed = all != own || keys.iter().any(|key| groups(key).is_some());
        let mut access = access(draft, user);
        access.groups = all.unwrap_or_default();
        let limits = limits::of(draft, user, "daily_limit_usd", options);
        access.enabled &= draft.is_readable(user);
        let made = User {
            name: ours.clone(),
            access,
            limits,
        };
        draft.user(&user.source, &made);
        note_role(draft, user);
        draft.note_left_over(user, NOTHING);
        let mut key_names = Given::default();
        for key in keys {
            let own = if narrowed {
                groups(key).or_else(|| own.clone())
            } else {
                None
            };
            take_key(draft, key, &ours, own, &mut key_names, options);
        }
    }
    for key in of_user.into_values().flatten() {
        draft.note(&key.source, "its user is not in the dump: it is left out");
    }
    let default_group = groups_seen.contains(DEFAULT_GROUP);
    Owned { default_group }
}

fn take_key(
    draft: &mut Draft,
    record: &Record,
    owner: &str,
    groups: Groups,
    given: &mut Given,
    options: &Options,
) {
    let id = record.text("id").unwrap_or_default();
    let name = record.text("name").unwrap_or_default();
    let ours = given.take(names::nearest(&name, &format!("key-{id}")), &id);
    note_name(draft, &record.source, &name, &ours);
    note_groups(draft, record);
    let Some(secret) = record.text("key") else {
        return draft.note(&record.source, "has no secret in the dump: it is left out");
    };
    let mut key = bare_key(ours);
    key.access = access(draft, record);
    key.access.groups = groups.unwrap_or_default();
    key.limits = limits::of(draft, record, "limit_daily_usd", options);
    key.access.enabled &= draft.is_readable(record);
    draft.key(&record.source, owner, &key, KeySecret::Plain(Secret::new(secret)));
    draft.note_left_over(record, NOTHING);
}

fn access(draft: &mut Draft, record: &Record) -> Access {
    let clients = |draft: &mut Draft, field| -> Vec<ClientRule> {
        let words = record.words(field);
        words.iter().map(|word| client(draft, record, word)).collect()
    };
    let rules = Rules {
        allowed_clients: clients(draft, "allowed_clients"),
        blocked_clients: clients(draft, "blocked_clients"),
        ..Rules::default()
    };
    let models = record.words("allowed_models");
    let tags = record.words("tags").into_iter().map(|theirs| {
        let ours = names::distinct(&theirs, "tag");
        draft.note_name("tags", &theirs, &ours);
        ours
    });
    Access {
        enabled: record.flag("is_enabled", true),
        expires_at: record.instant("expires_at"),
        tags: tags.collect(),
        allowed_models: models.into_iter().map(ModelPattern::Exact).collect(),
        rules: rules.shared(),
        ..Access::default()
    }
}

/// Its words for coding agents; every other one is a part of the user agent.
fn client(draft: &mut Draft, record: &Record, word: &str) -> ClientRule {
    let plain = word.to_ascii_lowercase().replace('_', "-");
    let known = match plain.as_str() {
        name if name.starts_with("claude-code") => Some(KnownClient::ClaudeCode),
        "codex" | "codex-cli" => Some(KnownClient::Codex),
        "gemini" | "gemini-cli" => Some(KnownClient::GeminiCli),
        _ => None,
    };
    match known {
        Some(known) => ClientRule::Known(known),
        None => {
            let note =
                format!("the client {word:?} is looked for in the user agent as it is written, in this case");
            draft.note(&record.source, note);
            ClientRule::UserAgent(ModelPattern::Contains(word.to_owned()))
        }
    }
}

/// None: it says nothing about groups. A group for all is an empty list.
fn groups(record: &Record) -> Groups {
    let words = record.words("provider_group");
    match words.is_empty() {
        true => None,
        false if words.iter().any(|word| is_all(word)) => Some(Vec::new()),
        false => Some(words.iter().map(|word| group(word)).collect()),
    }
}

fn is_all(word: &str) -> bool {
    word == ALL_GROUPS || word == "all"
}

fn note_groups(draft: &mut Draft, record: &Record) {
    for word in record.words("provider_group").iter().filter(|word| !is_all(word)) {
        draft.note_name("groups", word, &group(word));
    }
}

pub(super) fn group(word: &str) -> String {
    names::distinct(word, "group")
}

/// What a user must have, so that each of its keys can have its own.
fn union(own: &Groups, keys: &[&Record]) -> Groups {
    let mut all: BTreeSet<String> = BTreeSet::new();
    let of_keys = keys.iter().map(|key| groups(key).or_else(|| own.clone()));
    for groups in of_keys.chain(keys.is_empty().then(|| own.clone())) {
        match groups {
            None => return None,
            Some(groups) if groups.is_empty() => return None,
            Some(groups) => all.extend(groups),
        }
    }
    Some(all.into_iter().collect())
}

fn note_name(draft: &mut Draft, source: &str, theirs: &str, ours: &str) {
    if theirs != ours {
        draft.note(source, format!("was called {theirs:?} and is called {ours} here"));
    }
}

fn note_role(draft: &mut Draft, user: &Record) {
    if user.text("role").is_some_and(|role| role == "admin") {
        let note = "was an administrator: operators are accounts of their own here";
        draft.note(&user.source, note);
    }
}
