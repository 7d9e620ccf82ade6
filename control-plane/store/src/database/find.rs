//! Single resources and listings.

use penstock_core::invalid::Invalid;
use penstock_core::resource::{Kind, ResourceRef};
use uuid::Uuid;

use super::Database;
use crate::api::error::Error;
use crate::api::page::{Filter, Listed, Lookup, Page};
use crate::api::stored::{Stored, Unreadable};
use crate::rows::{self, Existing};
use crate::sql::query::Query;
use crate::sql::tx::Tx;
use crate::sql::value::AsWord;

impl Database {
    pub(super) async fn get_one(&self, reference: &ResourceRef) -> Result<Option<Stored>, Error> {
        let mut tx = self.pools.read().await?;
        let found = existing(&mut tx, reference).await?;
        tx.commit().await?;
        found.map(|row| row.stored.map_err(corrupt)).transpose()
    }

    pub(super) async fn look_up(&self, lookup: Lookup<'_>) -> Result<Vec<Stored>, Error> {
        let (kind, query) = lookup_query(lookup);
        let mut tx = self.pools.read().await?;
        let found = rows::fetch(&mut tx, kind, query).await?;
        tx.commit().await?;
        // A damaged row does not hide others of the same name.
        let mut damaged = None;
        let readable: Vec<Stored> = found
            .into_iter()
            .filter_map(|row| row.stored.map_err(|unreadable| damaged = Some(unreadable)).ok())
            .collect();
        match damaged {
            Some(unreadable) if readable.is_empty() => Err(corrupt(unreadable)),
            Some(_) | None => Ok(readable),
        }
    }

    pub(super) async fn list_page(&self, filter: &Filter, page: &Page) -> Result<Listed, Error> {
        let size = page.size.clamp(1, Page::MAX);
        let (kind, query) = list_query(filter, page)?;
        let mut tx = self.pools.read().await?;
        // One more tells whether there is another page.
        let query = query.push(" LIMIT ").push_bind(size + 1);
        let mut found = rows::fetch(&mut tx, kind, query).await?;
        tx.commit().await?;
        let wanted = usize::try_from(size).unwrap_or(usize::MAX);
        let more = found.len() > wanted;
        found.truncate(wanted);
        let mut listed = Listed {
            resources: Vec::with_capacity(found.len()),
            unreadable: Vec::new(),
            next: None,
        };
        for row in found {
            listed.next = more.then(|| cursor(&row));
            match row.stored {
                Ok(stored) => listed.resources.push(stored),
                Err(unreadable) => listed.unreadable.push(unreadable),
            }
        }
        Ok(listed)
    }
}

fn lookup_query(lookup: Lookup<'_>) -> (Kind, Query) {
    let by_name =
        |kind: Kind, name: &str| (kind, rows::select(kind).push(" WHERE t.name = ").push_bind(name));
    match lookup {
        Lookup::Provider { name } => by_name(Kind::Provider, name),
        Lookup::User { name } => by_name(Kind::User, name),
        Lookup::Key { name } => {
            let (kind, query) = by_name(Kind::Key, name);
            let query = query.push(" ORDER BY t.id LIMIT ").push_bind(Lookup::MAX_KEYS);
            (kind, query)
        }
        Lookup::KeyOfUser { user, name } => {
            let (kind, query) = by_name(Kind::Key, name);
            (kind, query.push(" AND t.user_id = ").push_bind(user.0))
        }
        Lookup::KeyHash(hash) => {
            let query =
                rows::select(Kind::Key).push(" WHERE t.id IN (SELECT key_id FROM key_hashes WHERE hash = ");
            (Kind::Key, query.push_bind(hash.0.as_slice()).push(")"))
        }
    }
}

/// Everything but the limit.
fn list_query(filter: &Filter, page: &Page) -> Result<(Kind, Query), Error> {
    let after = page.after.as_deref();
    let kind = match filter {
        Filter::Providers => Kind::Provider,
        Filter::Users => Kind::User,
        Filter::Keys { .. } => Kind::Key,
        Filter::Prices { .. } => Kind::Price,
        Filter::Settings => Kind::Setting,
        Filter::ImportSuffixes => Kind::ImportSuffix,
        Filter::ErrorRules => Kind::ErrorRule,
        Filter::WordRules => Kind::WordRule,
        Filter::RequestFilters => Kind::RequestFilter,
    };
    let query = beginning(rows::select(kind).push(" WHERE TRUE"), page.prefix.as_deref());
    let query = match filter {
        Filter::Keys { user } => {
            let query = query.push_some(" AND t.user_id = ", user.map(|user| user.0));
            return Ok((kind, after_key(query, after)?.push(" ORDER BY t.name, t.id")));
        }
        Filter::Prices { contains, source } => {
            let query = query.push_some(" AND t.source = ", source.map(AsWord));
            query.containing("t.name", contains.as_deref())
        }
        Filter::Providers
        | Filter::Users
        | Filter::Settings
        | Filter::ImportSuffixes
        | Filter::ErrorRules
        | Filter::WordRules
        | Filter::RequestFilters => query,
    };
    Ok((
        kind,
        query.push_some(" AND t.name > ", after).push(" ORDER BY t.name"),
    ))
}

/// Only names that begin so. Names are compared by their bytes, so nothing that begins so lies beyond the last character.
fn beginning(query: Query, prefix: Option<&str>) -> Query {
    match prefix.filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => query
            .push(" AND t.name >= ")
            .push_bind(prefix)
            .push(" AND t.name < ")
            .push_bind(format!("{prefix}{}", char::MAX).as_str()),
        None => query,
    }
}

/// Names of keys are not unique, so a cursor in them has the id behind a slash, which no name contains.
fn after_key(query: Query, after: Option<&str>) -> Result<Query, Error> {
    let Some(after) = after else { return Ok(query) };
    let foreign = || Invalid::new("page.token", "is not one that a listing of keys has given");
    let (name, id) = after.rsplit_once('/').ok_or_else(foreign)?;
    let id = Uuid::parse_str(id).map_err(|_| foreign())?;
    let query = query.push(" AND (t.name, t.id) > (").push_bind(name);
    Ok(query.push(", ").push_bind(id).push(")"))
}

fn cursor(row: &Existing) -> String {
    match &row.reference {
        ResourceRef::Key(id) => format!("{}/{id}", row.name),
        ResourceRef::Provider(_)
        | ResourceRef::User(_)
        | ResourceRef::Price(_)
        | ResourceRef::Setting(_)
        | ResourceRef::ImportSuffix(_)
        | ResourceRef::ErrorRule(_)
        | ResourceRef::WordRule(_)
        | ResourceRef::RequestFilter(_) => row.name.clone(),
    }
}

/// One resource by its reference, as it is now in the transaction.
pub(super) async fn existing(tx: &mut Tx, reference: &ResourceRef) -> Result<Option<Existing>, sqlx::Error> {
    let kind = reference.kind();
    let query = rows::select(kind)
        .push(" WHERE ")
        .push(rows::table(kind).id)
        .push(" = ")
        .push_bind(rows::id_value(reference));
    Ok(rows::fetch(tx, kind, query).await?.into_iter().next())
}

pub(super) fn corrupt(unreadable: Unreadable) -> Error {
    Error::Corrupt {
        label: unreadable.reference.to_string(),
        problem: unreadable.problem,
    }
}
