//! Request filters.

use penstock_core::request_filter::RequestFilter;
use penstock_core::resource::ResourceRef;
use serde_json::Value as Json;

use super::{MetaRow, ResourceRow, Table};
use crate::api::stored::{Stored, StoredSpec};
use crate::sql::query::Query;
use crate::sql::value::AsJson;

#[derive(sqlx::FromRow)]
pub(super) struct RequestFilterRow {
    name: String,
    spec: Json,
    #[sqlx(flatten)]
    meta: MetaRow,
}

pub(super) const TABLE: Table = Table {
    select: "SELECT t.name, t.spec, t.version, t.min_schema, t.created_at, t.updated_at FROM request_filters t",
    id: "t.name",
    insert: "INSERT INTO request_filters (name, spec, version, min_schema, created_at, updated_at) VALUES ($1, \
             $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
    update: "UPDATE request_filters SET spec = $2, version = $3, min_schema = $4, created_at = $5, updated_at = \
             $6 WHERE name = $1 AND version = $3 - 1",
    lock: "UPDATE request_filters SET version = version WHERE name = $1",
    delete: "DELETE FROM request_filters WHERE name = $1 AND version = $2",
};

pub(super) fn bind(query: Query, stored: &Stored, filter: &RequestFilter) -> Query {
    query
        .bind(super::id_value(&stored.reference))
        .bind(AsJson(filter))
}

impl ResourceRow for RequestFilterRow {
    fn reference(&self) -> ResourceRef {
        ResourceRef::RequestFilter(self.name.as_str().into())
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn meta(&self) -> &MetaRow {
        &self.meta
    }

    fn spec(self) -> Result<StoredSpec, String> {
        Ok(StoredSpec::RequestFilter(Box::new(super::json(
            "spec", self.spec,
        )?)))
    }
}
