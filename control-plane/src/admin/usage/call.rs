//! One call: its record, the names of all that it mentions, and its cost line by line.

use std::collections::BTreeSet;

use penstock_core::id::{ProviderId, RequestId};
use penstock_core::resource::ResourceRef;
use penstock_core::usage::UsageRecord;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use tonic::Status;

use super::super::{labels, status};
use super::{cost, not_an_id};
use crate::context::Context;
use crate::index::Index;

pub(super) async fn get(context: &Context, id: &str) -> Result<wire::GetCallResponse, Status> {
    let id: RequestId = id.parse().map_err(|_| not_an_id("id", id))?;
    let record = context.store.usage_record(id).await.map_err(status::from_store)?;
    let record = record.ok_or_else(|| missing(id))?;
    let cost = cost::of(context, &record).await?;
    let index = &context.index;
    let provider = |id: ProviderId| wire::ProviderName {
        id: id.to_string(),
        name: name(index, &ResourceRef::Provider(id)),
    };
    Ok(wire::GetCallResponse {
        user_name: name(index, &ResourceRef::User(record.user_id)),
        key_name: name(index, &ResourceRef::Key(record.key_id)),
        providers: providers(&record).into_iter().map(provider).collect(),
        cost: Some(cost),
        record: Some(convert::usage_record_to_wire(&record)),
    })
}

/// Every provider that the record mentions.
fn providers(record: &UsageRecord) -> BTreeSet<ProviderId> {
    let decision = record.decision.as_deref();
    let candidates = decision.into_iter().flat_map(|decision| &decision.candidates);
    let attempts = decision.into_iter().flat_map(|decision| &decision.attempts);
    candidates
        .map(|candidate| candidate.provider_id)
        .chain(attempts.map(|attempt| attempt.provider_id))
        .chain(record.provider_id)
        .collect()
}

fn name(index: &Index, reference: &ResourceRef) -> String {
    labels::name(index, reference).unwrap_or_else(|| reference.id())
}

fn missing(id: RequestId) -> Status {
    Status::not_found(format!(
        "call {id} is not in the ledger\nA call is recorded when its answer has ended, and arrives here within seconds; \
         later when its data plane cannot reach a control plane (see `penstock node list`). Calls of unknown keys, and \
         calls that only count tokens or list models, are not recorded."
    ))
}
