//! Records of failed calls into the store.
//!
//! Best effort, unlike usage: what cannot be read is counted and dropped; while the store is away the stream ends, and
//! the node sends again what it still has. A record that comes twice changes nothing.

use penstock_core::failed_call::FailedCall;
use penstock_core::time::UnixMs;
use penstock_proto::telemetry::v1::{Failure, FailureAck, FailureBatch};
use penstock_store::FailedCallRow;
use tonic::Status;

use crate::context::Context;

/// Longer lines are no records, bytes.
const MAX_LINE: usize = 64 << 10;

/// Commits a batch. None: it is empty. The number: of records that can never be stored.
pub(super) async fn batch(
    context: &Context,
    node: &str,
    batch: FailureBatch,
) -> Result<(Option<FailureAck>, usize), Status> {
    let Some(rest) = batch.failures.len().checked_sub(1) else {
        return Ok((None, 0));
    };
    let rows: Vec<_> = batch
        .failures
        .iter()
        .filter_map(|failure| row(failure, node))
        .collect();
    let unreadable = batch.failures.len() - rows.len();
    if unreadable > 0 {
        tracing::warn!(
            node,
            unreadable,
            "records of failed calls cannot be read; they are dropped"
        );
    }
    let dropped = match context.store.ingest_failures(&rows).await {
        Ok(_) => {
            let stored = u64::try_from(rows.len()).unwrap_or(u64::MAX);
            context.metrics.failure_records.inc_by(stored);
            unreadable
        }
        Err(error) if error.is_retryable() => {
            tracing::warn!(%error, "records of failed calls wait on the data planes");
            let message = "the database cannot commit now; keep the records and connect again";
            return Err(Status::unavailable(message));
        }
        Err(error) => {
            tracing::error!(node, %error, "records of failed calls can never be stored; they are dropped");
            batch.failures.len()
        }
    };
    let last = u64::try_from(rest)
        .ok()
        .and_then(|rest| batch.first_number.checked_add(rest));
    Ok((last.map(|through_number| FailureAck { through_number }), dropped))
}

fn row(failure: &Failure, node: &str) -> Option<FailedCallRow> {
    if failure.line.len() > MAX_LINE {
        return None;
    }
    let record: serde_json::Value = serde_json::from_str(&failure.line).ok()?;
    let told: FailedCall = serde_json::from_str(&failure.line).ok()?;
    Some(FailedCallRow {
        id: failure.request_id.parse().ok()?,
        number: failure.number,
        is_final: told.r#final,
        started_at: UnixMs(failure.at_ms),
        user_id: failure.user_id.parse().ok()?,
        key_id: failure.key_id.parse().ok()?,
        provider_id: told.provider_id,
        model: told.model,
        session: told.session_id,
        status: u16::try_from(failure.status).ok()?,
        error_type: told.error_type,
        error_class: serde_json::to_value(told.error_class).ok()?.as_str()?.to_owned(),
        duration_ms: told.duration_ms,
        node_id: node.to_owned(),
        record,
    })
}
