//! What a backup says: its lines, read and checked, secrets opened.
//!
//! The configuration is gathered until its checkpoint proves it whole, and then looked at as a whole: nothing twice,
//! nothing that points at what is not there.

use std::collections::{BTreeMap, BTreeSet};

use penstock_core::backup::{BackupKind, Broken, Header};
use penstock_core::invalid::Invalid;
use penstock_core::resource::{ResourceRef, SCHEMA};
use penstock_core::usage::UsageRecord;
use penstock_store::{ArchiveRow, ArchiveTable, StoredOperator, Webhook};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::operator::OperatorRow;
use super::resource::{Item, ItemSpec, ResourceRow};
use super::section::{self, Rest};
use super::token::{TokenItem, TokenRow};
use super::webhook::WebhookRow;
use crate::credentials::Sealer;

/// Why a backup cannot be restored here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("the backup says something that cannot be: {0}")]
    Invalid(#[from] Invalid),
    #[error("the backup holds a section {0:?} that this release does not know: use a newer release")]
    Section(String),
    #[error(
        "this backup is sanitised: its names and ids are not the real ones and its secrets are missing. It is for reading"
    )]
    Sanitised,
    #[error(
        "the backup has secrets under another master key ({missing}) than those of this installation ({here}), so they \
         cannot be read. Start the control planes with that key, or with it beside the present one \
         (--other-master-key-file), or make a backup with secrets there (--kind encrypted)"
    )]
    OtherKey { missing: String, here: String },
    #[error(
        "the backup was made by a newer release ({product}, schema {schema}); this one knows schema {SCHEMA}: upgrade first"
    )]
    Newer { product: String, schema: u32 },
}

/// Whether a backup with this header can be restored at all.
pub(super) fn check_header(header: &Header, sealer: &Sealer) -> Result<(), Unfit> {
    if header.kind == BackupKind::Sanitised {
        return Err(Unfit::Sanitised);
    }
    if header.schema > SCHEMA {
        return Err(Unfit::Newer {
            product: header.product.clone(),
            schema: header.schema,
        });
    }
    let keys = header.master_key.iter().chain(&header.other_master_keys);
    let missing: Vec<&str> = keys
        .map(String::as_str)
        .filter(|key| !sealer.knows(key))
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Unfit::OtherKey {
            missing: missing.join(", "),
            here: sealer.key_id().to_owned(),
        }),
    }
}

/// A row of the configuration.
pub(super) fn resource(section: &str, row: Value, sealer: &Sealer) -> Result<Item, Unfit> {
    let kind = section::kind_of(section).ok_or_else(|| Unfit::Section(section.to_owned()))?;
    let row: ResourceRow = read(section, row)?;
    Ok(row.read(kind, sealer)?)
}

/// A row that is no configuration.
pub(super) enum RestRow {
    Token(Box<TokenItem>),
    Operator(Box<StoredOperator>),
    /// And a remark on it.
    Webhook(Box<Webhook>, Option<String>),
    Record(Box<UsageRecord>),
    Archived(&'static ArchiveTable, ArchiveRow),
}

pub(super) fn rest(section: &str, row: Value, sealer: &Sealer) -> Result<RestRow, Unfit> {
    match Rest::named(section) {
        None => Err(Unfit::Section(section.to_owned())),
        Some(Rest::Tokens) => {
            let row: TokenRow = read(section, row)?;
            Ok(RestRow::Token(Box::new(row.read(sealer)?)))
        }
        Some(Rest::Operators) => {
            let row: OperatorRow = read(section, row)?;
            Ok(RestRow::Operator(Box::new(row.read()?)))
        }
        Some(Rest::Webhooks) => {
            let row: WebhookRow = read(section, row)?;
            let (webhook, remark) = row.read(sealer)?;
            Ok(RestRow::Webhook(Box::new(webhook), remark))
        }
        Some(Rest::Records) => Ok(RestRow::Record(Box::new(read(section, row)?))),
        Some(Rest::Table(table)) => {
            let row: ArchiveRow = read(section, row)?;
            table.check(&row).map_err(|invalid| invalid.within(section))?;
            Ok(RestRow::Archived(table, row))
        }
    }
}

fn read<T: DeserializeOwned>(section: &str, row: Value) -> Result<T, Unfit> {
    // The parser's own words could quote a secret.
    let bad = |_| Invalid::new(section, "a row is in a form that this release does not know");
    Ok(serde_json::from_value(row).map_err(bad)?)
}

/// Nothing twice, and everything that is pointed at is there.
pub(super) fn check_whole(items: &[Item]) -> Result<(), Invalid> {
    let mut seen = BTreeSet::new();
    let mut names = BTreeMap::new();
    let mut hashes = BTreeMap::new();
    for item in items {
        if !seen.insert(&item.reference) {
            return Err(Invalid::new(item.reference.to_string(), "is there twice"));
        }
        if let Some(name) = unique_name(item)
            && let Some(other) = names.insert(name, &item.reference)
        {
            let problem = format!("has the name of {other}");
            return Err(Invalid::new(item.reference.to_string(), problem));
        }
        if let ItemSpec::Key(key) = &item.spec
            && let Some(other) = hashes.insert(key.hash, &item.reference)
        {
            let problem = format!("has the secret of {other}");
            return Err(Invalid::new(item.reference.to_string(), problem));
        }
    }
    for item in items {
        let ItemSpec::Key(key) = &item.spec else { continue };
        let owner = ResourceRef::User(key.user_id);
        let suffix = key.import_suffix.as_deref();
        let suffix = suffix.map(|name| ResourceRef::ImportSuffix(name.into()));
        for needed in [Some(owner), suffix].into_iter().flatten() {
            if !seen.contains(&needed) {
                let problem = format!("needs {needed}, which is not in the backup");
                return Err(Invalid::new(item.reference.to_string(), problem));
            }
        }
    }
    Ok(())
}

/// What must differ between resources of a kind and is not their id.
fn unique_name(item: &Item) -> Option<(&'static str, String, &str)> {
    match &item.spec {
        ItemSpec::Provider { provider, .. } => Some(("provider", String::new(), &provider.name)),
        ItemSpec::User(user) => Some(("user", String::new(), &user.name)),
        ItemSpec::Key(key) => Some(("key", key.user_id.to_string(), &key.name)),
        ItemSpec::ImportSuffix(_)
        | ItemSpec::Price(_)
        | ItemSpec::Setting(_)
        | ItemSpec::ErrorRule(_)
        | ItemSpec::WordRule(_)
        | ItemSpec::RequestFilter(_) => None,
    }
}
