//! Word rules.

use penstock_core::resource::ResourceRef;
use penstock_core::word_rule::WordRule;
use serde_json::Value as Json;

use super::{MetaRow, ResourceRow, Table};
use crate::api::stored::{Stored, StoredSpec};
use crate::sql::query::Query;
use crate::sql::value::AsJson;

#[derive(sqlx::FromRow)]
pub(super) struct WordRuleRow {
    name: String,
    rule: Json,
    #[sqlx(flatten)]
    meta: MetaRow,
}

pub(super) const TABLE: Table = Table {
    select: "SELECT t.name, t.rule, t.version, t.min_schema, t.created_at, t.updated_at FROM word_rules t",
    id: "t.name",
    insert: "INSERT INTO word_rules (name, rule, version, min_schema, created_at, updated_at) VALUES ($1, \
             $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
    update: "UPDATE word_rules SET rule = $2, version = $3, min_schema = $4, created_at = $5, updated_at = \
             $6 WHERE name = $1 AND version = $3 - 1",
    lock: "UPDATE word_rules SET version = version WHERE name = $1",
    delete: "DELETE FROM word_rules WHERE name = $1 AND version = $2",
};

pub(super) fn bind(query: Query, stored: &Stored, rule: &WordRule) -> Query {
    query.bind(super::id_value(&stored.reference)).bind(AsJson(rule))
}

impl ResourceRow for WordRuleRow {
    fn reference(&self) -> ResourceRef {
        ResourceRef::WordRule(self.name.as_str().into())
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn meta(&self) -> &MetaRow {
        &self.meta
    }

    fn spec(self) -> Result<StoredSpec, String> {
        Ok(StoredSpec::WordRule(Box::new(super::json("rule", self.rule)?)))
    }
}
