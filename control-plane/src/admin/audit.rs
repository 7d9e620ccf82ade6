//! Reading the audit log.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::audit_service_server::AuditService;
use penstock_store::{AuditEntry, AuditFilter};
use tonic::{Request, Response, Status};

use super::status;
use crate::context::Context;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;

/// What an entry without an outcome is called.
const UNFINISHED: &str = "unfinished";

pub(super) struct AuditLog(pub(super) Context);

#[tonic::async_trait]
impl AuditService for AuditLog {
    async fn list_audit_entries(
        &self,
        request: Request<wire::ListAuditEntriesRequest>,
    ) -> Result<Response<wire::ListAuditEntriesResponse>, Status> {
        let request = request.into_inner();
        let filter = read(request.filter.unwrap_or_default());
        let limit = match request.limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        };
        let before = match request.before_id.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| {
                status::invalid(&penstock_core::invalid::Invalid::new(
                    "before_id",
                    format!("{id:?} is not an id"),
                ))
            })?),
        };
        let entries = self.0.store.audit_entries(&filter, limit, before).await;
        let entries = entries.map_err(status::from_store)?;
        Ok(Response::new(wire::ListAuditEntriesResponse {
            entries: entries.into_iter().map(write).collect(),
        }))
    }
}

fn read(filter: wire::AuditFilter) -> AuditFilter {
    let given = |text: String| (!text.is_empty()).then_some(text);
    let instant = |ms: i64| (ms != 0).then_some(UnixMs(ms));
    AuditFilter {
        from: instant(filter.from_ms),
        to: instant(filter.to_ms),
        actor: given(filter.actor),
        action: given(filter.action),
        target: given(filter.target),
        outcome: match filter.outcome.as_str() {
            UNFINISHED => Some(String::new()),
            _ => given(filter.outcome),
        },
    }
}

fn write(entry: AuditEntry) -> wire::AuditEntry {
    wire::AuditEntry {
        id: entry.id.to_string(),
        at_ms: entry.at.0,
        actor: entry.actor,
        role: entry.role,
        action: entry.action,
        target: entry.end.target,
        outcome: entry.end.outcome,
        revision: entry.end.revision.unwrap_or_default(),
        peer: entry.peer,
        reason: entry.end.reason,
    }
}
