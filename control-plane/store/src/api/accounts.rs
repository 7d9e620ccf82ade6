//! The part of the store that knows who operates the installation, and what they did.

use async_trait::async_trait;
use penstock_core::id::{AuditId, OperatorId};
use penstock_core::time::UnixMs;

use super::audit::{AuditEnd, AuditEntry, AuditFilter};
use super::commit::Expect;
use super::error::Error;
use super::operator::{OperatorPut, Operators, StoredOperator};

/// Operators' accounts and the audit log. Calls are bounded in time as those of [`Store`](crate::Store) are.
#[async_trait]
pub trait Accounts {
    // === Operators ===

    /// All accounts, in one consistent read. There are few.
    async fn operators(&self) -> Result<Operators, Error>;

    /// [`Operators::generation`] alone.
    async fn operator_generation(&self) -> Result<u64, Error>;

    /// Creates or replaces an account, and tells other replicas by
    /// [`Store::notifications`](crate::Store::notifications). The answer is what is there now.
    async fn put_operator(&self, put: &OperatorPut, at: UnixMs) -> Result<StoredOperator, Error>;

    /// Likewise.
    async fn delete_operator(&self, id: OperatorId, expect: Expect) -> Result<(), Error>;

    /// Keeps when accounts were used last.
    async fn operators_used(&self, used: &[(OperatorId, UnixMs)]) -> Result<(), Error>;

    // === Audit log ===

    /// Writes an entry, before its action or when the action was refused.
    async fn begin_audit(&self, entry: &AuditEntry) -> Result<(), Error>;

    /// Writes how the action of an entry ended.
    async fn end_audit(&self, id: AuditId, end: &AuditEnd) -> Result<(), Error>;

    /// The newest entries, newest first, at most `limit` (at most 1000), with ids below `before`.
    async fn audit_entries(
        &self,
        filter: &AuditFilter,
        limit: u32,
        before: Option<AuditId>,
    ) -> Result<Vec<AuditEntry>, Error>;
}
