//! A batch of usage into the ledger.

use penstock_core::usage::UsageRecord;
use penstock_proto::convert::usage_record_from_wire;
use penstock_proto::telemetry::v1::UsageBatch;
use penstock_store::Delivered;
use tonic::Status;

use super::first_use;
use crate::context::Context;
use crate::metrics::UsageLabels;

/// Of one batch, as many bad records are named in the log.
const NAMED: usize = 5;

/// Commits what can be stored. After Ok the batch may be acknowledged: everything in it is in the ledger, or can never
/// be and was said so.
pub(super) async fn batch(
    context: &Context,
    node: &str,
    batch: UsageBatch,
    delivered: Delivered,
) -> Result<(), Status> {
    let sent = batch.records.len();
    let records = readable(context, node, batch);
    let malformed = sent - records.len();
    let ingested = context
        .store
        .ingest_usage(&records, delivered)
        .await
        .map_err(|error| refused(&error))?;
    first_use::recorded(context, node, &records)
        .await
        .map_err(|error| refused(&error))?;
    for (id, problem) in ingested.refused.iter().take(NAMED) {
        tracing::error!(node, request_id = %id, problem, "a usage record can never be stored; it is lost");
    }
    let unstorable = ingested.refused.len();
    let fresh = usize::try_from(ingested.fresh).unwrap_or(usize::MAX);
    let duplicate = records.len().saturating_sub(fresh).saturating_sub(unstorable);
    for (result, number) in [
        ("new", fresh),
        ("duplicate", duplicate),
        ("malformed", malformed),
        ("unstorable", unstorable),
    ] {
        let counter = context
            .metrics
            .usage_records
            .get_or_create(&UsageLabels { result });
        counter.inc_by(u64::try_from(number).unwrap_or(u64::MAX));
    }
    Ok(())
}

fn readable(context: &Context, node: &str, batch: UsageBatch) -> Vec<UsageRecord> {
    let mut records = Vec::with_capacity(batch.records.len());
    let mut bad = 0_usize;
    for record in batch.records {
        let id = record.id.clone();
        match usage_record_from_wire(record) {
            Ok(record) => records.push(record),
            Err(error) => {
                bad += 1;
                if bad <= NAMED {
                    tracing::error!(node, request_id = id, %error, "a usage record is malformed; it is lost");
                }
            }
        }
    }
    if bad > NAMED {
        tracing::error!(
            node,
            spool = batch.spool_id,
            bad,
            replica = &*context.name,
            "more malformed usage records"
        );
    }
    records
}

fn refused(error: &penstock_store::Error) -> Status {
    if error.is_retryable() {
        tracing::warn!(%error, "usage waits on the data planes: the database cannot commit now");
    } else {
        tracing::error!(%error, "usage waits on the data planes: the database refuses a batch");
    }
    Status::unavailable("the database cannot commit usage now; keep the records and connect again")
}
