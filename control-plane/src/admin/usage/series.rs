//! Sums by hour, day, week or month of a zone.
//!
//! The ledger has hours of UTC; they are put together here. A piece without a call is there with zeros, so that a chart has
//! no holes.

use penstock_core::invalid::Invalid;
use penstock_core::time::UnixMs;
use penstock_core::usage::series::{Bucket, Calendar};
use penstock_proto::admin::v1 as wire;
use penstock_store::{UsageFilter, UsageGrouping, UsageOrder, UsageSubject, UsageSummary, UsageTotals};
use tonic::Status;

use super::super::scope::Scope;
use super::super::status;
use super::filter;
use crate::clock;
use crate::context::Context;

const MAX_POINTS: usize = 10_000;
const HOUR_MS: i64 = 3_600_000;

pub(super) async fn get(
    context: &Context,
    scope: Scope,
    request: wire::GetUsageSeriesRequest,
) -> Result<wire::GetUsageSeriesResponse, Status> {
    let calendar = Calendar::new(bucket(request.bucket)?, &request.time_zone);
    let calendar = calendar.map_err(|error| status::invalid(&error))?;
    let asked_from = request.filter.as_ref().map_or(0, |filter| filter.from_ms);
    let asked = filter::read(context, scope, request.filter).await?;
    // Hours that have not begun hold nothing.
    let to = asked.to.min(clock::now().hour().plus_ms(HOUR_MS.unsigned_abs()));
    let asked = UsageFilter {
        to: to.max(UnixMs(asked.from.0.saturating_add(1))),
        ..asked
    };
    let hours = context
        .store
        .top_usage(
            &asked,
            UsageGrouping::Hour,
            UsageOrder::Cost,
            UsageSummary::ALL_GROUPS,
        )
        .await
        .map_err(status::from_store)?;
    let sums: Vec<(UnixMs, UsageTotals)> = hours
        .groups
        .iter()
        .filter_map(|group| {
            let UsageSubject::Hour(hour) = group.subject else {
                return None;
            };
            Some((hour, group.totals))
        })
        .collect();
    // Without a beginning it begins with the first call.
    let from = match asked_from {
        0 => sums.first().map_or(hours.to, |(hour, _)| *hour),
        _ => hours.from,
    };
    let points = points(&calendar, from, hours.to, &sums)?;
    Ok(wire::GetUsageSeriesResponse {
        from_ms: points.first().map_or(from.0, |point| point.from_ms),
        to_ms: hours.to.0,
        totals: Some(super::totals(&hours.totals)),
        points,
    })
}

fn points(
    calendar: &Calendar,
    from: UnixMs,
    to: UnixMs,
    sums: &[(UnixMs, UsageTotals)],
) -> Result<Vec<wire::UsagePoint>, Status> {
    let mut points = Vec::new();
    let mut sums = sums.iter().peekable();
    let mut start = calendar.start(from);
    while start < to {
        if points.len() >= MAX_POINTS {
            let problem =
                format!("makes more than {MAX_POINTS} points; take a longer bucket or a shorter span");
            return Err(status::invalid(&Invalid::new("bucket", problem)));
        }
        let next = calendar.next(start);
        let mut totals = UsageTotals::default();
        while let Some((_, sum)) = sums.next_if(|(hour, _)| *hour < next) {
            totals += *sum;
        }
        points.push(wire::UsagePoint {
            from_ms: start.0,
            to_ms: next.0,
            totals: Some(super::totals(&totals)),
        });
        start = next;
    }
    Ok(points)
}

fn bucket(value: i32) -> Result<Bucket, Status> {
    use wire::UsageBucket as Wire;
    let unknown = |_| {
        let problem = format!("has the value {value}, which this release does not know");
        status::invalid(&Invalid::new("bucket", problem))
    };
    Ok(match Wire::try_from(value).map_err(unknown)? {
        Wire::Hour => Bucket::Hour,
        Wire::Unspecified | Wire::Day => Bucket::Day,
        Wire::Week => Bucket::Week,
        Wire::Month => Bucket::Month,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(requests: u64) -> UsageTotals {
        UsageTotals {
            requests,
            ..UsageTotals::default()
        }
    }

    #[test]
    fn e06_a_series_has_no_holes_and_loses_nothing() {
        let calendar = Calendar::new(Bucket::Day, "Europe/Berlin").unwrap();
        let hour = |n: i64| {
            UnixMs(1_700_000_000_000)
                .hour()
                .plus_ms(u64::try_from(n * HOUR_MS).unwrap())
        };
        let sums = [(hour(0), sum(1)), (hour(3), sum(2)), (hour(60), sum(4))];
        let points = points(&calendar, hour(0), hour(61), &sums).unwrap();
        let requests: Vec<u64> = points
            .iter()
            .map(|point| point.totals.as_ref().unwrap().requests)
            .collect();
        assert_eq!(requests, [1, 2, 0, 4]);
        assert!(points.windows(2).all(|two| two[0].to_ms == two[1].from_ms));
    }

    #[test]
    fn e06_a_series_of_too_many_points_is_refused() {
        let calendar = Calendar::new(Bucket::Hour, "").unwrap();
        let error = points(&calendar, UnixMs(0), UnixMs(i64::MAX / 4), &[]).unwrap_err();
        assert!(error.message().contains("longer bucket"), "{error}");
    }
}
