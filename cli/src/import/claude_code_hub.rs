//! Claude Code Hub: tables of its Postgres database.
//!
//! Its keys stand there in plain text (`keys.key`), so they are taken over by their secrets. Providers' keys do too.
//!
//! | table | becomes |
//! |---|---|
//! | `users`, `keys` | users and keys, with their limits and rules |
//! | `providers` | providers |
//! | `model_prices` | manual prices; those it had from LiteLLM ship with Penstock |
//! | `error_rules` | error rules; its own default rules are known to Penstock |
//! | `sensitive_words` | a word rule for each way of matching |
//! | `request_filters` | request filters, one for each provider that one is bound to |
//!
//! Groups. There a key's group takes the place of its user's, and a group `default` means providers without one. Here both
//! lists hold. So a user gets the groups of all its keys and each key its own; providers without a group get the group
//! `default` when somebody is bound to it.

mod keys;
mod limits;
mod prices;
mod providers;
mod rules;

use std::path::Path;

use super::draft::Draft;
use super::record::Record;
use super::tables::Tables;
use crate::failure::Failure;

/// What the group of those without a group is called.
const DEFAULT_GROUP: &str = "default";
/// A group that stands for all.
const ALL_GROUPS: &str = "*";

/// Tables that say nothing about how the gateway works, or nothing that can be moved.
const OTHER_TABLES: [(&str, &str); 9] = [
    (
        "message_request",
        "what was used stays with the old gateway: the ledger begins anew",
    ),
    (
        "usage_ledger",
        "what was used stays with the old gateway: the ledger begins anew",
    ),
    ("system_settings", "settings are made anew: penstock setting"),
    ("notification_settings", "notifications are made anew"),
    ("webhook_targets", "notifications are made anew"),
    ("notification_target_bindings", "notifications are made anew"),
    (
        "provider_endpoints",
        "endpoints beside a provider's URL: add them with penstock provider update --base-url",
    ),
    ("provider_vendors", "has no counterpart"),
    ("audit_log", "stays with the old gateway"),
];

/// What the operator says about the dump.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Where its days began: the old gateway's variable TZ.
    pub(crate) zone: String,
}

/// Reads a dump.
pub(crate) fn read(path: &Path, options: &Options) -> Result<Draft, Failure> {
    let mut tables = Tables::read(path)?;
    if tables.is_empty() {
        return Err(Failure::Input(format!(
            "{} holds no tables of Claude Code Hub: users, keys, providers, …",
            path.display()
        )));
    }
    Ok(draft(&mut tables, options))
}

fn draft(tables: &mut Tables, options: &Options) -> Draft {
    let mut draft = Draft::default();
    let users = present(tables.take("users"), &mut draft);
    let keys = present(tables.take("keys"), &mut draft);
    let owned = keys::draft(&mut draft, &users, &keys, options);
    let providers = present(tables.take("providers"), &mut draft);
    let named = providers::draft(&mut draft, &providers, owned.default_group, options);
    prices::draft(&mut draft, &tables.take("model_prices"));
    rules::errors(&mut draft, &tables.take("error_rules"));
    rules::words(&mut draft, &tables.take("sensitive_words"));
    rules::filters(&mut draft, &tables.take("request_filters"), &named);
    let left: Vec<(String, usize)> = tables
        .left()
        .map(|(name, rows)| (name.to_owned(), rows))
        .collect();
    for (name, rows) in left {
        let known = OTHER_TABLES.iter().find(|(table, _)| *table == name);
        let why = known.map_or("is not known to this release", |(_, why)| why);
        draft.note(&name, format!("{rows} rows are not taken over: {why}"));
    }
    draft
}

/// Without those that were deleted there, which is said once.
fn present(records: Vec<Record>, draft: &mut Draft) -> Vec<Record> {
    let (deleted, present): (Vec<Record>, Vec<Record>) = records
        .into_iter()
        .partition(|record| record.value("deleted_at").is_some());
    for record in deleted {
        draft.note(&record.source, "was deleted there, and is left out");
    }
    present
}

#[cfg(test)]
mod tests;
