//! Which accounts a key may use, as groups.

use std::collections::BTreeMap;

use super::dump::{Dump, Platform};
use crate::import::names;
use crate::import::record::Record;

/// The fields that bind a key, and to what service.
const FIELDS: [(&str, &str); 8] = [
    ("claudeAccountId", "claude"),
    ("claudeConsoleAccountId", "claude"),
    ("bedrockAccountId", "claude"),
    ("openaiAccountId", "openai"),
    ("azureOpenaiAccountId", "openai"),
    ("geminiAccountId", "gemini"),
    ("vertexAccountId", "gemini"),
    ("droidAccountId", "droid"),
];
const GROUP: &str = "group:";
const SERVICES: [&str; 4] = ["claude", "openai", "gemini", "droid"];

/// What is bound to what.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    /// False: every key may use every account, and there are no groups.
    any: bool,
    /// Names of groups here, by their ids there.
    groups: BTreeMap<String, String>,
    members: BTreeMap<String, Vec<String>>,
    /// Names of accounts' own groups, by the accounts' ids.
    accounts: BTreeMap<String, String>,
}

impl Bindings {
    pub(super) fn of(dump: &Dump) -> Self {
        let mut bindings = Self {
            members: dump.members.clone(),
            ..Self::default()
        };
        for (id, name) in &dump.groups {
            bindings
                .groups
                .insert(id.clone(), names::distinct(name, &format!("group-{}", short(id))));
        }
        let mut given = names::Given::default();
        for (_, account) in &dump.accounts {
            let id = account.text("id").unwrap_or_default();
            let name = account.text("name").unwrap_or_default();
            let name = names::nearest(&format!("account-{name}"), &format!("account-{}", short(&id)));
            bindings.accounts.insert(id.clone(), given.take(name, short(&id)));
        }
        let bound = |key: &Record| FIELDS.iter().any(|(field, _)| key.value(field).is_some());
        let dedicated = |account: &Record| {
            let of = account.text("accountType");
            of.is_some_and(|of| of == "dedicated" || of == "group")
        };
        bindings.any =
            dump.keys.iter().any(bound) || dump.accounts.iter().any(|(_, account)| dedicated(account));
        bindings
    }

    /// Those that an account carries.
    pub(super) fn of_account(&self, platform: Platform, account: &Record) -> Vec<String> {
        let kind = account.text("accountType").unwrap_or_default();
        if !self.any {
            return Vec::new();
        }
        let id = account.text("id").unwrap_or_default();
        let mut groups: Vec<String> = self.accounts.get(&id).cloned().into_iter().collect();
        for group in self.members.get(&id).into_iter().flatten() {
            groups.extend(self.groups.get(group).cloned());
        }
        if kind != "dedicated" && kind != "group" {
            groups.push(format!("shared-{}", platform.service()));
        }
        groups
    }

    /// Those that a key may use, and bindings to what is not in the dump. No groups and such a binding: nothing is left of
    /// what it could use, which is not every provider.
    pub(super) fn of_key(&self, key: &Record) -> (Vec<String>, Vec<&'static str>) {
        let (mut groups, mut bound, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for (field, service) in FIELDS {
            let Some(to) = key.text(field) else { continue };
            bound.push(service);
            // Some kinds stand before the id.
            let id = to.trim_start_matches("responses:").trim_start_matches("api:");
            let found = match to.strip_prefix(GROUP) {
                Some(group) => self.groups.get(group),
                None => self.accounts.get(id),
            };
            match found {
                Some(group) => groups.push(group.clone()),
                None => missing.push(field),
            }
        }
        if self.any {
            let free = SERVICES.iter().filter(|service| !bound.contains(service));
            groups.extend(free.map(|service| format!("shared-{service}")));
        }
        (groups, missing)
    }
}

/// The beginning of an id.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
