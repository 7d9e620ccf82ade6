//! Rows that say nothing about anybody (behaviour G5: "names and ids replaced, no secrets, safe to share").
//!
//! Every text is replaced unless its field is known to hold a word of ours, the name of a model, or a zone. So a field
//! that a later release adds says nothing by default. Replaced is not removed: the same text is the same replacement
//! everywhere in one backup, so one can still see that two keys share a group, or which provider failed. In another
//! backup it is another one: the replacement comes from the text and a random key that nobody keeps.
//!
//! Hashes and hints of keys are left out. Numbers stay: prices, limits, instants, counts of tokens.

#[cfg(test)]
mod tests;

use penstock_store::{ArchiveRow, ArchiveTable, Says};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Texts in these are words of ours, zones, dates.
const WORDS: [&str; 41] = [
    "action",
    "affinity",
    "allowed_dialects",
    "api_version",
    "at_end",
    "budget",
    "class",
    "code",
    "daily_reset",
    "degraded",
    "deprecation_date",
    "dialect",
    "dialects",
    "end",
    "error_category",
    "error_class",
    "factors",
    "field",
    "from",
    "kind",
    "known",
    "matching",
    "model",
    "model_served",
    "outcome",
    "platform",
    "preset",
    "retry_reason",
    "role",
    "rules",
    "session_source",
    "source",
    "state",
    "status_family",
    "substitute",
    "tier",
    "to",
    "translate",
    "unpriced",
    "verdict",
    "zone",
];
/// Below these everything is about models.
const MODELS: [&str; 8] = [
    "allowed_models",
    "blocked_models",
    "default_rates",
    "model_fallbacks",
    "models",
    "price",
    "rates",
    "redirects",
];
/// Left out.
const SECRET: [&str; 3] = ["hash", "hint", "previous"];

/// Replaces texts and ids. One for each backup.
pub(super) struct Sanitiser {
    key: [u8; 32],
}

impl Sanitiser {
    /// Fails when the system has no random numbers.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key })
    }

    /// A row of the configuration or of the ledger. `what` names its name: `user`, `provider`.
    pub(super) fn row(&self, what: &str, row: Value, named_by_id: bool) -> Value {
        let Value::Object(members) = row else {
            return Value::Null;
        };
        let replaced = members.into_iter().map(|(member, value)| {
            let value = match (member.as_str(), &value) {
                // The id of a price is a model's, that of a setting a word of ours.
                ("id", Value::String(_)) if named_by_id && matches!(what, "price" | "setting") => value,
                ("id", Value::String(text)) if named_by_id => Value::String(self.text(what, text)),
                _ => self.value(what, &member, value, matches!(what, "price")),
            };
            (member, value)
        });
        Value::Object(replaced.filter(|(member, _)| !is_secret(member)).collect())
    }

    /// A row of a table.
    pub(super) fn archived(&self, table: &ArchiveTable, row: ArchiveRow) -> ArchiveRow {
        let mut replaced = ArchiveRow::new();
        for column in table.columns {
            let Some(value) = row.get(column.name) else {
                continue;
            };
            match (column.says, value) {
                (Says::Nothing, value) => drop(replaced.insert(column.name.to_owned(), value.clone())),
                (Says::Identity, value) => {
                    let value = self.value(table.name, column.name, value.clone(), false);
                    replaced.insert(column.name.to_owned(), value);
                }
                (Says::FreeText, _) => {}
            }
        }
        replaced
    }

    fn value(&self, what: &str, field: &str, value: Value, harmless: bool) -> Value {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
            Value::String(text) if harmless || is_word(field, &text) => Value::String(text),
            Value::String(text) => Value::String(self.text(label(what, field), &text)),
            Value::Array(items) => {
                let items = items.into_iter();
                Value::Array(
                    items
                        .map(|item| self.value(what, field, item, harmless))
                        .collect(),
                )
            }
            Value::Object(members) => Value::Object(self.members(what, members, harmless)),
        }
    }

    fn members(&self, what: &str, members: Map<String, Value>, harmless: bool) -> Map<String, Value> {
        let shown = members.into_iter().filter(|(member, _)| !is_secret(member));
        let replaced = shown.map(|(member, value)| {
            let harmless = harmless || MODELS.contains(&member.as_str());
            let value = self.value(what, &member, value, harmless);
            (member, value)
        });
        replaced.collect()
    }

    /// Ids stay ids.
    fn text(&self, label: &str, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        if let Ok(id) = Uuid::parse_str(text) {
            return match id.is_nil() {
                true => text.to_owned(),
                false => Uuid::from_bytes(self.digest(id.as_bytes())).to_string(),
            };
        }
        let digest = hex::encode(self.digest(text.as_bytes()).get(..6).unwrap_or_default());
        match label {
            "base_urls" => format!("https://{digest}.invalid"),
            label => format!("{label}-{digest}"),
        }
    }

    fn digest(&self, text: &[u8]) -> [u8; 16] {
        let digest = Sha256::new().chain_update(self.key).chain_update(text).finalize();
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(digest) {
            *to = from;
        }
        short
    }
}

/// What a provider calls an error is a word only when it is one that is known.
fn is_word(field: &str, text: &str) -> bool {
    WORDS.contains(&field) || (field == "error_type" && penstock_core::failed_call::is_known(text))
}

fn is_secret(member: &str) -> bool {
    SECRET.contains(&member) || member == "secrets"
}

/// What a replaced text is called: so that one sees what it stands for.
fn label<'a>(what: &'a str, field: &'a str) -> &'a str {
    match field {
        "name" => what,
        "actor" => "operator",
        "groups" => "group",
        "tags" => "tag",
        "base_urls" => "base_urls",
        "provider" => "provider",
        "user" => "user",
        "key" => "key",
        "node_id" => "node",
        "session" => "session",
        "proxy" => "proxy",
        "import_suffix" => "import_suffix",
        "host" => "host",
        "peer" | "client_ip" => "address",
        "subject" => "subject",
        "error_type" => "error_type",
        _ => "text",
    }
}

/// A row as JSON; plain data always has a form.
pub(super) fn json(row: &impl serde::Serialize) -> serde_json::Result<Value> {
    serde_json::to_value(row)
}
