//! Settings.

use penstock_core::resource::ResourceRef;
use penstock_core::setting::Setting;
use serde_json::Value as Json;

use super::{MetaRow, ResourceRow, Table};
use crate::api::stored::{Stored, StoredSpec};
use crate::sql::query::Query;
use crate::sql::value::AsJson;

#[derive(sqlx::FromRow)]
pub(super) struct SettingRow {
    name: String,
    value: Json,
    #[sqlx(flatten)]
    meta: MetaRow,
}

pub(super) const TABLE: Table = Table {
    select: "SELECT t.name, t.value, t.version, t.min_schema, t.created_at, t.updated_at FROM settings t",
    id: "t.name",
    insert: "INSERT INTO settings (name, value, version, min_schema, created_at, updated_at) VALUES ($1, \
             $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
    update: "UPDATE settings SET value = $2, version = $3, min_schema = $4, created_at = $5, updated_at = \
             $6 WHERE name = $1 AND version = $3 - 1",
    lock: "UPDATE settings SET version = version WHERE name = $1",
    delete: "DELETE FROM settings WHERE name = $1 AND version = $2",
};

pub(super) fn bind(query: Query, stored: &Stored, setting: &Setting) -> Query {
    query
        .bind(super::id_value(&stored.reference))
        .bind(AsJson(setting))
}

impl ResourceRow for SettingRow {
    fn reference(&self) -> ResourceRef {
        ResourceRef::Setting(self.name.as_str().into())
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn meta(&self) -> &MetaRow {
        &self.meta
    }

    fn spec(self) -> Result<StoredSpec, String> {
        Ok(StoredSpec::Setting(super::json("value", self.value)?))
    }
}
