//! Its API keys: known by a hash with a suffix, or, in some exports, by their text.

use std::collections::{BTreeMap, BTreeSet};

use penstock_core::access::{Access, Activation, Rules};
use penstock_core::client::{ClientRule, KnownClient};
use penstock_core::dialect::Dialect;
use penstock_core::limits::{DailyReset, Limits, Zone};
use penstock_core::model::ModelPattern;
use penstock_core::money::NanoUsd;
use penstock_core::secret::Secret;
use penstock_core::user::User;

use super::Options;
use super::binding::{Bindings, short};
use super::decrypt::Closed;
use super::dump::Dump;
use crate::failure::Failure;
use crate::import::draft::{Draft, KeySecret, bare_key};
use crate::import::names::{self, Given};
use crate::import::record::Record;

const NOTHING: &[&str] = &[
    "id",
    "description",
    "createdAt",
    "createdBy",
    "updatedAt",
    "lastUsedAt",
    "activatedAt",
    "activationUnit",
    "expirationMode",
    "isActivated",
    "userId",
    "icon",
    "usageStats",
    "deletedAt",
    "deletedBy",
    "deletedByType",
    "enableModelRestriction",
    "enableClientRestriction",
    "rateLimitWindow",
    "weeklyResetDay",
    "weeklyResetHour",
    "ccrAccountId",
    "encryptedApiKey",
    "enableOpenAIResponsesCodexAdaptation",
];
const HOUR_MS: u64 = 3_600_000;
const FIVE_HOURS: u64 = 300;

/// What the keys before it took.
#[derive(Default)]
struct Taken {
    users: BTreeSet<String>,
    names: BTreeMap<String, Given>,
    /// One of them is known by a hash with the suffix.
    hashed: bool,
}

pub(super) fn draft(
    draft: &mut Draft,
    dump: &Dump,
    bindings: &Bindings,
    options: &Options,
) -> Result<(), Failure> {
    let mut taken = Taken::default();
    for record in &dump.keys {
        match usable(record) {
            Err(why) => draft.note(&record.source, why),
            Ok(text) => {
                let secret = secret(text, options)?;
                taken.hashed |= matches!(secret, KeySecret::Suffixed { .. });
                let owner = owner(draft, dump, record, &mut taken, options);
                let name = name(draft, record, &owner, &mut taken);
                let mut key = bare_key(name);
                key.access = access(draft, record, bindings);
                key.limits = limits(draft, record, options);
                key.access.enabled &= draft.is_readable(record);
                draft.key(&record.source, &owner, &key, secret);
                draft.note_left_over(record, NOTHING);
            }
        }
    }
    if let Some(variable) = options.encryption_key.as_ref().filter(|_| taken.hashed) {
        draft.suffix("ENCRYPTION_KEY", &options.suffix, variable);
    }
    Ok(())
}

/// Its secret or hash; why it is left out is the error.
fn usable(record: &Record) -> Result<String, &'static str> {
    if record.flag("isDeleted", false) {
        return Err("was deleted there, and is left out");
    }
    match record.text("apiKey") {
        None => Err("has neither secret nor hash in the dump: it is left out"),
        Some(text) if text.contains("...") => {
            Err("was sanitised in the export: it is left out. Export without --sanitize")
        }
        Some(text) => Ok(text),
    }
}

fn secret(text: String, options: &Options) -> Result<KeySecret, Failure> {
    let hash = hex::decode(&text).ok().filter(|hash| hash.len() == 32);
    match (hash, &options.encryption_key) {
        (None, _) => Ok(KeySecret::Plain(Secret::new(text))),
        (Some(sha256), Some(_)) => Ok(KeySecret::Suffixed {
            sha256,
            suffix: options.suffix.clone(),
        }),
        (Some(_), None) => Err(Failure::Usage(format!("an API key {}", Closed::NoKey))),
    }
}

/// The user that it had there, made with its first key.
fn owner(draft: &mut Draft, dump: &Dump, record: &Record, taken: &mut Taken, options: &Options) -> String {
    let owner = match record.text("userUsername") {
        Some(name) => {
            let ours = names::distinct_user(&name, &options.user);
            draft.note_name("users", &name, &ours);
            ours
        }
        None => options.user.clone(),
    };
    let there = record.text("userId").map(|id| dump.users.get(&id));
    if matches!(there, Some(None)) {
        let note =
            "whether its user was disabled there is not in this form of dump: its user is enabled here";
        draft.note(&record.source, note);
    }
    if taken.users.insert(owner.clone()) {
        let enabled = there.flatten().is_none_or(|user| {
            let active = user.flag("isActive", true);
            draft.is_readable(user) && active
        });
        let access = Access {
            enabled,
            ..Access::default()
        };
        let user = User {
            name: owner.clone(),
            access,
            limits: Limits::none(),
        };
        draft.user(&record.source, &user);
    }
    owner
}

fn name(draft: &mut Draft, record: &Record, owner: &str, taken: &mut Taken) -> String {
    let theirs = record.text("name").unwrap_or_default();
    let id = record.text("id").unwrap_or_default();
    let near = names::nearest(&theirs, &format!("key-{}", short(&id)));
    let given = taken.names.entry(owner.to_owned()).or_default();
    let name = given.take(near, short(&id));
    if name != theirs {
        draft.note(&record.source, format!("is called {name} here"));
    }
    name
}

fn access(draft: &mut Draft, record: &Record, bindings: &Bindings) -> Access {
    let (groups, missing) = bindings.of_key(record);
    let adrift = is_adrift(draft, record, &groups, &missing);
    let clients = record.words("allowedClients");
    let clients = match record.flag("enableClientRestriction", false) {
        true => clients.iter().map(|name| client(draft, record, name)).collect(),
        false => Vec::new(),
    };
    let blocked = record.words("restrictedModels");
    let blocked = match record.flag("enableModelRestriction", false) {
        true => blocked.into_iter().map(ModelPattern::Exact).collect(),
        false => Vec::new(),
    };
    let services = record.words("permissions");
    let dialects = dialects(draft, record, &services);
    // Of services that have no counterpart alone nothing is left, and nothing would mean everything.
    let useless =
        dialects.is_empty() && !services.is_empty() && !services.iter().any(|service| service == "all");
    if useless {
        draft.note(
            &record.source,
            "is disabled: what it may use there has no counterpart",
        );
    }
    let rules = Rules {
        allowed_dialects: dialects,
        allowed_clients: clients,
        ..Rules::default()
    };
    let tags = record.words("tags").into_iter().map(|theirs| {
        let ours = names::distinct(&theirs, "tag");
        draft.note_name("tags", &theirs, &ours);
        ours
    });
    Access {
        enabled: record.flag("isActive", true) && !useless && !adrift,
        expires_at: record.instant("expiresAt"),
        tags: tags.collect(),
        groups,
        blocked_models: blocked,
        rules: rules.shared(),
        activation: activation(record),
        ..Access::default()
    }
}

/// Whether all that it is bound to is missing. It has no group then, and without one it could use every provider.
fn is_adrift(draft: &mut Draft, record: &Record, groups: &[String], missing: &[&str]) -> bool {
    if missing.is_empty() {
        return false;
    }
    let fields = missing.join(", ");
    let note = format!("is bound to an account that is not in the dump ({fields})");
    draft.note(&record.source, note);
    let adrift = groups.is_empty();
    if adrift {
        let note = "is disabled: nothing that it is bound to is in the dump, and without a group it could use every \
                    provider. Give it one (penstock key update --group), then enable it (penstock key enable)";
        draft.note(&record.source, note);
    }
    adrift
}

/// A key that waits for its first use there waits for it here.
fn activation(record: &Record) -> Option<Activation> {
    let mode = record.text("expirationMode")?;
    let number = record.count("activationDays");
    if mode != "activation" || record.flag("isActivated", false) {
        return None;
    }
    // Its own default.
    let number = if number == 0 { 30 } else { number };
    let unit = match record.text("activationUnit").as_deref() {
        Some("hours") => HOUR_MS,
        Some(_) | None => 24 * HOUR_MS,
    };
    Some(Activation::after(number.saturating_mul(unit)))
}

/// Nothing, or `all`: every service.
fn dialects(draft: &mut Draft, record: &Record, services: &[String]) -> Vec<Dialect> {
    let mut dialects = Vec::new();
    for service in services {
        match service.as_str() {
            "all" => return Vec::new(),
            "claude" => dialects.push(Dialect::Anthropic),
            "openai" => dialects.extend([
                Dialect::OpenaiChat,
                Dialect::OpenaiResponses,
                Dialect::OpenaiEmbeddings,
            ]),
            "gemini" => dialects.push(Dialect::Gemini),
            other => draft.note(
                &record.source,
                format!("may use the service {other:?}, which has no counterpart"),
            ),
        }
    }
    dialects
}

/// Never fewer rules than there were: a list without rules would let everybody in.
fn client(draft: &mut Draft, record: &Record, name: &str) -> ClientRule {
    let user_agent = match name {
        "claude_code" => return ClientRule::Known(KnownClient::ClaudeCode),
        "codex_cli" => return ClientRule::Known(KnownClient::Codex),
        "gemini_cli" => return ClientRule::Known(KnownClient::GeminiCli),
        "droid_cli" => "factory-cli",
        other => other,
    };
    let note = format!("the client {name:?} is recognised by {user_agent:?} in its user agent alone");
    draft.note(&record.source, note);
    ClientRule::UserAgent(ModelPattern::Contains(user_agent.to_owned()))
}

fn limits(draft: &mut Draft, record: &Record, options: &Options) -> std::sync::Arc<Limits> {
    let mut limits = Limits {
        concurrent_requests: record.count("concurrencyLimit"),
        usd_daily: record.usd("dailyCostLimit"),
        usd_total: record.usd("totalCostLimit"),
        ..Limits::default()
    };
    let window = record.count("rateLimitWindow");
    let inexact = |draft: &mut Draft, what: &str| {
        let note = format!("{what} in {window} minutes has no counterpart: it is not limited by that here");
        draft.note(&record.source, note);
    };
    match (record.count("rateLimitRequests"), window) {
        (0, _) => {}
        (requests, 1) => limits.rpm = requests,
        (_, _) => inexact(draft, "its number of requests"),
    }
    match (record.count("tokenLimit"), window) {
        (0, _) => {}
        (tokens, 1) => limits.tpm = tokens,
        (_, _) => inexact(draft, "its number of tokens"),
    }
    match (record.usd("rateLimitCost"), window) {
        (NanoUsd(0), _) => {}
        (amount, FIVE_HOURS) => limits.usd_5h = amount,
        (_, _) => inexact(draft, "its cost"),
    }
    if limits.usd_daily != NanoUsd::default() {
        limits.daily_reset = DailyReset::At(0);
        limits.zone = Zone(options.zone.clone());
    }
    if limits.usd_total != NanoUsd::default() {
        draft.note(
            &record.source,
            "what it spent of its total budget before is not known: it begins anew",
        );
    }
    limits.shared()
}
