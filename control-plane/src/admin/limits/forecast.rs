//! When budgets are reached if spending goes on as it did, from the ledger.
//!
//! What is used is what the ledger has of the window, since the last reset: calls under way are not in it. So it can be
//! told while no data plane is there.

use penstock_core::limits::forecast::Spending;
use penstock_core::limits::window::Window;
use penstock_core::limits::{Dimension, Level};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert::enums::{dimension_to_wire, level_to_wire};
use penstock_store::{BaselineQuestion, Spend, SpendSpan, SpendSubject, Store};
use tonic::Status;

use super::super::status;
use super::subject::Held;

const DEFAULT_HOURS: u32 = 24;
/// What is spent is kept by minute for 35 days.
const MAX_HOURS: u32 = 720;
const HOUR_MS: i64 = 3_600_000;

/// A limit of money, and the window that it is about now.
struct Budget {
    dimension: Dimension,
    limit: NanoUsd,
    window: Window,
}

pub(super) async fn make(
    store: &dyn Store,
    held: &Held,
    owner: Option<&Held>,
    hours: u32,
    now: UnixMs,
) -> Result<wire::ForecastLimitsResponse, Status> {
    let hours = match hours {
        0 => DEFAULT_HOURS,
        hours => hours.min(MAX_HOURS),
    };
    let mut forecasts = Vec::new();
    for held in std::iter::once(held).chain(owner) {
        forecasts.extend(of(store, held, hours, now).await?);
    }
    if forecasts.is_empty() {
        return Err(Status::failed_precondition(format!(
            "{} has no budget, so there is nothing to forecast; set one first",
            held.label()
        )));
    }
    Ok(wire::ForecastLimitsResponse {
        forecasts,
        now_ms: now.0,
        hours,
    })
}

async fn of(
    store: &dyn Store,
    held: &Held,
    hours: u32,
    now: UnixMs,
) -> Result<Vec<wire::BudgetForecast>, Status> {
    let limits = held.limits();
    let budgets: Vec<Budget> = Dimension::MONEY
        .into_iter()
        .filter(|dimension| limits.get(*dimension) > 0)
        .map(|dimension| Budget {
            dimension,
            limit: limits.money(dimension),
            window: limits.window(dimension, now),
        })
        .collect();
    if budgets.is_empty() {
        return Ok(Vec::new());
    }
    let lately = SpendSpan {
        from: UnixMs(now.0 - i64::from(hours) * HOUR_MS),
        by_minute: false,
    };
    let spans = budgets
        .iter()
        .map(|budget| span(budget.window, limits.reset_at(budget.dimension), now));
    let question = BaselineQuestion {
        subject: subject(held)?,
        spans: std::iter::once(lately).chain(spans).collect(),
    };
    let baseline = store.baseline(&[question]).await.map_err(status::from_store)?;
    let mut answers = baseline
        .answers
        .into_iter()
        .next()
        .unwrap_or_default()
        .into_iter();
    let spent_lately = answers.next().unwrap_or_default().total;
    let per_hour = NanoUsd(spent_lately.0 / i64::from(hours));
    let budgets = budgets.into_iter().zip(answers);
    Ok(budgets
        .map(|(budget, spend)| budget.forecast(held, &spend, per_hour, now))
        .collect())
}

/// What counts in the window now.
fn span(window: Window, reset: Option<UnixMs>, now: UnixMs) -> SpendSpan {
    let (from, by_minute) = match window {
        Window::Total => (UnixMs(0), false),
        Window::Fixed(bounds) => (bounds.current, false),
        Window::Rolling(length) => (UnixMs(now.0.saturating_sub(length)), true),
    };
    SpendSpan {
        from: reset.map_or(from, |reset| reset.max(from)),
        by_minute,
    }
}

impl Budget {
    fn forecast(&self, held: &Held, spend: &Spend, per_hour: NanoUsd, now: UnixMs) -> wire::BudgetForecast {
        let minutes = spend.minutes.iter().map(|minute| (minute.minute, minute.spent));
        let spent: Vec<(UnixMs, NanoUsd)> = minutes.collect();
        let forecast = Spending {
            now,
            window: self.window,
            limit: self.limit,
            used: spend.total,
            per_hour,
            spent: &spent,
        }
        .forecast();
        wire::BudgetForecast {
            level: level_to_wire(held.level()),
            id: held.id(),
            name: held.name().to_owned(),
            dimension: dimension_to_wire(self.dimension),
            limit_nanousd: self.limit.0,
            used_nanousd: spend.total.0,
            nanousd_per_hour: per_hour.0,
            reached_at_ms: forecast.reached_at.map(|at| at.0),
            reset_at_ms: forecast.reset_at.map(|at| at.0),
            projected_nanousd: forecast.projected.0,
        }
    }
}

fn subject(held: &Held) -> Result<SpendSubject, Status> {
    let bad = |_| Status::internal("a stored id cannot be read");
    let id = held.id();
    Ok(match held.level() {
        Level::Key => SpendSubject::Key(id.parse().map_err(bad)?),
        Level::User => SpendSubject::User(id.parse().map_err(bad)?),
        Level::Provider => SpendSubject::Provider(id.parse().map_err(bad)?),
    })
}
