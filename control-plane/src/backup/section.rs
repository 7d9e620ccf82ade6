//! What a backup consists of, in the order in which it is written and read.
//!
//! First the configuration, owners before what they own. Then what is no configuration; of the ledger the records before
//! the sums: records that come back make sums grow, and sums that come back then only fill what is still missing.
//!
//! To take another table along, describe it in `penstock_store::TABLES`. Each table of the database is there, or in
//! `penstock_store::OTHER_TABLES` with what becomes of it; tests see to it.

use penstock_core::resource::Kind;
use penstock_store::{ArchiveTable, TABLES};

/// Sections of the configuration.
pub(super) const CONFIGURATION: [(Kind, &str); 9] = [
    (Kind::Setting, "settings"),
    (Kind::ImportSuffix, "import_suffixes"),
    (Kind::User, "users"),
    (Kind::Key, "keys"),
    (Kind::Provider, "providers"),
    (Kind::Price, "prices"),
    (Kind::ErrorRule, "error_rules"),
    (Kind::WordRule, "word_rules"),
    (Kind::RequestFilter, "request_filters"),
];

pub(super) const TOKENS: &str = "provider_tokens";
pub(super) const OPERATORS: &str = "operators";
pub(super) const WEBHOOKS: &str = "webhooks";
pub(super) const RECORDS: &str = "usage_records";

/// A section that is no configuration.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rest {
    Tokens,
    Operators,
    Webhooks,
    Records,
    Table(&'static ArchiveTable),
}

impl Rest {
    /// All of them, or without the ledger.
    pub(super) fn all(include_usage: bool) -> Vec<Self> {
        let tables = |ledger| {
            let of = TABLES.into_iter().filter(move |table| table.ledger == ledger);
            of.map(Self::Table)
        };
        let mut all = vec![Self::Tokens, Self::Operators, Self::Webhooks];
        all.extend(tables(false));
        if include_usage {
            all.push(Self::Records);
            all.extend(tables(true));
        }
        all
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tokens => TOKENS,
            Self::Operators => OPERATORS,
            Self::Webhooks => WEBHOOKS,
            Self::Records => RECORDS,
            Self::Table(table) => table.name,
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::all(true).into_iter().find(|rest| rest.name() == name)
    }
}

pub(super) fn name_of(kind: Kind) -> &'static str {
    let found = CONFIGURATION.iter().find(|(of, _)| *of == kind);
    found.map_or(kind.as_str(), |(_, name)| name)
}

pub(super) fn kind_of(name: &str) -> Option<Kind> {
    let found = CONFIGURATION.iter().find(|(_, of)| *of == name);
    found.map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use penstock_store::{Fate, OTHER_TABLES};

    use super::*;

    #[test]
    fn g05_every_kind_of_resource_is_in_a_backup() {
        for kind in Kind::ALL {
            assert_eq!(kind_of(name_of(kind)), Some(kind), "{kind:?}");
        }
    }

    #[test]
    fn g05_what_the_store_says_of_its_tables_and_the_sections_agree() {
        let others = OTHER_TABLES.into_iter().filter_map(|(_, fate)| match fate {
            Fate::Section(name) => Some(name),
            Fate::Left(_) => None,
        });
        let told: BTreeSet<&str> = others.chain(TABLES.map(|table| table.name)).collect();
        let rest = Rest::all(true).into_iter().map(Rest::name);
        let sections: BTreeSet<&str> = CONFIGURATION
            .map(|(_, name)| name)
            .into_iter()
            .chain(rest)
            .collect();
        assert_eq!(told, sections);
    }

    #[test]
    fn g05_the_page_of_backups_names_each_section() {
        let page = include_str!("../../../docs/backups.md");
        let rest = Rest::all(true).into_iter().map(Rest::name);
        for name in CONFIGURATION.map(|(_, name)| name).into_iter().chain(rest) {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn g05_records_come_before_the_sums_that_are_made_of_them() {
        let names: Vec<&str> = Rest::all(true).into_iter().map(Rest::name).collect();
        let place = |name| names.iter().position(|of| *of == name).unwrap();
        for sums in [
            "usage_rollups",
            "usage_days",
            "usage_traffic",
            "usage_outcomes",
            "spend_totals",
            "spend_minutes",
            "spend_days",
            "retention_marks",
        ] {
            assert!(place(RECORDS) < place(sums), "{sums}");
        }
        assert!(!Rest::all(false).iter().any(|rest| rest.name() == RECORDS));
    }
}
