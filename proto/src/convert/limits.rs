//! Limits, and what their counters say.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_core::invalid::Invalid;
use penstock_core::limits::{Budget, DailyReset, Limits, Zone};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;

use super::enums::{budget_from_wire, budget_to_wire, dimension_from_wire, dimension_to_wire};
use crate::config::v1 as wire;

/// Writes limits; None for those without any.
pub fn limits_to_wire(limits: &Limits) -> Option<wire::Limits> {
    let resets = limits.resets.iter().map(|(dimension, at)| wire::LimitReset {
        dimension: dimension_to_wire(*dimension),
        at_ms: at.0,
    });
    (*limits != Limits::default()).then(|| wire::Limits {
        rpm: limits.rpm,
        tpm: limits.tpm,
        usd_5h_nanousd: limits.usd_5h.0,
        usd_daily_nanousd: limits.usd_daily.0,
        usd_weekly_nanousd: limits.usd_weekly.0,
        usd_monthly_nanousd: limits.usd_monthly.0,
        usd_total_nanousd: limits.usd_total.0,
        concurrent_sessions: limits.concurrent_sessions,
        concurrent_requests: limits.concurrent_requests,
        budget: budget_to_wire(limits.budget),
        daily_reset_minute: match limits.daily_reset {
            DailyReset::At(minute) => minute.into(),
            DailyReset::Rolling => 0,
        },
        daily_rolling: limits.daily_reset == DailyReset::Rolling,
        zone: limits.zone.0.clone(),
        session_idle_s: limits.session_idle_s,
        resets: resets.collect(),
    })
}

/// Reads limits; absent ones are none.
pub fn limits_from_wire(limits: Option<wire::Limits>) -> Result<Arc<Limits>, Invalid> {
    let Some(limits) = limits else {
        return Ok(Limits::none());
    };
    let minute = u16::try_from(limits.daily_reset_minute)
        .map_err(|_| Invalid::new("limits.daily_reset_minute", "is not in a day"))?;
    let mut resets = BTreeMap::new();
    for reset in limits.resets {
        let dimension = dimension_from_wire("limits.resets.dimension", reset.dimension)?;
        resets.insert(dimension, UnixMs(reset.at_ms));
    }
    let limits = Limits {
        rpm: limits.rpm,
        tpm: limits.tpm,
        usd_5h: NanoUsd(limits.usd_5h_nanousd),
        usd_daily: NanoUsd(limits.usd_daily_nanousd),
        usd_weekly: NanoUsd(limits.usd_weekly_nanousd),
        usd_monthly: NanoUsd(limits.usd_monthly_nanousd),
        usd_total: NanoUsd(limits.usd_total_nanousd),
        concurrent_sessions: limits.concurrent_sessions,
        concurrent_requests: limits.concurrent_requests,
        budget: match limits.budget {
            0 => Budget::Soft,
            budget => budget_from_wire("limits.budget", budget)?,
        },
        daily_reset: match limits.daily_rolling {
            true => DailyReset::Rolling,
            false => DailyReset::At(minute),
        },
        zone: match limits.zone.is_empty() {
            true => Zone::default(),
            false => Zone(limits.zone),
        },
        session_idle_s: limits.session_idle_s,
        resets,
    };
    Ok(limits.shared())
}
