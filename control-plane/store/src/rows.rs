//! One file a table: columns to domain and back.
//!
//! Columns are read as what the schema guarantees (integers, text, JSON) and only then turned into the domain's types.
//! That second step is where a row can be unreadable: written by a newer release, or by hand. It fails for that row
//! alone ([`Unreadable`]).

mod access;
mod error_rule;
mod import_suffix;
mod key;
mod price;
mod provider;
mod request_filter;
mod setting;
mod user;
mod word_rule;

pub(crate) use key::key_hash;

use std::sync::Arc;

use penstock_core::limits::Limits;
use penstock_core::resource::{Kind, ResourceRef};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::api::stored::{Stored, StoredSpec, Unreadable};
use crate::sql::query::{Query, sql};
use crate::sql::tx::{Row, Tx};
use crate::sql::value::Value;

/// What every table of resources has.
#[derive(sqlx::FromRow)]
struct MetaRow {
    version: i64,
    min_schema: i64,
    created_at: i64,
    updated_at: i64,
}

/// A resource that is there, perhaps unreadable.
pub(crate) struct Existing {
    pub(crate) reference: ResourceRef,
    pub(crate) name: String,
    pub(crate) version: u64,
    pub(crate) stored: Result<Stored, Unreadable>,
}

/// A row of one kind of resource.
trait ResourceRow: Row {
    fn reference(&self) -> ResourceRef;
    fn name(&self) -> &str;
    fn meta(&self) -> &MetaRow;
    /// What cannot be read is told without the value.
    fn spec(self) -> Result<StoredSpec, String>;
}

/// The statements of one kind of resource. The table is called `t` in `select`.
pub(crate) struct Table {
    pub(crate) select: &'static str,
    /// The column of the reference's id.
    pub(crate) id: &'static str,
    pub(crate) insert: &'static str,
    /// Takes the same values. A plain UPDATE, because one inside an INSERT locks out whoever refers to the row.
    pub(crate) update: &'static str,
    /// Locks the row of `$1` until the end of the transaction without changing it.
    pub(crate) lock: &'static str,
    /// Deletes the row of `$1` while it is at version `$2`.
    pub(crate) delete: &'static str,
}

pub(crate) fn table(kind: Kind) -> &'static Table {
    match kind {
        Kind::Provider => &provider::TABLE,
        Kind::User => &user::TABLE,
        Kind::Key => &key::TABLE,
        Kind::Price => &price::TABLE,
        Kind::Setting => &setting::TABLE,
        Kind::ImportSuffix => &import_suffix::TABLE,
        Kind::ErrorRule => &error_rule::TABLE,
        Kind::WordRule => &word_rule::TABLE,
        Kind::RequestFilter => &request_filter::TABLE,
    }
}

/// All rows of a kind, to be narrowed by pushing a WHERE.
pub(crate) fn select(kind: Kind) -> Query {
    sql(table(kind).select)
}

/// Inserts the resource. Touches no row when there is one.
pub(crate) fn insert(stored: &Stored) -> Query {
    bind(sql(table(stored.reference.kind()).insert), stored)
}

/// Replaces the resource. Touches no row when it is not at the version before.
pub(crate) fn update(stored: &Stored) -> Query {
    bind(sql(table(stored.reference.kind()).update), stored)
}

fn bind(query: Query, stored: &Stored) -> Query {
    let query = match &stored.spec {
        StoredSpec::Provider(spec) => provider::bind(query, stored, spec),
        StoredSpec::User(user) => user::bind(query, stored, user),
        StoredSpec::Key(key) => key::bind(query, stored, key),
        StoredSpec::Price(price) => price::bind(query, stored, price),
        StoredSpec::Setting(setting) => setting::bind(query, stored, setting),
        StoredSpec::ImportSuffix(sealed) => import_suffix::bind(query, stored, sealed),
        StoredSpec::ErrorRule(rule) => error_rule::bind(query, stored, rule),
        StoredSpec::WordRule(rule) => word_rule::bind(query, stored, rule),
        StoredSpec::RequestFilter(rule) => request_filter::bind(query, stored, rule),
    };
    query
        .bind(stored.version)
        .bind(stored.min_schema)
        .bind(stored.created_at)
        .bind(stored.updated_at)
}

/// Runs a [`select`].
pub(crate) async fn fetch(tx: &mut Tx, kind: Kind, query: Query) -> Result<Vec<Existing>, sqlx::Error> {
    match kind {
        Kind::Provider => fetch_rows::<provider::ProviderRow>(tx, query).await,
        Kind::User => fetch_rows::<user::UserRow>(tx, query).await,
        Kind::Key => fetch_rows::<key::KeyRow>(tx, query).await,
        Kind::Price => fetch_rows::<price::PriceRow>(tx, query).await,
        Kind::Setting => fetch_rows::<setting::SettingRow>(tx, query).await,
        Kind::ImportSuffix => fetch_rows::<import_suffix::ImportSuffixRow>(tx, query).await,
        Kind::ErrorRule => fetch_rows::<error_rule::ErrorRuleRow>(tx, query).await,
        Kind::WordRule => fetch_rows::<word_rule::WordRuleRow>(tx, query).await,
        Kind::RequestFilter => fetch_rows::<request_filter::RequestFilterRow>(tx, query).await,
    }
}

async fn fetch_rows<R: ResourceRow>(tx: &mut Tx, query: Query) -> Result<Vec<Existing>, sqlx::Error> {
    Ok(tx
        .fetch_all::<R>(query)
        .await?
        .into_iter()
        .map(existing)
        .collect())
}

fn existing<R: ResourceRow>(row: R) -> Existing {
    let reference = row.reference();
    let name = row.name().to_owned();
    let version = count(row.meta().version).unwrap_or(0);
    let stored = read(row).map_err(|problem| {
        tracing::error!(resource = %reference, name, problem, "a row of the database cannot be read; it is left out");
        Unreadable {
            reference: reference.clone(),
            problem,
        }
    });
    Existing {
        reference,
        name,
        version,
        stored,
    }
}

fn read<R: ResourceRow>(row: R) -> Result<Stored, String> {
    let meta = row.meta();
    Ok(Stored {
        reference: row.reference(),
        version: count(meta.version)?,
        min_schema: small(meta.min_schema)?,
        created_at: penstock_core::time::UnixMs(meta.created_at),
        updated_at: penstock_core::time::UnixMs(meta.updated_at),
        spec: row.spec()?,
    })
}

/// How a reference's id is bound.
pub(crate) fn id_value(reference: &ResourceRef) -> Value {
    match reference {
        ResourceRef::Provider(id) => id.0.into(),
        ResourceRef::User(id) => id.0.into(),
        ResourceRef::Key(id) => id.0.into(),
        ResourceRef::Price(name)
        | ResourceRef::Setting(name)
        | ResourceRef::ImportSuffix(name)
        | ResourceRef::ErrorRule(name)
        | ResourceRef::WordRule(name)
        | ResourceRef::RequestFilter(name) => Value::from(&**name),
    }
}

/// What the log calls a resource by. None, and an error in the log of the process, for what names no resource.
pub(crate) fn logged_reference(kind: &str, id: &str) -> Option<ResourceRef> {
    let known = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
    let reference = known.and_then(|known| ResourceRef::parse(known, id).ok());
    if reference.is_none() {
        tracing::error!(
            kind,
            id,
            "an entry of the configuration's history names no resource; it is left out"
        );
    }
    reference
}

/// The id of a reference that is an UUID. The nil id for others, which is no resource's.
fn uuid(reference: &ResourceRef) -> Uuid {
    match reference {
        ResourceRef::Provider(id) => id.0,
        ResourceRef::User(id) => id.0,
        ResourceRef::Key(id) => id.0,
        ResourceRef::Price(_)
        | ResourceRef::Setting(_)
        | ResourceRef::ImportSuffix(_)
        | ResourceRef::ErrorRule(_)
        | ResourceRef::WordRule(_)
        | ResourceRef::RequestFilter(_) => Uuid::nil(),
    }
}

/// A JSON column. The message of serde names the field and never more of the value than one scalar.
fn json<T: DeserializeOwned>(column: &str, value: Json) -> Result<T, String> {
    serde_json::from_value(value).map_err(|e| format!("{column}: {e}"))
}

/// The column of limits. What is not in it is not limited; rows from before there was the column hold nothing.
fn limits(value: Json) -> Result<Arc<Limits>, String> {
    json::<Limits>("limits", value).map(Limits::shared)
}

/// A text column of an enum that serde knows.
fn word<T: DeserializeOwned>(column: &str, text: String) -> Result<T, String> {
    json(column, Json::String(text))
}

fn count(value: i64) -> Result<u64, String> {
    u64::try_from(value).map_err(|_| format!("{value} is negative"))
}

fn small(value: i64) -> Result<u32, String> {
    u32::try_from(value).map_err(|_| format!("{value} is out of range"))
}
