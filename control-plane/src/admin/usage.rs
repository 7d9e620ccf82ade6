//! The ledger: sums, single records, and one call with all that is known of it.

mod call;
mod charges;
mod clean;
mod cost;
mod export;
mod filter;
mod series;
mod trends;

use std::pin::Pin;

use penstock_core::invalid::Invalid;
use penstock_core::money::Millionths;
use penstock_core::resource::ResourceRef;
use penstock_core::usage::UsageRecord;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::usage_service_server::UsageService;
use penstock_proto::convert;
use penstock_store::{
    UsageFilter, UsageGroup, UsageGrouping, UsageOrder, UsageSubject, UsageSummary, UsageTotals,
};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::author::Author;
use super::scope::Scope;
use super::{labels, status};
use crate::context::Context;
use crate::index::Index;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;

/// An answer in pieces.
type Pieces<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

pub(super) struct Ledger(pub(super) Context);

#[tonic::async_trait]
impl UsageService for Ledger {
    type ExportUsageStream = Pieces<wire::ExportUsageResponse>;
    type CleanUsageStream = Pieces<wire::CleanUsageResponse>;

    async fn summarize_usage(
        &self,
        request: Request<wire::SummarizeUsageRequest>,
    ) -> Result<Response<wire::SummarizeUsageResponse>, Status> {
        let scope = Scope::of(&request);
        let request = request.into_inner();
        let filter = filter::read(&self.0, scope, request.filter).await?;
        let group_by = grouping(request.group_by)?;
        if group_by == Some(UsageGrouping::Provider) {
            scope.refuse("providers")?;
        }
        let order = order(request.order)?;
        let limit = match request.limit {
            0 => UsageSummary::MAX_GROUPS,
            limit => limit.min(UsageSummary::MAX_GROUPS),
        };
        let store = &self.0.store;
        let summary = match group_by {
            Some(group_by) => store.top_usage(&filter, group_by, order, limit).await,
            None => store.summarize_usage(&filter, None).await,
        };
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

    async fn get_usage_series(
        &self,
        request: Request<wire::GetUsageSeriesRequest>,
    ) -> Result<Response<wire::GetUsageSeriesResponse>, Status> {
        let scope = Scope::of(&request);
        series::get(&self.0, scope, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn export_usage(
        &self,
        request: Request<wire::ExportUsageRequest>,
    ) -> Result<Response<Self::ExportUsageStream>, Status> {
        let scope = Scope::of(&request);
        let export = export::Export::begin(&self.0, scope, request.into_inner()).await?;
        Ok(Response::new(Box::pin(export.pieces())))
    }

    async fn list_charges(
        &self,
        request: Request<wire::ListChargesRequest>,
    ) -> Result<Response<wire::ListChargesResponse>, Status> {
        let scope = Scope::of(&request);
        charges::list(&self.0, scope, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn error_trends(
        &self,
        request: Request<wire::ErrorTrendsRequest>,
    ) -> Result<Response<wire::ErrorTrendsResponse>, Status> {
        trends::read(&self.0, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn clean_usage(
        &self,
        request: Request<wire::CleanUsageRequest>,
    ) -> Result<Response<Self::CleanUsageStream>, Status> {
        let author = Author::of(&request);
        let dry_run = request.into_inner().dry_run;
        author.about("cleaning", if dry_run { "dry run" } else { "now" });
        let pieces: Self::CleanUsageStream = match dry_run {
            true => Box::pin(tokio_stream::once(clean::dry_run(&self.0).await)),
            false => Box::pin(clean::Cleaning::begin(&self.0).await?.pieces()),
        };
        Ok(Response::new(pieces))
    }

    async fn list_usage_records(
        &self,
        request: Request<wire::ListUsageRecordsRequest>,
    ) -> Result<Response<wire::ListUsageRecordsResponse>, Status> {
        let scope = Scope::of(&request);
        let request = request.into_inner();
        let filter = filter::read(&self.0, scope, request.filter).await?;
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
        let records = records.into_iter().map(|record| shown(record, scope));
        let records = records.map(|record| convert::usage_record_to_wire(&record));
        Ok(Response::new(wire::ListUsageRecordsResponse {
            records: records.collect(),
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

/// Which calls are asked for, by somebody who may see all: names become ids.
pub(super) async fn filter(context: &Context, filter: wire::UsageFilter) -> Result<UsageFilter, Status> {
    filter::read(context, Scope::everything(), Some(filter)).await
}

/// A record as the caller may see it: a user does not learn who served it, nor where.
fn shown(record: UsageRecord, scope: Scope) -> UsageRecord {
    if scope.own().is_none() {
        return record;
    }
    UsageRecord {
        provider_id: None,
        node_id: String::new(),
        upstream_request_id: None,
        model_served: String::new(),
        cost_multiplier: Millionths(0),
        decision: None,
        ..record
    }
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
        Wire::Session => Some(UsageGrouping::Session),
    })
}

fn order(value: i32) -> Result<UsageOrder, Status> {
    use wire::UsageOrder as Wire;
    let unknown = |_| {
        let problem = format!("has the value {value}, which this release does not know");
        status::invalid(&Invalid::new("order", problem))
    };
    Ok(match Wire::try_from(value).map_err(unknown)? {
        Wire::Unspecified | Wire::Cost => UsageOrder::Cost,
        Wire::Tokens => UsageOrder::Tokens,
        Wire::Requests => UsageOrder::Requests,
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
        UsageSubject::Session(session) => (session.clone(), session.clone()),
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

    #[test]
    fn e06_a_grouping_of_a_newer_release_is_refused() {
        assert_eq!(grouping(0).unwrap(), None);
        assert_eq!(grouping(5).unwrap(), Some(UsageGrouping::Hour));
        assert_eq!(grouping(99).unwrap_err().code(), tonic::Code::InvalidArgument);
    }
}
