//! Sums of the ledger by hour, day, week or month.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::usage::{COLUMNS, Totals};
use super::{View, fields, rows};

/// `penstock usage series`.
#[derive(Debug, Serialize)]
pub(crate) struct UsageSeries {
    pub from: String,
    pub to: String,
    pub totals: Totals,
    pub items: Vec<Point>,
}

/// One piece of the span.
#[derive(Debug, Serialize)]
pub(crate) struct Point {
    pub from: String,
    /// Where the next one begins.
    pub to: String,
    #[serde(flatten)]
    pub totals: Totals,
}

impl From<wire::GetUsageSeriesResponse> for UsageSeries {
    fn from(answer: wire::GetUsageSeriesResponse) -> Self {
        let point = |point: wire::UsagePoint| Point {
            from: UnixMs(point.from_ms).to_string(),
            to: UnixMs(point.to_ms).to_string(),
            totals: point.totals.unwrap_or_default().into(),
        };
        Self {
            from: UnixMs(answer.from_ms).to_string(),
            to: UnixMs(answer.to_ms).to_string(),
            totals: answer.totals.unwrap_or_default().into(),
            items: answer.points.into_iter().map(point).collect(),
        }
    }
}

impl View for UsageSeries {
    fn table(&self) -> String {
        let span = fields(&[("span", format!("{} to {}", self.from, self.to))]);
        let header: Vec<&str> = std::iter::once("FROM").chain(COLUMNS).collect();
        let line = |name: &str, totals: &Totals| {
            std::iter::once(name.to_owned())
                .chain(totals.cells())
                .collect::<Vec<_>>()
        };
        let points = self.items.iter().map(|point| line(&point.from, &point.totals));
        let total = std::iter::once(line("total", &self.totals));
        format!("{span}\n{}", rows(&header, points.chain(total)))
    }
}
