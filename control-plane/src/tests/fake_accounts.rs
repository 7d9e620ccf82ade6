//! Accounts and audit log of the [`FakeStore`].

use async_trait::async_trait;
use penstock_core::id::{AuditId, OperatorId};
use penstock_core::time::UnixMs;
use penstock_store::*;

use super::fake_store::FakeStore;

#[derive(Clone, Default)]
pub(crate) struct FakeAccounts {
    generation: u64,
    operators: Vec<StoredOperator>,
    audit: Vec<AuditEntry>,
}

#[async_trait]
impl Accounts for FakeStore {
    async fn operators(&self) -> Result<Operators, Error> {
        let inner = self.here()?;
        Ok(Operators {
            generation: inner.accounts.generation,
            operators: inner.accounts.operators.clone(),
        })
    }

    async fn operator_generation(&self) -> Result<u64, Error> {
        Ok(self.here()?.accounts.generation)
    }

    async fn put_operator(&self, put: &OperatorPut, at: UnixMs) -> Result<StoredOperator, Error> {
        let accounts = &mut self.here()?.accounts;
        let old = accounts.operators.iter().find(|old| old.id == put.id).cloned();
        let stored = StoredOperator {
            id: put.id,
            operator: put.operator.clone(),
            token: put.token.clone(),
            last_used_at: old.as_ref().and_then(|old| old.last_used_at),
            version: old.as_ref().map_or(0, |old| old.version) + 1,
            created_at: old.map_or(at, |old| old.created_at),
            updated_at: at,
        };
        accounts.operators.retain(|old| old.id != put.id);
        accounts.operators.push(stored.clone());
        accounts.generation += 1;
        Ok(stored)
    }

    async fn delete_operator(&self, id: OperatorId, _: Expect) -> Result<(), Error> {
        let accounts = &mut self.here()?.accounts;
        accounts.operators.retain(|old| old.id != id);
        accounts.generation += 1;
        Ok(())
    }

    async fn operators_used(&self, used: &[(OperatorId, UnixMs)]) -> Result<(), Error> {
        for stored in &mut self.here()?.accounts.operators {
            if let Some((_, at)) = used.iter().find(|(id, _)| *id == stored.id) {
                stored.last_used_at = Some(*at);
            }
        }
        Ok(())
    }

    async fn begin_audit(&self, entry: &AuditEntry) -> Result<(), Error> {
        self.here()?.accounts.audit.push(entry.clone());
        Ok(())
    }

    async fn end_audit(&self, id: AuditId, end: &AuditEnd) -> Result<(), Error> {
        for entry in &mut self.here()?.accounts.audit {
            if entry.id == id {
                entry.end = end.clone();
            }
        }
        Ok(())
    }

    async fn audit_entries(
        &self,
        _: &AuditFilter,
        _: u32,
        _: Option<AuditId>,
    ) -> Result<Vec<AuditEntry>, Error> {
        Ok(self.here()?.accounts.audit.iter().rev().cloned().collect())
    }
}
