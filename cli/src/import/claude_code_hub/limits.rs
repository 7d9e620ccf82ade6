//! Its limits as ours: nearly the same dimensions.

use std::sync::Arc;

use penstock_core::limits::{DailyReset, Limits, Zone};
use penstock_core::money::NanoUsd;

use super::Options;
use crate::import::draft::Draft;
use crate::import::record::Record;

/// Of a user (whose day's budget has another name there), a key or a provider.
pub(super) fn of(draft: &mut Draft, record: &Record, daily: &str, options: &Options) -> Arc<Limits> {
    let mut limits = Limits {
        rpm: record.count("rpm_limit"),
        usd_5h: record.usd("limit_5h_usd"),
        usd_daily: record.usd(daily),
        usd_weekly: record.usd("limit_weekly_usd"),
        usd_monthly: record.usd("limit_monthly_usd"),
        usd_total: record.usd("limit_total_usd"),
        concurrent_sessions: record.count("limit_concurrent_sessions"),
        ..Limits::default()
    };
    let mode = record.text("daily_reset_mode").unwrap_or_default();
    let at = record
        .text("daily_reset_time")
        .unwrap_or_else(|| "00:00".to_owned());
    if limits.usd_daily != NanoUsd::default() {
        match (mode.as_str(), at.parse::<DailyReset>()) {
            ("rolling", _) => limits.daily_reset = DailyReset::Rolling,
            (_, Ok(at)) => limits.daily_reset = at,
            (_, Err(_)) => draft.note(
                &record.source,
                "the time at which its day begins cannot be read: it begins at 00:00",
            ),
        }
    }
    let by_calendar = [limits.usd_daily, limits.usd_weekly, limits.usd_monthly];
    if by_calendar.iter().any(|amount| *amount != NanoUsd::default()) {
        limits.zone = Zone(options.zone.clone());
    }
    if limits.usd_total != NanoUsd::default() {
        draft.note(
            &record.source,
            "what it spent of its total budget before is not known: it begins anew",
        );
    }
    limits.shared()
}
