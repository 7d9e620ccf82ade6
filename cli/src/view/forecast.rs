//! When budgets are reached.

use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert::enums::{dimension_from_wire, level_from_wire};
use serde::Serialize;

use super::{View, fields, or_dash, rows};
use crate::failure::Failure;

/// `penstock limits forecast`.
#[derive(Debug, Serialize)]
pub(crate) struct Forecasts {
    /// For which it was made.
    pub now: String,
    /// The rate is that of so many hours before.
    pub hours: u32,
    pub items: Vec<Forecast>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Forecast {
    /// Whose: `key`, `user`, `provider`.
    pub level: &'static str,
    pub id: String,
    pub name: String,
    pub dimension: &'static str,
    pub limit_usd: String,
    pub limit_nanousd: i64,
    /// In the window until now, by the ledger.
    pub used_usd: String,
    pub used_nanousd: i64,
    pub usd_per_hour: String,
    pub nanousd_per_hour: i64,
    /// `null`: not in this window, or never.
    pub reached_at: Option<String>,
    /// When a fixed window is empty again.
    pub reset_at: Option<String>,
    /// What will be used when the window ends; `null` for totals.
    pub projected_usd: Option<String>,
    pub projected_nanousd: Option<i64>,
}

impl Forecasts {
    pub(crate) fn read(answer: wire::ForecastLimitsResponse) -> Result<Self, Failure> {
        let items = answer.forecasts.into_iter().map(Forecast::read);
        Ok(Self {
            now: UnixMs(answer.now_ms).to_string(),
            hours: answer.hours,
            items: items.collect::<Result<_, _>>()?,
        })
    }
}

impl Forecast {
    fn read(forecast: wire::BudgetForecast) -> Result<Self, Failure> {
        let dimension = dimension_from_wire("dimension", forecast.dimension)?;
        let total = dimension == penstock_core::limits::Dimension::UsdTotal;
        let projected = (!total).then_some(forecast.projected_nanousd);
        Ok(Self {
            level: level_from_wire("level", forecast.level)?.as_str(),
            id: forecast.id,
            name: forecast.name,
            dimension: dimension.as_str(),
            limit_usd: NanoUsd(forecast.limit_nanousd).to_string(),
            limit_nanousd: forecast.limit_nanousd,
            used_usd: NanoUsd(forecast.used_nanousd).to_string(),
            used_nanousd: forecast.used_nanousd,
            usd_per_hour: NanoUsd(forecast.nanousd_per_hour).to_string(),
            nanousd_per_hour: forecast.nanousd_per_hour,
            reached_at: forecast.reached_at_ms.map(|at| UnixMs(at).to_string()),
            reset_at: forecast.reset_at_ms.map(|at| UnixMs(at).to_string()),
            projected_usd: projected.map(|amount| NanoUsd(amount).to_string()),
            projected_nanousd: projected,
        })
    }

    fn outlook(&self) -> String {
        match (&self.reached_at, &self.reset_at) {
            (Some(at), _) => format!("at this rate reached on {at}"),
            (None, Some(reset)) => format!("not reached before it begins anew on {reset}"),
            (None, None) => "never at this rate".to_owned(),
        }
    }
}

impl View for Forecasts {
    fn table(&self) -> String {
        let head = fields(&[("rate", format!("that of the last {} hours", self.hours))]);
        let header = [
            "WHOSE",
            "NAME",
            "LIMIT",
            "USED USD",
            "OF USD",
            "USD PER HOUR",
            "PROJECTED USD",
            "OUTLOOK",
        ];
        let line = |item: &Forecast| {
            vec![
                item.level.to_owned(),
                item.name.clone(),
                item.dimension.to_owned(),
                item.used_usd.clone(),
                item.limit_usd.clone(),
                item.usd_per_hour.clone(),
                or_dash(item.projected_usd.as_deref()),
                item.outlook(),
            ]
        };
        format!("{head}\n{}", rows(&header, self.items.iter().map(line)))
    }
}
