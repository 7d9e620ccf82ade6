//! The ledger: sums, single records, and one call with all that is known of it.
//!
//! Filters take names or ids. An id need not exist any more: the ledger outlives users, keys and providers.

mod call;
mod cost;

use penstock_core::invalid::Invalid;
use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::usage_service_server::UsageService;
use penstock_proto::convert;
use penstock_proto::telemetry::v1::UsageRecord;
use penstock_store::{UsageFilter, UsageGroup, UsageGrouping, UsageSubject, UsageTotals};
use tonic::{Request, Response, Status};

use super::scope::Scope;
use super::{labels, names, status};
use crate::clock;
use crate::context::Context;
use crate::index::Index;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;
/// A span without an end reaches so far beyond now, for nodes whose clocks run ahead.
const AHEAD_MS: u64 = 300_000;

pub(super) struct Ledger(pub(super) Context);

#[tonic::async_trait]
impl UsageService for Ledger {
    async fn summarize_usage(
        &self,
        request: Request<wire::SummarizeUsageRequest>,
    ) -> Result<Response<wire::SummarizeUsageResponse>, Status> {
        let scope = Scope::of(&request);
        let request = request.into_inner();
        let filter = self.filter(scope, request.filter).await?;
        let group_by = grouping(request.group_by)?;
        if group_by == Some(UsageGrouping::Provider) {
            scope.refuse("providers")?;
        }
        let summary = self.0.store.summarize_usage(&filter, group_by).await;
        let summary = summary.map_err(status::from_store)?;
        let group = |group: &UsageGroup| {
            let (id, name) = subject(&group.subject, &self.0.index);
            let totals = Some(totals(&group.totals));
            wire::UsageGroup { id, name, totals }
        };
        Ok(Response::new(wire::SummarizeUsageResponse {
            totals: Some(totals(&summary.totals)),
            groups: summary.groups.iter().map(group).collect(),
            from_ms: summary.from.0,
            to_ms: summary.to.0,
            truncated: summary.truncated,
        }))
    }

    async fn list_usage_records(
        &self,
        request: Request<wire::ListUsageRecordsRequest>,
    ) -> Result<Response<wire::ListUsageRecordsResponse>, Status> {
        let scope = Scope::of(&request);
        let request = request.into_inner();
        let filter = self.filter(scope, request.filter).await?;
        let limit = if request.limit == 0 {
            DEFAULT_LIMIT
        } else {
            request.limit.min(MAX_LIMIT)
        };
        let before = match request.before_id.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| not_an_id("before_id", id))?),
        };
        let records = self.0.store.usage_records(&filter, limit, before).await;
        let records = records.map_err(status::from_store)?;
        let records = records.iter().map(convert::usage_record_to_wire);
        Ok(Response::new(wire::ListUsageRecordsResponse {
            records: match scope.own() {
                None => records.collect(),
                Some(_) => records.map(without_provider).collect(),
            },
        }))
    }

    async fn get_call(
        &self,
        request: Request<wire::GetCallRequest>,
    ) -> Result<Response<wire::GetCallResponse>, Status> {
        call::get(&self.0, &request.into_inner().id)
            .await
            .map(Response::new)
    }
}

/// Which calls are asked for: names become ids.
pub(super) async fn filter(context: &Context, filter: wire::UsageFilter) -> Result<UsageFilter, Status> {
    let ledger = Ledger(context.clone());
    ledger.filter(Scope::everything(), Some(filter)).await
}

impl Ledger {
    /// Of what the caller may see: its own user restricts whatever else is asked.
    async fn filter(&self, scope: Scope, filter: Option<wire::UsageFilter>) -> Result<UsageFilter, Status> {
        let filter = filter.unwrap_or_default();
        let store = &*self.0.store;
        let (from, to) = span(filter.from_ms, filter.to_ms, clock::now())?;
        let user = match (filter.user.as_str(), filter.user.parse(), scope.own()) {
            ("", _, own) => own,
            (_, Ok(id), None) => Some(id),
            (text, _, _) => Some(scope.user(store, text).await?.id),
        };
        let key = match (filter.key.as_str(), filter.key.parse()) {
            ("", _) => None,
            // It may be gone; of another user's key nothing is found.
            (_, Ok(id)) => Some(id),
            (text, Err(_)) => Some(scope.key(store, text).await?.id),
        };
        if !filter.provider.is_empty() {
            scope.refuse("providers")?;
        }
        let provider = match filter.provider.as_str() {
            "" => None,
            text => Some(match text.parse() {
                Ok(id) => id,
                Err(_) => names::provider(store, text).await?.id,
            }),
        };
        Ok(UsageFilter {
            from,
            to,
            user,
            key,
            provider,
            model: (!filter.model.is_empty()).then_some(filter.model),
        })
    }
}

/// What a user may know of a call: not who served it, nor where.
fn without_provider(record: UsageRecord) -> UsageRecord {
    UsageRecord {
        provider_id: String::new(),
        node_id: String::new(),
        upstream_request_id: String::new(),
        model_served: String::new(),
        cost_multiplier_millionths: 0,
        decision: None,
        ..record
    }
}

fn span(from_ms: i64, to_ms: i64, now: UnixMs) -> Result<(UnixMs, UnixMs), Status> {
    let to = if to_ms == 0 {
        now.plus_ms(AHEAD_MS)
    } else {
        UnixMs(to_ms)
    };
    let from = UnixMs(from_ms);
    if from >= to {
        let problem = format!("({from}) must lie before the end of the span ({to})");
        return Err(status::invalid(&Invalid::new("filter.from_ms", problem)));
    }
    Ok((from, to))
}

fn grouping(value: i32) -> Result<Option<UsageGrouping>, Status> {
    use wire::UsageGrouping as Wire;
    let unknown = |_| {
        let problem = format!("has the value {value}, which this release does not know");
        status::invalid(&Invalid::new("group_by", problem))
    };
    Ok(match Wire::try_from(value).map_err(unknown)? {
        Wire::Unspecified => None,
        Wire::User => Some(UsageGrouping::User),
        Wire::Key => Some(UsageGrouping::Key),
        Wire::Provider => Some(UsageGrouping::Provider),
        Wire::Model => Some(UsageGrouping::Model),
        Wire::Hour => Some(UsageGrouping::Hour),
    })
}

/// Id and name of a group. Calls that no provider was asked for have neither.
fn subject(subject: &UsageSubject, index: &Index) -> (String, String) {
    let named = |reference: ResourceRef| {
        let id = reference.id();
        let name = labels::name(index, &reference).unwrap_or_else(|| id.clone());
        (id, name)
    };
    match subject {
        UsageSubject::User(id) => named(ResourceRef::User(*id)),
        UsageSubject::Key(id) => named(ResourceRef::Key(*id)),
        UsageSubject::Provider(Some(id)) => named(ResourceRef::Provider(*id)),
        UsageSubject::Provider(None) => (String::new(), String::new()),
        UsageSubject::Model(model) => (model.clone(), model.clone()),
        UsageSubject::Hour(at) => (at.0.to_string(), at.to_string()),
    }
}

fn totals(totals: &UsageTotals) -> wire::UsageTotals {
    wire::UsageTotals {
        requests: totals.requests,
        rejected: totals.rejected,
        input_tokens: totals.input_tokens,
        output_tokens: totals.output_tokens,
        cache_read_tokens: totals.cache_read_tokens,
        cache_write_tokens: totals.cache_write_tokens,
        cache_write_1h_tokens: totals.cache_write_1h_tokens,
        reasoning_tokens: totals.reasoning_tokens,
        audio_input_tokens: totals.audio_input_tokens,
        image_input_tokens: totals.image_input_tokens,
        audio_output_tokens: totals.audio_output_tokens,
        image_output_tokens: totals.image_output_tokens,
        cost_nanousd: totals.cost.0,
        unpriced_requests: totals.unpriced_requests,
        cache_write_12h_tokens: totals.cache_write_12h_tokens,
    }
}

fn not_an_id(field: &str, text: &str) -> Status {
    status::invalid(&Invalid::new(field, format!("{text:?} is not an id")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);

    #[test]
    fn e06_a_span_without_an_end_reaches_beyond_now() {
        let (from, to) = span(0, 0, NOW).unwrap();
        assert_eq!(from, UnixMs(0));
        assert!(to > NOW);
    }

    #[test]
    fn e06_a_span_that_ends_before_it_begins_is_refused() {
        let error = span(10, 10, NOW).unwrap_err();
        assert!(
            error.message().contains("must lie before the end"),
            "{}",
            error.message()
        );
    }

    #[test]
    fn e06_a_grouping_of_a_newer_release_is_refused() {
        assert_eq!(grouping(0).unwrap(), None);
        assert_eq!(grouping(5).unwrap(), Some(UsageGrouping::Hour));
        assert_eq!(grouping(99).unwrap_err().code(), tonic::Code::InvalidArgument);
    }
}
