//! How calls ended and how long they took.

use penstock_core::resource::ResourceRef;
use penstock_core::usage::times::Times;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert::enums::outcome_to_wire;
use penstock_store::{Endings, TrendFilter};
use tonic::Status;

use super::super::{labels, status};
use super::filter;
use crate::clock;
use crate::context::Context;

pub(super) async fn read(
    context: &Context,
    request: wire::ErrorTrendsRequest,
) -> Result<wire::ErrorTrendsResponse, Status> {
    let (from, to) = filter::span(request.from_ms, request.to_ms, clock::now())?;
    let filter = TrendFilter {
        from,
        to,
        provider: filter::provider(context, &request.provider).await?,
        model: (!request.model.is_empty()).then_some(request.model),
    };
    let trends = context.store.usage_trends(&filter).await;
    let trends = trends.map_err(status::from_store)?;
    let mut totals = Endings::default();
    for (_, hour) in &trends.hours {
        totals += *hour;
    }
    let hour = |(at, hour): &(penstock_core::time::UnixMs, Endings)| wire::HourTrend {
        hour_ms: at.0,
        endings: Some(endings(hour)),
    };
    let route = |route: &penstock_store::TrendRoute| {
        let reference = route.provider.map(ResourceRef::Provider);
        let id = reference.as_ref().map(ResourceRef::id).unwrap_or_default();
        let name = reference.and_then(|reference| labels::name(&context.index, &reference));
        wire::RouteTrend {
            provider_name: name.unwrap_or_else(|| id.clone()),
            provider_id: id,
            model: route.model.clone(),
            endings: Some(endings(&route.endings)),
            duration: Some(latency(&route.duration)),
            first_byte: Some(latency(&route.first_byte)),
        }
    };
    let error = |kind: &penstock_store::EndingKind| wire::ErrorCount {
        outcome: outcome_to_wire(kind.outcome),
        status: kind.status.into(),
        code: kind.code.clone(),
        calls: kind.calls,
    };
    Ok(wire::ErrorTrendsResponse {
        from_ms: trends.from.0,
        to_ms: trends.to.0,
        totals: Some(endings(&totals)),
        hours: trends.hours.iter().map(hour).collect(),
        routes: trends.routes.iter().map(route).collect(),
        errors: trends.kinds.iter().map(error).collect(),
    })
}

fn endings(endings: &Endings) -> wire::CallEndings {
    wire::CallEndings {
        calls: endings.calls,
        succeeded: endings.succeeded,
        failed: endings.failed,
        rejected: endings.rejected,
        client_aborts: endings.client_aborts,
        retried: endings.retried,
        retried_succeeded: endings.retried_succeeded,
        upstream_rate_limited: endings.upstream_rate_limited,
        rate_limited: endings.rate_limited,
    }
}

fn latency(times: &Times) -> wire::Latency {
    let percentile = |percent| times.percentile_ms(percent).unwrap_or(0);
    wire::Latency {
        calls: times.calls(),
        average_ms: times.average_ms().unwrap_or(0),
        p50_ms: percentile(50),
        p95_ms: percentile(95),
        p99_ms: percentile(99),
    }
}
