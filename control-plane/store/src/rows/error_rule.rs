//! Error rules.

use penstock_core::error_rule::ErrorRule;
use penstock_core::resource::ResourceRef;
use serde_json::Value as Json;

use super::{MetaRow, ResourceRow, Table};
use crate::api::stored::{Stored, StoredSpec};
use crate::sql::query::Query;
use crate::sql::value::AsJson;

#[derive(sqlx::FromRow)]
pub(super) struct ErrorRuleRow {
    name: String,
    rule: Json,
    #[sqlx(flatten)]
    meta: MetaRow,
}

pub(super) const TABLE: Table = Table {
    select: "SELECT t.name, t.rule, t.version, t.min_schema, t.created_at, t.updated_at FROM error_rules t",
    id: "t.name",
    insert: "INSERT INTO error_rules (name, rule, version, min_schema, created_at, updated_at) VALUES ($1, \
             $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
    update: "UPDATE error_rules SET rule = $2, version = $3, min_schema = $4, created_at = $5, updated_at = \
             $6 WHERE name = $1 AND version = $3 - 1",
    lock: "UPDATE error_rules SET version = version WHERE name = $1",
    delete: "DELETE FROM error_rules WHERE name = $1 AND version = $2",
};

pub(super) fn bind(query: Query, stored: &Stored, rule: &ErrorRule) -> Query {
    query.bind(super::id_value(&stored.reference)).bind(AsJson(rule))
}

impl ResourceRow for ErrorRuleRow {
    fn reference(&self) -> ResourceRef {
        ResourceRef::ErrorRule(self.name.as_str().into())
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn meta(&self) -> &MetaRow {
        &self.meta
    }

    fn spec(self) -> Result<StoredSpec, String> {
        Ok(StoredSpec::ErrorRule(Box::new(super::json("rule", self.rule)?)))
    }
}
