//! Which accounts a key may use, as groups.

use std::collections::BTreeMap;

use super::dump::{Dump, Platform};
use crate::import::draft::Draft;
use crate::import::names::{self, Given};
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
    pub(super) fn of(dump: &Dump, draft: &mut Draft) -> Self {
        let bound = |key: &Record| FIELDS.iter().any(|(field, _)| key.value(field).is_some());
        let dedicated = |account: &Record| {
            let of = account.text("accountType");
            of.is_some_and(|of| of == "dedicated" || of == "group")
        };
        let any = dump.keys.iter().any(bound) || dump.accounts.iter().any(|(_, account)| dedicated(account));
        if !any {
            return Self::default();
        }
        let mut bindings = Self {
            any,
            members: dump.members.clone(),
            ..Self::default()
        };
        bindings.name_groups(dump, draft);
        bindings
    }

    /// Each has a name of its own: two that are one here would let keys use what they could not there.
    fn name_groups(&mut self, dump: &Dump, draft: &mut Draft) {
        let mut given = Given::default();
        for service in SERVICES {
            given.take(shared(service), "");
        }
        for (id, name) in &dump.groups {
            let near = names::distinct(name, &format!("group-{}", short(id)));
            let ours = given.take(near, short(id));
            if ours != *name {
                draft.note(&format!("group {name:?}"), format!("is called {ours} here"));
            }
            self.groups.insert(id.clone(), ours);
        }
        for (_, account) in &dump.accounts {
            let id = account.text("id").unwrap_or_default();
            let name = account.text("name").unwrap_or_default();
            let whole = format!("account-{name}");
            let near = names::nearest(&whole, &format!("account-{}", short(&id)));
            let ours = given.take(near, short(&id));
            if ours != whole {
                draft.note(&account.source, format!("its own group is called {ours} here"));
            }
            self.accounts.insert(id, ours);
        }
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
            groups.push(shared(platform.service()));
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
            groups.extend(free.map(|service| shared(service)));
        }
        (groups, missing)
    }
}

/// The group of accounts that are bound to nobody.
fn shared(service: &str) -> String {
    format!("shared-{service}")
}

/// The beginning of an id.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
