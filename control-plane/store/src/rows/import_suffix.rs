//! Import suffixes, sealed.

use penstock_core::resource::ResourceRef;

use super::{MetaRow, ResourceRow, Table};
use crate::api::stored::{Sealed, Stored, StoredSpec};
use crate::sql::query::Query;

#[derive(sqlx::FromRow)]
pub(super) struct ImportSuffixRow {
    name: String,
    key_id: String,
    ciphertext: Vec<u8>,
    hint: String,
    #[sqlx(flatten)]
    meta: MetaRow,
}

pub(super) const TABLE: Table = Table {
    select: "SELECT t.name, t.key_id, t.ciphertext, t.hint, t.version, t.min_schema, t.created_at, t.updated_at \
             FROM import_suffixes t",
    id: "t.name",
    insert: "INSERT INTO import_suffixes (name, key_id, ciphertext, hint, version, min_schema, created_at, \
             updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING",
    update: "UPDATE import_suffixes SET key_id = $2, ciphertext = $3, hint = $4, version = $5, min_schema = \
             $6, created_at = $7, updated_at = $8 WHERE name = $1 AND version = $5 - 1",
    lock: "UPDATE import_suffixes SET version = version WHERE name = $1",
    delete: "DELETE FROM import_suffixes WHERE name = $1 AND version = $2",
};

pub(super) fn bind(query: Query, stored: &Stored, sealed: &Sealed) -> Query {
    query
        .bind(super::id_value(&stored.reference))
        .bind(&sealed.key_id)
        .bind(sealed.ciphertext.as_slice())
        .bind(&sealed.hint)
}

impl ResourceRow for ImportSuffixRow {
    fn reference(&self) -> ResourceRef {
        ResourceRef::ImportSuffix(self.name.as_str().into())
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn meta(&self) -> &MetaRow {
        &self.meta
    }

    fn spec(self) -> Result<StoredSpec, String> {
        Ok(StoredSpec::ImportSuffix(Sealed {
            key_id: self.key_id,
            ciphertext: self.ciphertext,
            hint: self.hint,
        }))
    }
}
