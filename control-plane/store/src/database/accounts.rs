//! [`Accounts`] for both databases.

use async_trait::async_trait;
use penstock_core::id::{AuditId, OperatorId};
use penstock_core::time::UnixMs;

use super::Database;
use crate::api::accounts::Accounts;
use crate::api::audit::{AuditEnd, AuditEntry, AuditFilter};
use crate::api::commit::Expect;
use crate::api::error::Error;
use crate::api::operator::{OperatorPut, Operators, StoredOperator};

#[async_trait]
impl Accounts for Database {
    async fn operators(&self) -> Result<Operators, Error> {
        self.read_operators().await
    }

    async fn operator_generation(&self) -> Result<u64, Error> {
        self.read_operator_generation().await
    }

    async fn put_operator(&self, put: &OperatorPut, at: UnixMs) -> Result<StoredOperator, Error> {
        self.write_operator(put, at).await
    }

    async fn delete_operator(&self, id: OperatorId, expect: Expect) -> Result<(), Error> {
        self.remove_operator(id, expect).await
    }

    async fn operators_used(&self, used: &[(OperatorId, UnixMs)]) -> Result<(), Error> {
        self.mark_operators_used(used).await
    }

    async fn begin_audit(&self, entry: &AuditEntry) -> Result<(), Error> {
        self.add_audit(entry).await
    }

    async fn end_audit(&self, id: AuditId, end: &AuditEnd) -> Result<(), Error> {
        self.finish_audit(id, end).await
    }

    async fn audit_entries(
        &self,
        filter: &AuditFilter,
        limit: u32,
        before: Option<AuditId>,
    ) -> Result<Vec<AuditEntry>, Error> {
        self.newest_audit(filter, limit, before).await
    }
}
