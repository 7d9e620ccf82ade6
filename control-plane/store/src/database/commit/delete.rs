//! Deleting. A user takes its keys along; an import suffix that keys need stays.

use penstock_core::resource::{Kind, ResourceRef};

use super::put::view_of;
use super::{Work, log};
use crate::api::commit::{Applied, Expect};
use crate::api::error::Error;
use crate::rows::{self, Existing};
use crate::sql::fault::Fault;
use crate::sql::query::sql;

impl Work {
    pub(super) async fn delete(&mut self, reference: &ResourceRef, expect: Expect) -> Result<Applied, Fault> {
        let Some(existing) = self.expected(reference, expect, None).await? else {
            let last = log::last_change(&mut self.tx, reference).await?;
            let label = last.map_or_else(|| reference.to_string(), |last| last.label);
            return Err(Error::NotFound { label }.into());
        };
        match reference {
            ResourceRef::User(_) => self.delete_keys(reference).await?,
            ResourceRef::ImportSuffix(name) => self.check_unused(&existing, name).await?,
            ResourceRef::Provider(_)
            | ResourceRef::Key(_)
            | ResourceRef::Price(_)
            | ResourceRef::Setting(_)
            | ResourceRef::ErrorRule(_)
            | ResourceRef::WordRule(_)
            | ResourceRef::RequestFilter(_) => {}
        }
        self.delete_row(&existing).await?;
        Ok(Applied {
            reference: reference.clone(),
            changed: true,
            stored: None,
        })
    }

    async fn delete_keys(&mut self, user: &ResourceRef) -> Result<(), Fault> {
        let query = rows::select(Kind::Key)
            .push(" WHERE t.user_id = ")
            .push_bind(rows::id_value(user))
            .push(" ORDER BY t.id");
        for key in rows::fetch(&mut self.tx, Kind::Key, query).await? {
            self.delete_row(&key).await?;
        }
        Ok(())
    }

    async fn delete_row(&mut self, existing: &Existing) -> Result<(), Fault> {
        let reference = &existing.reference;
        let label = self.label_of(existing).await?;
        if let ResourceRef::Key(_) = reference {
            self.bury_hashes(reference).await?;
        }
        let delete = sql(rows::table(reference.kind()).delete)
            .bind(rows::id_value(reference))
            .bind(existing.version);
        if self.tx.execute(delete).await? == 0 {
            return Err(Fault::overtaken());
        }
        self.forget_owner(reference);
        let entry = log::Entry {
            reference,
            label,
            version: existing.version + 1,
            before: Some(view_of(existing)?),
            after: None,
        };
        Ok(self.log(entry).await?)
    }

    async fn check_unused(&mut self, suffix: &Existing, name: &str) -> Result<(), Fault> {
        let query = sql("SELECT COUNT(*) FROM api_keys WHERE import_suffix = $1").bind(name);
        let (keys,): (i64,) = self.tx.fetch_one(query).await?;
        if keys == 0 {
            return Ok(());
        }
        let label = self.label_of(suffix).await?;
        let by = format!("{keys} keys that were imported with it and not used since");
        Err(Error::InUse { label, by }.into())
    }
}
