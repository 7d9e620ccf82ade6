//! How calls ended and how long they took.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert::enums::outcome_from_wire;
use serde::Serialize;

use super::{View, fields, or_dash, rows};
use crate::failure::Failure;

/// `penstock usage errors`.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorTrends {
    pub from: String,
    pub to: String,
    pub totals: Endings,
    pub hours: Vec<Hour>,
    /// By provider and model, those with the most calls first.
    pub routes: Vec<Route>,
    /// What did not succeed, the most frequent first.
    pub errors: Vec<ErrorCount>,
}

/// How some calls ended.
#[derive(Debug, Serialize)]
pub(crate) struct Endings {
    pub calls: u64,
    pub succeeded: u64,
    /// A provider's error, an answer that broke off, or no answer.
    pub failed: u64,
    /// Refused by Penstock.
    pub rejected: u64,
    pub client_aborts: u64,
    /// Failed of those that were not rejected, in percent; `null` without any.
    pub error_rate_percent: Option<f64>,
    /// With more than one attempt.
    pub retried: u64,
    pub retried_succeeded: u64,
    pub retry_success_percent: Option<f64>,
    /// 429s of providers.
    pub upstream_rate_limited: u64,
    /// 429s of Penstock's own limits.
    pub rate_limited: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Hour {
    pub hour: String,
    #[serde(flatten)]
    pub endings: Endings,
}

#[derive(Debug, Serialize)]
pub(crate) struct Route {
    /// `null`: no provider was asked.
    pub provider: Option<String>,
    pub provider_id: Option<String>,
    pub model: String,
    #[serde(flatten)]
    pub endings: Endings,
    pub duration: Latency,
    pub first_byte: Latency,
}

/// From counts in buckets.
#[derive(Debug, Serialize)]
pub(crate) struct Latency {
    pub calls: u64,
    pub average_ms: u64,
    pub p50_ms: u64,
    pub p95_ms: u64,
    pub p99_ms: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct ErrorCount {
    pub outcome: &'static str,
    pub status: u32,
    /// The business code.
    pub code: Option<String>,
    pub calls: u64,
}

impl ErrorTrends {
    pub(crate) fn read(answer: wire::ErrorTrendsResponse) -> Result<Self, Failure> {
        let hour = |hour: wire::HourTrend| Hour {
            hour: UnixMs(hour.hour_ms).to_string(),
            endings: hour.endings.unwrap_or_default().into(),
        };
        let errors = answer.errors.into_iter().map(ErrorCount::read);
        Ok(Self {
            from: UnixMs(answer.from_ms).to_string(),
            to: UnixMs(answer.to_ms).to_string(),
            totals: answer.totals.unwrap_or_default().into(),
            hours: answer.hours.into_iter().map(hour).collect(),
            routes: answer.routes.into_iter().map(Route::from).collect(),
            errors: errors.collect::<Result<_, _>>()?,
        })
    }
}

impl From<wire::CallEndings> for Endings {
    fn from(endings: wire::CallEndings) -> Self {
        Self {
            calls: endings.calls,
            succeeded: endings.succeeded,
            failed: endings.failed,
            rejected: endings.rejected,
            client_aborts: endings.client_aborts,
            error_rate_percent: percent(endings.failed, endings.calls.saturating_sub(endings.rejected)),
            retried: endings.retried,
            retried_succeeded: endings.retried_succeeded,
            retry_success_percent: percent(endings.retried_succeeded, endings.retried),
            upstream_rate_limited: endings.upstream_rate_limited,
            rate_limited: endings.rate_limited,
        }
    }
}

impl From<wire::RouteTrend> for Route {
    fn from(route: wire::RouteTrend) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            provider: some(route.provider_name),
            provider_id: some(route.provider_id),
            model: route.model,
            endings: route.endings.unwrap_or_default().into(),
            duration: route.duration.unwrap_or_default().into(),
            first_byte: route.first_byte.unwrap_or_default().into(),
        }
    }
}

impl From<wire::Latency> for Latency {
    fn from(latency: wire::Latency) -> Self {
        Self {
            calls: latency.calls,
            average_ms: latency.average_ms,
            p50_ms: latency.p50_ms,
            p95_ms: latency.p95_ms,
            p99_ms: latency.p99_ms,
        }
    }
}

impl ErrorCount {
    fn read(count: wire::ErrorCount) -> Result<Self, Failure> {
        Ok(Self {
            outcome: outcome_from_wire("outcome", count.outcome)?.as_str(),
            status: count.status,
            code: (!count.code.is_empty()).then_some(count.code),
            calls: count.calls,
        })
    }
}

/// To a hundredth. None: of nothing.
fn percent(part: u64, whole: u64) -> Option<f64> {
    let hundredths = (u128::from(part) * 10_000).checked_div(u128::from(whole))?;
    let hundredths = u32::try_from(hundredths).unwrap_or(u32::MAX);
    Some(f64::from(hundredths) / 100.0)
}

fn shown(percent: Option<f64>) -> String {
    percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent:.2}"))
}

impl View for ErrorTrends {
    fn table(&self) -> String {
        let totals = &self.totals;
        let head = fields(&[
            ("span", format!("{} to {}", self.from, self.to)),
            ("calls", totals.calls.to_string()),
            ("error rate %", shown(totals.error_rate_percent)),
            (
                "retried",
                format!(
                    "{}, succeeded % {}",
                    totals.retried,
                    shown(totals.retry_success_percent)
                ),
            ),
            (
                "429s",
                format!(
                    "{} of providers, {} of own limits",
                    totals.upstream_rate_limited, totals.rate_limited
                ),
            ),
        ]);
        let hours = rows(
            &["HOUR", "CALLS", "FAILED", "ERROR %", "REJECTED", "RETRIED", "429"],
            self.hours.iter().map(|hour| {
                let endings = &hour.endings;
                vec![
                    hour.hour.clone(),
                    endings.calls.to_string(),
                    endings.failed.to_string(),
                    shown(endings.error_rate_percent),
                    endings.rejected.to_string(),
                    endings.retried.to_string(),
                    endings
                        .upstream_rate_limited
                        .saturating_add(endings.rate_limited)
                        .to_string(),
                ]
            }),
        );
        let errors = rows(
            &["OUTCOME", "STATUS", "CODE", "CALLS"],
            self.errors.iter().map(|error| {
                vec![
                    error.outcome.to_owned(),
                    error.status.to_string(),
                    or_dash(error.code.as_deref()),
                    error.calls.to_string(),
                ]
            }),
        );
        format!("{head}\n\n{hours}\n\n{errors}\n\n{}", self.routes_table())
    }
}

impl ErrorTrends {
    fn routes_table(&self) -> String {
        let header = [
            "PROVIDER",
            "MODEL",
            "CALLS",
            "ERROR %",
            "P50 MS",
            "P95 MS",
            "P99 MS",
            "FIRST BYTE P50",
            "P95",
        ];
        rows(
            &header,
            self.routes.iter().map(|route| {
                let (duration, first_byte) = (&route.duration, &route.first_byte);
                vec![
                    or_dash(route.provider.as_deref()),
                    route.model.clone(),
                    route.endings.calls.to_string(),
                    shown(route.endings.error_rate_percent),
                    duration.p50_ms.to_string(),
                    duration.p95_ms.to_string(),
                    duration.p99_ms.to_string(),
                    first_byte.p50_ms.to_string(),
                    first_byte.p95_ms.to_string(),
                ]
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g06_rates_are_of_calls_that_reached_a_provider() {
        let endings = Endings::from(wire::CallEndings {
            calls: 110,
            succeeded: 96,
            failed: 3,
            rejected: 10,
            client_aborts: 1,
            retried: 8,
            retried_succeeded: 6,
            ..wire::CallEndings::default()
        });
        assert_eq!(endings.error_rate_percent, Some(3.0));
        assert_eq!(endings.retry_success_percent, Some(75.0));
        assert_eq!(percent(0, 0), None);
    }
}
